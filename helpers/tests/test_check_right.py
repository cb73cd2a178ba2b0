"""helpers.check finds nothing to fix in solutions of Tasks 1 and 2 that are right, however they are written."""

import itertools
import json
import sys
from contextlib import closing, contextmanager

import cloudpickle
import mysql.connector
import pymysql.cursors
import pytest
from checked import reports_of, solutions_in, task_of

from helpers import seed
from helpers.connection import cancel_and_close, streaming

cloudpickle.register_pickle_by_value(sys.modules[__name__])
KEYS = ("user_id", "name", "email", "age")

TASKS = ["stream_users", "stream_users_in_batches", "batch_processing"]

# Each function here is a solution of the task that its name begins with.

# Task 1 ---------------------------------------------------------------------------------------------------------------


def stream_users__for_loop():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT user_id, name, email, age FROM user_data")
        for row in cursor:  # noqa: UP028 (written differently)
            yield row
    finally:
        connection.close()


def stream_users__yield_from_cancelling():
    with streaming("SELECT * FROM user_data", dictionary=True) as cursor:
        yield from cursor


def stream_users__iter_with_a_sentinel():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from iter(cursor.fetchone, None)


def stream_users__while():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM user_data")
        row = cursor.fetchone()
        while row is not None:
            yield dict(zip(cursor.column_names, row, strict=True))
            row = cursor.fetchone()
    finally:
        cancel_and_close(connection)


@contextmanager
def opened(query):
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(query)
        yield cursor
    finally:
        connection.close()


def stream_users__context_manager_around():
    with opened("SELECT * FROM user_data") as cursor:
        yield from ({**user, "age": int(user["age"])} for user in cursor)


def stream_users__by_key():
    last = ""
    while True:
        with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
            cursor.execute("SELECT * FROM user_data WHERE user_id > %s ORDER BY user_id LIMIT 500", (last,))
            page = cursor.fetchall()
        if not page:
            return
        yield from page
        last = page[-1]["user_id"]


def stream_users__fetchmany():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        while rows := cursor.fetchmany(1000):
            yield from rows


class stream_users__class:
    def __iter__(self):
        connection = seed.connect_to_prodev()
        try:
            cursor = connection.cursor(raw=True)
            cursor.execute("SELECT * FROM user_data")
            for user_id, name, email, age in cursor:
                yield dict(zip(KEYS, (user_id.decode(), name.decode(), email.decode(), int(age)), strict=True))
        finally:
            connection.close()


def stream_users__pymysql():
    connection = pymysql.connect(host="db.example.com", user="me", database="ALX_prodev",
                                 cursorclass=pymysql.cursors.SSDictCursor)  # fmt: skip
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM user_data")
        for row in cursor:  # noqa: UP028 (written differently)
            yield row


def stream_users__in_pure_python():
    connection = mysql.connector.connect(host="localhost", user="root", database="ALX_prodev", use_pure=True)
    with closing(connection):
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def stream_users__prepared():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(prepared=True)
        cursor.execute("SELECT user_id, name, email, age FROM user_data WHERE age > ?", (-1,))
        for row in cursor:
            yield dict(zip(KEYS, row, strict=True))


def stream_users__pooled():
    connection = mysql.connector.connect(pool_name="users", pool_size=2, host="localhost", user="me",
                                         database="ALX_prodev")  # fmt: skip
    with closing(connection), closing(connection.cursor(dictionary=True)) as cursor:
        last = ""
        while True:
            cursor.execute("SELECT * FROM user_data WHERE user_id > %s ORDER BY user_id LIMIT 100", (last,))
            page = cursor.fetchall()
            if not page:
                return
            yield from page
            last = page[-1]["user_id"]


def stream_users__sqlalchemy():
    import sqlalchemy

    engine = sqlalchemy.create_engine("mysql+pymysql://me@localhost/ALX_prodev")
    with engine.connect().execution_options(stream_results=True) as connection:
        for row in connection.execute(sqlalchemy.text("SELECT * FROM user_data")).mappings():
            yield dict(row)


def stream_users__error_of_its_own():
    try:
        with closing(seed.connect_to_prodev()) as connection:
            cursor = connection.cursor(dictionary=True)
            cursor.execute("SELECT * FROM user_data")
            yield from cursor
    except mysql.connector.Error as error:
        raise RuntimeError("the users cannot be read") from error


def with_another_try(function):
    def wrapper():
        return function()

    return wrapper


@with_another_try
def stream_users__decorated():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def stream_users__closes_twice_and_prints():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM ALX_prodev.user_data")
        for row in cursor:
            print(row["name"])
            yield row
        connection.close()
    finally:
        connection.close()


# Task 2 ---------------------------------------------------------------------------------------------------------------


def stream_users_in_batches__fetchmany(batch_size):
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        while batch := cursor.fetchmany(batch_size):
            yield batch


def stream_users_in_batches__iter_with_a_sentinel(batch_size):
    with streaming("SELECT * FROM user_data", dictionary=True) as cursor:
        yield from iter(lambda: cursor.fetchmany(batch_size), [])


def stream_users_in_batches__islice(batch_size):
    users = stream_users__for_loop()
    with closing(users):
        while batch := list(itertools.islice(users, batch_size)):
            yield batch


def stream_users_in_batches__tuples_of_users(batch_size):
    with closing(stream_users__for_loop()) as users:
        while batch := tuple(itertools.islice(users, batch_size)):  # as itertools.batched, of Python 3.12
            yield batch


def stream_users_in_batches__filled_by_hand(batch_size):
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        batch = []
        for row in cursor:
            batch.append(row)
            if len(batch) == batch_size:
                yield batch
                batch = []
        if batch:
            yield batch
    finally:
        connection.close()


def stream_users_in_batches__limit_and_offset(batch_size):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        for offset in itertools.count(0, batch_size):
            cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (batch_size, offset))
            batch = cursor.fetchall()
            if not batch:
                return
            yield batch


def batch_processing__loops(batch_size):
    for batch in stream_users_in_batches__fetchmany(batch_size):
        for user in batch:
            if user["age"] > 25:
                print(user)


def batch_processing__filter(batch_size):
    for batch in stream_users_in_batches__islice(batch_size):
        for user in filter(lambda user: int(user["age"]) > 25, batch):
            print(json.dumps(user, default=str))


def batch_processing__chain(batch_size):
    users = itertools.chain.from_iterable(stream_users_in_batches__fetchmany(batch_size))
    for user in (user for user in users if not user["age"] <= 25):
        print(user["name"], user["email"], sep=", ")


def batch_processing__joined(batch_size):
    for batch in stream_users_in_batches__filled_by_hand(batch_size):
        over = [f"{user['user_id']}: {user['age']}" for user in batch if user["age"] >= 26]
        if over:
            print("\n".join(over))


def batch_processing__to_stdout_and_a_count(batch_size):
    count = 0
    for batch in stream_users_in_batches__limit_and_offset(batch_size):
        for user in batch:
            if user["age"] > 25:
                sys.stdout.write(f"{user}\n\n")
                count += 1
    return count


# The tests ------------------------------------------------------------------------------------------------------------

SOLUTIONS = solutions_in(dict(globals()))


@pytest.fixture(scope="module")
def reports(request):
    return reports_of(SOLUTIONS, request)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_nothing_is_to_fix(reports, name):
    report = reports[name]
    assert report, str(report)
    assert report.mistakes == []
    assert "All is well." in str(report)


def test_each_task_has_five_solutions_or_more():
    tasks = [task_of(name) for name in SOLUTIONS]
    assert {task: tasks.count(task) >= 5 for task in tasks} == dict.fromkeys(TASKS, True)
