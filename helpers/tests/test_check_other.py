"""helpers.check tells what is wrong where it is none of the counted mistakes."""

import itertools
import os
import sys
from contextlib import closing
from types import SimpleNamespace

import cloudpickle
import mysql.connector
import psutil
import pytest
from checked import first_bad, good_stream
from places import PATIENCE, wait_until

from helpers import check, notebooks, seed, server
from helpers.check import process, rules, task0
from helpers.check.report import BAD
from helpers.connection import database_name

cloudpickle.register_pickle_by_value(sys.modules[__name__])


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
    assert wanted in [line.observed for line in report.lines if line.mark == BAD], str(report)


def insert_that_hangs_the_second_time(connection, data):
    with closing(connection.cursor()) as cursor:
        cursor.execute("SELECT COUNT(*) FROM user_data")
        while cursor.fetchone() != (0,):
            cursor.execute("SELECT 1")
    seed.insert_data(connection, data)


def test_a_seed_that_hangs_the_second_time_gets_a_report(monkeypatch):
    again = task0.again

    def given_up_soon(*arguments):
        with monkeypatch.context() as patch:
            patch.setattr(process, "TIME_LIMIT", 2.0)
            again(*arguments)

    monkeypatch.setattr(task0, "again", given_up_soon)
    report = check.seed(SimpleNamespace(insert_data=insert_that_hangs_the_second_time))
    assert not report.problem
    assert "still running after 2 s" in first_bad(report).observed


CACHED = """
import functools
from contextlib import closing
from helpers import seed

@functools.lru_cache
def stream_users():
    return users()

def users():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data ORDER BY user_id")
        yield from cursor
"""


def test_a_cached_function_of_a_notebook_is_called_twice():
    notebook = {"__name__": "__main__"}
    exec(CACHED, notebook)
    report = check.stream_users(notebook["stream_users"])
    assert not report.problem
    assert 34 in report.mistakes, str(report)


def insert_of_short_files_alone(connection, data):
    if os.path.getsize(data) < 2**20:
        seed.insert_data(connection, data)


def test_what_a_seed_does_not_do_is_not_looked_at():
    report = check.seed(SimpleNamespace(insert_data=insert_of_short_files_alone))
    assert not report.problem
    assert "not looked at, because it sent no row of a file of" in str(report)


def test_a_fault_of_the_checks_own_is_no_mistake_of_the_learners(monkeypatch):
    monkeypatch.setattr(rules, "dicts", lambda *_, **__: 1 / 0)
    report = check.stream_users(good_stream)
    assert report.unchecked
    assert not report.mistakes
    assert "by a fault of the check's own: ZeroDivisionError in test_check_other.py, line " in report.problem


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
    monkeypatch.setattr(process, "MEMORY_LIMIT", 300)
    report = check.count_upto(function)
    assert first_bad(report).asked == asked


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
    assert seen in first_bad(check.stream_users(function)).observed


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
    assert seen in first_bad(check.lazy_pagination(function)).observed


def returns_the_users(batch_size):
    return [user for user in good_stream() if user["age"] > 25]


def test_users_that_are_returned_are_not_printed():
    report = check.batch_processing(returns_the_users)
    assert first_bad(report).observed == "the call printed nothing and returned a list"
    assert report.to_fix == 1


def average_by_the_server():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT AVG(age) FROM user_data")
        print("Average age of users:", cursor.fetchone()[0])


def test_an_average_by_the_server_is_not_what_is_asked():
    assert "SELECT AVG(age)" in first_bad(check.calculate_average_age(average_by_the_server)).observed


def average_of_a_list():
    ages = [int(user["age"]) for user in good_stream()]
    if ages:
        print(f"Average age of users: {sum(ages) / len(ages)}")


def test_an_average_of_a_list_holds_all_ages():
    report = check.calculate_average_age(average_of_a_list)
    assert first_bad(report).observed == "memory grew with the table: 10,000 rows took more than 5,000"
    assert report.to_fix == 1
