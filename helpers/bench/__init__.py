"""Measure the course's code beside its peers: `python -m helpers.bench NAME [--rows N]`."""
