"""What learners answer: for each cell that is theirs, right answers written differently, and typical wrong ones.

helpers/tests/answers/lessonNN.py holds TURNS, a list with one Turn for each cell of the lesson that is tagged
`your-turn` or `exercise`, in the notebook's order. test_answers.py runs each answer through its check.
"""

import importlib
import linecache
import pkgutil
import textwrap
from dataclasses import dataclass, field

import nbformat

from helpers import notebooks

THEIRS = {"your-turn", "exercise"}


@dataclass(frozen=True)
class Turn:
    """One cell of the learner's.

    Parameters
    ----------
    check : str
        The check's name: check.NAME.
    step : int, optional
        As the lesson passes it to the check.
    right : list of str
        Sources that must pass, at least 3, written differently. The first one is what the playing learner writes.
    wrong : list of (str, str)
        Sources that must not pass, at least 6, each with a text that the report must contain.
    before : str
        A source to run first; the lesson's `export` cells above the learner's cell are run before it.
    name : str
        What the sources define and the check is given, where that is not called like the check.
    """

    check: str
    right: list
    wrong: list
    step: int | None = None
    before: str = ""
    name: str = ""
    answers: dict = field(init=False, compare=False)  # id -> (source, the text that a wrong one must get, or None)

    def __post_init__(self):
        label = self.check + (f"-{self.step}" if self.step else "")
        answers = {f"{label}-right{n}": (source, None) for n, source in enumerate(self.right)}
        answers |= {f"{label}-wrong{n}-{_slug(text)}": (source, text) for n, (source, text) in enumerate(self.wrong)}
        object.__setattr__(self, "answers", answers)


def _slug(text):
    """Return the first words of a text, for a test's id."""
    return "_".join("".join(c if c.isalnum() else " " for c in text).split()[:6])


def tables():
    """Return the TURNS of each lesson that has some: a dict by its number, "00"."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        turns = importlib.import_module(f"{__name__}.{module.name}").TURNS
        found[module.name.removeprefix("lesson")] = turns
    return found


def theirs(lesson):
    """Return the cells of a lesson that are the learner's, as (number of the cell, source)."""
    cells = nbformat.read(notebooks.find(lesson), as_version=4).cells
    return [
        (number, cell.source)
        for number, cell in enumerate(cells)
        if cell.cell_type == "code" and THEIRS & {*cell.metadata.get("tags", [])}
    ]


def namespace(lesson, turn, position):
    """Return what the learner's cell of this turn meets: the lesson's export cells above it, and turn.before, run."""
    cells = nbformat.read(notebooks.find(lesson), as_version=4).cells
    numbers = [number for number, _ in theirs(lesson)]
    end = numbers[position] if position < len(numbers) else len(cells)
    names = {"__name__": f"lesson{lesson}"}
    for number, cell in enumerate(cells[:end]):
        if cell.cell_type == "code" and "export" in cell.metadata.get("tags", []):
            execute(cell.source, names, f"<lesson {lesson}, cell {number}>")
    execute(turn.before, names, f"<before {turn.check}>")
    return names


def execute(source, names, label):
    """Run a source as a cell of a notebook is run: tracebacks show its lines."""
    source = textwrap.dedent(source).strip("\n")
    linecache.cache[label] = (len(source), None, source.splitlines(True), label)
    exec(compile(source, label, "exec"), names)
