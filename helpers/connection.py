"""Reach a MySQL or MariaDB server: connect, explain what went wrong, stream, and stop at once.

The server is configured through environment variables: MYSQL_HOST and MYSQL_PORT, or MYSQL_UNIX_SOCKET; MYSQL_USER;
MYSQL_PASSWORD; MYSQL_DATABASE where another name than ALX_prodev is wanted. With neither MYSQL_HOST nor
MYSQL_UNIX_SOCKET, a private server is started (helpers/server.py).
"""

import contextlib
import functools
import itertools
import os
import re
import sys
import time
import warnings

import mysql.connector
from mysql.connector.errors import get_mysql_exception

from helpers import server

CONNECT_SECONDS = 5
SLOW_CONSUMER_SECONDS = 3600  # how long a consumer may think between two rows before the server gives it up
LOST = (2006, 2013, 2055, 4031)  # error numbers for "the connection has gone"; 4031: MySQL ended an idle one
ENDING = (1053, 1080, 1158, 1159, 1160, 1161, 1184, 1927, 3169)  # what a server may say while it ends a connection
ADVICE = {  # what to do next, by the error's number
    **dict.fromkeys(
        (*LOST, *ENDING),
        "The connection was lost: it was idle for too long (wait_timeout), its rows were read too slowly "
        "(net_write_timeout), or the server ended. Connect again: run the cell that makes the connection, then this "
        "one.",
    ),
    **dict.fromkeys((1045, 1698), "The user or the password is wrong. Check MYSQL_USER and MYSQL_PASSWORD."),
    **dict.fromkeys(
        (1044, 1142, 1227),
        "You lack permission on this database. Ask for access, or set MYSQL_DATABASE to one that you own.",
    ),
    **dict.fromkeys(
        (3, 14, 20, 1021, 1026, 1030, 1114),  # a server that cannot write says one of these, by the file that it is at
        "The server could not write; its disk is probably full. Free some space and run the cell again.",
    ),
    **dict.fromkeys(
        (1290, 1836), "The server is read-only. Set MYSQL_HOST to one that you may write to, such as its primary."
    ),
    **dict.fromkeys(
        (1862, 1820),
        "The password has expired. Log in with the mysql program and set another one with ALTER USER.",
    ),
    **dict.fromkeys((3118, 4151, 3955), "The account is locked. Ask the server's administrator to unlock it."),
    **dict.fromkeys(
        (1969, 3024),
        "The server limits how long a statement may run. Read fewer rows at once, page by page (lesson 04), or raise "
        "max_statement_time (MariaDB) or max_execution_time (MySQL) for the session.",
    ),
    1040: "All connections that the server allows (max_connections) are in use. Shut down the kernels that you do not "
    "need, and wait for others to end theirs.",
    1049: "The database does not exist yet. Run databases.ready(), or create_database(connection).",
    1129: "The server has blocked this machine after many failed attempts. Ask its administrator for FLUSH HOSTS.",
    1130: "The server accepts no connections from this machine. Ask its administrator for an account that it does.",
    1146: "The table does not exist yet. Run databases.ready(), or create_table(connection).",
    1203: "Your user has as many connections open as the server allows (max_user_connections). Shut down the kernels "
    "that you do not need.",
    1226: "Your account has reached the limit that the message names. Shut down the kernels that you do not need; wait "
    "for the end of the hour if it is a limit for an hour; or ask the server's administrator for a higher one.",
    1205: "Another connection holds these rows and has not committed. Commit or close it, then run the cell again.",
    1213: "Two connections waited for one another, and the server has undone this one's work. Run the cell again.",
    1317: "The statement was stopped (KILL QUERY). Run the cell again.",
    2005: "Host not found. Check MYSQL_HOST.",
    3159: "The server accepts encrypted connections only. Use MYSQL_HOST, and a driver with SSL.",
}
UNREACHABLE = (2002, 2003)  # nobody answers at that address
NO_ANSWER = "No server greeted us there: it is too busy, or what listens is none. Check MYSQL_HOST and MYSQL_PORT."


# Connecting -----------------------------------------------------------------------------------------------------------


def connect(database=None):
    """Connect to the server and, where one is named, to a database (str); return the mysql.connector connection.

    Raises
    ------
    mysql.connector.Error
        The server cannot be reached, or refuses the user: with the host, the port and the user tried, and what to do.
    ValueError
        A MYSQL_* variable that makes no sense.
    helpers.server.ServerError
        The private server cannot be started.

    Examples
    --------
    >>> with contextlib.closing(connect()) as connection:
    ...     connection.is_connected()
    True
    """
    if database is not None and _lent:
        return _lent[-1]
    if not mysql.connector.HAVE_CEXT:
        _warn_once()
    private = not environment_names_server()
    deadline = time.monotonic() + 2 * CONNECT_SECONDS
    while True:
        where = server_arguments()
        try:
            return mysql.connector.connect(
                **where,
                database=database,
                charset="utf8mb4",
                collation="utf8mb4_general_ci",
                connection_timeout=CONNECT_SECONDS,
            )
        except mysql.connector.Error as error:
            # A private server that has just died is started again as soon as its supervisor has noticed
            if private and error.errno in (*UNREACHABLE, *LOST) and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise explained(error, NO_ANSWER if error.errno in LOST else None) from None


def database_name(name=None):
    """Return `name` (str), or else the name of the course's database; ValueError if it is not a plain name.

    >>> database_name("ALX_prodev_5")
    'ALX_prodev_5'
    """
    name = name or os.environ.get("MYSQL_DATABASE") or "ALX_prodev"
    if not re.fullmatch(r"\w{1,64}", name, re.ASCII):
        raise ValueError(f"MYSQL_DATABASE={name!r} is not a plain name: 1 to 64 letters, digits and underscores")
    return name


def environment_names_server():
    """Tell whether the environment names a server; if it does not, the private one is used."""
    return bool(os.environ.get("MYSQL_HOST") or os.environ.get("MYSQL_UNIX_SOCKET"))


def server_arguments():
    """Return the arguments (dict) by which mysql.connector.connect reaches the server; raises as connect does."""
    if not environment_names_server():
        return server.ensure()
    port = os.environ.get("MYSQL_PORT") or "3306"
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"MYSQL_PORT={port!r} is not a port number from 1 to 65535")
    if not os.environ.get("MYSQL_USER"):
        raise ValueError(
            "MYSQL_USER is not set: name the user of the server that MYSQL_HOST or MYSQL_UNIX_SOCKET names"
        )
    who = {"user": os.environ["MYSQL_USER"], "password": os.environ.get("MYSQL_PASSWORD", "")}
    if os.environ.get("MYSQL_UNIX_SOCKET"):
        return {"unix_socket": os.environ["MYSQL_UNIX_SOCKET"], **who}
    return {"host": os.environ["MYSQL_HOST"], "port": int(port), **who}


@functools.cache
def _warn_once():
    warnings.warn(
        "The C extension of mysql-connector-python did not load: reads are about 7 times slower. Install the version "
        "that requirements.txt names (pip install -r requirements.txt), restart the kernel, and import helpers before "
        "matplotlib or pandas.",
        stacklevel=5,
    )


# Errors ---------------------------------------------------------------------------------------------------------------


def explained(error, advice=None):
    """Return the driver's error as one that also says which server was tried, as whom, and what to do next.

    What to do is `advice` (str), or else what ADVICE has for the error's number.

    >>> "Run databases.ready()" in str(explained(mysql.connector.Error(msg="Unknown database", errno=1049)))
    True
    """
    env = os.environ.get
    where = env("MYSQL_UNIX_SOCKET") or (
        f"{env('MYSQL_HOST')}:{env('MYSQL_PORT') or 3306}" if env("MYSQL_HOST") else ""
    )
    who = f"user {env('MYSQL_USER')!r} at {where}" if where else "the private server"
    if str(error.msg).startswith(who):  # explained already, where it came from
        return error
    number = _number(error)
    advice = advice or ADVICE.get(number, "")
    if number in UNREACHABLE and where:
        advice = "Is the server running? Check MYSQL_HOST and MYSQL_PORT (or MYSQL_UNIX_SOCKET)."
    elif number in UNREACHABLE:
        advice = "Run the cell again; python -m helpers.server status says how the server is."
    kind = type(error) if isinstance(error, mysql.connector.Error) else mysql.connector.OperationalError
    message = str(error.msg or error).rstrip(".")
    return kind(msg=f"{who}: {message}. {advice}".rstrip(), errno=number, sqlstate=error.sqlstate)


def _number(error):
    """Return the number of one of the driver's errors; it has none for a connection that it knows to be closed."""
    closed = isinstance(error, mysql.connector.Error) and "onnection not available" in str(error)
    return LOST[0] if closed else getattr(error, "errno", None)


@contextlib.contextmanager
def explaining():
    """Explain those of the driver's errors that come from the server's state and not from the query."""
    try:
        yield
    except Exception as error:  # commit() of the C extension raises what is no mysql.connector.Error
        if not isinstance(error, OSError) and _number(error) in ADVICE:  # the system's numbers differ
            raise explained(error) from None
        raise


# Streaming, and stopping early ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def streaming(query, parameters=(), **cursor_options):
    """Run a query on a connection of its own, give the open cursor, and end both at once when the block ends.

    Parameters
    ----------
    query, parameters
        As for cursor.execute().
    **cursor_options
        As for connection.cursor(): dictionary=True, raw=True.

    Yields
    ------
    mysql.connector cursor
        Unbuffered: rows come from the server as they are fetched.

    Raises
    ------
    mysql.connector.Error
        As connect; a server lost in mid-stream is named, with what to do.

    Examples
    --------
    >>> from helpers import databases
    >>> name = databases.ready()
    >>> with streaming("SELECT name FROM user_data") as cursor:
    ...     len(next(cursor))
    1
    """
    connection = connect(database_name())
    try:
        with explaining():
            cursor = connection.cursor(**cursor_options)
            cursor.execute("SET SESSION net_write_timeout = %s", (SLOW_CONSUMER_SECONDS,))
            cursor.execute(query, parameters)
            yield cursor
    finally:
        cancel_and_close(connection)


def fetch_in_c(cursor, size):
    """Return the next `size` rows of an unbuffered cursor (a list, shorter at the end), as cursor.fetchmany(size) does.

    They come from the driver's C extension, by its fetch_row(). fetchmany() calls that too, but runs Python for each
    row. https://dev.mysql.com/doc/connector-python/en/connector-python-api-cext-fetch-row.html

    Raises
    ------
    mysql.connector.Error
        As cursor.fetchmany does.

    Examples
    --------
    >>> from helpers import databases
    >>> name = databases.ready()
    >>> with streaming("SELECT 'first' UNION ALL SELECT 'second'") as cursor:
    ...     fetch_in_c(cursor, 10)
    [('first',), ('second',)]
    """
    connection = cursor._connection
    if not hasattr(connection, "_cmysql"):  # the driver's own Python, where the C extension did not load
        return cursor.fetchmany(size)
    if not connection.unread_result:
        return []
    try:
        rows = list(itertools.islice(iter(connection._cmysql.fetch_row, None), size))
    except Exception as error:
        if isinstance(error, mysql.connector.Error) or not hasattr(error, "errno"):
            raise
        raise get_mysql_exception(error.errno, error.msg, error.sqlstate) from error
    if len(rows) < size:
        connection.free_result()
    return rows


def cancel_and_close(connection):
    """Close a connection at once, also when its query has rows left to read.

    connection.close() alone would read all of them first. KILL QUERY, sent over a second connection, makes the server
    stop sending; a user may always stop their own queries. Closing a connection twice does no harm.
    """
    if sys.is_finalizing():  # Python ends, and the system closes what is open; half of what we need is gone already
        return
    if connection.unread_result:
        with contextlib.suppress(mysql.connector.Error, server.ServerError), contextlib.closing(connect()) as second:
            second.cmd_query(f"KILL QUERY {int(connection.connection_id)}")
    with contextlib.suppress(mysql.connector.Error):  # it says that the query was stopped, or the server is gone
        connection.close()


# Sharing --------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def exclusive_lock(cursor, name, seconds):
    """Hold the server's lock called `name` (str, its first 64 characters count) inside a with block.

    The server releases it when the connection ends, however it ends. Waits up to `seconds` (int) for it; RuntimeError
    if another connection still holds it then.

    >>> with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
    ...     with exclusive_lock(cursor, "one at a time", 5):
    ...         print("nobody else is in here")
    nobody else is in here
    """
    cursor.execute("SELECT GET_LOCK(%s, %s)", (name[:64], seconds))
    if cursor.fetchall() != [(1,)]:
        raise RuntimeError(
            f"Another process holds the lock {name!r} and has not released it for {seconds} s. Wait for it to end, or "
            "end it, and run this again."
        )
    try:
        yield
    finally:
        with contextlib.suppress(mysql.connector.Error):  # a lost connection has let go by itself
            cursor.execute("SELECT RELEASE_LOCK(%s)", (name[:64],))
            cursor.fetchall()


_lent = []  # the connections that lend() gives to whoever connects to a database; the last one first


@contextlib.contextmanager
def lend(connection):
    """Give `connection` to all who connect to a database inside a with block; closing it there only empties it."""
    _lent.append(connection)
    connection.close = connection.consume_results
    try:
        yield connection
    finally:
        del connection.close
        _lent.remove(connection)


# Measuring ------------------------------------------------------------------------------------------------------------


def warm_up_measurement():
    """Open and close a connection: what the driver loads once is no version's cost (helpers/memory.py calls this)."""
    with contextlib.suppress(Exception):  # a server that is away is for the measured function to meet
        connect().close()
