"""How long a learner waits for the checker: one function, one step, an exercise, and a whole solution."""

import contextlib
import functools
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from helpers import databases
from helpers.bench.comparison import Version
from helpers.check.harness import MANY

ROWS = MANY  # of the large table that a check lets a function read
REPEATS = 5
REFERENCE = "check.stream_users(function)"
ABOUT = "The second check of a right function in its process (goal: 2 s); a whole solution from a terminal (goal: 8 s)."

SEED = """
import csv, os, uuid
from contextlib import closing
import mysql.connector

def connect_db():
    return mysql.connector.connect(host="localhost", user="me", password=os.environ["DB_PASSWORD"])

def create_database(connection):
    with closing(connection.cursor()) as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS ALX_prodev")

def connect_to_prodev():
    password = os.environ["DB_PASSWORD"]
    return mysql.connector.connect(host="localhost", user="me", password=password, database="ALX_prodev")

def create_table(connection):
    with closing(connection.cursor()) as cursor:
        cursor.execute('''CREATE TABLE IF NOT EXISTS user_data (user_id CHAR(36) PRIMARY KEY,
            name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL, age DECIMAL(3,0) NOT NULL)''')

def insert_data(connection, data):
    with open(data, newline="", encoding="utf-8") as file, closing(connection.cursor()) as cursor:
        for row in csv.DictReader(file):
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, row["email"]))
            cursor.execute("INSERT IGNORE INTO user_data VALUES (%s, %s, %s, %s)",
                           (user_id, row["name"], row["email"], row["age"]))
    connection.commit()
"""
STREAM = """
from contextlib import closing
from {seed} import connect_to_prodev

def stream_users():
    with closing(connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT user_id, name, email, age FROM user_data")
        for user in cursor:
            yield {{**user, "age": int(user["age"])}}
"""
BATCHES = """
from contextlib import closing
from {seed} import connect_to_prodev

def stream_users_in_batches(batch_size):
    with closing(connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT user_id, name, email, age FROM user_data")
        while batch := cursor.fetchmany(batch_size):
            yield batch

def batch_processing(batch_size):
    for batch in stream_users_in_batches(batch_size):
        for user in batch:
            if user["age"] > 25:
                print(user)
"""
PAGES = """
from contextlib import closing
from {seed} import connect_to_prodev

def paginate_users(page_size, offset):
    with closing(connect_to_prodev()) as connection, closing(connection.cursor(dictionary=True)) as cursor:
        cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset))
        return cursor.fetchall()

def lazy_pagination(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        yield page
        offset += page_size
"""
AGES = """
from contextlib import closing
from {seed} import connect_to_prodev

def stream_user_ages():
    with closing(connect_to_prodev()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT age FROM user_data")
        for (age,) in cursor:
            yield int(age)

def calculate_average_age():
    total = count = 0
    for age in stream_user_ages():
        total += age
        count += 1
    print(f"Average age of users: {{total / count}}" if count else "There are no users.")
"""
COUNT = """
def count_upto(max):
    yield from range(1, max + 1)
"""
FILES = {"seed.py": SEED, "0-stream_users.py": STREAM, "1-batch_processing.py": BATCHES, "2-lazy_paginate.py": PAGES,
         "4-stream_ages.py": AGES}  # fmt: skip
CHECKED = {  # what is measured -> (the check, its step, the source)
    REFERENCE: ("stream_users", None, STREAM),
    "check.stream_users(function, step=1)": ("stream_users", 1, STREAM),
    "check.stream_users(function, step=3)": ("stream_users", 3, STREAM),
    "check.stream_users_in_batches(function)": ("stream_users_in_batches", None, BATCHES),
    "check.batch_processing(function)": ("batch_processing", None, BATCHES),
    "check.paginate_users(function)": ("paginate_users", None, PAGES),
    "check.lazy_pagination(function)": ("lazy_pagination", None, PAGES),
    "check.stream_user_ages(function)": ("stream_user_ages", None, AGES),
    "check.calculate_average_age(function)": ("calculate_average_age", None, AGES),
    "check.seed(insert_data)": ("seed", None, SEED),
    "check.count_upto(function), no server": ("count_upto", None, COUNT),
}


def one(name, step, source):
    """Check one function twice; return (1, seconds of the second time)."""
    from helpers import check

    names = {"__name__": "__main__"}
    exec(source.format(seed="helpers.seed") if name != "seed" else source, names)
    function = names["insert_data" if name == "seed" else name]
    for _ in range(2):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            report = getattr(check, name)(function, step=step)
        seconds = time.perf_counter() - start
        assert report, str(report)
    return 1, seconds


def whole():
    """Check a whole solution as from a terminal, with a private server of its own; return (1, seconds)."""
    with tempfile.TemporaryDirectory(prefix="gc-") as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text.format(seed="seed") if name != "seed.py" else text)
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "helpers.check", folder], capture_output=True, text=True,
                              cwd=Path(__file__).parents[2])  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return 1, time.perf_counter() - start


@contextlib.contextmanager
def versions(rows):
    """Give what is measured, whatever `rows` says: the checker has its own tables."""
    databases.ready()
    yield [
        *(Version(what, functools.partial(one, *how), rows=1, memory=False) for what, how in CHECKED.items()),
        Version("python -m helpers.check FOLDER", whole, rows=1, memory=False),
    ]
