"""Two mistakes that hide: a connection closed inside the first next(), a child process that reads ahead for ever."""

import functools
import itertools
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import time
from contextlib import closing

import cloudpickle
import mysql.connector
import pymysql
import pymysql.cursors
import pytest
from checked import is_named_and_the_rest_passes, reports_of, solutions_in

from helpers import seed

cloudpickle.register_pickle_by_value(sys.modules[__name__])
QUERY = "SELECT * FROM user_data"

# Each function is a solution of the task that its name begins with; the number behind is that of its mistake.


def dicts():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        yield from cursor


# 33: a connection closed inside the first next() ----------------------------------------------------------------------


def stream_users__33_used_behind_the_with():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        users = (user for user in cursor)
    yield from users


def opened():
    with seed.connect_to_prodev() as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        return cursor


def stream_users__33_a_helper_that_closes():
    cursor = opened()
    while (user := cursor.fetchone()) is not None:
        yield user


def stream_users__33_behind_the_first_user():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute(QUERY)
    first = cursor.fetchone()
    connection.disconnect()
    if first:
        yield first
    yield from cursor


def stream_users__33_in_python_alone():
    connection = mysql.connector.connect(host="localhost", user="me", database="ALX_prodev", use_pure=True)
    cursor = connection.cursor(dictionary=True)
    cursor.execute(QUERY)
    connection.close()
    yield from cursor


def stream_users__33_pymysql():
    with pymysql.connect(host="localhost", user="me", database="ALX_prodev") as connection:
        cursor = connection.cursor(pymysql.cursors.SSDictCursor)
        cursor.execute(QUERY)
    yield from cursor


def stream_users_in_batches__33_in_finally(batch_size):
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
    finally:
        connection.close()
    while batch := cursor.fetchmany(batch_size):
        yield batch


def stream_users__right_33_another_connection_closed_before():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT COUNT(*) FROM user_data")
        if cursor.fetchone() == (0,):
            return
    yield from dicts()


def stream_users__right_33_closed_behind_the_last():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        while user := cursor.fetchone():
            yield user
    finally:
        connection.close()


# 35: reading ahead without a bound, in a child process ----------------------------------------------------------------


def forking():
    """The way to start a process that has all that this one has."""
    return multiprocessing.get_context("fork")


def batches(batch_size):
    with closing(dicts()) as users:
        while batch := list(itertools.islice(users, batch_size)):
            yield batch


def put_all(items, put):
    """In the child process: put what items() gives, and then END or an error's text."""
    try:
        for item in items():
            put(item)
        put(None)
    except Exception as error:
        put(str(error))


def from_a_child(items, waiting):
    """Yield what a child process puts into `waiting`; end it when the consumer leaves."""
    child = forking().Process(target=put_all, args=(items, waiting.put), daemon=True)
    child.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, str):
                raise ConnectionError(item)
            yield item
    finally:
        child.terminate()
        child.join()


def stream_users__35_child_queue():
    yield from from_a_child(dicts, forking().Queue())


def stream_users_in_batches__35_child_queue(batch_size):
    yield from from_a_child(functools.partial(batches, batch_size), forking().Queue(maxsize=0))


def stream_users__35_child_file():
    """The child writes all that there is into a file, and the consumer reads it from there."""
    with tempfile.NamedTemporaryFile() as file:
        child = os.fork()
        if not child:
            with open(file.name, "ab", buffering=0) as out:
                put_all(dicts, lambda item: out.write(pickle.dumps(item)))
            os._exit(0)
        try:
            with open(file.name, "rb") as came:
                while (item := next_of(came)) is not None:
                    if isinstance(item, str):
                        raise ConnectionError(item)
                    yield item
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def next_of(file):
    """Wait for the next whole item in a file."""
    at = file.tell()
    while True:
        try:
            return pickle.load(file)
        except (EOFError, pickle.UnpicklingError):
            file.seek(at)
            time.sleep(0.001)


def stream_users__right_35_child_bounded():
    yield from from_a_child(dicts, forking().Queue(maxsize=100))


class Pipe:
    """A pipe takes some 64 KiB: what is more waits until somebody reads."""

    def __init__(self):
        self.reading, self.writing = forking().Pipe(duplex=False)
        self.put, self.get = self.writing.send, self.reading.recv


def stream_users_in_batches__right_35_child_pipe(batch_size):
    yield from from_a_child(functools.partial(batches, batch_size), Pipe())


# The tests ------------------------------------------------------------------------------------------------------------

SOLUTIONS = solutions_in(dict(globals()))
RIGHT = [name for name in SOLUTIONS if "-right_" in name]
CLOSED = [name for name in SOLUTIONS if "-33_" in name]
AHEAD = [name for name in SOLUTIONS if "-35_" in name]


@pytest.fixture(scope="module")
def reports(request):
    return reports_of(SOLUTIONS, request)


@pytest.mark.parametrize("name", CLOSED)
def test_a_connection_closed_before_its_rows_are_read_is_named(reports, name):
    assert reports[name].mistakes == [33], str(reports[name])
    assert "its connection was closed, and then its rows were asked for" in str(reports[name])


@pytest.mark.parametrize("name", AHEAD)
def test_a_child_that_reads_ahead_without_a_bound_is_named(reports, name):
    is_named_and_the_rest_passes(reports[name], 35)


@pytest.mark.parametrize("name", RIGHT)
def test_what_looks_like_it_and_is_right_passes(reports, name):
    assert reports[name], str(reports[name])
