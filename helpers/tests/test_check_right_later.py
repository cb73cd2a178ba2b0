"""helpers.check finds nothing to fix in right solutions of Tasks 3, 4 and 0 and of lesson 00, however written."""

import csv
import functools
import itertools
import math
import sys
import uuid
from contextlib import closing, contextmanager
from decimal import Decimal
from operator import itemgetter
from types import SimpleNamespace

import cloudpickle
import pymysql.cursors
import pytest
from checked import good_stream as every_user
from checked import reports_of, solutions_in, task_of

from helpers import seed
from helpers.connection import streaming

cloudpickle.register_pickle_by_value(sys.modules[__name__])
KEYS = ("user_id", "name", "email", "age")

TASKS = ["paginate_users", "lazy_pagination", "stream_user_ages", "calculate_average_age", "count_upto", "seed"]


@contextmanager
def opened(query):
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(query)
        yield cursor
    finally:
        connection.close()


# Each function here is a solution of the task that its name begins with.

# Task 3 ---------------------------------------------------------------------------------------------------------------


def paginate_users__closing(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset))
        return cursor.fetchall()


def paginate_users__finally(page_size, offset):
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True, buffered=True)
        cursor.execute("select * from `user_data` order by `email` limit %s, %s", (offset, page_size))
        return list(cursor)
    finally:
        connection.close()


def paginate_users__named_parameters(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("""SELECT user_id, name, email, age FROM user_data
                          ORDER BY user_id
                          LIMIT %(size)s OFFSET %(from)s""", {"size": page_size, "from": offset})  # fmt: skip
        return [dict(zip(KEYS, row, strict=True)) for row in cursor]


def paginate_users__whole_numbers_only(page_size, offset):
    if not isinstance(page_size, int) or not isinstance(offset, int):
        raise TypeError("page_size and offset are whole numbers")
    with opened(f"SELECT * FROM user_data ORDER BY age, user_id LIMIT {page_size} OFFSET {offset}") as cursor:
        return cursor.fetchall()


def paginate_users__prepared(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(prepared=True)
        cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT ? OFFSET ?", (page_size, offset))
        return [dict(zip(cursor.column_names, row, strict=True)) for row in cursor.fetchall()]


def lazy_pagination__walrus(page_size):
    offset = 0
    while page := paginate_users__closing(page_size, offset):
        yield page
        offset += page_size


def lazy_pagination__while_true(page_size):
    offset = 0
    while True:
        page = paginate_users__finally(page_size, offset)
        if not page:
            break
        yield page
        offset = offset + page_size


def lazy_pagination__takewhile(page_size):
    pages = (paginate_users__named_parameters(page_size, offset) for offset in itertools.count(0, page_size))
    return itertools.takewhile(bool, pages)


def lazy_pagination__iter_with_a_sentinel(page_size):
    offsets = itertools.count(0, page_size)
    yield from iter(lambda: paginate_users__prepared(page_size, next(offsets)), [])


def lazy_pagination__by_key(page_size):
    last = ""
    while True:
        with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
            cursor.execute("SELECT * FROM user_data WHERE user_id > %s ORDER BY user_id LIMIT %s", (last, page_size))
            page = cursor.fetchall()
        if not page:
            return
        yield page
        last = page[-1]["user_id"]


def lazy_pagination__counted_first(page_size):
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT COUNT(*) FROM user_data")
        (count,) = cursor.fetchone()
    for offset in range(0, count, page_size):
        yield paginate_users__closing(page_size, offset)


def lazy_pagination__until_a_short_page(page_size):
    for offset in itertools.count(0, page_size):
        page = paginate_users__closing(page_size, offset)
        if page:
            yield page
        if len(page) < page_size:
            return


# Task 4 ---------------------------------------------------------------------------------------------------------------


def stream_user_ages__unpacked():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT age FROM user_data")
        for (age,) in cursor:
            yield int(age)


def stream_user_ages__decimals():
    with streaming("SELECT age FROM user_data") as cursor:
        yield from map(itemgetter(0), cursor)


def stream_user_ages__of_users():
    for user in every_user():
        yield user["age"]


def stream_user_ages__generator_expression():
    return (int(user["age"]) for user in every_user())


def stream_user_ages__chunks():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT age FROM user_data")
        while True:
            rows = cursor.fetchmany(size=1000)
            if not rows:
                break
            for row in rows:
                yield float(row[0])
    finally:
        connection.close()


def calculate_average_age__running():
    total = count = 0
    for age in stream_user_ages__unpacked():
        total += age
        count += 1
    if not count:
        raise ValueError("there are no users to average")
    average = total / count
    print(f"Average age of users: {average}")
    print(f"Users: {count}")
    return average


def calculate_average_age__rounded():
    total, count = Decimal(0), 0
    for count, age in enumerate(stream_user_ages__decimals(), start=1):  # noqa: B007 (used behind the loop)
        total += age
    print(f"Average age of users: {total / count:.2f}" if count else "There are no users.")


def calculate_average_age__with_the_count_behind_it():
    total = count = 0
    for age in stream_user_ages__unpacked():
        total, count = total + age, count + 1
    if count:
        print(f"Average age of users: {total / count:.2f} ({count} users)")


def calculate_average_age__reduced():
    def add(made, age):
        return made[0] + age, made[1] + 1

    total, count = functools.reduce(add, stream_user_ages__of_users(), (0, 0))
    return total / count if count else None


def calculate_average_age__running_mean():
    mean = 0.0
    for count, age in enumerate(stream_user_ages__chunks(), 1):
        mean += (age - mean) / count
    if mean:
        print("Average age of users:", round(mean, 1))


def calculate_average_age__nan():
    total = count = 0
    for age in stream_user_ages__generator_expression():
        total, count = total + age, count + 1
    print(f"Average age of users: {total / count if count else math.nan:.3f}")


# Lesson 00 ------------------------------------------------------------------------------------------------------------


def count_upto__while(max):
    count = 1
    while count <= max:
        yield count
        count = count + 1


def count_upto__for(max):
    for number in range(1, max + 1):  # noqa: UP028 (written differently)
        yield number


def count_upto__yield_from(max):
    yield from range(1, max + 1)


def count_upto__takewhile(max):
    return itertools.takewhile(lambda n: n <= max, itertools.count(1))


class count_upto__class:
    def __init__(self, max):
        self.max, self.last = max, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.last >= self.max:
            raise StopIteration
        self.last += 1
        return self.last


# Task 0 ---------------------------------------------------------------------------------------------------------------


def seed__of_the_course():
    return seed


def insert_ignore(connection, data):
    with open(data, newline="", encoding="utf-8") as file, closing(connection.cursor()) as cursor:
        for row in csv.DictReader(file):
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, row["email"]))
            cursor.execute("INSERT IGNORE INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)",
                           (user_id, row["name"], row["email"], row["age"]))  # fmt: skip
    connection.commit()


def seed__one_row_an_insert():
    return SimpleNamespace(insert_data=insert_ignore)


def create_table_with_unique_email(connection):
    with closing(connection.cursor()) as cursor:
        cursor.execute("""CREATE TABLE IF NOT EXISTS user_data (
            user_id CHAR(36) PRIMARY KEY, name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL UNIQUE,
            age INT NOT NULL, INDEX (user_id))""")
    print("Table user_data created successfully")


def insert_batches(connection, data):
    def rows():
        with open(data, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            next(reader)
            for name, email, age in reader:
                yield str(uuid.uuid4()), name, email, int(age)

    cursor, waiting = connection.cursor(), rows()
    while batch := list(itertools.islice(waiting, 500)):
        cursor.executemany("INSERT IGNORE INTO user_data VALUES (%s, %s, %s, %s)", batch)
        connection.commit()
    cursor.close()


def seed__random_ids_and_a_unique_email():
    return SimpleNamespace(create_table=create_table_with_unique_email, insert_data=insert_batches)


def insert_unless_filled(connection, data):
    cursor = connection.cursor(buffered=True)
    cursor.execute("SELECT COUNT(*) FROM user_data")
    if cursor.fetchone()[0]:
        return
    insert_batches(connection, data)


def seed__only_into_an_empty_table():
    return SimpleNamespace(insert_data=insert_unless_filled)


def connect_with_pymysql(database=None):
    return pymysql.connect(host="db.example.com", user="me", password="", database=database)


def create_with_pymysql(connection):
    with connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        if "ALX_prodev" not in [name for (name,) in cursor]:
            cursor.execute("CREATE DATABASE ALX_prodev")


def insert_with_pymysql(connection, data):
    with open(data, newline="", encoding="utf-8") as file, connection.cursor() as cursor:
        for row in csv.DictReader(file):
            row["id"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, row["email"]))
            cursor.execute("INSERT INTO user_data VALUES (%(id)s, %(name)s, %(email)s, %(age)s) "
                           "ON DUPLICATE KEY UPDATE name = name", row)  # fmt: skip
    connection.commit()


def connect_to_prodev_with_pymysql():
    return connect_with_pymysql("ALX_prodev")


def seed__pymysql():
    return SimpleNamespace(
        connect_db=connect_with_pymysql, create_database=create_with_pymysql, insert_data=insert_with_pymysql,
        connect_to_prodev=connect_to_prodev_with_pymysql, create_table=create_table_with_unique_email,
    )  # fmt: skip


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
