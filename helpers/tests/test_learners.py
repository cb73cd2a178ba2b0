"""A learner who writes a right answer into every cell that is theirs: each check says so, and the lesson works on it.

The learner who writes nothing is played by strict nbval, which runs the lessons as they are; those who write something
wrong, by test_answers.py.
"""

import textwrap

import nbclient
import pytest
from answers import tables
from cell_names import names
from places import PATIENCE

from helpers import notebooks
from helpers.notebooks import copies, minutes

TABLES = tables()
LESSONS = [
    path
    for path in sorted(notebooks.LESSONS.glob("*.ipynb"))
    if any("your-turn" in notebooks.tags(cell) for cell in notebooks.read(path).cells)
]
PLAYED = {"export", "your-turn", "exercise", "check", "solution"}


def is_played(cell):
    """Tell whether a cell belongs to what the learner writes, is a check or a solution, or readies the database."""
    return bool(PLAYED & notebooks.tags(cell)) or ".choose(" in cell.source or "databases.ready(" in cell.source


def without_the_rest(cells):
    """Return the code cells that are played, and those that they need something of: measuring takes too long here."""
    kept, needed = [], set()
    for cell in reversed([cell for cell in cells if cell.cell_type == "code"]):
        bound, imported, used = names(cell.source)
        if is_played(cell) or (bound | imported) & needed:
            kept.append(cell)
            needed = needed - bound - imported | used
    return kept[::-1]


def said(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_whoever_writes_every_answer_is_told_that_all_is_well(path):
    copy = copies.learners(notebooks.read(path))
    turns = [cell for cell in copy.cells if minutes.is_the_learners(cell)]
    answers = TABLES.get(path.stem[:2], [])
    assert len(turns) == len(answers), "a table of answers has a Turn for each cell of the learner's"
    for cell, turn in zip(turns, answers, strict=True):
        cell.source = textwrap.dedent(turn.right[0]).strip("\n")
    copy.cells = without_the_rest(copy.cells)
    where = {"metadata": {"path": notebooks.LESSONS}}
    nbclient.NotebookClient(copy, timeout=None, startup_timeout=PATIENCE, resources=where).execute()
    checks = [cell for cell in copy.cells if "check" in notebooks.tags(cell)]
    assert len(checks) >= len(turns)
    for cell in checks:
        assert "All is well" in said(cell), f"{cell.source}\n{said(cell)}"
    for cell in copy.cells:
        if ".choose(" in cell.source:
            assert "is yours." in said(cell) and "lesson's version" not in said(cell), f"{cell.source}\n{said(cell)}"


OTHER_ANSWERS = [
    (path, number)
    for path in LESSONS
    for number in range(max(len(turn.right) for turn in TABLES.get(path.stem[:2], [])))
]


@pytest.mark.torture
@pytest.mark.parametrize(("path", "number"), OTHER_ANSWERS, ids=lambda value: getattr(value, "stem", value))
def test_a_whole_lesson_works_on_answers_that_are_written_otherwise(path, number):
    copy = copies.learners(notebooks.read(path))
    turns = [cell for cell in copy.cells if minutes.is_the_learners(cell)]
    for cell, turn in zip(turns, TABLES[path.stem[:2]], strict=True):
        cell.source = textwrap.dedent(turn.right[min(number, len(turn.right) - 1)]).strip("\n")
    where = {"metadata": {"path": notebooks.LESSONS}}
    nbclient.NotebookClient(copy, timeout=None, startup_timeout=PATIENCE, resources=where).execute()
    for cell in copy.cells:
        if ".choose(" in cell.source:
            assert "is yours." in said(cell) and "lesson's version" not in said(cell), f"{cell.source}\n{said(cell)}"


def test_what_is_not_needed_is_left_out():
    sources = ["import a", "b = a.x", "slow = a.measure()", "def c():\n    return b", "mine = c.choose(c)"]
    cells = [notebooks.nbformat.v4.new_code_cell(source) for source in sources]
    assert [cell.source for cell in without_the_rest(cells)] == [*sources[:2], *sources[3:]]
