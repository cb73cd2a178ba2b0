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
    "06": "06_hundred_million_domains",
    "07": "07_beyond_one_machine",
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
    31: _m(
        "one dict or list used again for every item", "03",
        "Whoever keeps the items, as list() does, has the last one many times. Make a new one for each.",
    ),
    32: _m(
        "a stream that starts again after an error", "02",
        "What came before the error comes a second time, and nothing says so.",
    ),
    33: _m(
        "a connection closed before the stream is read", "02",
        "A generator runs when it is asked for items. What was closed before that is gone.",
    ),
    34: _m(
        "a generator that is given out twice", "02",
        "A generator can be gone through once. The second caller finds it used up.",
    ),
    35: _m(
        "reading ahead without a bound", "03",
        "While the consumer is slow, the whole table piles up in memory. A queue needs a maxsize.",
    ),
    36: _m(
        "the rest of the table read after a stop", "02",
        "Whoever takes six rows waits for all of them. Cancel the query, and the rest is never sent.",
    ),
    37: _m(
        "an error handler that fails itself", "02",
        "The message is about the handler. What happened to the database, which is what matters, is not in it.",
    ),
    38: _m(
        "a connection made at import", "01",
        "It is as old as the program: after the server's time limit, or its restart, every function fails.",
    ),
    39: _m(
        "insert_data that does not take a path", "01",
        "0-main.py calls insert_data(connection, 'user_data.csv').",
    ),
    40: _m(
        "made for another database", "01",
        "The project is about MySQL: drivers differ in their placeholders, cursors and errors.",
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


_lessons_versions = set()  # as _marks_of() gives them


def _marks_of(function):
    """Return what tells a function from others, even where the cell that defines it is run again; None if nothing."""
    code = getattr(function, "__code__", None)
    return None if code is None else (code.co_filename, code)


def excerpt(printed):
    """Return the last lines of what was printed, on one line that is not long."""
    lines = [line.strip() for line in printed.strip().splitlines() if line.strip()][-3:]
    text = " / ".join(lines)
    return text if len(text) <= 300 else f"… {text[-300:]}"


@dataclass
class Line:
    """One thing asked, and how it went."""

    mark: str
    asked: str
    seen: str = ""
    mistake: int | None = None
    why: str = ""
    where: str = ""
    printed: str = ""

    def text(self, more=True):
        """Return the line as it is printed: in lines of WIDTH at most, where no word is longer."""
        lines = [_wrapped(f"{self.mark} {self.asked}", "  ")]
        if self.mark == BAD:
            below = [f"seen: {self.seen}"]
            if self.printed:
                below.append(f"your code printed: {self.printed}")
            if self.why:
                below.append(f"why it matters: {self.why}")
            if self.where and more:
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
    given: object = None  # what was checked, as it is in the notebook
    step: int | None = None  # the step of the lesson that was asked for

    def good(self, asked):
        """Say that something asked is so."""
        self.lines.append(Line(GOOD, asked))

    def bad(self, asked, seen, mistake=None, why="", lesson="", more="", printed=""):
        """Say that something asked is not so: what was seen, and either the mistake's number or why it matters.

        `more` (str) says where to read on, where that is no lesson's section; lesson=None says that it is nowhere.
        `printed` is what the learner's code printed.
        """
        section = "What goes wrong"
        if mistake is not None:
            known = MISTAKES[mistake]
            why, lesson, section = why or known.why, known.lesson, known.section
        elsewhere = self.lesson if lesson == "" and self.step is None else lesson
        if not more and self.step is not None and mistake is not None and lesson == self.lesson:
            more = f'"{section}", further down in this lesson'
        elif not more and elsewhere in LESSONS:
            more = f'lesson {LESSONS[elsewhere]}, "{section}"'
        self.lines.append(Line(BAD, asked, seen, mistake, why, more, excerpt(printed)))

    def open(self, asked, seen=""):
        """Say that something asked could not be looked at."""
        self.lines.append(Line(OPEN, asked, seen))

    def note(self, text):
        """Say something worth knowing that is neither right nor wrong."""
        self.lines.append(Line(NOTE, text))

    @property
    def is_lessons_version(self):
        """Whether what was given is a version of the lesson's, that choose() has handed out or compared."""
        return _marks_of(self.given) in _lessons_versions

    def choose(self, lessons_version):
        """Return what was checked if all was well, and the lesson's version otherwise; say which."""
        name = getattr(lessons_version, "__name__", "it")
        mark = _marks_of(lessons_version)
        if mark is not None:
            _lessons_versions.add(mark)
        if self:
            print(f"From here on, {name} is yours.")
            return self.given
        print(f"From here on, {name} is the lesson's version.")
        return lessons_version

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
