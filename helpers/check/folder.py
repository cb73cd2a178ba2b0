"""Checks a whole solution of the public project as it stands in a folder."""

import contextlib
import io
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from helpers import server
from helpers.check import task0, task1, task2, task3, task4
from helpers.check.harness import Harness
from helpers.check.look import guarded, look_of
from helpers.check.report import Report, Stop
from helpers.check.words import told

AT_ONCE = 3  # checks at the same time: each waits for its process, its server and its clock
LEFT_OUT = (".git", ".venv", "venv", "env", "node_modules", "__pycache__", ".ipynb_checkpoints")


@dataclass(frozen=True)
class Function:
    """One function that a task asks for: its file, its name, what else it may be called, and how it is looked at."""

    task: int
    file: str
    name: str
    look: object
    arguments: str = ""
    others: tuple = ()


FUNCTIONS = (
    Function(0, "seed.py", "seed", None),
    Function(1, "0-stream_users.py", "stream_users", task1.stream_users),
    Function(2, "1-batch_processing.py", "stream_users_in_batches", task2.stream_users_in_batches, "batch_size"),
    Function(2, "1-batch_processing.py", "batch_processing", task2.batch_processing, "batch_size"),
    Function(3, "2-lazy_paginate.py", "paginate_users", task3.paginate_users, "page_size, offset"),
    Function(3, "2-lazy_paginate.py", "lazy_pagination", task3.lazy_pagination, "page_size", ("lazy_paginate",)),
    Function(4, "4-stream_ages.py", "stream_user_ages", task4.stream_user_ages),
    Function(4, "4-stream_ages.py", "calculate_average_age", task4.calculate_average_age, "",
             ("calculate_average", "average_age", "compute_average_age", "get_average_age")),
)  # fmt: skip


@dataclass
class Result:
    """What was found in a folder: a report for each function, in the order of the tasks."""

    folder: str
    reports: list = field(default_factory=list)

    @property
    def status(self):
        """0 when all is well, 1 when something is to fix, 2 when it could not be checked."""
        if all(self.reports):
            return 0
        return 2 if any(report.unchecked for report in self.reports) else 1

    @property
    def mistakes(self):
        """Numbers of the mistakes observed anywhere, in order."""
        return sorted({mistake for report in self.reports for mistake in report.mistakes})

    def summary(self):
        """Return a line for each report (str)."""
        lines = [f"Summary of {self.folder}"]
        for report in self.reports:
            how = "" if report else f": {report.problem or f'{report.to_fix} to fix'}"
            lines.append(f"  {'✔' if report else '✘'} {report.title}{how}")
        well = sum(map(bool, self.reports))
        return "\n".join([*lines, "All is well." if not self.status else f"{well} of {len(self.reports)} are well."])

    def as_dict(self):
        """Return it as Python's own types, for JSON."""
        return {
            "folder": self.folder,
            "ok": self.status == 0,
            "status": self.status,
            "mistakes": self.mistakes,
            "reports": [report.as_dict() for report in self.reports],
        }


@contextlib.contextmanager
def private_server():
    """A private server that nobody else uses, in a folder of its own, as long as the block lasts."""
    before = dict(os.environ)
    folder = tempfile.mkdtemp(prefix="gc-check-")
    for name in list(os.environ):
        if name.startswith("MYSQL_") or name == "COURSE_DATABASE":
            del os.environ[name]
    os.environ["COURSE_SERVER_DIR"] = folder
    try:
        socket = Path(server.ensure()["unix_socket"])
        try:
            yield
        finally:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(OSError, ValueError):
                server.main(["stop"])
            shutil.rmtree(socket.parent, ignore_errors=True)
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def solution(folder, say=None):
    """Check the solution in `folder`; return a Result.

    Parameters
    ----------
    folder : str or pathlib.Path
        It is copied first: nothing that the solution does reaches it.
    say : callable, optional
        Called with each Report, in the order of the tasks, as soon as it is there.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or none of the project's files in it.
    """
    folder = Path(folder)
    found = files(folder)
    result = Result(str(folder))
    first = {function.file: function for function in reversed(FUNCTIONS)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [
            pool.submit(one, folder, found[function.file], function, first[function.file] is function)
            for function in FUNCTIONS
        ]
        for each in waiting:
            result.reports.append(each.result())
            if say:
                say(result.reports[-1])
    return result


def files(folder):
    """Return the file of each task by the name it should have; FileNotFoundError if there is none at all."""
    found = {function.file: find(Path(folder), function.file) for function in FUNCTIONS}
    if not any(found.values()):
        missing = "is no folder" if not Path(folder).is_dir() else "has none of the project's files"
        raise FileNotFoundError(f"{folder} {missing}: {', '.join(found)}")
    return found


def find(folder, name):
    """Return the file of a task: the one of that name, or the only one of that number; None if there is none."""
    if (folder / name).is_file():
        return folder / name
    number = name.split("-")[0]
    others = [p for p in folder.glob(f"{number}-*.py") if p.is_file() and "main" not in p.stem]
    return others[0] if number.isdigit() and len(others) == 1 else None


def one(folder, file, function, first):
    """Look at one function of the solution, on a copy of the folder; `first`: it is the first one of its file."""
    called = "" if function.look is None else f": {function.name}({function.arguments})"
    report = Report(f"Task {function.task}, {file.name if file else function.file}{called}", f"0{function.task + 1}")
    if file is None:
        report.problem = "the file is missing"
        return report
    names = {function.name: function.others} if function.look else dict.fromkeys(task0.FUNCTIONS, ())
    with tempfile.TemporaryDirectory(prefix="gc-", ignore_cleanup_errors=True) as temporary:
        copy = Path(temporary).resolve() / "solution"
        with contextlib.suppress(shutil.Error):  # a pipe, or what may not be read: all else is copied
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(*LEFT_OUT), ignore_dangling_symlinks=True)
        setup = {"do": "import", "module": file.stem, "names": names}
        with guarded(report), Harness(setup, str(copy)) as harness:
            harness.fill("people")
            look = look_of(function.name, report, None, harness)
            imported(look, file.name, list(names), first)
            if function.look is None:
                task0.seed(look, sources(copy), has_ids(copy / "user_data.csv"), copy)
            else:
                function.look(look)
    return report


def imported(look, file, names, first):
    """Look at what importing the file does, and whether it has the functions."""
    asked = "importing the file does nothing but define"
    observed = look.harness.learner.load()
    passed, look.printed = look.harness.proxy.traffic, observed["printed"]
    if observed["error"]:
        look.bad(asked, told(observed["error"]), why="Nothing else can be looked at before this is fixed.")
        raise Stop
    if first:
        printed = observed["printed"].strip().splitlines()
        did = []
        if passed.connections:
            did.append(f"connected to the server and sent it {len(passed.queries)} queries")
        if printed:
            did.append(f"printed {len(printed)} lines")
        if did:
            look.bad(asked, f"importing {file} {' and '.join(did)}", 26)
        else:
            look.good(asked)
    if {*names} <= {*observed["stubs"]}:
        look.report.problem = "not written yet"
        raise Stop
    missing = [name for name in names if name not in observed["names"]]
    if missing:
        what = f"{file} has no {', '.join(f'{name}()' for name in missing)}"
        look.bad("it has the functions that the task names", what, why="Other files call them by these names.")
        raise Stop


def sources(folder):
    """Return names and texts of the Python files of a solution."""
    paths = sorted(folder.glob("*.py"), key=lambda path: (path.name != "seed.py", path.name))
    return [(path.name, path.read_text(encoding="utf-8", errors="replace")) for path in paths]


def has_ids(path):
    """Tell whether a CSV file has a column user_id."""
    if not path.is_file():
        return False
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
        return "user_id" in [name.strip().lower() for name in file.readline().replace('"', "").split(",")]
