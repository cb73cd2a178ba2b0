"""Reach a MySQL or MariaDB server: connect, explain what went wrong, stream, and stop at once.

The server is configured through environment variables: MYSQL_HOST and MYSQL_PORT, or MYSQL_UNIX_SOCKET; MYSQL_USER;
MYSQL_PASSWORD; MYSQL_DATABASE where another name than ALX_prodev is wanted. With neither MYSQL_HOST nor
MYSQL_UNIX_SOCKET, a private server is started (helpers/server.py).
"""

import contextlib
import functools
import os
import re
import sys
import time
import warnings

import mysql.connector

from helpers import server

CONNECT_SECONDS = 5
SLOW_CONSUMER_SECONDS = 3600  # how long a consumer may think between two rows before the server gives it up
LOST = (2006, 2013, 2055)  # the driver's error numbers for "the server has gone"
ADVICE = {  # what to do next, by the error's number
    **dict.fromkeys(
        LOST, "The connection was lost. Run the cell again; if that fails too, see whether the server still runs."
    ),
    **dict.fromkeys((1045, 1698), "The user or the password is wrong. Check MYSQL_USER and MYSQL_PASSWORD."),
    **dict.fromkeys((1044, 1142), "Ask for the right, or name a database of yours in MYSQL_DATABASE."),
    **dict.fromkeys(
        (3, 14, 20, 1021, 1026, 1030, 1114),  # a server that cannot write says one of these, by the file that it is at
        "The server's disk is full, it seems. Free some space and run the cell again.",
    ),
    1040: "Too many connections are open. Shut down the kernels that you do not need.",
    1049: "The database does not exist yet. Run databases.ready(), or create_database(connection).",
    1146: "The table does not exist yet. Run databases.ready(), or create_table(connection).",
    2005: "There is no machine of this name. Check MYSQL_HOST.",
}


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
            # A private server that has just died is started again as soon as its keeper has noticed
            if private and error.errno in (2002, 2003, *LOST) and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise explained(error) from None


def database_name(name=None):
    """Return `name` (str), or else the name of the course's database; ValueError if it is not a plain name."""
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


def explained(error):
    """Return the driver's error as one that also says which server was tried, as whom, and what to do next."""
    env = os.environ.get
    where = env("MYSQL_UNIX_SOCKET") or (
        f"{env('MYSQL_HOST')}:{env('MYSQL_PORT') or 3306}" if env("MYSQL_HOST") else ""
    )
    who = f"user {env('MYSQL_USER')!r} at {where}" if where else "the private server"
    if str(error.msg).startswith(who):  # explained already, where it came from
        return error
    advice = ADVICE.get(
        error.errno,
        "Is the server running? Check MYSQL_HOST and MYSQL_PORT (or MYSQL_UNIX_SOCKET)."
        if where
        else "Run the cell again; python -m helpers.server status says how the server is.",
    )
    kind = type(error) if isinstance(error, mysql.connector.Error) else mysql.connector.OperationalError
    return kind(msg=f"{who}: {error.msg or error}. {advice}", errno=error.errno, sqlstate=error.sqlstate)


@contextlib.contextmanager
def explaining():
    """Explain those of the driver's errors that come from the server's state and not from the query."""
    try:
        yield
    except Exception as error:  # commit() of the C extension raises what is no mysql.connector.Error
        if not isinstance(error, OSError) and getattr(error, "errno", None) in ADVICE:  # the system's numbers differ
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
    """
    cursor.execute("SELECT GET_LOCK(%s, %s)", (name[:64], seconds))
    if cursor.fetchall() != [(1,)]:
        raise RuntimeError(
            f"Another process holds the lock {name!r} and has not released it for {seconds} s. Wait for it to end, or "
            "end it, and run the same again."
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
