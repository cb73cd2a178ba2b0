"""What a patient consumer sees: mistakes 31 to 37, written differently, and right functions that look like them."""

import functools
import itertools
import queue
import sys
import threading
from contextlib import closing

import cloudpickle
import mysql.connector
import pytest
from checked import is_named_and_the_rest_passes, reports_of, solutions_in

from helpers import seed
from helpers.connection import cancel_and_close, streaming

cloudpickle.register_pickle_by_value(sys.modules[__name__])
QUERY = "SELECT * FROM user_data"

# Each function is a solution of the task that its name begins with; the number behind is that of its mistake.

# 31: one dict or list used again for every item -----------------------------------------------------------------------


def rows():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT user_id, name, email, age FROM user_data")
        yield from cursor


def stream_users__31_update():
    user = {}
    for user_id, name, email, age in rows():
        user.update(user_id=user_id, name=name, email=email, age=int(age))
        yield user


def stream_users__31_zip_into_one():
    keys, user = ("user_id", "name", "email", "age"), {}
    for row in rows():
        for key, value in zip(keys, row, strict=True):
            user[key] = value
        yield user


def stream_users_in_batches__31_cleared(batch_size):
    with streaming(QUERY, dictionary=True) as cursor:
        batch = []
        for row in cursor:
            batch.append(row)
            if len(batch) == batch_size:
                yield batch
                batch.clear()
        if batch:
            yield batch


def stream_users_in_batches__31_del(batch_size):
    with streaming(QUERY, dictionary=True) as cursor:
        batch = []
        while more := cursor.fetchmany(batch_size):
            batch[:] = more
            yield batch


def stream_users__right_31_a_dict_for_each():
    user = {}
    for user_id, name, email, age in rows():
        user.update(user_id=user_id, name=name, email=email, age=int(age))
        yield dict(user)


def stream_users_in_batches__right_31_copied(batch_size):
    with streaming(QUERY, dictionary=True) as cursor:
        batch = []
        for row in cursor:
            batch.append(row)
            if len(batch) == batch_size:
                yield batch[:]
                batch.clear()
        if batch:
            yield batch[:]


# 32: a stream that starts again after an error ------------------------------------------------------------------------


def dicts():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        yield from cursor


def retry(times):
    def decorate(function):
        @functools.wraps(function)
        def again(*arguments):
            for left in range(times, 0, -1):
                try:
                    yield from function(*arguments)
                    return
                except mysql.connector.Error:
                    if left == 1:
                        raise

        return again

    return decorate


@retry(3)
def stream_users__32_decorated():
    yield from dicts()


def stream_users__32_loop():
    tries = 0
    while True:
        try:
            for user in dicts():  # noqa: UP028 (as learners write it)
                yield user
            return
        except mysql.connector.Error:
            tries += 1
            if tries == 3:
                raise


def stream_users_in_batches__32(batch_size):
    users = retry(2)(dicts)()
    while batch := list(itertools.islice(users, batch_size)):
        yield batch


def stream_users__right_32_goes_on_by_key():
    last, tries = "", 0
    while True:
        try:
            with closing(seed.connect_to_prodev()) as connection:
                cursor = connection.cursor(dictionary=True)
                cursor.execute("SELECT * FROM user_data WHERE user_id > %s ORDER BY user_id", (last,))
                for user in cursor:
                    yield user
                    last = user["user_id"]
            return
        except mysql.connector.Error:
            tries += 1
            if tries == 3:
                raise


def stream_users__right_32_connecting_is_tried_again():
    for left in (2, 1, 0):
        try:
            connection = seed.connect_to_prodev()
            break
        except mysql.connector.Error:
            if not left:
                raise
    with closing(connection):
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        yield from cursor


# 33: a connection closed before the stream is read --------------------------------------------------------------------


def stream_users__33_returned():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        return (user for user in cursor)


def with_connection(function):
    @functools.wraps(function)
    def connected(*arguments):
        connection = seed.connect_to_prodev()
        try:
            return function(connection, *arguments)
        finally:
            connection.close()

    return connected


@with_connection
def stream_users__33_decorated(connection):
    cursor = connection.cursor(dictionary=True)
    cursor.execute(QUERY)
    yield from cursor


def stream_users__33_iter_of_fetchone():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute(QUERY)
    users = iter(cursor.fetchone, None)
    cancel_and_close(connection)
    return users


def stream_users__right_33_inside():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        yield from (user for user in cursor)


def stream_users__right_33_handed_over():
    return dicts()


# 34: a generator that is given out twice ------------------------------------------------------------------------------


@functools.lru_cache
def stream_users__34_cached():
    return dicts()


kept = {}


def stream_users__34_kept():
    if "users" not in kept:
        kept["users"] = dicts()
    return kept["users"]


def of_users(users=None, made=[]):  # noqa: B006 (the mistake)
    if not made:
        made.append(dicts())
    return made[0]


def stream_users__34_default():
    yield from of_users()


@functools.lru_cache
def the_query():
    return QUERY


def stream_users__right_34_a_cached_text():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(the_query())
        yield from cursor


class stream_users__right_34_an_iterable:
    def __iter__(self):
        yield from dicts()


# 35: reading ahead without a bound ------------------------------------------------------------------------------------

END = object()


def ahead(items, waiting, give_up=lambda: False):
    """Put items into a queue in a thread; yield them."""

    def fill():
        try:
            with closing(items):
                for item in items:
                    if give_up():
                        return
                    waiting.put(item)
            waiting.put(END)
        except Exception as error:
            waiting.put(error)

    threading.Thread(target=fill, daemon=True).start()
    while (item := waiting.get()) is not END:
        if isinstance(item, Exception):
            raise item
        yield item


def stopping(make):
    """Yield from a stream that reads ahead; end its thread when the consumer leaves."""
    left = threading.Event()
    try:
        yield from make(left.is_set)
    finally:
        left.set()


def stream_users__35_queue():
    yield from stopping(lambda left: ahead(dicts(), queue.Queue(), left))


def stream_users__35_simple_queue():
    yield from stopping(lambda left: ahead(dicts(), queue.SimpleQueue(), left))


def stream_users_in_batches__35(batch_size):
    with_batches = stopping(lambda left: ahead(batches(batch_size), queue.Queue(maxsize=0), left))
    yield from with_batches


def batches(batch_size):
    with closing(dicts()) as users:
        while batch := list(itertools.islice(users, batch_size)):
            yield batch


class Left(queue.Queue):
    """A bounded queue whose producer is let go when the consumer leaves."""

    gone = False

    def put(self, item):
        while not self.gone:
            try:
                return super().put(item, timeout=0.02)
            except queue.Full:
                continue


def bounded(items, most):
    waiting = Left(maxsize=most)
    try:
        yield from ahead(items, waiting, lambda: waiting.gone)
    finally:
        waiting.gone = True


def stream_users__right_35_bounded():
    yield from bounded(dicts(), 100)


def stream_users_in_batches__right_35_bounded(batch_size):
    yield from bounded(batches(batch_size), 3)


# 36: the rest of the table read after a stop --------------------------------------------------------------------------


def stream_users__36_fetchall():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    try:
        cursor.execute(QUERY)
        yield from cursor
    finally:
        if connection.unread_result:
            cursor.fetchall()
        connection.close()


def stream_users__36_loop():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    try:
        cursor.execute(QUERY)
        yield from cursor
    finally:
        for _ in cursor:
            pass
        connection.close()


def stream_users__36_fetchone():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    try:
        cursor.execute(QUERY)
        while user := cursor.fetchone():
            yield user
    finally:
        while connection.unread_result and cursor.fetchone():
            pass
        connection.close()


def stream_users__right_36_cancelled():
    with streaming(QUERY, dictionary=True) as cursor:
        yield from cursor


def stream_users__right_36_closed():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        yield from cursor
    finally:
        connection.close()


# 37: an error handler that fails itself -------------------------------------------------------------------------------


def stream_users__37_os_stderr():
    import os

    try:
        yield from dicts()
    except mysql.connector.Error as error:
        print(error, file=os.stderr)


def stream_users__37_mysql_connection():
    try:
        yield from dicts()
    except mysql.connection.Error:
        raise


def stream_users__37_raises_text():
    try:
        yield from dicts()
    except mysql.connector.Error as error:
        raise f"no users: {error}"  # noqa: B904 (the mistake)


def stream_users__right_37_another_error():
    try:
        yield from dicts()
    except mysql.connector.Error as error:
        raise ConnectionError(f"no users: {error}") from error


def stream_users__right_37_said_and_raised():
    try:
        yield from dicts()
    except mysql.connector.Error as error:
        print(error, file=sys.stderr)
        raise


# The tests ------------------------------------------------------------------------------------------------------------

SOLUTIONS = solutions_in(dict(globals()))
RIGHT = [name for name in SOLUTIONS if "-right_" in name]
WRONG = [name for name in SOLUTIONS if "-right_" not in name]


def mistake_of(name):
    return int("".join(filter(str.isdigit, name.partition("-")[2]))[:2])


@pytest.fixture(scope="module")
def reports(request):
    return reports_of(SOLUTIONS, request)


@pytest.mark.parametrize("name", WRONG)
def test_the_mistake_is_named(reports, name):
    if mistake_of(name) == 33:  # nothing else can be run
        assert reports[name].mistakes == [33], str(reports[name])
    else:
        is_named_and_the_rest_passes(reports[name], mistake_of(name))


@pytest.mark.parametrize("name", RIGHT)
def test_what_looks_like_it_and_is_right_passes(reports, name):
    assert reports[name], str(reports[name])


def test_there_are_three_wrong_ones_and_two_right_ones_of_each():
    for number in range(31, 38):
        assert [mistake_of(name) for name in WRONG].count(number) >= 3, number
        assert [mistake_of(name) for name in RIGHT].count(number) >= 2, number
