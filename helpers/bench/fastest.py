"""Where the time of the fastest streams goes: lesson 02's stream_users beside mysqlclient and the server's own client.

Each version does one thing more than another one, so the differences between their processor seconds are a profile:
reading in C, the driver's Python for each row, str and int made in C, dicts handed over one by one.
"""

import contextlib
from functools import partial
from pathlib import Path

from helpers import databases
from helpers.bench import peers
from helpers.bench.comparison import Imported, Version
from helpers.bench.stream import CHUNK, QUERY, connector, count, course, floor, in_chunks, other_driver
from helpers.connection import fetch_in_c, streaming

ROWS = 1_000_000
REPEATS = 5
REFERENCE = "stream_users (lesson 02), one by one"
ABOUT = (
    "Read every row of user_data by the fastest ways. One by one: a Python loop takes each user, as a program does. "
    "Otherwise a thousand at a time are fetched and dropped."
)
INT_AGES = QUERY.replace("age FROM", "CAST(age AS SIGNED) AS age FROM")


def in_c(cursor):
    """Count the rows of a cursor that has run its query, a thousand at a time, read by the C extension alone."""
    return sum(map(len, iter(lambda: fetch_in_c(cursor, CHUNK), [])))


def users_by_fetchmany():
    """Yield the users as stream_users did before it fetched in C: bytes from the cursor's own fetchmany, decoded."""
    with streaming(QUERY, raw=True) as cursor:
        while rows := cursor.fetchmany(CHUNK):
            for user_id, name, email, age in rows:
                yield {"user_id": user_id.decode(), "name": name.decode(), "email": email.decode(), "age": int(age)}


def users_of_mysqlclient():
    """Yield the users as stream_users does, an int for the age included, from mysqlclient's SSDictCursor."""
    import MySQLdb.cursors

    with contextlib.closing(peers.mysqlclient()) as connection:
        cursor = connection.cursor(MySQLdb.cursors.SSDictCursor)
        cursor.execute(QUERY)
        while users := cursor.fetchmany(CHUNK):
            for user in users:
                user["age"] = int(user["age"])
                yield user


def one_by_one(users):
    """Count the users that a generator function gives, one by one."""
    return count(users())


@contextlib.contextmanager
def versions(rows):
    """Give the versions, with a table of `rows` users ready inside the block."""
    no_peer = "" if peers.installed("MySQLdb") else peers.NOT_INSTALLED
    program = peers.client_program()
    dicts = partial(other_driver, peers.mysqlclient, "MySQLdb.cursors.SSDictCursor")
    by_peer = {
        "mysqlclient, SSDictCursor, fetchmany": dicts,
        "mysqlclient, SSDictCursor, one by one, an int age": partial(one_by_one, users_of_mysqlclient),
    }
    found = [
        Version(REFERENCE, Imported(course, lessons=["02"])),
        Version("mysql-connector, raw, fetched in C", partial(connector, in_c, raw=True)),
        Version("mysql-connector, tuples with an int, fetched in C", partial(connector, in_c, INT_AGES)),
        Version("mysql-connector, raw, fetchmany", partial(connector, in_chunks, raw=True)),
        Version("mysql-connector, raw, fetchmany, dicts one by one", partial(one_by_one, users_by_fetchmany)),
    ]
    for name, function in by_peer.items():
        function = None if no_peer else Imported(function, ["MySQLdb.cursors"])
        found.append(Version(name, function, missing=no_peer))
    name = f"{Path(program or 'mariadb').name} --quick"
    missing = "" if program else "there is no mariadb or mysql client"
    found.append(Version(name, floor if program else None, missing=missing, memory=False))
    with databases.at_scale(rows):
        yield found
