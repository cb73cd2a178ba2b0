"""Tells learners what is wrong with their solution, and why: runs it against a real server and watches what it does.

    check.stream_users(stream_users)

prints a line for each thing asked. Behind each ✘ stand what was seen, why it matters, and the lesson that treats it.
The function runs in a process of its own on a database of its own, with limits on its time and memory, so that its
mistakes reach nothing else. That is no sandbox: check only code that you would run. Each check returns a Report, true
when all is well.

`python -m helpers.check FOLDER` checks a whole solution of the public project.
"""

import contextlib
import inspect
import os
import textwrap
import traceback

import cloudpickle
import mysql.connector

from helpers import seed as course_seed
from helpers.check import task0, tasks
from helpers.check.bench import Bench
from helpers.check.process import Learner
from helpers.check.report import Report
from helpers.server import ServerError


def stream_users(function):
    """Check Task 1: stream_users() yields each user as a dict, one at a time."""
    return _check("stream_users()", function, tasks.stream_users)


def stream_users_in_batches(function):
    """Check Task 2: stream_users_in_batches(batch_size) yields lists of users."""
    return _check("stream_users_in_batches(batch_size)", function, tasks.stream_users_in_batches)


def batch_processing(function):
    """Check Task 2: batch_processing(batch_size) prints each user over 25."""
    return _check("batch_processing(batch_size)", function, tasks.batch_processing)


def paginate_users(function):
    """Check Task 3: paginate_users(page_size, offset) returns one page of users."""
    return _check("paginate_users(page_size, offset)", function, tasks.paginate_users)


def lazy_pagination(function):
    """Check Task 3: lazy_pagination(page_size) yields page after page, each fetched when it is asked for."""
    return _check("lazy_pagination(page_size)", function, tasks.lazy_pagination)


def stream_user_ages(function):
    """Check Task 4: stream_user_ages() yields the age of each user."""
    return _check("stream_user_ages()", function, tasks.stream_user_ages)


def calculate_average_age(function):
    """Check Task 4: calculate_average_age() says the average without holding the ages."""
    return _check("calculate_average_age()", function, tasks.calculate_average_age)


def count_upto(function):
    """Check lesson 00: count_upto(max) yields 1, 2, … max. No server is needed."""
    return _check("count_upto(max)", function, tasks.count_upto)


def seed(module):
    """Check Task 0: a module, or anything with its functions as attributes, or one of these functions alone.

    Functions that are missing are taken from helpers.seed, so that a lesson can ask for one of them.
    """
    report = Report("Task 0: seed")
    given = {name: getattr(module, name, None) for name in task0.FUNCTIONS}
    if getattr(module, "__name__", None) in task0.FUNCTIONS:
        given = {module.__name__: module}
    given = {name: function for name, function in given.items() if callable(function)}
    if not given or any(map(is_stub, given.values())):
        report.problem = "not written yet"
    else:
        functions = {name: getattr(course_seed, name) for name in task0.FUNCTIONS} | given
        sources = [*_sources(module if inspect.ismodule(module) else None, given)]
        run(report, functions, lambda bench: task0.seed(report, bench, sources))
    print(report)
    return report


def _sources(module, functions):
    """Yield names and texts of source: the whole module, or each function with the global texts that it uses."""
    if module is not None:
        with contextlib.suppress(OSError, TypeError):
            yield module.__name__, inspect.getsource(module)
        return
    for name, function in functions.items():
        with contextlib.suppress(OSError, TypeError):
            text = textwrap.dedent(inspect.getsource(function))
            used = {n: function.__globals__.get(n) for n in function.__code__.co_names}
            yield name, text + "".join(f"\n{n} = {value!r}" for n, value in used.items() if isinstance(value, str))


def _check(title, function, look):
    """Look at one function of a notebook, print the report and return it."""
    name = look.__name__
    report = Report(title)
    if hasattr(function, "__next__") and not isinstance(function, type):
        report.problem = f"give the function itself, without calling it: check.{name}({name})"
    elif not callable(function) or is_stub(function):
        report.problem = "not written yet"
    else:
        run(report, {name: function}, lambda bench: look(report, bench), server=look is not tasks.count_upto)
    print(report)
    return report


def run(report, functions, look, server=True):
    """Pickle functions and give `look` a bench that has them; what goes wrong with that is put in the report.

    Without `server`, `look` gets the learner's process alone.
    """
    try:
        pickled = cloudpickle.dumps(functions)
    except Exception as error:  # a connection, a cursor, an open file
        report.bad(
            "it makes its own connection",
            f"it uses something made outside it that belongs to this notebook: {error}"[:200], 26,
        )  # fmt: skip
        return
    setup = {"do": "load", "pickled": pickled}
    with guarded(report), Bench(setup) if server else Learner("", setup) as bench:
        look(bench)


@contextlib.contextmanager
def guarded(report):
    """End a look where its first line says so; put in the report what is no fault of the learner's."""
    try:
        yield
    except tasks.Stop:
        pass
    except (mysql.connector.Error, ServerError, ValueError) as error:
        report.problem, report.unchecked = f"could not be checked: {error}", True
    except Exception as error:  # a fault of the check's must not end the checks of a whole folder, or of a class
        at = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {os.path.basename(at.filename)}, line {at.lineno}: {error}"
        report.problem, report.unchecked = f"could not be checked, by a fault of the check's own: {what}", True


def is_stub(function):
    """Tell whether a function's body is nothing but `...`, `pass`, a docstring or `raise NotImplementedError`."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    constants = {c for c in code.co_consts if not isinstance(c, str)}
    return (
        set(code.co_names) <= {"NotImplementedError"} and constants <= {None, Ellipsis} and not code.co_flags & 0x20
        and not code.co_freevars and len(code.co_varnames) == code.co_argcount + code.co_kwonlyargcount
    )  # fmt: skip
