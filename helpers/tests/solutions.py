"""Parts of small whole solutions, for the tests of python -m helpers.check."""

from helpers.check import project
from helpers.check.report import BAD

CONNECTING = """
import mysql.connector, os
def connect_to_prodev():
    return mysql.connector.connect(host="localhost", user="me", password=os.environ["DB_PASS"], database="ALX_prodev")
"""
NOISY = """
import mysql.connector, os
def connect_to_prodev():
    connection = mysql.connector.connect(user="me", password=os.environ["DB_PASSWORD"], database="ALX_prodev")
    print("Connected to ALX_prodev")
    return connection
"""
BEFORE_INSERT = """
import csv, os, uuid
import mysql.connector
PASSWORD = os.environ["DB_PASSWORD"]
def connect_db():
    return mysql.connector.connect(host="localhost", user="root", password=PASSWORD)
def create_database(connection):
    connection.cursor().execute("CREATE DATABASE IF NOT EXISTS ALX_prodev")
def connect_to_prodev():
    return mysql.connector.connect(host="localhost", user="root", password=PASSWORD, database="ALX_prodev")
def create_table(connection):
    connection.cursor().execute('''CREATE TABLE IF NOT EXISTS user_data (user_id CHAR(36) PRIMARY KEY,
        name VARCHAR(99) NOT NULL, email VARCHAR(99) NOT NULL UNIQUE, age DECIMAL NOT NULL)''')
"""
INSERT = """
def insert_data(connection, data):
    cursor = connection.cursor()
    with open(data, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cursor.execute("INSERT IGNORE INTO user_data VALUES (%s, %s, %s, %s)",
                (str(uuid.uuid5(uuid.NAMESPACE_DNS, row["email"])), row["name"], row["email"], row["age"]))
    connection.commit()
"""
SEED = BEFORE_INSERT + INSERT
STREAM = """
import contextlib, mysql.connector, os, seed
def stream_users():
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor
"""
BATCHES = """
import contextlib, seed
def stream_users_in_batches(batch_size):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        while batch := cursor.fetchmany(batch_size):
            yield batch
"""
PROCESSING = """
def batch_processing(batch_size):
    for batch in stream_users_in_batches(batch_size):
        for user in batch:
            if user["age"] > 25:
                print(user)
"""
PAGES = """
import contextlib, seed
def paginate_users(page_size, offset):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset))
        return cursor.fetchall()
def {name}(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        yield page
        offset += page_size
"""
AGES = """
import contextlib, seed
def stream_user_ages():
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor({how})
        cursor.execute("SELECT age FROM user_data")
        for (age,) in cursor:
            yield age
def {name}():
    total = count = 0
    for age in stream_user_ages():
        total += age
        count += 1
    print(f"Average age of users: {{total / count}}" if count else "No users")
"""
FUNCTIONS = {function.name: function for function in project.FUNCTIONS}


def bad(report):
    return [line for line in report.lines if line.mark == BAD]


def seen(report):
    return " ".join(str(report).split())
