"""What the tests of helpers.check share: a stream that is right, and how solutions are checked."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import cloudpickle

from helpers import check, seed
from helpers.check.mistakes import LESSONS, MISTAKES
from helpers.check.report import BAD, GOOD, NOTE

cloudpickle.register_pickle_by_value(sys.modules[__name__])


def good_stream():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def first_bad(report):
    return next(line for line in report.lines if line.mark == BAD)


def databases_like(start):
    with closing(seed.connect_db()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SHOW DATABASES")
        return {name for (name,) in cursor if name.startswith(start)}


# Solutions: functions or classes called TASK__WHAT, as stream_users__fetchall -----------------------------------------


def solutions_in(names):
    """Return the solutions among a module's globals by their readable names: "stream_users-fetchall"."""
    found = {name: value for name, value in names.items() if re.match("[a-z_]+[a-z]__[a-z0-9]", name)}
    return {name.replace("__", "-", 1): value for name, value in found.items()}


def task_of(name):
    """Return the task of a solution's name."""
    return name.partition("-")[0]


def reports_of(solutions, request):
    """Return the report of each solution that the tests of this run ask for.

    Checks wait for processes and the server: three keep two cores busy.
    """
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    solutions = {name: solution for name, solution in solutions.items() if name in asked}

    def checked(name):
        solution = solutions[name]
        return getattr(check, task_of(name))(solution() if task_of(name) == "seed" else solution)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(solutions, pool.map(checked, solutions), strict=True))


def is_named_and_the_rest_passes(report, mistake):
    """Check a report on a solution that makes one mistake."""
    assert not report
    assert report.mistakes == [mistake], str(report)
    for line in report.lines:
        assert line.mark in (GOOD, NOTE) or line.mark == BAD and line.mistake == mistake, str(report)
        if line.mark == BAD:
            assert line.observed and line.why == MISTAKES[mistake].why
            assert LESSONS[MISTAKES[mistake].lesson] in line.where
    assert f"  ✘ {next(line.asked for line in report.lines if line.mark == BAD)}\n      seen: " in str(report)
