"""Checks a whole solution of the public project as it stands in a folder."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from helpers import server
from helpers.check import process, reading, task0
from helpers.check.copying import copied, needed
from helpers.check.harness import Harness
from helpers.check.loading import another_world, keyboard, loaded
from helpers.check.look import guarded, look_of
from helpers.check.project import FUNCTIONS, files_in, has_ids, home, sources
from helpers.check.report import BAD, GOOD, Report, sign
from helpers.check.together import processors, side_by_side
from helpers.server import ServerError

AT_ONCE = 3  # checks at the same time, at most: each waits for its process, its server and its clock


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
        return 2 if any(report.unchecked or report.unable for report in self.reports) else 1

    @property
    def mistakes(self):
        """Numbers of the mistakes observed anywhere, in order."""
        return sorted({mistake for report in self.reports for mistake in report.mistakes})

    def summary(self):
        """Return a line for each report (str)."""
        lines = [f"Summary of {self.folder}"]
        for report in self.reports:
            how = "" if report else f": {report.problem or f'{report.to_fix} to fix'}"
            lines.append(f"  {sign(GOOD if report else BAD)} {report.title}{how}")
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
        process.warm_up()  # while the server starts
        server.ensure()
        yield
    finally:
        with contextlib.suppress(OSError, ServerError):
            server.discard()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def solution(folder, say=None, at_once=None):
    """Check the solution in `folder`; return a Result. Ctrl-C ends it at once, and leaves nothing behind.

    Parameters
    ----------
    folder : str or pathlib.Path
        It is copied first: nothing that the solution does reaches it. The solution may stand one or two folders down.
    say : callable, optional
        Called with each Report, in the order of the tasks, as soon as it is there.
    at_once : int, optional
        How many functions side by side; one more than there are processors, AT_ONCE at the most.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or none of the project's files in it.
    """
    folder = home(folder)
    found = files_in(folder)
    result = Result(str(folder))
    first = {function.file: function for function in reversed(FUNCTIONS)}
    with side_by_side(at_once or min(processors() + 1, AT_ONCE)) as submit:
        waiting = [
            submit(one, folder, found[function.file], function, first[function.file] is function)
            for function in FUNCTIONS
        ]
        for function, each in zip(FUNCTIONS, waiting, strict=True):
            report = each.result()
            inherit(report, function, result.reports, found[function.file])
            result.reports.append(report)
            if say:
                say(report)
    return result


def inherit(report, function, earlier, file):
    """Say where a ✘ comes from that an earlier function has too: one that this one uses, or stands beside."""
    if report.problem and any(report.problem == before.problem for before in earlier):
        report.problem = "not looked at, for the same reason" if report.unable else report.problem
    if file is None:
        return
    used = reading.uses(file.read_text(encoding="utf-8", errors="replace"), report.called)
    for before, other in zip(earlier, FUNCTIONS, strict=False):
        if other.file != function.file:
            continue
        uses_it = before.called in used
        known = {(line.asked, line.observed) for line in before.lines if line.mark == BAD}
        for line in report.lines:
            same_mistake = line.mistake is not None and line.mistake in before.mistakes
            if line.mark == BAD and (uses_it and same_mistake or (line.asked, line.observed) in known):
                line.inherited = before.called if uses_it else f"{before.called}, as above"


def files(folder):
    """Return the file of each task by the name it should have; FileNotFoundError if there is none at all."""
    return files_in(home(folder))


def one(folder, file, function, first):
    """Look at one function of the solution, on a copy of the folder; `first`: it is the first one of its file."""
    called = "" if function.look is None else f": {function.name}({function.arguments})"
    title = f"Task {function.task}, {file.name if file else function.file}{called}"
    report = Report(title, f"0{function.task + 1}", called=function.name)
    if file is None:
        report.problem = "the file is missing"
        return report
    names = {function.name: function.others} if function.look else dict.fromkeys(task0.FUNCTIONS, ())
    with tempfile.TemporaryDirectory(prefix="gc-", ignore_cleanup_errors=True) as temporary:
        copy = Path(temporary).resolve() / "solution"
        without = copied(folder, copy)
        if file.name in without:
            report.problem = without[file.name]
            return report
        texts = sources(copy)
        unused = {name for text in texts.values() for name in reading.imports(text).unused}
        setup = {"do": "import", "module": file.stem, "names": names, "unused": sorted(unused),
                 "users": {function.name: function.uses} if function.uses else None}  # fmt: skip
        with guarded(report), Harness(setup, str(copy)) as harness:
            look = look_of(function.name, report, None, harness)
            look.files, look.without = {file.name: texts[file.name]} | texts, without
            look_at(look, function, file, names, copy, first)
    if not report:
        for why in needed(without, f"{report}\n{texts[file.name]}"):
            report.note(why)
    return report


def look_at(look, function, file, names, copy, first):
    """Look at one function: at what its file is, at what its import does, and at what it does itself."""
    if function.look is None:
        with task0.and_passwords(look, look.files):
            another_world(look, look.source(), file.name)
            look.harness.fill("people")
            missing = loaded(look, file.name, list(names), first)
            task0.seed(look, has_ids(copy / "user_data.csv"), copy, missing=missing)
            keyboard(look, look.harness.learner.asked)
        return
    for name in (file.name, "seed.py"):
        if name in look.files and (name == file.name or "seed" in reading.imports(look.source()).used):
            another_world(look, look.files[name], name)
    look.harness.fill("people")
    loaded(look, file.name, list(names), first)
    look.report.called = look.called
    function.look(look)
    keyboard(look, look.harness.learner.asked)
