"""Read every user of a large table: the course's stream_users beside the drivers and libraries that learners meet."""

import contextlib
import subprocess
from functools import partial
from pathlib import Path

from helpers import databases
from helpers.bench import peers
from helpers.bench.comparison import Imported, Version, lesson
from helpers.connection import streaming

ROWS = 2_000_000
REPEATS = 3
REFERENCE = "stream_users (lesson 02)"
ABOUT = "Read every row of user_data; the column types become Python's (str, int, Decimal), except where it says raw."
QUERY = "SELECT user_id, name, email, age FROM user_data ORDER BY user_id"
CHUNK = 1_000  # rows a fetchmany
PANDAS_CHUNK = 10_000


def count(rows):
    """Count the items of an iterable, one at a time."""
    return sum(1 for _ in rows)


def in_chunks(cursor):
    """Count the rows of a cursor that has run its query, fetched a thousand at a time."""
    total = 0
    while rows := cursor.fetchmany(CHUNK):
        total += len(rows)
    return total


def course():
    """The fast version of lesson 02's stream_users."""
    return count(lesson("02").stream_users_fast())


def connector(read, query=QUERY, **options):
    """mysql-connector, with a cursor of some kind."""
    with streaming(query, **options) as cursor:
        return read(cursor)


def fetchall(cursor):
    """Everything at once, as a list."""
    return len(cursor.fetchall())


def other_driver(connect, cursor_class):
    """mysqlclient or PyMySQL, with one of its cursor classes, in chunks."""
    module, _, name = cursor_class.rpartition(".")
    with contextlib.closing(connect()) as connection:
        cursor = connection.cursor(getattr(__import__(module, fromlist=[name]), name))
        cursor.execute(QUERY)
        return in_chunks(cursor)


def sqlalchemy(driver, stream):
    """SQLAlchemy's own rows, in chunks."""
    from sqlalchemy import text

    with peers.engine(driver).connect().execution_options(stream_results=stream) as connection:
        return sum(len(rows) for rows in connection.execute(text(QUERY)).partitions(CHUNK))


def pandas(driver, stream):
    """pandas.read_sql with chunksize, as its documentation has it."""
    import pandas as pd
    from sqlalchemy import text

    with peers.engine(driver).connect().execution_options(stream_results=stream) as connection:
        return sum(len(frame) for frame in pd.read_sql(text(QUERY), connection, chunksize=PANDAS_CHUNK))


def floor():
    """The server's own client, in C, which writes the rows to nowhere."""
    command, environment = peers.command_line()
    command += ["--quick", "--batch", "--skip-column-names", f"--execute={QUERY}"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return count_rows()


def count_rows():
    """Return the number of rows, as the server has it."""
    with streaming("SELECT COUNT(*) FROM user_data") as cursor:
        return cursor.fetchone()[0]


@contextlib.contextmanager
def versions(rows):
    """Give the versions, with a table of `rows` users ready inside the block."""
    no_peer = "" if peers.installed("MySQLdb") else peers.NOT_INSTALLED
    program = peers.client_program()
    found = [
        Version(REFERENCE, Imported(course, lessons=["02"])),
        Version("mysql-connector, raw, fetchmany", partial(connector, in_chunks, raw=True)),
        Version("mysql-connector, tuples, fetchmany", partial(connector, in_chunks)),
        Version("mysql-connector, tuples, one by one", partial(connector, count)),
        Version("mysql-connector, dictionary=True, fetchmany", partial(connector, in_chunks, dictionary=True)),
        Version("mysql-connector, dictionary=True, one by one", partial(connector, count, dictionary=True)),
        Version("mysql-connector, fetchall: a list", partial(connector, fetchall)),
    ]
    for name in ("SSCursor", "SSDictCursor", "Cursor"):
        note = ": the notes' code" if name == "Cursor" else ""
        function = partial(other_driver, peers.mysqlclient, f"MySQLdb.cursors.{name}")
        function = None if no_peer else Imported(function, ["MySQLdb.cursors"])
        found.append(Version(f"mysqlclient, {name}{note}", function, missing=no_peer))
    for name in ("SSCursor", "Cursor"):
        function = partial(other_driver, peers.pymysql, f"pymysql.cursors.{name}")
        found.append(Version(f"PyMySQL, {name}", Imported(function, ["pymysql.cursors"])))
    for driver in ("mysqlconnector", "pymysql"):
        modules = [f"sqlalchemy.dialects.mysql.{driver}", "pymysql.cursors"]
        for name, function, stream in (
            (f"SQLAlchemy + {driver}, stream_results", sqlalchemy, True),
            (f"pandas + {driver}, chunksize", pandas, False),
            (f"pandas + {driver}, chunksize, stream_results", pandas, True),
        ):
            needed = [*modules, "pandas"] if function is pandas else modules
            found.append(Version(name, Imported(partial(function, driver, stream), needed)))
    missing = "" if program else "there is no mariadb or mysql client"
    name = f"{Path(program or 'mariadb').name} --quick: the floor"
    found.append(Version(name, floor if program else None, missing=missing, memory=False))
    with databases.at_scale(rows):
        yield found
