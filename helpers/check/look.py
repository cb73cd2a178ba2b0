"""A check of one function: what it has at hand (Look), and how a module of helpers/check/exercises adds one.

    @exercise("00")
    def average(look):
        '''Check lesson 00: average(numbers) reads its numbers once.'''
        with look.asks("it averages a list", must=True):
            look.equal(look.run(lambda average: average([20, 30, 40])), 30, "average([20, 30, 40])")
        with look.asks("it averages a generator", why="A generator can be read once: what has come is gone."):
            found = look.run(lambda average: average(n for n in (1, 2, 3, 4)))
            look.equal(found, 2.5, "average(n for n in (1, 2, 3, 4))")

This becomes `check.average(average)`, which prints a report and returns it.
"""

import contextlib
import contextvars
import functools
import inspect
import os
import sys
import textwrap
import traceback

import cloudpickle
import mysql.connector

from helpers.brought import pickled_by_value
from helpers.check.harness import Harness
from helpers.check.process import Learner
from helpers.check.report import BAD, Report, Stop
from helpers.check.runner import is_stub
from helpers.check.words import CRASHES, shown, told
from helpers.server import ServerError

_quiet = contextvars.ContextVar("quiet", default=False)
CHECKS = {}  # name -> the function that becomes check.NAME
COMPUTING = 3.0  # seconds of processor time for one thing that an exercise asks


class Failed(Exception):
    """What was asked is not so: caught by Look.asks."""

    def __init__(self, observed, mistake=None, why="", must=False):
        super().__init__(observed)
        self.observed, self.mistake, self.why, self.must = observed, mistake, why, must


class Look:
    """What a check of one function has at hand.

    Attributes
    ----------
    name : str
        What the function is called.
    step : int or None
        The step of the lesson that is asked for; None: all.
    report : Report
        What is printed.
    learner : process.Learner
        The learner's process. Look.run uses it.
    harness : Harness or None
        The database and the watched way to it, where the exercise asks for a server.
    value
        What was given to be checked: a function as it is in the notebook, or another value.
    """

    def __init__(self, name, report, step=None, learner=None, harness=None, value=None):
        self.name, self.report, self.step = name, report, step
        self.learner, self.harness, self.value = learner, harness, value
        self.called = name  # what the learner calls it
        self.files = {}  # name -> source, of a whole solution; the function's own file first
        self.without = {}  # what was left out of it, and why: see copying.copied
        self.printed = ""  # by the learner's code since the last question

    # Asking ---------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def asks(self, asked, why="", mistake=None, must=False, more=""):
        """Ask one thing: a line of the report, ✔ where the block ends well, ✘ where it fails.

        Parameters
        ----------
        asked : str
            What is so in a right answer: "it gives every user, once".
        why : str
            Why that matters, printed under a ✘.
        mistake : int, optional
            The number in MISTAKES that a ✘ stands for; it brings its own `why` and `more`.
        must : bool
            Nothing else is looked at where this fails.
        more : str or None
            Where to read on: a place ahead in the lesson, or elsewhere. None: nowhere.
        """
        self.printed = ""
        try:
            yield
        except Failed as failed:
            self.bad(asked, str(failed), failed.mistake or mistake, failed.why or why, None, more)
            if must or failed.must:
                raise Stop from None
        else:
            self.good(asked)

    def good(self, asked):
        """Put a ✔ in the report."""
        self.report.good(asked)

    def bad(self, asked, observed, mistake=None, why="", lesson="", more=""):
        """Put a ✘ in the report, with what the learner's code printed (see Report.bad)."""
        self.report.bad(asked, observed, mistake, why, lesson, more, self.printed)

    def note(self, text):
        """Put a note in the report."""
        self.report.note(text)

    def from_step(self, step):
        """Tell whether what belongs to this step is asked for: always without `step=`."""
        return self.step is None or self.step >= step

    def fail(self, observed, mistake=None, why=""):
        """End what is asked with a ✘, where `observed` (str) says what was seen."""
        raise Failed(observed, mistake, why)

    def equal(self, found, wanted, what):
        """Fail unless found == wanted and both are of one kind; `what` says where it came from, as "average([1])"."""
        if found is None and wanted is not None:
            self.fail(f"{what} gave None: is a return or a yield missing?")
        if found != wanted or type(found) is bool and type(wanted) is not bool:
            self.fail(f"{what} gave {shown(found, 80)}, not {shown(wanted, 80)}")

    # The learner's function, in its own process ----------------------------------------------------------------------

    def run(self, probe, *arguments, errors=False):
        """Run probe(function, *arguments) in the learner's process; return what it returned, in Python's own types.

        An error that comes out fails what is asked, with the learner's line. With `errors`, a pair comes back: the
        value and None, or None and the name of the error ("ValueError").
        """
        observed = self.learner.ask("run", name=self.name, pickled=pickled_by_value((probe, arguments)))
        self.printed += f"{observed['printed']}\n{observed.get('complained', '')}"
        error = observed["error"]
        if error and error["type"] in CRASHES:
            raise Failed(told(error), must=True)
        if error and error["type"] == "NotImplementedError":
            self.report.problem = "not written yet"
            raise Stop
        if errors:
            return observed.get("value"), error and error["type"]
        if error:
            raise Failed(told(error))
        return observed["value"]

    def call(self, *arguments):
        """Call the learner's function with these arguments; return its value, as run() does."""
        return self.run(lambda function, *given: function(*given), *arguments)

    def items(self, *arguments, most=1000):
        """Return what the learner's function gives with these arguments, item by item (a list of at most `most`)."""

        def all_of(function, most, *given):
            from itertools import islice

            return list(islice(function(*given), most))

        return self.run(all_of, most, *arguments)

    def refuses(self, kind, what, *arguments):
        """Fail unless calling the function with these arguments raises `kind` ("ValueError") at the call."""
        _, error = self.run(lambda function, *given: function(*given), *arguments, errors=True)
        if error != kind:
            self.fail(f"{what} {f'raised {error}' if error else 'raised nothing'}, not {kind}")

    def gives_iterator(self, *arguments):
        """Fail unless the function gives something that next() works on: a generator, for instance."""

        def kind(function, *given):
            made = function(*given)
            return hasattr(made, "__next__"), type(made).__name__

        right, made = self.run(kind, *arguments)
        if made == "NoneType":
            self.fail("it gave None: is a yield missing?")
        if not right:
            self.fail(f"it gave a {made}, which next() does not work on: it was whole before the first item was taken")

    def pulled(self, items, *arguments, after=1):
        """Return how many of `items` the function had taken when its first `after` items had come out.

        The function gets a generator of the items (a list) as its first argument, and then `arguments`.
        """

        def count(function, items, after, *given):
            taken = []
            made = iter(function((taken.append(item) or item for item in items), *given))
            for _, _ in zip(range(after), made, strict=False):
                pass
            return len(taken)

        return self.run(count, items, after, *arguments)

    def bytes_each(self, probe, few=1_000, many=21_000):
        """Return how many bytes the most memory of probe(function, count) grows for each further item (a float).

        A running total takes 0, a list of the items 8 and more.
        """

        def peak(probe, function, count):
            import gc
            import tracemalloc

            gc.collect()
            tracemalloc.start()
            try:
                probe(function, count)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        def both(function, probe, few, many):
            peak(probe, function, few)  # what is made once only
            return peak(probe, function, many) - peak(probe, function, few)

        return self.run(both, probe, few, many) / (many - few)

    # The learner's function before a watched database -----------------------------------------------------------------

    def observe(self, data, *arguments, **how):
        """Let the function stream from `data`; return what was observed (see Harness.watched), an error too."""
        self.harness.fill(data)
        return self.watched("stream", *arguments, **how)

    def observe_call(self, data, *arguments, **how):
        """Call the function with the database filled with `data`; return what was observed, an error too."""
        self.harness.fill(data)
        return self.watched("call", *arguments, **how)

    def watched(self, do, *arguments, **how):
        """As observe() (do="stream") and observe_call() (do="call"), with the data as it is."""
        observed = self.harness.watched(do, self.name, *arguments, **how)
        self.printed = f"{observed['printed']}\n{observed.get('complained', '')}"
        return observed

    def source(self):
        """Return the source in which the function stands (str); "" where it cannot be read."""
        if self.files:
            return next(iter(self.files.values()))
        with contextlib.suppress(OSError, TypeError):
            return textwrap.dedent(inspect.getsource(inspect.unwrap(self.value)))
        return ""

    def at(self, line):
        """Say where a line of source() stands."""
        return f", {next(iter(self.files))} line {line}" if self.files else f", line {line}"

    def stream(self, data, *arguments, **how):
        """As observe(), but an error fails what is asked."""
        observed = self.observe(data, *arguments, **how)
        if error := observed["error"]:
            raise Failed(told(error), must=error["type"] in CRASHES)
        return observed


# Adding a check -------------------------------------------------------------------------------------------------------


def exercise(lesson, server=False, value=False, title=None, through=None):
    """Register a check: `@exercise("02", server=True)` above `def NAME(look)` makes check.NAME.

    Parameters
    ----------
    lesson : str
        Its number, "00" to "07".
    server : bool
        Whether look.harness is wanted: a database of the check's own behind a watched connection.
    value : bool
        Whether something else than a function is checked: a list, a number, a string of SQL, a generator. It is
        look.value, in the notebook's own process; look.run is not there.
    title : str, optional
        What the report is called; "NAME()" without it.
    through : callable, optional
        What the function is wrapped in before it goes to its process: look.run's probes get what this returns.
    """

    def register(looking):
        name = looking.__name__
        if name in CHECKS:
            raise ValueError(f"two checks are called {name}: {CHECKS[name].__module__} and {looking.__module__}")

        @functools.wraps(looking)
        def checking(given, step=None):
            called = title or (name if value else f"{name}()")
            return examine(looking, given, step, called, lesson, server, value, through)

        checking.__signature__ = inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD),
             inspect.Parameter("step", inspect.Parameter.KEYWORD_ONLY, default=None)])  # fmt: skip
        checking.of_value = value
        CHECKS[name] = checking
        cloudpickle.register_pickle_by_value(sys.modules[looking.__module__])
        return checking

    return register


def examine(looking, given, step=None, title="", lesson="", server=True, value=False, through=None):
    """Look at what was given, print the report and return it."""
    name = looking.__name__
    report = Report(title, lesson, given=given, step=step)
    if report.is_lessons_version and not _quiet.get():
        report.problem = "this is the lesson's version. Run your own cell first, and then this check"
    elif value:
        if given is None or given is ...:
            report.problem = "not written yet"
        else:
            with guarded(report), Harness(None) if server else contextlib.nullcontext() as harness:
                looking(Look(name, report, step, None, harness, given))
    elif hasattr(given, "__next__") and not isinstance(given, type):
        report.problem = f"give the function itself, without calling it: check.{name}({name})"
    elif not callable(given) or is_stub(given):
        report.problem = "not written yet"
    else:
        functions = {name: through(given) if through else given}
        run(report, functions, lambda harness: looking(look_of(name, report, step, harness, given)), server)
    show(report)
    return report


def show(report):
    """Print a report, unless complaints() asked for it."""
    if not _quiet.get():
        print(report)


@contextlib.contextmanager
def quietly():
    """Let checks print nothing inside the block; they return their reports."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def complaints(ask, given, step=None):
    """Print what a check finds wrong with a function, and no more: complaints(check.stream_users, my_version).

    Returns the whole Report.
    """
    with quietly():
        report = ask(given, step=step)
    if report.problem:
        print(report)
    for line in report.lines:
        if line.mark == BAD:
            print(line.text(more=False))
    return report


def look_of(name, report, step, harness, given=None):
    """Return a Look at a function that a Harness, or a Learner alone, has."""
    if isinstance(harness, Learner):
        return Look(name, report, step, harness, None, given)
    return Look(name, report, step, harness.learner, harness, given)


def run(report, functions, look, server=True):
    """Pickle functions and give `look` a harness that has them; what goes wrong with that is put in the report.

    Without `server`, `look` gets the learner's process alone.
    """
    try:
        pickled = pickled_by_value(functions)
    except Exception as error:  # a connection, a cursor, an open file
        report.bad(
            "it makes its own connection",
            f"it uses something made outside it that belongs to this notebook: {error}"[:200], 26,
        )  # fmt: skip
        return
    setup = {"do": "load", "pickled": pickled}
    with guarded(report), Harness(setup) if server else Learner("", setup, computing=COMPUTING) as harness:
        look(harness)


@contextlib.contextmanager
def guarded(report):
    """End a look where its first line says so; put in the report what is no fault of the learner's."""
    try:
        yield
    except Stop:
        pass
    except (mysql.connector.Error, ServerError, ValueError) as error:
        report.problem, report.unchecked = f"could not be checked: {error}", True
    except Exception as error:  # a fault of the check's must not end the checks of a whole folder, or of a class
        at = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {os.path.basename(at.filename)}, line {at.lineno}: {error}"
        report.problem, report.unchecked = f"could not be checked, by a fault of the check's own: {what}", True
