"""The lessons' way with checks: a function grows step by step, the better version goes on, complaints stand alone."""

from contextlib import closing

import pytest
from answers import execute

from helpers import check, seed

LESSONS = "def count_upto(max):\n    yield from range(1, max + 1)\n"


def defined(source, label):
    """Return the count_upto that a cell defines."""
    names = {"__name__": "__main__"}
    execute(source, names, label)
    return names["count_upto"]


def test_the_learners_version_goes_on_when_it_passed(capsys):
    lessons, mine = defined(LESSONS, "<lesson>"), defined(LESSONS, "<learner>")
    report = check.count_upto(mine, step=1)
    capsys.readouterr()
    assert report.choose(lessons) is mine
    assert capsys.readouterr().out == "From here on, count_upto is yours.\n"


def test_the_lessons_version_goes_on_otherwise(capsys):
    lessons, mine = defined(LESSONS, "<lesson>"), defined("def count_upto(max): ...", "<learner>")
    report = check.count_upto(mine, step=1)
    capsys.readouterr()
    assert report.choose(lessons) is lessons
    assert capsys.readouterr().out == "From here on, count_upto is the lesson's version.\n"


def test_without_the_lessons_version_ones_own_goes_on_and_is_not_taken_for_the_lessons(capsys):
    mine = defined("def count_upto(max):\n    yield max\n", "<learner>")
    assert check.count_upto(mine).choose(mine) is mine
    assert "is yours, as it is" in capsys.readouterr().out
    assert not check.count_upto(mine).problem


def test_checking_the_lessons_version_says_so_even_when_its_cell_is_run_again():
    check.count_upto(lambda max: None).choose(defined(LESSONS, "<the solution cell>"))
    report = check.count_upto(defined(LESSONS, "<the solution cell>"))
    assert not report
    assert str(report).endswith("this is the lesson's version. Run your own cell first, and then this check")
    assert check.count_upto(defined(LESSONS, "<my cell>"))


def tuples():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def dicts(convert=lambda age: age, connection=None):
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        for user in cursor:
            yield {**user, "age": convert(user["age"])}
    finally:
        connection.close()


def with_int():
    yield from dicts(int)


@pytest.mark.parametrize(
    ("function", "step", "wanted"),
    [
        (tuples, 1, None),
        (tuples, 2, "the first user was a tuple"),
        (lambda: dicts(), 2, "the first user's age was Decimal('67')"),
        (with_int, 2, None),
        (with_int, 3, None),
        (with_int, 4, "closing read the rest of 10,000 rows"),
        (with_int, None, None),
    ],
)
def test_each_step_asks_for_its_own(function, step, wanted):
    report = check.stream_users(function, step=step)
    if wanted is None:
        assert report, str(report)
    else:
        assert wanted in str(report)
        assert report.to_fix == 1
        if step == 2 and function is tuples:
            assert "more:" not in str(report)  # the learner stands in the step that treats it


def test_complaints_are_the_lines_that_are_wrong_alone(capsys):
    report = check.complaints(check.stream_users, tuples)
    said = capsys.readouterr().out
    assert said.startswith("  ✘ each user is a dict")
    assert "✔" not in said
    assert "more:" not in said
    assert report.mistakes == [8]
