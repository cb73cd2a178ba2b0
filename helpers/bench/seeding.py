"""Fill user_data: the course's insert_data beside the other ways to insert."""

import contextlib
import csv
import tempfile
from functools import partial
from itertools import islice
from pathlib import Path

from helpers import databases, seed
from helpers.bench import peers
from helpers.bench.comparison import Version, local_infile
from helpers.users import synthetic_users

ROWS = 500_000
REPEATS = 3
REFERENCE = "insert_data"
ABOUT = "Insert made-up users into an empty user_data, from a CSV file where it says so."
INSERT = "INSERT INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)"
COMMIT_EACH, ONE_TRANSACTION = 2_000, 20_000  # rows of the slow ones, which grow in proportion


def course(rows):
    """The course's own function."""
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        return seed.insert_data(connection, synthetic_users(rows))


def course_csv(path):
    """The same, from a file."""
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        return seed.insert_data(connection, path)


def many(rows, batch_size):
    """executemany, in batches and one transaction."""
    users = synthetic_users(rows)
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        while batch := list(islice(users, batch_size)):
            cursor.executemany(INSERT, batch)
        connection.commit()
    return rows


def one_by_one(rows, commit_each):
    """A statement a row, committed each or at the end."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        for user in synthetic_users(rows):
            cursor.execute(INSERT, user)
            if commit_each:
                connection.commit()
        connection.commit()
    return rows


def load_data(path):
    """The server reads the file by itself."""
    with contextlib.closing(peers.with_local_infile()) as connection, contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(
            "LOAD DATA LOCAL INFILE %s INTO TABLE user_data CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' "
            "OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\n' IGNORE 1 LINES (user_id, name, email, age)",
            (path,),
        )
        connection.commit()
        return cursor.rowcount


def empty():
    """Empty the table, in the comparison's own database."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("TRUNCATE TABLE user_data")


@contextlib.contextmanager
def versions(rows):
    """Give the versions, with a database of their own and a CSV file inside the block."""
    with contextlib.ExitStack() as opened:
        opened.enter_context(databases.scratch())
        path = str(Path(opened.enter_context(tempfile.TemporaryDirectory())) / "users.csv")
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["user_id", "name", "email", "age"])
            writer.writerows(synthetic_users(rows))
        connection = opened.enter_context(contextlib.closing(seed.connect_db()))
        cursor = opened.enter_context(contextlib.closing(connection.cursor()))
        why_not = opened.enter_context(local_infile(cursor))
        few, some = min(rows, COMMIT_EACH), min(rows, ONE_TRANSACTION)
        yield [
            Version(REFERENCE, partial(course, rows), prepare=empty),
            Version("insert_data, from CSV", partial(course_csv, path), prepare=empty),
            Version("executemany, 1,000 a batch", partial(many, rows, 1_000), prepare=empty),
            Version("executemany, 10,000 a batch", partial(many, rows, 10_000), prepare=empty),
            Version("row by row, one transaction", partial(one_by_one, some, False), rows=some, prepare=empty),
            Version("row by row, a commit each", partial(one_by_one, few, True), rows=few, prepare=empty),
            Version(
                "LOAD DATA LOCAL, from CSV", None if why_not else partial(load_data, path), prepare=empty,
                missing=why_not,
            ),
        ]  # fmt: skip
