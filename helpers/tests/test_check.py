"""helpers.check reports on stubs and in notebooks, touches nothing of the learner's, and says what it saw."""

import contextlib
import os
import re
import sys
from contextlib import closing
from types import SimpleNamespace

import cloudpickle
import mysql.connector
import nbformat
import pytest
from checked import first_bad, good_stream
from nbclient import NotebookClient
from places import PATIENCE

from helpers import check, databases, notebooks, seed
from helpers.check import folder, rules
from helpers.check.mistakes import LESSONS, MISTAKES
from helpers.check.report import GOOD, Report

cloudpickle.register_pickle_by_value(sys.modules[__name__])


# Not written yet ------------------------------------------------------------------------------------------------------


def only_dots(): ...


def only_pass():
    pass


def only_a_docstring(batch_size):
    """Yield lists of batch_size users."""


def not_implemented(page_size, offset):
    raise NotImplementedError


def not_implemented_with_words():
    raise NotImplementedError("write me")


def yields_dots():
    yield ...


def returns_nothing():
    users = []  # noqa: F841
    return


def class_of_dots():
    class stub:
        def __iter__(self):
            yield ...

    return stub


def test_a_function_that_is_written_and_gives_nothing_is_told_so():
    said = first_bad(check.calculate_average_age(returns_nothing)).observed
    assert said == "it printed nothing, and returned None, and never asked the server"
    assert "it gave nothing, and never asked the server" in first_bad(check.stream_users(lambda: iter(()))).observed
    assert "is a yield missing?" in first_bad(check.count_upto(lambda max: print())).observed


@pytest.mark.parametrize("body", ["return max", "return []", "return max + 1", "yield", "return ''.join(max)"])
def test_what_returns_something_is_no_stub(body):
    names = {}
    exec(f"def count_upto(max):\n    {body}\n", names)
    assert not check.count_upto(names["count_upto"]).problem


@pytest.mark.parametrize(
    ("ask", "stub"),
    [
        (check.stream_users, only_dots),
        (check.stream_user_ages, only_pass),
        (check.batch_processing, only_a_docstring),
        (check.paginate_users, not_implemented),
        (check.stream_users, not_implemented_with_words),
        (check.stream_users, yields_dots),
        (check.stream_users, class_of_dots()),
        (check.count_upto, only_a_docstring),
        (check.count_upto, lambda max: None),
        (check.lazy_pagination, ...),
        (check.seed, SimpleNamespace()),
        (check.seed, SimpleNamespace(insert_data=only_a_docstring)),
    ],
)
def test_a_stub_is_not_written_yet(capsys, ask, stub):
    report = ask(stub)
    said = capsys.readouterr().out
    assert said == f"{report}\n"
    assert said.endswith(": not written yet\n")
    assert said.count("\n") == 1
    assert not report
    assert report.mistakes == []


def test_a_generator_is_not_the_function(capsys):
    assert not check.count_upto(n for n in range(3))
    said = "count_upto(max): give the function itself, without calling it: check.count_upto(count_upto)\n"
    assert capsys.readouterr().out == said


# What a check touches -------------------------------------------------------------------------------------------------


def adds_a_user():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("INSERT IGNORE INTO user_data VALUES ('x', 'x', 'x', 1)")
        connection.commit()
    yield from good_stream()


def rows_of_the_learner():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT user_id, name, email, age FROM user_data ORDER BY user_id")
        return cursor.fetchall()


def drops_everything(connection):
    with closing(connection.cursor()) as cursor:
        cursor.execute("DROP DATABASE IF EXISTS ALX_prodev")
        cursor.execute("CREATE DATABASE ALX_prodev")


def test_the_learners_own_data_stays_as_it_is():
    databases.ready()
    before = rows_of_the_learner()
    assert not check.stream_users(adds_a_user)
    assert 29 in check.seed(SimpleNamespace(create_database=drops_everything)).mistakes
    assert rows_of_the_learner() == before


def test_a_check_takes_less_than_five_seconds_of_computing():
    def computing():
        before = sum(os.times()[:4])  # seconds, of this process and of those it started
        assert check.stream_users(good_stream)
        return sum(os.times()[:4]) - before

    assert min(computing() for _ in range(2)) < 5


def test_without_a_server_nothing_is_called_a_mistake(monkeypatch):
    monkeypatch.setenv("MYSQL_HOST", "127.0.0.1")
    monkeypatch.setenv("MYSQL_PORT", "1")
    monkeypatch.setenv("MYSQL_USER", "nobody")
    monkeypatch.delenv("MYSQL_UNIX_SOCKET", raising=False)
    report = check.stream_users(good_stream)
    assert not report
    assert report.unchecked
    assert "could not be checked" in str(report)
    assert "127.0.0.1:1" in str(report)


# The report -----------------------------------------------------------------------------------------------------------


def tuples():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def test_the_report_says_what_was_seen_why_it_matters_and_where_it_is_treated(capsys):
    report = check.stream_users(tuples)
    said = capsys.readouterr().out
    assert said == f"{report}\n"
    line = first_bad(report)
    assert "  ✘ each user is a dict with user_id, name, email and age\n      seen: the first user was a tuple: " in said
    assert "\n      why it matters: " in said
    assert said.count('\n      more: lesson 02_stream_users, "Step 2: dicts, with an age that is an int"\n') == 1
    for text in (line.observed, MISTAKES[8].why):
        assert text in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 96
    assert said.startswith("stream_users()\n  ✔ it gives every user, once\n")
    assert said.endswith("1 thing to fix.\n")


def test_signs_become_words_for_a_screen_reader(monkeypatch):
    report = Report("stream_users()")
    report.good("it gives every user, once")
    report.bad("its connection is closed", "it was open", why="Others wait.")
    report.skip("what else is asked", "not looked at, because it hangs")
    report.note("a note")
    result = folder.Result("solution", [report])
    assert "\n  ✔ it gives every user, once\n  ✘ its connection is closed\n" in str(report)
    assert "\n  ✘ stream_users(): 1 to fix\n" in result.summary()
    monkeypatch.setenv("COURSE_WORDS", "1")
    assert "\n  right: it gives every user, once\n  to fix: its connection is closed\n" in str(report)
    assert "\n  to fix: stream_users(): 1 to fix\n" in result.summary()
    assert not {"✔", "✘", "–", "·"} & {*f"{report}{result.summary()}"}


def test_a_report_is_the_same_each_time():
    assert str(check.stream_users(tuples)) == str(check.stream_users(tuples))


def test_the_report_shows_nothing_as_the_last_line_of_a_cell():
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(f"import sys; sys.path[:0] = {sys.path!r}\nfrom helpers import check"),
            nbformat.v4.new_code_cell("def count_upto(max):\n    for n in range(max):\n        yield n + 1 / (n - 3)"),
            nbformat.v4.new_code_cell("check.count_upto(count_upto)"),
            nbformat.v4.new_code_cell("assert not check.count_upto(count_upto)"),
        ]
    )
    NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3").execute()
    (output,) = notebook.cells[2].outputs
    assert output.output_type == "stream"
    assert "it raised ZeroDivisionError: division by zero (line 3: yield n + 1 / (n - 3))" in output.text
    assert notebook.cells[3].outputs[0].text == output.text


IN_WORDS = {10: "Twelve of 75"}  # where a lesson writes a count otherwise


@pytest.mark.parametrize("number", [n for n, mistake in MISTAKES.items() if mistake.frequency])
def test_its_lesson_says_how_often_a_mistake_was_counted(number):
    lesson = notebooks.LESSONS / f"{LESSONS[MISTAKES[number].lesson]}.ipynb"
    text = "\n".join(cell.source for cell in notebooks.read(lesson).cells if cell.cell_type == "markdown")
    assert IN_WORDS.get(number, MISTAKES[number].frequency) in text


def test_each_mistake_says_what_why_and_where():
    for number, mistake in MISTAKES.items():
        assert mistake.name and mistake.why.endswith("."), number
        notebook = nbformat.read(notebooks.find(LESSONS[mistake.lesson]), as_version=4)
        core, _, deeper = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown").partition(
            "\n## Dig deeper\n"
        )
        headings = re.findall(r"(?m)^##+ (.*?)(?: \(\d+ minutes\))?$", deeper if mistake.deeper else core)
        assert mistake.section in headings, number


def test_a_report_is_true_only_when_all_was_looked_at():
    report = Report("nothing asked")
    assert not report
    report.good("one thing")
    assert report
    report.note("worth knowing")
    assert report
    report.skip("another thing")
    assert not report
    assert report.to_fix == 0
    assert report.as_dict()["lines"][0]["mark"] == "ok"
    assert report.lines[0].mark == GOOD


def test_the_driver_alone_is_redirected(monkeypatch):
    """The process of the notebook keeps its own driver as it is."""
    connect = mysql.connector.abstracts.MySQLConnectionAbstract.connect
    check.stream_users(good_stream)
    assert mysql.connector.abstracts.MySQLConnectionAbstract.connect is connect
    with contextlib.closing(seed.connect_db()) as connection:
        assert connection.is_connected()
    assert rules.STOP_AT == 6
