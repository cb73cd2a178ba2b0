"""Tells learners what is wrong with their solution, and why: runs it against a real server and watches what it does.

    check.stream_users(stream_users)

prints a line for each thing asked. Behind each ✘ stand what was seen, why it matters, and the lesson that treats it.
The function runs in a process of its own on a database of its own, with limits on its time and memory, so that its
mistakes reach nothing else. That is no sandbox: check only code that you would run. Each check returns a Report, true
when all is well.

`python -m helpers.check FOLDER` checks a whole solution of the public project, and with --class a class of them.
"""

import contextlib
import inspect
import textwrap

from helpers import seed as course_seed
from helpers.check import exercises, task0, task1, task2, task3, task4  # noqa: F401 (exercises adds its checks to CHECKS)
from helpers.check.look import CHECKS, complaints, examine, is_stub, look_of, run, show  # noqa: F401 (complaints is for lessons)
from helpers.check.report import Report


def stream_users(function, step=None):
    """Check Task 1: stream_users() yields each user as a dict, one at a time.

    Steps, each with those before it: 1 every user once, as you ask; 2 dicts, the age an int; 3 the connection is
    closed however the loop ends, and errors come out; 4 a stop does not read the rest. Without: what the task asks.
    """
    return examine(task1.stream_users, function, step, "stream_users()", "02")


def stream_users_in_batches(function, step=None):
    """Check Task 2: stream_users_in_batches(batch_size) yields lists of users.

    Steps: 1 the batches; 2 a bad size is refused at the call; 3 connection, errors, order.
    """
    return examine(task2.stream_users_in_batches, function, step, "stream_users_in_batches(batch_size)", "03")


def batch_processing(function, step=None):
    """Check Task 2: batch_processing(batch_size) prints each user over 25.

    Steps: 1 what is printed; 2 no connection is left open, even when print fails; 3 errors, order.
    """
    return examine(task2.batch_processing, function, step, "batch_processing(batch_size)", "03")


def paginate_users(function, step=None):
    """Check Task 3: paginate_users(page_size, offset) returns one page of users.

    Steps: 1 the page, its order, values, connection; 2 a bad size or offset is refused; 3 errors, no more than a page.
    """
    return examine(task3.paginate_users, function, step, "paginate_users(page_size, offset)", "04")


def lazy_pagination(function, step=None):
    """Check Task 3: lazy_pagination(page_size) yields page after page, each fetched when it is asked for.

    Steps: 1 every page, when you ask; 2 a bad size is refused at the call; 3 order, values, connection, errors.
    """
    return examine(task3.lazy_pagination, function, step, "lazy_pagination(page_size)", "04")


def stream_user_ages(function, step=None):
    """Check Task 4: stream_user_ages() yields the age of each user.

    Steps: 1 every age, few queries, flat memory; 2 the connection; 3 errors, order.
    """
    return examine(task4.stream_user_ages, function, step, "stream_user_ages()", "05")


def calculate_average_age(function, step=None):
    """Check Task 4: calculate_average_age() says the average without holding the ages.

    Steps: 1 the average, of your generator; 2 an empty table; 3 no list, connection, errors.
    """
    return examine(task4.calculate_average_age, function, step, "calculate_average_age()", "05")


def seed(module, step=None):
    """Check Task 0: a module, or anything with its functions as attributes, or one of these functions alone.

    Functions that are missing are taken from helpers.seed, so that a lesson can ask for one of them. Steps, for
    insert_data: 1 every row becomes a user; 2 one commit, no SELECT a row; 3 a second time adds nothing, what others
    have stays; 4 the file is read as it is needed, no password in the source. Without: all.
    """
    given = {name: getattr(module, name, None) for name in task0.FUNCTIONS}
    if getattr(module, "__name__", None) in task0.FUNCTIONS:
        given = {module.__name__: module}
    given = {name: function for name, function in given.items() if callable(function)}
    report = Report("Task 0: seed", "01", given=module, step=step)
    if not given or any(map(is_stub, given.values())):
        report.problem = "not written yet"
    else:
        functions = {name: getattr(course_seed, name) for name in task0.FUNCTIONS} | given
        sources = dict(_sources(module if inspect.ismodule(module) else None, given))
        run(report, functions, lambda harness: _seed(look_of("seed", report, step, harness), sources, step))
    show(report)
    return report


def classroom(folder):
    """Check a class: a folder of learners' folders, or of lessons that they hand in (.ipynb).

    What has not changed since an earlier run is not checked again.

    Parameters
    ----------
    folder : str or pathlib.Path

    Returns
    -------
    pandas.DataFrame
        A row for each learner, a column for each task or cell; it shows itself in colours and words.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or nothing in it.
    """
    from helpers.check import whole_class  # here: it needs this module

    with whole_class.bar(folder) as progress:
        return whole_class.table(whole_class.check_class(folder, progress))


def _seed(look, sources, step):
    look.files = sources
    look.harness.passwords = []
    with task0.and_passwords(look, sources) if step is None or step >= 4 else contextlib.nullcontext():
        task0.seed(look, step=step)


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


if clash := CHECKS.keys() & globals().keys():
    raise ImportError(f"a check of an exercise has a name that helpers.check has: {', '.join(clash)}")
globals().update(CHECKS)
