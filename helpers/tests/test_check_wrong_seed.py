"""helpers.check names each mistake of Task 0 in a seed that has just that one, and passes the rest of it."""

import csv
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import cloudpickle
import mysql.connector
import pytest
from checked import is_named_and_the_rest_passes
from test_check_wrong import SOLUTIONS, mistake_of

from helpers import check
from helpers.check.mistakes import MISTAKES

cloudpickle.register_pickle_by_value(sys.modules[__name__])

# Each function here is a solution of the task that its name begins with; the number behind is that of its mistake.

# Task 0 ---------------------------------------------------------------------------------------------------------------


def connect_with_password():
    return mysql.connector.connect(host="localhost", user="root", password="s3cret")


def rows_of(data):
    """The rows of a CSV file as they are read, with ids that follow from them."""
    with open(data, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield str(uuid.uuid5(uuid.NAMESPACE_URL, row["email"])), row["name"], row["email"], row["age"]


INSERT = "INSERT IGNORE INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)"


def insert_with_random_ids(connection, data):
    with closing(connection.cursor()) as cursor:
        for _, *row in rows_of(data):
            cursor.execute(INSERT, (str(uuid.uuid4()), *row))
    connection.commit()


def insert_with_ids_of_the_file(connection, data):
    with open(data, newline="", encoding="utf-8") as file, closing(connection.cursor()) as cursor:
        for row in csv.DictReader(file):
            cursor.execute(INSERT, (row["user_id"], row["name"], row["email"], row["age"]))
    connection.commit()


def insert_after_select(connection, data):
    with closing(connection.cursor()) as cursor:
        for row in rows_of(data):
            cursor.execute("SELECT 1 FROM user_data WHERE email = %s", (row[2],))
            if not cursor.fetchall():
                cursor.execute(INSERT, row)
    connection.commit()


def insert_a_list(connection, data):
    with closing(connection.cursor()) as cursor:
        cursor.executemany(INSERT, list(rows_of(data)))
    connection.commit()


def insert_and_commit_each(connection, data):
    with closing(connection.cursor()) as cursor:
        for row in rows_of(data):
            cursor.execute(INSERT, row)
            connection.commit()


def insert_by_autocommit(connection, data):
    connection.autocommit = True
    with closing(connection.cursor()) as cursor:
        for row in rows_of(data):
            cursor.execute(INSERT, row)


def insert_and_read_rowcount(connection, data):
    with closing(connection.cursor()) as cursor:
        cursor.execute("SELECT user_id FROM user_data")
        print(f"{cursor.rowcount} rows are there")
        cursor.fetchall()
        for row in rows_of(data):
            cursor.execute(INSERT, row)
    connection.commit()


def insert_split_by_hand(connection, data):
    with open(data, encoding="utf-8") as file, closing(connection.cursor()) as cursor:
        next(file)
        for line in file:
            name, email, age = [field.strip('"') for field in line.strip().split(",")]
            cursor.execute(INSERT, (str(uuid.uuid5(uuid.NAMESPACE_URL, email)), name, email, age))
    connection.commit()


def create_database_anew(connection):
    with closing(connection.cursor()) as cursor:
        cursor.execute("DROP DATABASE IF EXISTS ALX_prodev")
        cursor.execute("CREATE DATABASE ALX_prodev")


def insert_into_an_emptied_table(connection, data):
    with closing(connection.cursor()) as cursor:
        cursor.execute("TRUNCATE TABLE user_data")
        for row in rows_of(data):
            cursor.execute(INSERT, row)
    connection.commit()


TASK_0 = {
    "4": {"connect_db": connect_with_password},
    "6": {"insert_data": insert_with_random_ids},
    "7": {"insert_data": insert_with_ids_of_the_file},
    "9": {"insert_data": insert_after_select},
    "12": {"insert_data": insert_a_list},
    "20": {"insert_data": insert_and_commit_each},
    "20-by_autocommit": {"insert_data": insert_by_autocommit},
    "27": {"insert_data": insert_and_read_rowcount},
    "28": {"insert_data": insert_split_by_hand},
    "29": {"create_database": create_database_anew},
    "29-the_table_alone": {"insert_data": insert_into_an_emptied_table},
}

# The tests ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reports():
    def checked(which):
        return check.seed(SimpleNamespace(**TASK_0[which]))

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(TASK_0, pool.map(checked, TASK_0), strict=True))


@pytest.mark.parametrize("which", TASK_0)
def test_the_mistake_is_named_and_the_rest_passes(reports, which):
    is_named_and_the_rest_passes(reports[which], int(which.partition("-")[0]))


def test_each_of_the_thirty_is_made_by_some_solution():
    made = {int(which.partition("-")[0]) for which in TASK_0} | {mistake_of(name) for name in SOLUTIONS}
    assert made >= {*range(1, 31)}
    assert sorted(MISTAKES) == list(range(1, len(MISTAKES) + 1)), "numbered without a gap"
