"""helpers.check names each mistake of Tasks 1 to 4 in a solution that has just that one, and passes the rest of it."""

import itertools
import re
import sys
from contextlib import closing
from types import SimpleNamespace

import cloudpickle
import mysql.connector
import pytest
from checked import is_named_and_the_rest_passes, reports_of, solutions_in

from helpers import seed

cloudpickle.register_pickle_by_value(sys.modules[__name__])

# Each function here is a solution of the task that its name begins with; the number behind is that of its mistake.


# Task 1 ---------------------------------------------------------------------------------------------------------------


def stream_users__3():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute("SELECT * FROM user_data")
    for row in cursor:  # noqa: UP028 (as learners write it)
        yield row
    cursor.close()
    connection.close()


def stream_users__5():
    try:
        with closing(seed.connect_to_prodev()) as connection:
            cursor = connection.cursor(dictionary=True)
            cursor.execute("SELECT * FROM user_data")
            yield from cursor
    except mysql.connector.Error as error:
        print(f"Error: {error}")


def stream_users__5_yields_none():
    try:
        with closing(seed.connect_to_prodev()) as connection:
            cursor = connection.cursor(dictionary=True)
            cursor.execute("SELECT * FROM user_data")
            yield from cursor
    except mysql.connector.Error:
        yield None


def stream_users__5_only_on_the_way():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        while True:
            try:
                row = cursor.fetchone()
            except mysql.connector.Error:
                break
            if row is None:
                break
            yield row


def connected_or_none():
    try:
        return seed.connect_to_prodev()
    except mysql.connector.Error as error:
        print(error)


def stream_users__5_in_connecting():
    with closing(connected_or_none()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def stream_users__8():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def stream_users__11():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        for row in cursor.fetchall():  # noqa: UP028 (as learners write it)
            yield row


def stream_users__11_returned():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        return cursor.fetchall()


def stream_users__17():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute("SELECT * FROM user_data")
    yield from cursor


def stream_users__18():
    try:
        connection = seed.connect_to_prodev()
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor
    finally:
        connection.close()


def stream_users__18_bound_to_none():
    connection = None
    try:
        connection = seed.connect_to_prodev()
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor
    finally:
        connection.close()


def stream_users__25():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True, buffered=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor


def stream_users__25_mysqldb():
    import MySQLdb  # PyMySQL, where mysqlclient is not installed

    connection = MySQLdb.connect(host="localhost", user="root", passwd="", db="ALX_prodev")
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT user_id, name, email, age FROM user_data")
        while rows := cursor.fetchmany(1000):
            for row in rows:
                yield dict(zip(("user_id", "name", "email", "age"), row, strict=True))


def stream_users__30():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor
    finally:
        cursor.close()
        connection.close()


opened_outside = SimpleNamespace(connection=None)


def stream_users__26_a_connection_from_outside():
    cursor = opened_outside.connection.cursor(dictionary=True)
    cursor.execute("SELECT * FROM user_data")
    yield from cursor


# Task 2 ---------------------------------------------------------------------------------------------------------------


def batches_in_order(batch_size):
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data ORDER BY user_id")
        while batch := cursor.fetchmany(batch_size):
            yield batch


def stream_users_in_batches__14(batch_size):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        for offset in itertools.count(0, batch_size):
            cursor.execute("SELECT * FROM user_data LIMIT %s OFFSET %s", (batch_size, offset))
            batch = cursor.fetchall()
            if not batch:
                return
            yield batch


def stream_users_in_batches__15(batch_size):
    for batch in batches_in_order(batch_size):
        yield from batch


def stream_users_in_batches__16(batch_size):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data LIMIT %s", (batch_size,))
        batch = cursor.fetchall()
    if batch:
        yield batch


def stream_users_in_batches__21(batch_size):
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        batch = []
        for row in cursor:
            batch.append(row)
            if len(batch) % batch_size == 0:
                yield batch
        if len(batch) % batch_size:
            yield batch


def batch_processing__13(batch_size):
    for batch in batches_in_order(batch_size):
        for user in batch:
            if user["age"] > 25:
                yield user


def batch_processing__14(batch_size):
    for batch in stream_users_in_batches__14(batch_size):
        for user in batch:
            if user["age"] > 25:
                print(user)


def batch_processing__16(batch_size):
    for batch in batches_in_order(batch_size):
        for user in batch:
            if user["age"] > 25:
                print(user)
        return


def batch_processing__19(batch_size):
    for batch in batches_in_order(batch_size):
        for user in batch:
            if user["age"] >= 25:
                print(user)


# Task 3 ---------------------------------------------------------------------------------------------------------------


def right_page(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset))
        return cursor.fetchall()


def paginate_users__1(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data LIMIT %s OFFSET %s", (page_size, offset))
        return cursor.fetchall()


def paginate_users__2(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute(f"SELECT * FROM user_data ORDER BY user_id LIMIT {page_size} OFFSET {offset}")
        return cursor.fetchall()


def paginate_users__2_the_offset_alone(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET " + str(offset), (page_size,))
        return cursor.fetchall()


def paginate_users__17(page_size, offset):
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset))
    page = cursor.fetchall()
    connection.close  # noqa: B018 (the mistake)
    return page


def lazy_pagination__1(page_size):
    for offset in itertools.count(0, page_size):
        page = paginate_users__1(page_size, offset)
        if not page:
            return
        yield page


def lazy_pagination__2(page_size):
    offset = 0
    while page := paginate_users__2(page_size, offset):
        yield page
        offset += page_size


def lazy_pagination__17(page_size):
    offset = 0
    while page := paginate_users__17(page_size, offset):
        yield page
        offset += page_size


def lazy_pagination__22(page_size):
    offset = 0
    while page := right_page(page_size, offset):
        yield page
        ofset = offset + page_size  # noqa: F841 (the mistake)


# Task 4 ---------------------------------------------------------------------------------------------------------------


def stream_user_ages__23():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        for n in itertools.count():
            cursor.execute("SELECT age FROM user_data ORDER BY user_id LIMIT 1 OFFSET %s", (n,))
            row = cursor.fetchone()
            if row is None:
                return
            yield int(row[0])


def ages():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT age FROM user_data")
        yield from (int(age) for (age,) in cursor)


def stream_user_ages__11():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT age FROM user_data")
        yield from [int(age) for (age,) in cursor]


def calculate_average_age__10():
    total = count = 0
    for age in ages():
        total += age
        count += 1
    print(f"Average age of users: {total / count}")


def calculate_average_age__24():
    total = count = 0
    for age in ages():
        total += age
        count += 1
    if count:
        print(f"Average age of users: {total // count}")


def calculate_average_age__24_divided_by_the_wrong_number():
    total, highest = 0, 0
    for age in ages():
        total += age
        highest = max(highest, age)
    if highest:
        print(f"Average age of users: {total / highest}")


# The tests ------------------------------------------------------------------------------------------------------------

SOLUTIONS = solutions_in(dict(globals()))


def mistake_of(name):
    return int(re.search(r"-(\d+)", name)[1])


@pytest.fixture(scope="module")
def reports(request):
    with closing(seed.connect_db()) as opened_outside.connection:
        return reports_of(SOLUTIONS, request)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_mistake_is_named_and_the_rest_passes(reports, name):
    is_named_and_the_rest_passes(reports[name], mistake_of(name))
