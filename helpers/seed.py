"""Task 0: connect to MySQL, create the database and its table, and fill it.

The server is configured through environment variables (helpers/connection.py); without them, a private one is started.
"""

import contextlib
import functools
import os
from itertools import chain, islice
from operator import itemgetter

from tqdm import tqdm

from helpers.connection import connect, database_name, explaining
from helpers.prefetch import prefetch
from helpers.users import checked_rows, read_users

BATCH_SIZE = 3_000  # rows that are read and sorted together: more take memory
INSERT_ROWS = 1_000  # rows an INSERT, a part of a batch: more gain nothing (lesson 01 measures it)

TABLE = """CREATE TABLE IF NOT EXISTS user_data (
    user_id CHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    email VARCHAR(255) NOT NULL,
    age DECIMAL(3,0) NOT NULL
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"""


def connect_db():
    """Connect to the server, with no database chosen; return the mysql.connector connection.

    Raises
    ------
    mysql.connector.Error
        The server cannot be reached, or refuses the user: with the host, the port and the user tried, and what to do.
    ValueError
        A MYSQL_* variable that makes no sense.
    helpers.server.ServerError
        The private server cannot be started.
    """
    return connect()


def connect_to_prodev():
    """Connect to the course's database, ALX_prodev or the one that MYSQL_DATABASE names; raises as connect_db does."""
    return connect(database_name())


def create_database(connection, name=None):
    """Create the course's database, or the one called `name` (str), on this connection's server unless it exists."""
    name = database_name(name)
    with explaining(), contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (name,))
        if not cursor.fetchall():  # asked first: a user without the right to create one may still use one
            # A name cannot be a parameter; database_name lets only letters, digits and underscores through
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")


def create_table(connection):
    """Create the table user_data in the connection's database unless it exists, and say so."""
    with explaining(), contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(TABLE)
    print("Table user_data created successfully")


def insert_data(connection, data):
    """Insert users, batch by batch in one transaction: all of them, or none if anything goes wrong.

    Rows whose user_id is in the table already are left alone, so inserting the same data twice adds nothing. What was
    not committed before on this connection is committed, or undone, with them.

    Parameters
    ----------
    connection : mysql.connector connection
        To a database that has the table user_data.
    data : str, pathlib.Path, or iterable
        The path of a CSV file with the columns name, email and age, and perhaps user_id, in any order; or rows, each
        (user_id, name, email, age), (name, email, age), or a dict with these keys. Where user_id is missing, it is
        the UUID5 of the e-mail. Rows are read as they are needed: memory stays flat however many there are.

    Returns
    -------
    int
        How many rows were added.

    Raises
    ------
    ValueError
        A row that is not a user: with the file, the line and the column (or the row's number).
    OSError
        The file cannot be read.
    mysql.connector.Error
        The server is lost, its disk is full, or it refuses: with what to do.
    """
    if isinstance(data, (str, os.PathLike)):
        return insert_batches(connection, prefetch(in_batches(read_users(data))))
    return insert_batches(connection, in_batches(checked_rows(data)))


def in_batches(users):
    """Yield users in parts of at most INSERT_ROWS: a flat list of their values."""
    while batch := sorted(islice(users, BATCH_SIZE), key=itemgetter(0)):
        # In the order of the key, so each page of the table is visited once per batch
        for start in range(0, len(batch), INSERT_ROWS):
            yield list(chain.from_iterable(batch[start : start + INSERT_ROWS]))


@functools.cache
def insert_of(rows):
    """Return an INSERT of so many rows (int). IGNORE leaves known ids alone."""
    values = ", ".join(["(?, ?, ?, ?)"] * rows)  # MySQL's own sign; the driver takes long to find thousands of %s
    return f"INSERT IGNORE INTO user_data (user_id, name, email, age) VALUES {values}"


@explaining()
def insert_batches(connection, batches):
    """Insert users, as in_batches yields them, in one transaction; return how many rows were added."""
    added = 0
    with (
        contextlib.closing(batches),
        tqdm(desc="Seeding", unit=" rows", unit_scale=True, leave=False, delay=2) as progress,
    ):
        # The server parses a prepared statement once; then it is sent nothing but values
        cursor = connection.cursor(prepared=True)
        if not connection.in_transaction:
            connection.start_transaction()
        try:
            for values in batches:
                cursor.execute(insert_of(len(values) // 4), values)
                added += cursor.rowcount
                progress.update(len(values) // 4)
        except BaseException:  # Ctrl-C too
            with contextlib.suppress(Exception):  # a lost server has rolled back by itself
                connection.rollback()
            raise
        finally:
            with contextlib.suppress(Exception):
                cursor.close()
    connection.commit()
    return added
