"""Stop after six rows of a large result: what closing costs, with and without cancelling the query first."""

import contextlib
import time
from functools import partial
from itertools import islice

from helpers import databases, seed
from helpers.bench import peers
from helpers.bench.comparison import Imported, Version, lesson
from helpers.connection import cancel_and_close

ROWS = 2_000_000
REPEATS = 5
REFERENCE = "stream_users (lesson 02): cancels"
ABOUT = "Take 6 rows and close; the seconds are those of closing alone."
TAKEN = 6
QUERY = "SELECT user_id, name, email, age FROM user_data ORDER BY user_id"


def timed(close):
    """Return (rows taken, seconds that close() took)."""
    start = time.perf_counter()
    close()
    return TAKEN, time.perf_counter() - start


def course():
    """The lesson's generator, the fast one, closed by its consumer."""
    users = lesson("02").stream_users_fast()
    assert len(list(islice(users, TAKEN))) == TAKEN
    return timed(users.close)


def connector(close):
    """mysql-connector: `close` gets the connection."""
    connection = seed.connect_to_prodev()
    cursor = connection.cursor()
    cursor.execute(QUERY)
    assert len(cursor.fetchmany(TAKEN)) == TAKEN
    return timed(lambda: close(connection))


def other_driver(connect, module):
    """mysqlclient or PyMySQL, with its streaming cursor, closed the plain way."""
    cursors = __import__(f"{module}.cursors", fromlist=["SSCursor"])
    connection = connect()
    cursor = connection.cursor(cursors.SSCursor)
    cursor.execute(QUERY)
    assert len(cursor.fetchmany(TAKEN)) == TAKEN

    def close():
        cursor.close()
        connection.close()

    return timed(close)


@contextlib.contextmanager
def versions(rows):
    """Give the versions, with a table of `rows` users ready inside the block."""
    why_not = "" if peers.installed("MySQLdb") else peers.NOT_INSTALLED
    taken = {"rows": min(TAKEN, rows)}
    with databases.at_scale(rows):
        yield [
            Version(REFERENCE, Imported(course, lessons=["02"]), **taken),
            Version("mysql-connector, cancel_and_close", partial(connector, cancel_and_close), **taken),
            Version("mysql-connector, close()", partial(connector, lambda connection: connection.close()), **taken),
            Version(
                "PyMySQL, SSCursor, close()",
                Imported(partial(other_driver, peers.pymysql, "pymysql"), ["pymysql.cursors"]),
                **taken,
            ),
            Version(
                "mysqlclient, SSCursor, close()",
                None if why_not else Imported(partial(other_driver, peers.mysqlclient, "MySQLdb"), ["MySQLdb.cursors"]),
                missing=why_not,
                **taken,
            ),
        ]
