"""The small library behind the notebooks. Each module says in its first line what it is for."""
