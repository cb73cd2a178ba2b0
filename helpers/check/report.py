"""What a check says: the report, and its lines."""

import os
import re
import textwrap
from dataclasses import dataclass, field

from helpers.check.mistakes import LESSONS, MISTAKES

# What is printed when something went wrong
TELLING = re.compile(r"error|exception|fail|denied|could not|cannot|can't|doesn't|unknown|lost", re.IGNORECASE)
WIDTH = 96  # characters; JupyterLab beside its table of contents breaks longer lines within words
GOOD, BAD, SKIPPED, NOTE = "✔", "✘", "–", "·"
MARKS = {GOOD: "ok", BAD: "fail", SKIPPED: "skipped", NOTE: "note"}  # in JSON
SPOKEN = {GOOD: "right:", BAD: "to fix:", SKIPPED: "not looked at:", NOTE: "note:"}


def _wrapped(text, indent):
    """Break a text between words, each line set in; further lines two characters more."""
    further = indent + "  "
    lines = text.splitlines() or [""]
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent=further if number else indent, subsequent_indent=further,
                      break_long_words=False, break_on_hyphens=False)
        for number, line in enumerate(lines)
    )  # fmt: skip


def sign(mark):
    """Return a mark as it is printed: the sign, or, where COURSE_WORDS is set, a word that a screen reader speaks."""
    return SPOKEN[mark] if os.environ.get("COURSE_WORDS") else mark


_lessons_versions = set()  # as _marks_of() gives them


def _marks_of(function):
    """Return what tells a function from others, even where the cell that defines it is run again; None if nothing."""
    code = getattr(function, "__code__", None)
    return None if code is None else (code.co_filename, code)


def excerpt(printed):
    """Return what was printed, if that is little, or the last lines that tell of an error, on one line."""
    lines = [line.strip() for line in printed.strip().splitlines() if line.strip()]
    if len(lines) > 4:
        lines = [line for line in lines if TELLING.search(line)]
    text = " / ".join(lines[-3:])
    return text if len(text) <= 300 else f"… {text[-300:]}"


@dataclass
class Line:
    """One thing asked, and how it went."""

    mark: str
    asked: str
    observed: str = ""
    mistake: int | None = None
    why: str = ""
    where: str = ""
    printed: str = ""
    inherited: str = ""  # the function of the same solution that it comes from

    def text(self, more=True):
        """Return the line as it is printed: in lines of WIDTH at most, where no word is longer."""
        lines = [_wrapped(f"{sign(self.mark)} {self.asked}", "  ")]
        if self.mark == BAD:
            below = [f"seen: {self.observed}"]
            if self.inherited:
                return "\n".join([*lines, _wrapped(f"comes from {self.inherited}", " " * 6)])
            if self.printed:
                below.append(f"your code printed: {self.printed}")
            if self.why:
                below.append(f"why it matters: {self.why}")
            if self.where and more:
                below.append(f"more: {self.where}")
        else:
            below = [self.observed] if self.observed else []
        return "\n".join([*lines, *(_wrapped(text, " " * 6) for text in below)])


class Stop(Exception):
    """The function does not get far enough for the rest to be looked at."""


def _things(count):
    return "1 thing to fix." if count == 1 else f"{count} things to fix."


@dataclass
class Report:
    """The result of a check: true when all is well.

    `mistakes` (list of int) are the numbers of the mistakes that were seen; `lines` what was asked;
    `problem` (str) why nothing could be checked, as "not written yet".
    """

    title: str
    lesson: str = ""
    lines: list = field(default_factory=list)
    problem: str = ""
    unchecked: bool = False  # the fault is not the learner's
    given: object = None  # what was checked, as it is in the notebook
    step: int | None = None  # the step of the lesson that was asked for
    called: str = ""  # what the function is called in a solution
    unable: bool = False  # it cannot be checked here: made for another database, or with a package that is not here
    foreign: bool = False  # it is made for another database

    def good(self, asked):
        """Say that something asked is so."""
        self.lines.append(Line(GOOD, asked))

    def bad(self, asked, observed, mistake=None, why="", lesson="", more="", printed=""):
        """Say that something asked is not so: what was seen, and either the mistake's number or why it matters.

        `more` (str) says where to read on, where that is no lesson's section; more=None or lesson=None: nowhere.
        `printed` is what the learner's code printed.
        """
        place = '"What goes wrong"'
        if mistake is not None:
            known = MISTAKES[mistake]
            why, lesson, place = why or known.why, known.lesson, known.place
        elsewhere = self.lesson if lesson == "" and self.step is None else lesson
        if more == "" and self.step is not None and mistake is not None and lesson == self.lesson:
            here = place.startswith(f'"Step {self.step}: ')  # the learner stands where it is treated
            more = "" if here else f"{place}, in this lesson"
        elif more == "" and elsewhere in LESSONS:
            more = f"lesson {LESSONS[elsewhere]}, {place}"
        self.lines.append(Line(BAD, asked, observed, mistake, why, more or "", excerpt(printed)))

    def skip(self, asked, why=""):
        """Say that something asked could not be looked at, and why."""
        self.lines.append(Line(SKIPPED, asked, why))

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
        same = mark is not None and mark == _marks_of(self.given)  # the lesson's cell was not run
        if mark is not None and not same:
            _lessons_versions.add(mark)
        if self:
            print(f"From here on, {name} is yours.")
            return self.given
        if same:
            print(f"From here on, {name} is yours, as it is: the folded cell with the lesson's version was not run.")
            return self.given
        print(f"From here on, {name} is the lesson's version.")
        return lessons_version

    @property
    def mistakes(self):
        """Numbers of the mistakes seen, in order, each once."""
        found = {line.mistake for line in self.lines if line.mistake is not None}
        return sorted(found | {40} if self.foreign else found)

    @property
    def to_fix(self):
        """How many of the things asked are not so."""
        return sum(line.mark == BAD for line in self.lines)

    def __bool__(self):
        return not self.problem and bool(self.lines) and all(line.mark in (GOOD, NOTE) for line in self.lines)

    def __str__(self):
        if self.problem:
            faults = [line.text() for line in self.lines if line.mark == BAD]
            return "\n".join([f"{self.title}: {self.problem}", *faults])
        end = "All is well." if self else _things(self.to_fix) if self.to_fix else "Not all could be checked."
        return "\n".join([self.title, *(line.text() for line in self.lines), end])

    def __repr__(self):
        return f"<{self.title}: {self.problem or ('all is well' if self else f'{self.to_fix} to fix')}>"

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
