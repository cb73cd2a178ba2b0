"""A whole solution of the public project: the functions that it is asked for, and where their files are."""

import os
from dataclasses import dataclass
from pathlib import Path

from helpers.check import task1, task2, task3, task4

LEFT_OUT = (".git", ".venv", "venv", "env", "node_modules", "site-packages", "__pycache__", ".ipynb_checkpoints")
OF_AN_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")  # what is in a virtual environment, whatever its name
FLOORS = 2  # how many folders down a solution is looked for


@dataclass(frozen=True)
class Function:
    """One function that a task asks for: its file, its name, what else it may be called, and how it is looked at."""

    task: int
    file: str
    name: str
    look: object
    arguments: str = ""
    others: tuple = ()
    uses: str = ""  # a function that it must use, by which it is found under any name


FUNCTIONS = (
    Function(0, "seed.py", "seed", None),
    Function(1, "0-stream_users.py", "stream_users", task1.stream_users),
    Function(2, "1-batch_processing.py", "stream_users_in_batches", task2.stream_users_in_batches, "batch_size"),
    Function(2, "1-batch_processing.py", "batch_processing", task2.batch_processing, "batch_size"),
    Function(3, "2-lazy_paginate.py", "paginate_users", task3.paginate_users, "page_size, offset"),
    Function(3, "2-lazy_paginate.py", "lazy_pagination", task3.lazy_pagination, "page_size", ("lazy_paginate",)),
    Function(4, "4-stream_ages.py", "stream_user_ages", task4.stream_user_ages),
    Function(4, "4-stream_ages.py", "calculate_average_age", task4.calculate_average_age, "",
             ("calculate_average", "average_age", "compute_average_age", "get_average_age"), "stream_user_ages"),
)  # fmt: skip


def home(folder):
    """Return the folder (pathlib.Path) that a solution stands in: this one, or the only one below that has files of it.

    Raises
    ------
    FileNotFoundError
        There is no such folder, no file of the project in it or below, or more than one solution below.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder. It should be one with {_names()}")
    if any(files_in(folder).values()):
        return folder
    below = {path: sum(map(bool, files_in(path).values())) for path in _folders(folder, FLOORS)}
    most = max(below.values(), default=0)
    best = [path for path, count in below.items() if count == most]
    if not most:
        raise FileNotFoundError(f"{folder} has none of the project's files: {_names()}")
    if len(best) > 1:
        named = ", ".join(str(path.relative_to(folder)) for path in best)
        raise FileNotFoundError(f"{folder} has several solutions below it. Name one of them: {named}")
    return best[0]


def _names():
    return ", ".join(dict.fromkeys(function.file for function in FUNCTIONS))


def _folders(folder, floors):
    """Yield the folders below, without those that are left out and those that may not be read."""
    for path in sorted(folder.iterdir()) if os.access(folder, os.R_OK | os.X_OK) else ():
        if path.is_dir() and not path.is_symlink() and not is_left_out(path):
            yield path
            if floors > 1:
                yield from _folders(path, floors - 1)


def is_left_out(path):
    """Tell whether a folder is not part of the solution: a virtual environment, a cache, a repository's own."""
    inside = (os.path.exists(path / name) for name in OF_AN_ENVIRONMENT)
    return os.path.isdir(path) and (path.name in LEFT_OUT or any(inside))


def files_in(folder):
    """Return the file of each task by the name that it should have; None where there is none."""
    return {function.file: find(folder, function) for function in FUNCTIONS}


def find(folder, function):
    """Return a function's file: the one of that name, the only one of that number, or the only one that defines it."""
    if (folder / function.file).is_file():
        return folder / function.file
    number = function.file.split("-")[0]
    if not number.isdigit():
        return None
    others = [path for path in folder.glob(f"{number}[-_]*.py") if path.is_file() and "main" not in path.stem]
    if not others:
        of_this_file = [other for other in FUNCTIONS if other.file == function.file]
        others = [path for path in folder.glob("*.py") if path.is_file() and _defines(path, of_this_file)]
    return others[0] if len(others) == 1 else None


def _defines(path, functions):
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(f"\ndef {function.name}(" in f"\n{text}" for function in functions)


def sources(folder):
    """Return names and texts of the Python files of a solution (a dict), seed.py first."""
    paths = sorted(folder.glob("*.py"), key=lambda path: (path.name != "seed.py", path.name))
    return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in paths if path.is_file()}


def has_ids(path):
    """Tell whether a CSV file has a column user_id."""
    if not path.is_file():
        return False
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
        return "user_id" in [name.strip().lower() for name in file.readline().replace('"', "").split(",")]
