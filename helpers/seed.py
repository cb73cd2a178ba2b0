"""Task 0: connect to MySQL, create the database and its table, and fill it. Every lesson imports this file.

Where the server is, is said by the environment: MYSQL_HOST and MYSQL_PORT, or MYSQL_UNIX_SOCKET; MYSQL_USER;
MYSQL_PASSWORD; MYSQL_DATABASE where another name than ALX_prodev is wanted. With neither MYSQL_HOST nor
MYSQL_UNIX_SOCKET, a private server is started (helpers/server.py).
"""

import contextlib
import csv
import functools
import os
import re
import stat
import sys
import time
import uuid
import warnings
from itertools import islice
from operator import itemgetter
from pathlib import Path

import mysql.connector

from helpers import server

COURSE_ROWS = os.environ.get("COURSE_ROWS") or "200000"  # rows in the lessons' large table
if not re.fullmatch("[1-9][0-9]*", COURSE_ROWS):
    raise ValueError(f"COURSE_ROWS={COURSE_ROWS!r} is not a whole number from 1 on")
COURSE_ROWS = int(COURSE_ROWS)
USER_DATA = Path(__file__).parent.parent / "data" / "user_data.csv"
BATCH_SIZE = 1000  # rows an INSERT: beyond that, larger batches gain little (lesson 01 measures it)
CONNECT_SECONDS = 5
SLOW_CONSUMER_SECONDS = 3600  # how long a consumer may think between two rows before the server gives it up
LONGEST_LINE = 2**20  # characters of one line of a CSV file: a file without line ends must not fill the memory
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
    1049: "The database does not exist yet. Run seed.ready(), or create_database(connection).",
    1146: "The table does not exist yet. Run seed.ready(), or create_table(connection).",
    2005: "There is no machine of this name. Check MYSQL_HOST.",
}

TABLE = """CREATE TABLE IF NOT EXISTS user_data (
    user_id CHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    email VARCHAR(255) NOT NULL,
    age DECIMAL(3,0) NOT NULL
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"""
INSERT = "INSERT IGNORE INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)"


# Connecting -----------------------------------------------------------------------------------------------------------


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
    return _connect()


def connect_to_prodev():
    """Connect to the course's database, ALX_prodev or the one that MYSQL_DATABASE names; raises as connect_db does."""
    return _connect(database=database_name())


def database_name():
    """Return the name (str) of the course's database; ValueError if MYSQL_DATABASE is not a plain name."""
    return _plain_name(os.environ.get("MYSQL_DATABASE") or "ALX_prodev")


def _connect(**database):
    if not mysql.connector.HAVE_CEXT:
        _warn_once()
    private = not (os.environ.get("MYSQL_HOST") or os.environ.get("MYSQL_UNIX_SOCKET"))
    deadline = time.monotonic() + 2 * CONNECT_SECONDS
    while True:
        where = server.ensure() if private else _named_server()
        try:
            return mysql.connector.connect(
                **where,
                **database,
                charset="utf8mb4",
                collation="utf8mb4_general_ci",
                connection_timeout=CONNECT_SECONDS,
            )
        except mysql.connector.Error as error:
            # A private server that has just died is started again as soon as its keeper has noticed
            if private and error.errno in (2002, 2003, *LOST) and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise _explained(error) from None


@functools.cache
def _warn_once():
    warnings.warn(
        "The C extension of mysql-connector-python did not load: reads are about 7 times slower. Install the version "
        "that requirements.txt names (pip install -r requirements.txt), restart the kernel, and import helpers before "
        "matplotlib or pandas.",
        stacklevel=5,
    )


def _named_server():
    """Return the arguments for the server that the environment names."""
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


def _plain_name(name):
    if not re.fullmatch(r"\w{1,64}", name, re.ASCII):
        raise ValueError(f"MYSQL_DATABASE={name!r} is not a plain name: 1 to 64 letters, digits and underscores")
    return name


def _explained(error):
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
def _explaining():
    """Explain those of the driver's errors that come from the server's state and not from the query."""
    try:
        yield
    except Exception as error:  # commit() of the C extension raises what is no mysql.connector.Error
        if not isinstance(error, OSError) and getattr(error, "errno", None) in ADVICE:  # the system's numbers differ
            raise _explained(error) from None
        raise


# Task 0: database, table, rows ----------------------------------------------------------------------------------------


def create_database(connection):
    """Create the course's database on this connection's server unless it exists."""
    _create_database(connection, database_name())


@_explaining()
def _create_database(connection, name):
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (name,))
        if not cursor.fetchall():  # asked first: a user without the right to create one may still use one
            # A name cannot be a parameter; _plain_name let only letters, digits and underscores through
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")


def create_table(connection):
    """Create the table user_data in the connection's database unless it exists, and say so."""
    _create_table(connection)
    print("Table user_data created successfully")


@_explaining()
def _create_table(connection):
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(TABLE)


@_explaining()
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
    from tqdm import tqdm

    users = read_users(data) if isinstance(data, (str, os.PathLike)) else _checked_rows(data)
    if not connection.in_transaction:
        connection.start_transaction()
    added = 0
    with (
        contextlib.closing(connection.cursor()) as cursor,
        contextlib.closing(users),
        tqdm(desc="Seeding", unit=" rows", unit_scale=True, leave=False, delay=2) as progress,
    ):
        try:
            # In the order of the key: the server then goes through the table's pages once a batch, not to and fro
            while batch := sorted(islice(users, BATCH_SIZE), key=itemgetter(0)):
                cursor.executemany(INSERT, batch)
                added += cursor.rowcount
                progress.update(len(batch))
        except BaseException:  # Ctrl-C too
            with contextlib.suppress(Exception):  # a lost server has rolled back by itself
                connection.rollback()
            raise
    connection.commit()
    return added


# Reading users, one at a time -----------------------------------------------------------------------------------------


def read_users(path):
    """Yield the users of a CSV file one at a time, each as (user_id, name, email, age), age an int.

    The file is UTF-8, with or without a byte order mark. Raises as insert_data does.
    """
    if not (os.path.isdir(path) or stat.S_ISREG(os.stat(path).st_mode)):  # open() would wait for ever at a pipe
        raise ValueError(f"{path}: not a file but a pipe or a device; copy its content to a file")
    # surrogateescape keeps bytes that are not UTF-8 until _user can say in which line and column they are
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.reader(_lines(file, path), strict=True)
        line = 1
        try:
            header = [_printable(name.strip().lower()) for name in next(reader, [])]
            if not header:
                raise ValueError(f"{path}, line 1: empty, but it should name the columns name, email and age")
            places = _places(header, path)
            line = reader.line_num + 1
            for fields in reader:
                if fields:  # not a blank line
                    if len(fields) != len(header):
                        column = header[len(fields)] if len(fields) < len(header) else len(header) + 1
                        raise ValueError(
                            f"{path}, line {line}, column {column}: {len(fields)} fields, but the header names "
                            f"{len(header)} columns: {', '.join(header)[:200]}"
                        )
                    row = [fields[place] for place in places]
                    yield _user(row if len(row) == 4 else [None, *row], path, "line", line)
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(f"{path}, line {line}: not readable as CSV: {error}") from None


def _lines(file, path):
    """Yield the lines of a file, none of them longer than LONGEST_LINE."""
    for number in range(1, sys.maxsize):
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            raise ValueError(f"{path}, line {number}: longer than {LONGEST_LINE:,} characters; is this a CSV file?")
        yield line


def _places(header, path):
    """Return the places in the header of user_id (if it is there), name, email and age."""
    wanted = [column for column in ("user_id", "name", "email", "age") if column != "user_id" or column in header]
    for column in wanted:
        if header.count(column) != 1:
            problem = "is missing" if column not in header else "is there twice"
            raise ValueError(f"{path}, line 1, column {column}: {problem}; the header is: {', '.join(header)[:200]}")
    return [header.index(column) for column in wanted]


def _printable(text):
    """Write what cannot be shown, bytes that are not UTF-8 among it, as Python would; cut off what is long."""
    return (text if text.isprintable() else ascii(text)[1:-1])[:50]


def _checked_rows(rows):
    """Yield the rows of an iterable as (user_id, name, email, age)."""
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            row = [row.get(column) for column in ("user_id", "name", "email", "age")]
        elif isinstance(row, (str, bytes)) or not hasattr(row, "__len__") or len(row) not in (3, 4):
            raise ValueError(f"row {number}: {row!r:.100} is not (user_id, name, email, age) or (name, email, age)")
        yield _user(row if len(row) == 4 else [None, *row], "the data", "row", number)


_is_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE).fullmatch


def _user(row, path, unit, number):
    """Return one row, checked, as (user_id, name, email, age); ValueError says what is wrong with it, and where."""
    user_id, name, email, age = row
    column, wrong = None, None
    for column, text in (("name", name), ("email", email)):  # noqa: B007 (the error names it)
        if not isinstance(text, str) or not text:
            wrong = "is empty" if text in ("", None) else f"is {text!r:.50}, not text"
        elif len(text) > 255:
            wrong = f"has {len(text):,} characters; there is room for 255"
        elif not text.isascii() and re.search("[\ud800-\udfff]", text):
            wrong = "has bytes that are not UTF-8"
        if wrong:
            break
    else:
        if isinstance(age, str):
            age = int(age) if age.isascii() and age.isdigit() and len(age) <= 3 else age
        if type(age) is not int or not 0 <= age <= 150:
            column, wrong = "age", f"is {age!r:.50}, not a whole number from 0 to 150"
        elif user_id is None:
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
        elif not isinstance(user_id, str) or not _is_uuid(user_id):
            column, wrong = "user_id", f"is {user_id!r:.50}, not a UUID"
    if wrong:
        raise ValueError(f"{path}, {unit} {number}, column {column}: {wrong}")
    return user_id, name, email, age


# Data ready for a lesson ----------------------------------------------------------------------------------------------

# fmt: off
_FIRST = (
    "Ada", "Bo", "Chen", "Dina", "Emeka", "Fatou", "Goran", "Hana", "Ines", "Jun",
    "Kofi", "Lena", "Mira", "Nils", "Oya", "Pia", "Quinn", "Rosa", "Sami", "Tariq",
)
_LAST = (
    "Abe", "Berg", "Cruz", "Diaz", "Endo", "Funk", "Gupta", "Haas", "Ito", "Juma",
    "Khan", "Lund", "Mbeki", "Novak", "Okoro", "Popov", "Qi", "Roth", "Silva", "Tran",
)
# fmt: on


def synthetic_users(count, start=0):
    """Yield `count` made-up users, (user_id, name, email, age), from number `start` on; the same ones for everybody.

    User number n follows from n alone. Multiplying by an odd number modulo 2**64 maps different n to different values
    in a scattered order (Knuth, The Art of Computer Programming, volume 3, 6.4), so that user_id is unique and, like a
    random one, not in the order of n. It is a UUID of version 8, which RFC 9562 leaves to applications.
    """
    for n in range(start, start + count):
        mixed = (n * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64
        digits = f"{mixed:016x}{n:012x}"
        user_id = f"{digits[:8]}-{digits[8:12]}-8{digits[12:15]}-8{digits[15]}00-{digits[16:]}"
        name = f"{_FIRST[mixed % 20]} {_LAST[mixed // 20 % 20]}"
        yield user_id, name, f"user{n}@example.com", mixed // 400 % 120 + 1


def ready(rows=None):
    """Make sure that the table user_data is there and filled; return the name (str) of its database.

    Parameters
    ----------
    rows : int, optional
        None: the course's database with the 1,000 people of data/user_data.csv. A number: a database of its own
        (ALX_prodev_200000 for 200,000) with that many synthetic users. What exists already is used again.
    """
    if rows is not None and (type(rows) is not int or rows < 1):
        raise ValueError(f"rows must be a whole number from 1 on, not {rows!r}")
    base = _plain_name(os.environ.get("COURSE_DATABASE") or database_name())
    name = base if rows is None else _plain_name(f"{base}_{rows}")
    with contextlib.closing(connect_db()) as connection, contextlib.closing(connection.cursor()) as cursor:
        # One process fills it and the others wait: eight notebooks may start at once
        lock = ("seeding " + name)[:64]
        cursor.execute("SELECT GET_LOCK(%s, 3600)", (lock,))
        cursor.fetchall()
        try:
            _create_database(connection, name)
            cursor.execute(f"USE `{name}`")
            _create_table(connection)
            cursor.execute("SELECT COUNT(*) FROM user_data")
            (found,) = cursor.fetchone()
            if rows is None:
                insert_data(connection, USER_DATA)
            elif found < rows:
                insert_data(connection, synthetic_users(rows))
        finally:
            with contextlib.suppress(mysql.connector.Error):  # lost with the connection
                cursor.execute("SELECT RELEASE_LOCK(%s)", (lock,))
                cursor.fetchall()
    return name


@contextlib.contextmanager
def at_scale(rows=COURSE_ROWS):
    """Point connect_to_prodev() at `rows` synthetic users inside a with block, in this process and those it starts."""
    with _pointed_at(ready(rows)) as name:
        yield name


@contextlib.contextmanager
def scratch():
    """Point connect_to_prodev() at a new database with an empty user_data inside a with block, and drop it at the end.

    Its name is random, so that no two kernels share one and nothing that exists is ever dropped.
    """
    name = _plain_name(f"{database_name()}_{uuid.uuid4().hex[:12]}")
    with contextlib.closing(connect_db()) as connection:
        _create_database(connection, name)
    try:
        with _pointed_at(name):
            with contextlib.closing(connect_to_prodev()) as connection:
                _create_table(connection)
            yield name
    finally:
        with contextlib.closing(connect_db()) as connection, contextlib.closing(connection.cursor()) as cursor:
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
        As connect_db; a server lost in mid-stream is named, with what to do.
    """
    connection = connect_to_prodev()
    try:
        with _explaining():
            cursor = connection.cursor(**cursor_options)
            cursor.execute("SET SESSION net_write_timeout = %s", (SLOW_CONSUMER_SECONDS,))
            cursor.execute(query, parameters)
            yield cursor
    finally:
        close_now(connection)


def close_now(connection):
    """Close a connection at once, also when its query has rows left to read.

    connection.close() alone would read all of them first. KILL QUERY, sent over a second connection, makes the server
    stop sending; a user may always stop their own queries. Closing a connection twice does no harm.
    """
    if sys.is_finalizing():  # Python ends, and the system closes what is open; half of what we need is gone already
        return
    if connection.unread_result:
        with contextlib.suppress(mysql.connector.Error, server.ServerError), contextlib.closing(connect_db()) as second:
            second.cmd_query(f"KILL QUERY {int(connection.connection_id)}")
    with contextlib.suppress(mysql.connector.Error):  # it says that the query was stopped, or the server is gone
        connection.close()


# From a terminal ------------------------------------------------------------------------------------------------------


def main():
    """Run `python -m helpers.seed [--rows N]`: make the lessons' data ready."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m helpers.seed", description="Make the lessons' data ready.")
    parser.add_argument("--rows", type=int, help="a large table of this many synthetic users, beside the 1,000 people")
    name = ready(parser.parse_args().rows)
    print(f"The table user_data in the database {name} is ready.")


if __name__ == "__main__":
    main()
