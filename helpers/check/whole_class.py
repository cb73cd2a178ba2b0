"""A class at a glance: the solutions and lessons of many learners, checked side by side.

    python -m helpers.check --class FOLDER        a table on the terminal; --csv FILE for a grade book
    check.classroom("FOLDER")                     the same as a pandas DataFrame

FOLDER holds a folder for each learner (or a repository of theirs), or lessons that they hand in (.ipynb). What was
checked is kept in FOLDER, so that a run that was stopped goes on, and what has not changed is not checked twice.
"""

import contextlib
import csv
import hashlib
import json
import os
import shlex
import stat
import threading
from collections import Counter
from concurrent.futures import as_completed
from pathlib import Path

import psutil

from helpers.check import folder as solutions
from helpers.check import handed_in
from helpers.check.copying import stays_in, told_of_link
from helpers.check.mistakes import MISTAKES
from helpers.check.project import is_left_out
from helpers.check.together import processors, side_by_side

KEPT = ".generators-class.json"  # in the class's folder
READ = {".py", ".ipynb", ".csv", ".env", ".txt", ".sql"}  # what a check's answer depends on
LARGEST = 20 * 2**20  # bytes; a larger file counts with its size and time
WELL, WRONG, UNCHECKED = "✔", "✘", "–"
WORDS = {WELL: "well", WRONG: "to fix", UNCHECKED: "not checked"}


# What is there --------------------------------------------------------------------------------------------------------


def learners(folder):
    """Return the paths of what a class has handed in: folders and notebooks, in the order of their names.

    Raises FileNotFoundError where there is no such folder, or nothing in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder")
    found = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and _is_handed_in(path)]
    if not found:
        raise FileNotFoundError(f"{folder} contains no learners' folders and no notebooks (.ipynb)")
    return found


def _is_handed_in(path):
    return path.is_dir() and not is_left_out(path) or path.is_file() and path.suffix == ".ipynb"


def fingerprint(path, checks):
    """Return what tells whether a learner's files, or the checks (a str: see version_of_checks), have changed (str)."""
    digest = hashlib.sha256(checks.encode())
    for file in [path] if path.is_file() else sorted(_files(path)):
        digest.update(f"{file.relative_to(path.parent)}\0".encode(errors="surrogateescape"))
        try:
            digest.update(_content(file, file.stat() if file == path else file.lstat()))
        except OSError as error:
            digest.update(type(error).__name__.encode())
    return digest.hexdigest()


def _content(file, status):
    """Return what a file, or a link, counts with (bytes): a link in a learner's folder is not followed."""
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(os.readlink(file))
    if stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST:
        return file.read_bytes()
    return repr((status.st_mode, status.st_size, status.st_mtime_ns)).encode()


def _files(path):
    """Yield the files that an answer depends on, and all links."""
    for base, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not is_left_out(Path(base, name))]
        for file in (Path(base, name) for name in (*names, *folders)):
            if file.is_symlink() or file.name in names and (file.suffix in READ or file.name == ".env"):
                yield file


def version_of_checks():
    """Return what tells one version of the checks from another (str): an answer of an older one does not count."""
    files = [*Path(__file__).parent.rglob("*.py"), *handed_in.notebooks.LESSONS.glob("*.ipynb")]
    return repr([(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in sorted(files)])


# Checking -------------------------------------------------------------------------------------------------------------


def check_one(path):
    """Check what one learner has handed in; return it as Python's own types.

    "marks" has a mark for each task or lesson's turn, "details" a sentence for each that is not well, "mistakes" the
    numbers of those seen, "problem" why it could not be checked, or "", and "again" whether another run may know more.
    """
    answer = {"marks": {}, "details": {}, "mistakes": [], "problem": "", "again": False}
    problems = []
    notebooks = [path] if path.is_file() else [f for f in sorted(_files(path)) if f.suffix == ".ipynb"]
    links = [file for file in notebooks if file != path and file.is_symlink()]
    copies = [file for file in notebooks if file not in links and file.is_file() and handed_in.lesson_of(file)]
    try:
        if path.is_dir():
            _enter(answer, solutions.solution(path, at_once=1).reports, lambda report: report.title.partition(",")[0])
    except FileNotFoundError as error:
        problems.append(str(error).removeprefix(f"{path} "))
    except Exception as error:  # one learner's folder must not end the class's check
        problems.append(f"{type(error).__name__}: {error}")
        answer["again"] = True
    for file in copies:
        try:
            _enter(answer, handed_in.reports(file), lambda report: report.title)
            problems.clear()
        except Exception as error:
            problems.append(f"{file.name}: {type(error).__name__}: {error}")
            answer["again"] = True
    problems += [told_of_link(file, path) for file in links if not stays_in(file, path.resolve())]
    if not copies and path.is_file():
        problems.append("it is not a copy of a lesson")
    if not problems and set(answer["marks"].values()) == {UNCHECKED}:  # made for another server, say
        column = next(iter(answer["marks"]))
        problems.append(f"{column}: {answer['details'][column]}")
    answer["mistakes"].sort()
    answer["problem"] = "; ".join(problems)[:500]
    return answer


def _enter(answer, reports, column_of):
    """Put reports into an answer; several of one column (a task's functions) make one mark."""
    for report in reports:
        column = column_of(report)
        unknown = report.unchecked or report.unable or report.problem and not report.lines
        mark = WELL if report else UNCHECKED if unknown else WRONG
        before = answer["marks"].get(column, WELL)
        answer["marks"][column] = max(before, mark, key=(WELL, UNCHECKED, WRONG).index)
        answer["again"] |= report.unchecked
        if not report:
            told = report.problem or "; ".join(line.asked for line in report.lines if line.mark == "✘")
            answer["details"][column] = "; ".join(filter(None, [answer["details"].get(column), told]))
        answer["mistakes"] += [number for number in report.mistakes if number not in answer["mistakes"]]


def check_class(folder, progress=None, at_once=None):
    """Check a class; return {name: answer} in the order of the names.

    Parameters
    ----------
    folder : str or pathlib.Path
        See the top of this file.
    progress : callable, optional
        Called with the name of a learner, and whether they were checked now (True) or before (False).
    at_once : int, optional
        How many learners side by side; one more than there are processors, for a check waits now and then. Of each, one
        function is looked at at a time.
    """
    folder = Path(folder)
    there = learners(folder)
    kept, checks = _kept(folder), version_of_checks()
    prints = {path.name: fingerprint(path, checks) for path in there}
    answers = {name: kept[name]["answer"] for name in prints if kept.get(name, {}).get("print") == prints[name]}
    answers = {name: answer for name, answer in answers.items() if not answer["again"]}
    for name in answers:
        if progress:
            progress(name, False)
    left = [path for path in there if path.name not in answers]
    keeping = threading.Lock()

    def keep():
        _keep(folder, {name: {"print": prints[name], "answer": answer} for name, answer in answers.items()})

    def check_and_keep(path):
        answer = check_one(path)
        with keeping:  # in this thread: Ctrl-C comes in the main one, and not between an answer and its keeping
            answers[path.name] = answer
            keep()

    if left:
        keep()  # a folder that cannot be written is said at once
        with solutions.private_server(), side_by_side(at_once or processors() + 1) as submit:
            waiting = {submit(check_and_keep, path): path.name for path in left}
            for done in as_completed(waiting):
                done.result()
                if progress:
                    progress(waiting[done], True)
    return {path.name: answers[path.name] for path in there}


@contextlib.contextmanager
def bar(folder):
    """Show a progress bar inside the block; give what check_class calls with each learner."""
    from tqdm import tqdm

    with tqdm(total=len(learners(folder)), desc="Checking", unit=" learners", leave=False) as progress:

        def step(name, _):
            progress.set_postfix_str(safe(name)[:30], refresh=False)
            progress.update()

        yield step


def _kept(folder):
    """Return what an earlier run has found; {} where there is none, or it cannot be read."""
    try:
        kept = json.loads((folder / KEPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(folder, found):
    """Write what was found, whole or not at all; remove what a run that was killed had half written."""
    for old in folder.glob(f"{KEPT}.*"):
        if not psutil.pid_exists(int(old.suffix[1:])):
            old.unlink(missing_ok=True)
    new = folder / f"{KEPT}.{os.getpid()}"
    new.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    new.replace(folder / KEPT)


# Showing --------------------------------------------------------------------------------------------------------------


def columns(answers):
    """Return the tasks and turns that anybody has, tasks first, in order."""
    found = dict.fromkeys(column for answer in answers.values() for column in answer["marks"])
    return sorted(found, key=lambda column: (not column.startswith("Task"), column.partition(":")[0]))


def safe(name):
    """Return a folder's name with what a terminal would obey, or cannot show, written out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def text(answers):
    """Return the class as a table for a terminal, with who could not be checked, and the commonest mistakes.

    A lesson's turns stand in one column, a mark for each.
    """
    groups = {}
    for column in columns(answers):
        groups.setdefault(column.partition(":")[0], []).append(column)
    width = max(map(len, [*map(safe, answers), "learner"]))
    wide = {head: max(len(head), len(turns)) for head, turns in groups.items()}
    lines = ["  ".join([f"{'learner':{width}}", *(f"{head:{wide[head]}}" for head in groups)]).rstrip()]
    for name, answer in answers.items():
        marks = {
            head: "".join(answer["marks"].get(turn, UNCHECKED) for turn in turns) for head, turns in groups.items()
        }
        lines.append("  ".join([f"{safe(name):{width}}", *(f"{marks[head]:{wide[head]}}" for head in groups)]).rstrip())
    lines.append(", ".join(f"{mark} {word}" for mark, word in WORDS.items()))
    problems = [f"  {safe(name)}: {safe(one['problem'])}" for name, one in answers.items() if one["problem"]]
    if problems:
        lines += ["", "Not checked:", *problems]
    if common := mistakes(answers):
        lines += ["", "The commonest mistakes:"]
        lines += [f"  {count:3} of {len(answers)}  {number}: {MISTAKES[number].name}" for number, count in common[:10]]
    return "\n".join(lines)


def next_step(answers, folder):
    """Return how to see one learner's whole report (str); "" where no task is to fix."""
    wrong = (
        name for name, answer in answers.items()
        if any(mark == WRONG and column.startswith("Task") for column, mark in answer["marks"].items())
    )  # fmt: skip
    name = next(wrong, None)
    path = "" if name is None else shlex.quote(str(Path(folder, name)))
    return path and f"A learner's whole report: python -m helpers.check {safe(path)}"


def mistakes(answers):
    """Return (number of the mistake, how many learners have it), the commonest first."""
    counts = Counter(number for answer in answers.values() for number in answer["mistakes"])
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def write_csv(answers, path):
    """Write the class to a CSV file for a grade book: a row for each learner, marks as words."""
    heads = columns(answers)
    with open(path, "w", newline="", encoding="utf-8-sig") as file:  # a spreadsheet reads UTF-8 by its mark
        writer = csv.writer(file)
        writer.writerow(["learner", *heads, "well", "mistakes", "not checked because"])
        for name, answer in answers.items():
            marks = [WORDS[answer["marks"].get(head, UNCHECKED)] for head in heads]
            numbers = " ".join(map(str, answer["mistakes"]))
            row = [safe(name), *marks, marks.count("well"), numbers, answer["problem"]]
            writer.writerow([_no_formula(cell) for cell in row])


def _no_formula(cell):
    """A spreadsheet runs a cell that begins like this; an apostrophe before it makes it text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def table(answers):
    """Return the class as a ClassTable: a pandas DataFrame that shows itself with colours and words."""
    import pandas as pd

    class ClassTable(pd.DataFrame):
        """A row for each learner, a column for each task: "✔ well", "✘ to fix" or "– not checked"."""

        @property
        def _constructor(self):
            return ClassTable

        def _repr_html_(self):
            return self.style.map(_colours).format(escape="html").format_index(escape="html").to_html()

    rows = {
        safe(name): {head: _words(answer["marks"].get(head, UNCHECKED)) for head in columns(answers)}
        | {"mistakes": ", ".join(map(str, answer["mistakes"])), "not checked because": answer["problem"]}
        for name, answer in answers.items()
    }
    made = ClassTable.from_dict(rows, orient="index")
    made.index.name = "learner"
    return made


def _words(mark):
    return f"{mark} {WORDS[mark]}"


def _colours(cell):
    """Return a cell's colours (CSS): text and ground differ by more than 4.5 to 1, on light and dark themes."""
    grounds = {WELL: "#D9F0E3", WRONG: "#FBE0D2", UNCHECKED: "#ECECEC"}
    ground = grounds.get(cell[:1] if isinstance(cell, str) else "")
    return f"background-color: {ground}; color: #1A1A1A" if ground else ""
