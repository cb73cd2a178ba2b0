"""The databases of the lessons: make them ready, point the connections at them, look into them.

python -m helpers.databases [--rows N]    make the lessons' data ready
"""

import contextlib
import os
import re
import uuid

import mysql.connector

from helpers import seed
from helpers.connection import connect, database_name, exclusive_lock, explaining, lend
from helpers.prefetch import prefetch
from helpers.users import USER_DATA, synthetic_users_by_id

COURSE_ROWS = os.environ.get("COURSE_ROWS") or "200000"  # rows in the lessons' large table
if not re.fullmatch("[1-9][0-9]*", COURSE_ROWS):
    raise ValueError(f"COURSE_ROWS={COURSE_ROWS!r} must be a positive integer")
COURSE_ROWS = int(COURSE_ROWS)
SEEDING_SECONDS = 3600  # how long one process waits for another that fills the same table


def ready(rows=None):
    """Make sure that the table user_data is there and filled; return the name (str) of its database.

    Parameters
    ----------
    rows : int, optional
        None: the course's database with the 1,000 people of data/user_data.csv. A number: a database of its own
        (ALX_prodev_200000 for 200,000) with that many synthetic users. What exists already is used again.

    Examples
    --------
    >>> ready() == database_name(os.environ.get("COURSE_DATABASE"))
    True
    """
    if rows is not None and (type(rows) is not int or rows < 1):
        raise ValueError(f"rows must be a positive integer, not {rows!r}")
    base = database_name(os.environ.get("COURSE_DATABASE") or database_name())
    name = base if rows is None else database_name(f"{base}_{rows}")
    with (
        explaining(),
        contextlib.closing(connect()) as connection,
        contextlib.closing(connection.cursor()) as cursor,
        exclusive_lock(cursor, "seeding " + name, SEEDING_SECONDS),  # eight notebooks may start at once
    ):
        seed.create_database(connection, name)
        cursor.execute(f"USE `{name}`")
        cursor.execute(seed.TABLE)
        cursor.execute("SELECT COUNT(*) FROM user_data")
        (found,) = cursor.fetchone()
        if rows is None:
            seed.insert_data(connection, USER_DATA)
        elif found < rows:
            seed.insert_batches(connection, prefetch(seed.in_batches(synthetic_users_by_id(rows))))
    return name


@contextlib.contextmanager
def at_scale(rows=COURSE_ROWS):
    """Point connect_to_prodev() at `rows` synthetic users inside a with block, in this process and those it starts.

    >>> with at_scale(50):
    ...     ask("SELECT COUNT(*) FROM user_data")
    [(50,)]
    """
    with _pointed_at(ready(rows)) as name:
        yield name


@contextlib.contextmanager
def scratch():
    """Point connect_to_prodev() at a new database with an empty user_data inside a with block, and drop it at the end.

    Its name is random, so that no two kernels share one and nothing that exists is ever dropped.

    >>> with scratch():
    ...     ask("SELECT COUNT(*) FROM user_data")
    [(0,)]
    """
    name = database_name(f"{database_name()}_{uuid.uuid4().hex[:12]}")
    with contextlib.closing(connect()) as connection:
        seed.create_database(connection, name)
    try:
        with _pointed_at(name):
            ask(seed.TABLE)
            yield name
    finally:
        with contextlib.closing(connect()) as connection, contextlib.closing(connection.cursor()) as cursor:
            # A connection left open in it holds its tables, and DROP would wait for that one to end
            # (not information_schema.processlist: MySQL fails to read it while anybody's statement has a 4-byte letter)
            cursor.execute("SHOW PROCESSLIST")
            for number, _, _, database, *_ in cursor.fetchall():
                if database and database.lower() == name.lower():  # macOS's servers keep it in small letters
                    with contextlib.suppress(mysql.connector.Error):  # it has ended by itself
                        cursor.execute(f"KILL {int(number)}")
            cursor.execute(f"DROP DATABASE `{name}`")


@contextlib.contextmanager
def _pointed_at(name):
    before = {key: os.environ.get(key) for key in ("MYSQL_DATABASE", "COURSE_DATABASE")}
    os.environ["COURSE_DATABASE"] = before["COURSE_DATABASE"] or database_name()  # what ready() starts from
    os.environ["MYSQL_DATABASE"] = name
    try:
        yield name
    finally:
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value


# Looking into them ----------------------------------------------------------------------------------------------------


@explaining()
def ask(query, *parameters):
    """Run one statement on a connection of its own, commit, and return its rows, a list of tuples.

    >>> ask("SELECT %s + 1", 41)
    [(42,)]
    """
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(query, parameters)
        rows = cursor.fetchall() if cursor.with_rows else []
        connection.commit()
        return rows


@contextlib.contextmanager
def one_connection():
    """Let all the connections of a with block be one; yield a function that counts what the server did for it.

    The function returns a dict: "queries" (int), the SELECTs so far, and "steps" (int), how often the server has gone
    from one row of an index to the next.

    >>> with scratch(), one_connection() as counted:
    ...     before = counted()["queries"]
    ...     rows = ask("SELECT name FROM user_data")
    ...     counted()["queries"] - before
    1
    """
    with contextlib.closing(seed.connect_to_prodev()) as connection:

        def counted():
            with contextlib.closing(connection.cursor()) as cursor:
                cursor.execute("SHOW SESSION STATUS WHERE Variable_name IN ('Com_select', 'Handler_read_next')")
                status = dict(cursor.fetchall())
            return {"queries": int(status["Com_select"]), "steps": int(status["Handler_read_next"])}

        with lend(connection):
            yield counted


# From a terminal ------------------------------------------------------------------------------------------------------


def main():
    """Run `python -m helpers.databases [--rows N]`: make the lessons' data ready."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m helpers.databases", description="Make the lessons' data ready.")
    parser.add_argument("--rows", type=int, help="a large table of this many synthetic users, beside the 1,000 people")
    name = ready(parser.parse_args().rows)
    print(f"The table user_data in the database {name} is ready.")


if __name__ == "__main__":
    main()
