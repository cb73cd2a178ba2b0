"""How long a lesson takes, computed from what it holds, and what the learner does in it.

The minutes are those of an average reader who does everything: 120 words a minute of prose that explains code, 15
lines of code a minute, and a fixed time for each prediction, "your turn" and exercise. The lesson's first cell and the
README state these figures; tests hold them to it.
"""

import math
import re
from dataclasses import dataclass

from helpers.notebooks import ROOT, read, tags

DEEPER = "## Dig deeper"
WORDS_A_MINUTE = 120
LINES_A_MINUTE = 15
PREDICTION, TURN, EXERCISE = 1.5, 4, 6  # minutes each
STEP = 5  # minutes are rounded up to a multiple of it


@dataclass(frozen=True)
class Form:
    """What one part of a lesson holds: its core, or what comes from "Dig deeper" on."""

    words: int  # of prose, without what is folded
    lines: int  # of code that shows, blank ones apart
    predictions: int
    turns: int  # "your turn" cells
    exercises: int
    written: int  # lines of the solutions that the learner's cells do not hold yet
    first: int | None  # number of the first cell that the learner writes in

    @property
    def minutes(self):
        """Minutes that this part takes (int, a multiple of 5)."""
        exact = self.words / WORDS_A_MINUTE + self.lines / LINES_A_MINUTE
        exact += PREDICTION * self.predictions + TURN * self.turns + EXERCISE * self.exercises
        return STEP * math.ceil(exact / STEP)


def core(cells):
    """Return the cells before "Dig deeper": what a class does in one sitting."""
    return cells[: _deeper_at(cells)]


def deeper(cells):
    """Return the cells from "Dig deeper" on."""
    return cells[_deeper_at(cells) :]


def _deeper_at(cells):
    starts = (n for n, cell in enumerate(cells) if cell.cell_type == "markdown" and cell.source.startswith(DEEPER))
    return next(starts, len(cells))


def form(cells):
    """Return the Form of some of a lesson's cells."""
    theirs = [number for number, cell in enumerate(cells) if is_the_learners(cell)]
    return Form(
        words=sum(words(cell.source) for cell in cells if cell.cell_type == "markdown"),
        lines=sum(len(visible_lines(cell)) for cell in cells),
        predictions=sum("prediction" in tags(cell) for cell in cells),
        turns=sum("your-turn" in tags(cell) for cell in cells),
        exercises=_exercises(cells),
        written=sum(_lines_to_write(cells, number) for number in theirs),
        first=theirs[0] if theirs else None,
    )


def is_the_learners(cell):
    """Tell whether the learner writes in a cell."""
    return bool({"your-turn", "exercise"} & tags(cell)) and "check" not in tags(cell)


def words(text):
    """Count the words of Markdown that show without a click: what a <details> holds beside its summary does not.

    >>> words("Which **one**? <details><summary>A) this</summary>Because …</details> | --- |")
    4
    """
    text = re.sub(r"(?s)</summary>.*?</details>", "</summary>", text)
    text = re.sub(r"<[^>]+>", " ", text)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)  # a picture or a badge
    text = re.sub(r"\]\([^)]*\)", "]", text)  # the address of a link
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def visible_lines(cell):
    """Return the lines of a code cell that are not blank; none of Markdown or of a folded cell."""
    if cell.cell_type != "code" or cell.metadata.get("jupyter", {}).get("source_hidden"):
        return []
    return [line for line in cell.source.splitlines() if line.strip()]


def _exercises(cells):
    """Count the exercises: cells of one exercise, up to its solution, count once."""
    count, inside = 0, False
    for cell in cells:
        if "exercise" in tags(cell) and not inside:
            count, inside = count + 1, True
        elif "solution" in tags(cell):
            inside = False
    return count


def _lines_to_write(cells, number):
    """Count the lines of code of the solution that follows a learner's cell and that the cell does not hold yet."""
    for cell in cells[number + 1 :]:
        if "solution" in tags(cell):
            given = _statements(cells[number].source)
            return sum(1 for line in _statements(cell.source) if line not in given)
        if is_the_learners(cell):
            break
    return 0


def _statements(source):
    source = re.sub(r'(?s)""".*?"""', "", source)
    return [line.strip() for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]


def of(path):
    """Return the Forms of a lesson's core and of its "Dig deeper"."""
    cells = read(path).cells
    return form(core(cells)), form(deeper(cells))


def state(cells):
    """Write the computed minutes into a lesson, where it states them.

    It does so in its first cell, `**Time:** N minutes` and `**Dig deeper:** N minutes`, and in the headings of
    the parts of "Dig deeper": `### Title (N minutes)`.
    """
    for title, part in (("Time", core(cells)), ("Dig deeper", deeper(cells))):
        stated = rf"\*\*{title}:\*\* \d+ minutes"
        cells[0].source = re.sub(stated, f"**{title}:** {form(part).minutes} minutes", cells[0].source)
    for part in deeper_parts(cells):
        first, *rest = part[0].source.split("\n")
        first = re.sub(r"\(\d+ minutes\)$", f"({form(part).minutes} minutes)", first)
        part[0].source = "\n".join([first, *rest])


def deeper_parts(cells):
    """Return the parts of "Dig deeper": lists of cells, each of which begins with a heading of the third level."""
    parts = []
    for cell in deeper(cells):
        if cell.cell_type == "markdown" and cell.source.startswith("### "):
            parts.append([])
        if parts:
            parts[-1].append(cell)
    return parts


def state_in_readme(path):
    """Write a lesson's minutes into its rows of the README's tables: core + deeper for learners, core for teachers."""
    readme = ROOT / "README.md"
    main, more = of(path)
    text = readme.read_text(encoding="utf-8")
    number, both = path.stem[:2], f"{main.minutes} + {more.minutes}"
    text = re.sub(rf"^(\| \[{number} [^|]*\| )\d+ \+ \d+ ", rf"\g<1>{both} ", text, flags=re.M)
    text = re.sub(rf"^\| {number} \| \d+ ", f"| {number} | {main.minutes} ", text, flags=re.M)
    readme.write_text(text, encoding="utf-8")


def table(paths):
    """Return a table in Markdown: a row for each lesson."""
    columns = "lesson, words, code lines, minutes, Dig deeper, first own cell, your turns, own lines, predictions"
    rows = [*columns.split(", "), "exercises"], ["---", *["--:"] * 9]
    for path in paths:
        main, more = of(path)
        count = len(read(path).cells)
        first = "none" if main.first is None else f"{main.first} of {count}"
        facts = main.words, main.lines, main.minutes, more.minutes, first, main.turns, main.written
        rows += ([path.stem, *facts, main.predictions, main.exercises],)
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
