"""What a check says: the thirty mistakes, and the report that names those it saw."""

import textwrap
from dataclasses import dataclass, field

WIDTH = 96  # characters; JupyterLab beside its table of contents breaks longer lines within words
GOOD, BAD, OPEN, NOTE = "✔", "✘", "–", "·"
MARKS = {GOOD: "ok", BAD: "mend", OPEN: "open", NOTE: "note"}  # in JSON


@dataclass(frozen=True)
class Mistake:
    """One of the thirty: what it is, why it matters, and the lesson and section that treat it."""

    name: str
    why: str
    lesson: str
    section: str = "What goes wrong"


def _m(name, lesson, why):
    return Mistake(name, why, lesson)


LESSONS = {
    "00": "00_iterators_and_generators",
    "01": "01_seed_the_database",
    "02": "02_stream_users",
    "03": "03_batch_processing",
    "04": "04_lazy_pagination",
    "05": "05_stream_ages",
}

MISTAKES = {
    1: _m(
        "pages without ORDER BY", "04",
        "Without ORDER BY the server may give its rows in any order, another one each time: pages then overlap "
        "and leave users out.",
    ),
    2: _m(
        "values written into the SQL", "04",
        "What stands in the text of a statement is run as SQL, whoever sent it. Given apart, with %s, it stays a "
        "value.",
    ),
    3: _m(
        "a connection that is closed only after the loop", "02",
        "Whoever stops early never gets to that line. Each stop leaves a connection open, until the server takes "
        "no more.",
    ),
    4: _m(
        "a password in the source", "01",
        "Whoever reads the file, today or in the history of the repository, can read the database.",
    ),
    5: _m(
        "errors of the database swallowed", "02",
        "Whoever uses the stream takes the part that came for the whole, and nobody learns that rows are missing.",
    ),
    6: _m(
        "rows doubled by seeding again", "01",
        "A script that was stopped half-way is run again. Only ids that follow from the row keep the second run "
        "from adding it once more.",
    ),
    7: _m(
        "a user_id column expected in the CSV file", "01",
        "The file has the columns name, email and age. The id must be made, not read.",
    ),
    8: _m(
        "tuples where dicts are asked for", "02",
        'user["name"] says what it is. user[1] means something else as soon as a column is added.',
    ),
    9: _m(
        "a SELECT before each INSERT", "01",
        "Each row costs one more trip to the server, and between the SELECT and the INSERT another program may add the "
        "same row. A unique key prevents that, without a SELECT.",
    ),
    10: _m(
        "an empty table divides by zero", "05",
        "A table is empty on the day it is made. There is nothing to average then, and the program should say so.",
    ),
    11: _m(
        "the whole table fetched before the first row comes out", "02",
        "A generator that first fills a list needs as much memory as the list. A large table does not fit.",
    ),
    12: _m(
        "the whole CSV file in a list", "01",
        "The file must then fit in memory. Read line by line, it can be of any size.",
    ),
    13: _m(
        "batch_processing is a generator itself", "03",
        "A function with yield in it runs nothing when it is called. It waits for a next() that nobody calls.",
    ),
    14: _m(
        "batches by LIMIT and OFFSET without ORDER BY", "03",
        "Without ORDER BY the server may give its rows in any order, another one each time: batches then overlap "
        "and leave users out.",
    ),
    15: _m(
        "single users where batches are asked for", "03",
        "Whoever works on batches expects a list to go through, and meets a user instead.",
    ),
    16: _m(
        "only the first batch is ever processed", "03",
        "All users behind the first batch are left out, and nothing says so.",
    ),
    17: _m(
        "a connection that is never closed", "04",
        "A server takes some hundred connections (151 by default on MySQL and MariaDB). Then nobody gets in any "
        "more.",
    ),
    18: _m(
        "an error that hides the real one", "02",
        "The message is about a name in your code. That the server could not be reached, which is what matters, "
        "is not in it.",
    ),
    19: _m(
        "25 taken for over 25", "03",
        "Over 25 means 26 and more: age > 25. Those who are just 25 are not asked for.",
    ),
    20: _m(
        "a commit for each row", "01",
        "Each commit waits for the disk. And a run that fails half-way leaves half the rows.",
    ),
    21: _m(
        "a batch that is never emptied", "03",
        "Each batch holds all the earlier ones too. The last one is the whole table, and users come again and "
        "again.",
    ),
    22: _m(
        "page 1 for ever", "04",
        "The loop never ends, and no user behind page 1 is ever seen. The offset must grow by page_size each "
        "time.",
    ),
    23: _m(
        "one query for each row", "05",
        "Each row costs a trip to the server, and OFFSET n makes it read n rows first: ten times the rows take a "
        "hundred times as long.",
    ),
    24: _m(
        "the average cut off, or divided by the wrong number", "05",
        "The average is the sum of all ages divided by the number of users, with /: // drops what is behind the point.",
    ),
    25: _m(
        "a buffered cursor", "02",
        "The driver fetches the whole table to this side before it gives the first row. A large table does not "
        "fit.",
    ),
    26: _m(
        "work done at import", "02",
        "Whoever imports the file for one function gets the work as well: a test, a lesson, another script.",
    ),
    27: _m(
        "rowcount read before the rows", "01",
        "The cursor holds no rows, so it cannot know how many will come: rowcount is -1 or 0 until they are fetched. "
        "Ask with COUNT(*) and fetchone().",
    ),
    28: _m(
        "CSV split at commas by hand", "01",
        "A comma may stand inside a quoted name. The csv module knows that.",
    ),
    29: _m(
        "the database emptied at each seeding", "01",
        "What somebody else put there is gone. CREATE … IF NOT EXISTS adds what is missing and leaves the rest.",
    ),
    30: _m(
        "a cursor closed with rows unread", "02",
        'cursor.close() raises "Unread result found" then, so the lines behind it do not run: the connection '
        "stays open.",
    ),
}  # fmt: skip


def _wrapped(text, indent):
    """Break a text between words, each line set in; further lines two characters more."""
    further = indent + "  "
    lines = text.splitlines() or [""]
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent=further if number else indent, subsequent_indent=further,
                      break_long_words=False, break_on_hyphens=False)
        for number, line in enumerate(lines)
    )  # fmt: skip


@dataclass
class Line:
    """One thing asked, and how it went."""

    mark: str
    asked: str
    seen: str = ""
    mistake: int | None = None
    why: str = ""
    where: str = ""

    def text(self):
        """Return the line as it is printed: in lines of WIDTH at most, where no word is longer."""
        lines = [_wrapped(f"{self.mark} {self.asked}", "  ")]
        if self.mark == BAD:
            below = [f"seen: {self.seen}", f"why it matters: {self.why}"]
            if self.where:
                below.append(f"more: {self.where}")
        else:
            below = [self.seen] if self.seen else []
        return "\n".join([*lines, *(_wrapped(text, " " * 6) for text in below)])


@dataclass
class Report:
    """The result of a check: true when all is well.

    `mistakes` (list of int) are the numbers of those of the thirty mistakes that were seen; `lines` what was asked;
    `problem` (str) why nothing could be checked, as "not written yet".
    """

    title: str
    lesson: str = ""
    lines: list = field(default_factory=list)
    problem: str = ""
    unchecked: bool = False  # the fault is not the learner's

    def good(self, asked):
        """Say that something asked is so."""
        self.lines.append(Line(GOOD, asked))

    def bad(self, asked, seen, mistake=None, why="", lesson=""):
        """Say that something asked is not so: what was seen, and either the mistake's number or why it matters."""
        section = "What goes wrong"
        if mistake is not None:
            why, lesson, section = MISTAKES[mistake].why, MISTAKES[mistake].lesson, MISTAKES[mistake].section
        lesson = LESSONS.get(lesson or self.lesson, "")
        where = f'lesson {lesson}, "{section}"' if lesson else ""
        self.lines.append(Line(BAD, asked, seen, mistake, why, where))

    def open(self, asked, seen=""):
        """Say that something asked could not be looked at."""
        self.lines.append(Line(OPEN, asked, seen))

    def note(self, text):
        """Say something worth knowing that is neither right nor wrong."""
        self.lines.append(Line(NOTE, text))

    @property
    def mistakes(self):
        """Numbers of the mistakes seen, in order, each once."""
        return sorted({line.mistake for line in self.lines if line.mistake is not None})

    @property
    def to_mend(self):
        """How many of the things asked are not so."""
        return sum(line.mark == BAD for line in self.lines)

    def __bool__(self):
        return not self.problem and bool(self.lines) and all(line.mark in (GOOD, NOTE) for line in self.lines)

    def __str__(self):
        if self.problem:
            return f"{self.title}: {self.problem}"
        end = "All is well." if self else f"To mend: {self.to_mend}." if self.to_mend else "Not all could be checked."
        return "\n".join([self.title, *(line.text() for line in self.lines), end])

    def __repr__(self):
        return f"<{self.title}: {self.problem or ('all is well' if self else f'{self.to_mend} to mend')}>"

    def _ipython_display_(self):
        """As the last line of a cell it shows nothing: it has been printed."""

    def as_dict(self):
        """Return the report as Python's own types, for JSON."""
        return {
            "title": self.title,
            "ok": bool(self),
            "problem": self.problem or None,
            "mistakes": self.mistakes,
            "lines": [vars(line) | {"mark": MARKS[line.mark]} for line in self.lines],
        }
