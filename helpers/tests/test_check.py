"""helpers.check reports on whatever it is given: stubs, code that does not behave, notebooks; and works again after."""

import contextlib
import itertools
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import cloudpickle
import mysql.connector
import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from places import PATIENCE, wait_until

from helpers import check, databases, notebooks, seed, server
from helpers.check import process, tasks
from helpers.check.report import BAD, GOOD, LESSONS, MISTAKES, Report
from helpers.connection import database_name

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
    assert first_bad(check.calculate_average_age(returns_nothing)).seen.startswith("it printed nothing, and returned")
    assert "it gave nothing, and never asked the server" in first_bad(check.stream_users(lambda: iter(()))).seen
    assert "is a yield missing?" in first_bad(check.count_upto(lambda max: print())).seen


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


# Code that does not behave --------------------------------------------------------------------------------------------


def prints_without_end():
    while True:
        print("x" * 1000)
    yield


def prints_past_python():
    for _ in range(2000):
        os.write(1, b"x" * 1000)
    subprocess.run(["sh", "-c", "echo loud; echo louder >&2"])
    yield from good_stream()


def prints_a_lot():
    for user in good_stream():
        print(user, "x" * 1000)
        yield user


def never_ends():
    while True:
        pass
    yield


def yields_without_end():
    with closing(seed.connect_to_prodev()) as connection:
        connection.ping()
    while True:
        yield {"user_id": "1", "name": "A", "email": "B", "age": 1}


def sleeps_for_ever_deaf_to_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(10_000)
    yield


def fills_the_memory():
    held = []
    while True:
        held.append(b"x" * 2**24)
    yield held


def forks():
    os.fork()
    yield from good_stream()


def leaves_a_child():
    if os.fork() == 0:
        time.sleep(10_000)
    yield from good_stream()


def leaves_a_thread():
    threading.Thread(target=time.sleep, args=(10_000,)).start()
    yield from good_stream()


def exits():
    sys.exit("enough")
    yield


def exits_at_once():
    os._exit(3)
    yield


def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)
    yield


def interrupts():
    raise KeyboardInterrupt
    yield


def recurses():
    yield from recurses()


def changes_directory():
    os.chdir("/")
    yield from good_stream()


def closes_its_output():
    sys.stdout.close()
    sys.stderr.close()
    os.closerange(1, 3)
    yield from good_stream()


def closes_the_connection_twice():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor
    finally:
        connection.close()
        connection.close()


def asks_for_input():
    input("name? ")
    yield


def drops_the_table():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("DROP DATABASE ALX_prodev")
    yield from good_stream()


def raises_something_odd():
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    raise Odd
    yield


def ignores_the_end():
    stream = good_stream()
    while True:
        try:
            yield next(stream)
        except GeneratorExit:
            continue
        except StopIteration:
            return


def takes_an_argument(size):
    yield from good_stream()


HANGS = "still running after 4 s: does your loop ever end?"
BEHAVES = None  # a report without anything to mend
ILL_BEHAVED = {
    prints_without_end: HANGS,
    prints_past_python: BEHAVES,
    prints_a_lot: BEHAVES,
    never_ends: HANGS,
    yields_without_end: "out of 23, and went on",
    sleeps_for_ever_deaf_to_signals: HANGS,
    fills_the_memory: "MiB of memory and was stopped",
    forks: BEHAVES,
    leaves_a_child: BEHAVES,
    leaves_a_thread: BEHAVES,
    exits: "it raised sys.exit",
    exits_at_once: "it ended the whole Python process (status 3)",
    kills_itself: "it ended the whole Python process (status -9)",
    interrupts: "it raised KeyboardInterrupt",
    recurses: "it raised RecursionError",
    changes_directory: BEHAVES,
    closes_its_output: BEHAVES,
    closes_the_connection_twice: BEHAVES,
    asks_for_input: "it raised EOFError",
    drops_the_table: "Unknown database",
    raises_something_odd: "it raised Odd",
    ignores_the_end: "RuntimeError: generator ignored GeneratorExit",
    takes_an_argument: "missing 1 required positional argument: 'size'",
    lambda: 42: "it gave a value of type int",
    lambda: print("hello"): "it gave None: a return or a yield is missing",
}


@pytest.fixture(scope="module")
def ill_behaved():
    """The report of each of them, three at a time, and what was there before."""
    base = f"{database_name()}_{secrets.token_hex(4)}"  # what the names of the checks' databases start with
    before = SimpleNamespace(folder=os.getcwd(), threads=threading.active_count(), databases=f"{base}_")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        patch.setattr(process, "TIME_LIMIT", 4.0)
        patch.setattr(process, "MEMORY_LIMIT", 300)
        patch.setenv("COURSE_DATABASE", base)
        reports = dict(zip(ILL_BEHAVED, pool.map(check.stream_users, ILL_BEHAVED), strict=True))
    return reports, before


@pytest.mark.parametrize("function", ILL_BEHAVED, ids=lambda f: f.__name__)
def test_code_that_does_not_behave_gets_a_report(ill_behaved, function):
    report, wanted = ill_behaved[0][function], ILL_BEHAVED[function]
    if wanted is BEHAVES:
        assert report, str(report)
    else:
        assert wanted in first_bad(report).seen, str(report)


def test_code_that_does_not_behave_leaves_nothing_behind_and_the_next_check_works(ill_behaved):
    _, before = ill_behaved
    assert os.getcwd() == before.folder
    processes = psutil.Process().children(recursive=True)
    runners = [process for process in processes if "runner.py" in " ".join(process.cmdline())]
    assert [process.cmdline()[-2] for process in runners] == ["warm"]  # the one that the next learner's is forked from
    assert not databases_like(before.databases)
    wait_until(lambda: threading.active_count() <= before.threads, "a thread of a check still runs")
    assert check.stream_users(good_stream)


def test_twenty_seconds_are_given():
    assert process.TIME_LIMIT == 20


# Wrong in ways that are not among the thirty --------------------------------------------------------------------------


def ends_with_none():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data")
        user = True
        while user:
            user = cursor.fetchone()
            yield user


def batches_by_an_inverted_test(batch_size):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data")
        while True:
            users = cursor.fetchmany(batch_size)
            if users:
                cursor.fetchall()
                return
            yield users


def batches_and_none(batch_size):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data")
        while users := cursor.fetchmany(batch_size):
            yield users
        yield None


def number_of_a_page(page_size, offset):
    return len(page_of_the_whole_table(page_size, offset))


def page_of_the_whole_table(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT user_id, name, email, age FROM user_data ORDER BY user_id")
        return cursor.fetchall()[offset : offset + page_size]


def page(order, page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute(f"SELECT * FROM user_data ORDER BY {order} LIMIT %s OFFSET %s", (page_size, offset))
        return cursor.fetchall()


def page_by_age(page_size, offset):
    return page("age", page_size, offset)


def batches_by_name(batch_size):
    offsets = itertools.count(0, batch_size)
    yield from iter(lambda: page("name", batch_size, next(offsets)), [])


def pages_with_an_empty_one_at_the_end(page_size):
    for offset in itertools.count(0, page_size):
        users = page("user_id", page_size, offset)
        yield users
        if len(users) < page_size:
            return


@pytest.mark.parametrize(
    ("ask", "function", "wanted"),
    [
        (check.stream_users, ends_with_none, "the first user was a NoneType: None"),
        (check.stream_users_in_batches, batches_by_an_inverted_test, "no batch came"),
        (check.stream_users_in_batches, batches_and_none, "among the batches came None"),
        (check.paginate_users, number_of_a_page, "it gave 5"),
        (check.paginate_users, page_of_the_whole_table, "for a page of 5 users, all 10,000 were fetched"),
        (check.paginate_users, page_by_age,
         "the server was sent: SELECT * FROM user_data ORDER BY age LIMIT 5 OFFSET 0"),
        (check.stream_users_in_batches, batches_by_name,
         "the server was sent: SELECT * FROM user_data ORDER BY name LIMIT 5 OFFSET 0"),
        (check.lazy_pagination, pages_with_an_empty_one_at_the_end, "an empty table gave 1 items, as [[]]"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_what_is_wrong_in_another_way_is_told(ask, function, wanted):
    report = ask(function)
    assert not report.problem
    assert wanted in [line.seen for line in report.lines if line.mark == BAD], str(report)


def insert_that_hangs_the_second_time(connection, data):
    with closing(connection.cursor()) as cursor:
        cursor.execute("SELECT COUNT(*) FROM user_data")
        while cursor.fetchone() != (0,):
            cursor.execute("SELECT 1")
    seed.insert_data(connection, data)


def test_a_seed_that_hangs_the_second_time_gets_a_report(monkeypatch):
    monkeypatch.setattr(process, "TIME_LIMIT", 2.0)
    report = check.seed(SimpleNamespace(insert_data=insert_that_hangs_the_second_time))
    assert not report.problem
    assert "still running after 2 s" in first_bad(report).seen


def test_a_fault_of_the_checks_own_is_no_mistake_of_the_learners(monkeypatch):
    monkeypatch.setattr(tasks, "dicts", lambda *_, **__: 1 / 0)
    report = check.stream_users(good_stream)
    assert report.unchecked
    assert not report.mistakes
    assert "by a fault of the check's own: ZeroDivisionError in test_check.py, line " in report.problem


def stream_with_credentials_of_the_environment():
    names = {"host": "MYSQL_HOST", "port": "MYSQL_PORT", "user": "MYSQL_USER", "password": "MYSQL_PASSWORD"}
    where = {key: os.environ[name] for key, name in names.items()} | {"database": os.environ["MYSQL_DATABASE"]}
    with closing(mysql.connector.connect(**where)) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def test_credentials_may_come_from_the_notebooks_environment(monkeypatch):
    if "MYSQL_HOST" not in os.environ:
        where = server.ensure()
        monkeypatch.setenv("MYSQL_UNIX_SOCKET", where["unix_socket"])
        monkeypatch.setenv("MYSQL_USER", where["user"])
        monkeypatch.setenv("MYSQL_PASSWORD", "")
        monkeypatch.setenv("MYSQL_HOST", "localhost")
    monkeypatch.setenv("MYSQL_PORT", os.environ.get("MYSQL_PORT", "3306"))
    monkeypatch.setenv("MYSQL_DATABASE", database_name())
    report = check.stream_users(stream_with_credentials_of_the_environment)
    assert report, str(report)


CHECKS_A_LOOP_WITHOUT_END = """
def count_upto(max):
    while True:
        pass
    yield

from helpers import check
check.count_upto(count_upto)
"""


def test_code_without_an_end_ends_with_the_kernel_that_is_killed():
    kernel = psutil.Popen([sys.executable, "-c", CHECKS_A_LOOP_WITHOUT_END], cwd=notebooks.LESSONS.parent)
    learners = wait_until(lambda: kernel.children(recursive=True)[1:], "the code does not run")
    wait_until(lambda: sum(learners[0].cpu_times()[:2]) >= 0.3, "it does not loop")
    learners += kernel.children()
    kernel.kill()
    kernel.wait()
    assert not psutil.wait_procs(learners, timeout=PATIENCE)[1]


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
    computed = sum(os.times()[:4])  # seconds
    assert check.stream_users(good_stream)
    assert sum(os.times()[:4]) - computed < 5  # of this process and of those it started


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
    assert said.count('\n      more: lesson 02_stream_users, "What goes wrong"\n') == 1
    for text in (line.seen, MISTAKES[8].why):
        assert text in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 96
    assert said.startswith("stream_users()\n  ✔ it gives every user, once\n")
    assert said.endswith("To mend: 1.\n")


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
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (output,) = notebook.cells[2].outputs
    assert output.output_type == "stream"
    assert "it raised ZeroDivisionError: division by zero (line 3: yield n + 1 / (n - 3))" in output.text
    assert notebook.cells[3].outputs[0].text == output.text


def test_each_mistake_says_what_why_and_where():
    for number, mistake in MISTAKES.items():
        assert mistake.name and mistake.why.endswith("."), number
        notebook = nbformat.read(notebooks.find(LESSONS[mistake.lesson]), as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert f"\n## {mistake.section}\n" in f"\n{text}\n", number


def test_a_report_is_true_only_when_all_was_looked_at():
    report = Report("nothing asked")
    assert not report
    report.good("one thing")
    assert report
    report.note("worth knowing")
    assert report
    report.open("another thing")
    assert not report
    assert report.to_mend == 0
    assert report.as_dict()["lines"][0]["mark"] == "ok"
    assert report.lines[0].mark == GOOD


# count_upto, which needs no server ------------------------------------------------------------------------------------


def counts_to_one_less(max):
    yield from range(1, max)


def counts_in_a_list(max):
    return list(range(1, max + 1))


def always_counts_one(max):
    yield 1
    yield from range(2, max + 1)


def counts_on(max):
    global counted
    for _ in range(max):
        counted = globals().get("counted", 0) + 1
        yield counted


@pytest.mark.parametrize(
    ("function", "asked"),
    [
        (counts_to_one_less, "it counts from 1 to max"),
        (counts_in_a_list, "it gives something that next() works on"),
        (always_counts_one, "up to 1 it gives 1, up to 0 nothing"),
        (counts_on, "up to 1 it gives 1, up to 0 nothing"),
    ],
)
def test_count_upto(monkeypatch, function, asked):
    monkeypatch.setattr(process, "TIME_LIMIT", 2.0)
    monkeypatch.setattr(process, "MEMORY_LIMIT", 300)
    report = check.count_upto(function)
    assert first_bad(report).asked == asked


# Wrong in ways that are none of the thirty ----------------------------------------------------------------------------


def leaves_out_the_last():
    users = good_stream()
    user = next(users, None)
    for following in users:
        yield user
        user = following


def gives_everyone_twice():
    for user in good_stream():
        yield user
        yield user


def wants_more_keys():
    for user in good_stream():
        yield {**user, "seen": True}


@pytest.mark.parametrize(
    ("function", "seen"),
    [
        (leaves_out_the_last, "1 of 23 users were missing"),
        (gives_everyone_twice, "23 came again"),
        (wants_more_keys, "the first user has the keys user_id, name, email, age, seen"),
    ],
)
def test_users_that_are_not_right(function, seen):
    assert seen in first_bad(check.stream_users(function)).seen


def page_without_end(page_size):
    offset = 0
    while True:
        yield tasks_page(page_size, offset)
        offset += page_size


def tasks_page(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset))
        return cursor.fetchall()


def all_pages_first(page_size):
    pages, offset = [], 0
    while page := tasks_page(page_size, offset):
        pages.append(page)
        offset += page_size
    yield from pages


@pytest.mark.parametrize(
    ("function", "seen"),
    [
        (page_without_end, "it had given 23 pages, and went on"),
        (all_pages_first, "before your first page came out"),
    ],
)
def test_pages_that_are_not_right(function, seen):
    assert seen in first_bad(check.lazy_pagination(function)).seen


def returns_the_users(batch_size):
    return [user for user in good_stream() if user["age"] > 25]


def test_users_that_are_returned_are_not_printed():
    report = check.batch_processing(returns_the_users)
    assert first_bad(report).seen == "the call printed nothing and returned a list"
    assert report.to_mend == 1


def average_by_the_server():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT AVG(age) FROM user_data")
        print("Average age of users:", cursor.fetchone()[0])


def test_an_average_by_the_server_is_not_what_is_asked():
    assert "SELECT AVG(age)" in first_bad(check.calculate_average_age(average_by_the_server)).seen


def average_of_a_list():
    ages = [int(user["age"]) for user in good_stream()]
    if ages:
        print(f"Average age of users: {sum(ages) / len(ages)}")


def test_an_average_of_a_list_holds_all_ages():
    report = check.calculate_average_age(average_of_a_list)
    assert first_bad(report).seen == "memory grew with the table: 10,000 rows took more than 5,000"
    assert report.to_mend == 1


def test_the_driver_alone_is_redirected(monkeypatch):
    """The process of the notebook keeps its own driver as it is."""
    connect = mysql.connector.abstracts.MySQLConnectionAbstract.connect
    check.stream_users(good_stream)
    assert mysql.connector.abstracts.MySQLConnectionAbstract.connect is connect
    with contextlib.closing(seed.connect_db()) as connection:
        assert connection.is_connected()
    assert tasks.STOP_AT == 6
