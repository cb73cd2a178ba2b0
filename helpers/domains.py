"""The 100-million-domain job of lesson 06, as a program: fill a table of domains, and write each one's rank beside it.

    python -m helpers.domains fill --rows 1000000   add made-up domains until the table has row number 1,000,000
    python -m helpers.domains rank                  give every domain its rank; stopped, it goes on where it was
    python -m helpers.domains status                what is there, and how far the ranking is
    python -m helpers.domains verify                let the server compare every row with what it should be

Memory stays flat however long the table is: a batch is read by key over one connection, its ranks are looked up, and
one statement over a second connection writes them. The batch's last id goes into a checkpoint row in the same
transaction, so a job that is killed at any moment has done whole batches, and knows which. While the server writes one
batch, the next is read and looked up. How many rows a batch has follows from how long the last ones took, as in the
tools that change tables under traffic: pt-online-schema-change (https://docs.percona.com/percona-toolkit/), gh-ost
(https://github.com/github/gh-ost).
"""

import argparse
import contextlib
import io
import json
import os
import re
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import mysql.connector

from helpers import seed, server
from helpers.connection import LOST, cancel_and_close, database_name

TARGET_SECONDS = 0.5  # how long a batch should take: other users of the table wait no longer than that for a row
FIRST_BATCH = 1_000  # rows, before anything is known about the speed
LARGEST_BATCH = 25_000  # rows: beyond that, memory grows and speed does not
LARGEST_RANK = LARGEST_ID = 2**32 - 1  # what INT UNSIGNED holds
LARGEST_HOLE = 50  # missing ids that a statement steps over before a second statement is cheaper
LOCK_SECONDS = 60  # how long to wait for another process that works on the same table to end
ATTEMPTS = 3  # at a batch whose rows somebody else has locked
VERIFY_RANGE = 1_000_000  # ids that the server compares in one query
LONGEST_LINE = 1_000  # characters of a line of a rank file

TABLES = {
    "domains": """CREATE TABLE domains (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        domain VARCHAR(255) CHARACTER SET ascii NOT NULL,
        alexa_rank INT UNSIGNED NULL
    ) ENGINE=InnoDB""",
    "domains_checkpoint": """CREATE TABLE domains_checkpoint (
        job VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY,
        last_id INT UNSIGNED NOT NULL,
        done BIGINT UNSIGNED NOT NULL,
        unranked BIGINT UNSIGNED NOT NULL
    ) ENGINE=InnoDB""",
}
COLUMNS = {  # the same, as the server describes them: name, type, NULL allowed, key, numbered by itself, character set
    "domains": [
        ("id", "int unsigned", "NO", "PRI", "auto_increment", None),
        ("domain", "varchar(255)", "NO", "", "", "ascii"),
        ("alexa_rank", "int unsigned", "YES", "", "", None),
    ],
    "domains_checkpoint": [
        ("job", "varchar(255)", "NO", "PRI", "", "utf8mb4"),
        ("last_id", "int unsigned", "NO", "", "", None),
        ("done", "bigint unsigned", "NO", "", "", None),
        ("unranked", "bigint unsigned", "NO", "", "", None),
    ],
}


# Made-up domains and their made-up ranks ------------------------------------------------------------------------------
# Each is written twice, for Python and for SQL, so that the server can say of every row whether it is right.

DOMAIN_SQL = "CONCAT('site', id, '.example')"
RANK_SQL = "IF(CRC32(domain) % 10 = 0, NULL, CRC32(domain) DIV 10 + 1)"


def synthetic_domain(number):
    """Return the made-up domain (str) of a row's number; .example is kept for examples (RFC 2606)."""
    return f"site{number}.example"


def synthetic_domains(count, start=1):
    """Yield `count` made-up domains, from row number `start` on; the same ones for everybody.

    >>> list(synthetic_domains(2, start=41))
    ['site41.example', 'site42.example']
    """
    for number in range(start, start + count):
        yield synthetic_domain(number)


def synthetic_ranks(domains):
    """Return the made-up ranks of a list of domains: whole numbers from 1 on, and None for about one in ten.

    A rank follows from the domain's CRC-32 alone, which Python and both servers compute alike. This is a rank source,
    the simplest one: any function that is given a list of domains and returns the list of their ranks can be one.
    """
    sums = (zlib.crc32(domain.encode()) for domain in domains)
    return [None if crc % 10 == 0 else crc // 10 + 1 for crc in sums]


synthetic_ranks.job = "synthetic ranks"


# Ranks from a list that somebody publishes ----------------------------------------------------------------------------


class TrancoRanks:
    """A rank source that looks domains up in a file of `rank,domain` lines, as Tranco publishes (https://tranco-list.eu).

    The lines go into an index on disk, an SQLite file, so memory stays flat however long the list is. The index is
    made once and used again as long as the list's size and time stay what they were.

    Parameters
    ----------
    path : str or pathlib.Path
        The list: plain text, or a zip file with one file in it. A domain that is there twice keeps its better rank.
    index : str or pathlib.Path, optional
        Where the index should stand. Otherwise beside the list.

    Raises
    ------
    ValueError
        A list that is empty or has a malformed line, with the file and the line.
    OSError
        The list cannot be read, or the index cannot be written.

    Examples
    --------
    >>> ranks = TrancoRanks("top-1m.csv.zip")     # doctest: +SKIP
    >>> ranks(["example.com", "no-such.example"])  # doctest: +SKIP
    [210, None]
    """

    def __init__(self, path, index=None):
        self.path = Path(path)
        self.job = f"ranks of {self.path.name}"[:255]
        index = Path(index) if index else self.path.with_name(self.path.name + ".index")
        of = os.stat(self.path)
        stamp = f"{of.st_size} {of.st_mtime_ns}"
        if not _index_is_of(index, stamp):
            _make_index(self.path, index, stamp)
        # look-ups are made in a thread, but in one thread at a time
        self._index = sqlite3.connect(index, check_same_thread=False)

    def __call__(self, domains):
        """Return the ranks of a list of domains, in its order, None for those that the list does not have."""
        query = """SELECT ranks.rank FROM json_each(?) AS asked LEFT JOIN ranks ON ranks.domain = asked.value
                   ORDER BY asked.key"""
        return [rank for (rank,) in self._index.execute(query, (json.dumps([d.lower() for d in domains]),))]

    def close(self):
        """Close the index file."""
        self._index.close()


def read_ranks(path):
    """Yield (domain, rank) for each line `rank,domain` of a file, plain or zipped; raises as TrancoRanks does."""
    with _text(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            rank, _, domain = line.rstrip("\r\n").partition(",")
            if not (rank.isascii() and rank.isdigit() and len(rank) <= 10 and 0 < int(rank) <= LARGEST_RANK):
                what = f"the rank is {rank!r:.60}, not a whole number from 1 to {LARGEST_RANK:,}"
            elif not _is_domain(domain):
                what = f"the domain is {domain!r:.60}; it should be 1 to 255 letters, digits, dots and hyphens"
            else:
                yield domain.lower(), int(rank)
                continue
            raise ValueError(f"{path}, line {number}: {what}. Each line should read rank,domain: 1,example.com")
    if not number:
        raise ValueError(f"{path}: the file is empty; each line should read rank,domain: 1,example.com")


_is_domain = re.compile(r"[A-Za-z0-9._-]{1,255}").fullmatch


@contextlib.contextmanager
def _text(path):
    """Open a file of text, or the one file in a zip file, for reading."""
    options = {"encoding": "utf-8-sig", "errors": "replace", "newline": None}  # a byte that is no UTF-8 is no domain
    with contextlib.ExitStack() as opened:
        if not zipfile.is_zipfile(path):
            yield opened.enter_context(open(path, **options))
            return
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(files) != 1:
                raise ValueError(f"{path}: there are {len(files)} files in it; there should be one, the list")
            yield opened.enter_context(io.TextIOWrapper(archive.open(files[0]), **options))
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:  # broken, or locked
            raise ValueError(f"{path}: cannot be unzipped: {error}") from None


def _index_is_of(index, stamp):
    """Tell whether `index` is a whole index, made from the list that `stamp` describes."""
    if not index.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(index)) as connection:
            return connection.execute("SELECT stamp FROM list").fetchone() == (stamp,)
    except sqlite3.Error:
        return False


def _make_index(path, index, stamp):
    """Read the list at `path` into an SQLite file, under another name until it is whole."""
    from tqdm import tqdm

    handle, unfinished = tempfile.mkstemp(prefix=index.name + "-", dir=index.parent)
    os.close(handle)
    try:
        with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096;")
            connection.execute("CREATE TABLE lines (domain TEXT, rank INTEGER)")
            lines = tqdm(read_ranks(path), desc="Reading ranks", unit=" lines", unit_scale=True, leave=False, delay=2)
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO lines VALUES (?, ?)", lines)
            # sorted on disk: rows that come in the key's order need no search for their place
            connection.execute("CREATE TABLE ranks (domain TEXT PRIMARY KEY, rank INTEGER) WITHOUT ROWID")
            connection.execute("INSERT INTO ranks SELECT domain, min(rank) FROM lines GROUP BY domain ORDER BY domain")
            connection.execute("CREATE TABLE list (stamp TEXT)")
            connection.execute("INSERT INTO list VALUES (?)", (stamp,))
            connection.execute("DROP TABLE lines")
            connection.execute("COMMIT")
        os.replace(unfinished, index)
    except BaseException:
        os.unlink(unfinished)
        raise


# The tables -----------------------------------------------------------------------------------------------------------


def create_tables(connection):
    """Create the tables domains and domains_checkpoint unless they exist; commit.

    Raises
    ------
    ValueError
        A table of that name exists with other columns, or cannot take part in a transaction: nothing is touched.
    """
    with contextlib.closing(connection.cursor()) as cursor:
        missing = [table for table in TABLES if not _is_ours(cursor, table)]
        for table in missing:
            cursor.execute(TABLES[table])
        if "domains" in missing:
            cursor.execute("DELETE FROM domains_checkpoint")  # it told of another table
    connection.commit()


def _is_ours(cursor, table):
    """Tell whether `table` exists; raise ValueError if it is another one than this job's."""
    cursor.execute(
        "SELECT engine, table_type FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = %s",
        (table,),
    )
    found = cursor.fetchall()
    if not found:
        return False
    cursor.execute(
        "SELECT column_name, column_type, is_nullable, column_key, extra, character_set_name "
        "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    columns = [tuple(_described(field) for field in row) for row in cursor.fetchall()]
    if columns == COLUMNS[table] and found == [("InnoDB", "BASE TABLE")]:
        return True
    has = ", ".join(f"{name} {kind}" for name, kind, *_ in columns) + f" ({found[0][0] or found[0][1]})"
    needs = ", ".join(f"{name} {kind}" for name, kind, *_ in COLUMNS[table]) + " (InnoDB)"
    raise ValueError(
        f"The table {table} in the database {database_name()} is another one than this job's: it was not touched. "
        f"It has: {has}. The job needs: {needs}, declared as in helpers/domains.py. "
        "Rename that table, or name another database in MYSQL_DATABASE."
    )


def _both_are_there(cursor):
    found = [_is_ours(cursor, table) for table in TABLES]  # each is looked at: one that is another's is an error
    return all(found)


def _described(field):
    """Write a field of information_schema as MySQL does: MariaDB says int(10) where MySQL says int."""
    field = field.decode() if isinstance(field, bytes) else field
    return re.sub(r"int\(\d+\)", "int", field) if field else field


# What both jobs are made of -------------------------------------------------------------------------------------------


class Pace:
    """How many rows the next batch should have, so that it takes about `seconds`; `rows` is the answer."""

    def __init__(self, seconds, rows=FIRST_BATCH, most=LARGEST_BATCH):
        if not seconds > 0:
            raise ValueError(f"the time for a batch must be more than 0 seconds, not {seconds!r}")
        self.seconds, self.most = seconds, most
        self.rows = min(rows, most)
        self._rate = None

    def took(self, rows, seconds):
        """Take in that a batch of `rows` rows took `seconds`."""
        rate = rows / max(seconds, 1e-6)
        if self._rate and rate > self._rate:
            rate = (self._rate + rate) / 2  # faster step by step, slower at once: others are waiting
        self._rate = rate
        self.rows = int(max(1, min(rate * self.seconds, 2 * self.rows, self.most)))


def one_ahead(iterator):
    """Yield what a generator yields, and let it make the next item in a thread meanwhile; close it at the end."""
    nothing = object()
    with contextlib.closing(iterator), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, iterator, nothing)
        while (item := coming.result()) is not nothing:
            coming = thread.submit(next, iterator, nothing)
            yield item


@contextlib.contextmanager
def ctrl_c_waits():
    """Inside the block, note the first Ctrl-C in the threading.Event that is given; a second one ends at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only that one hears signals
        yield stop
        return

    def note(*_):
        stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _alone(cursor, what="domains"):
    """Hold the server's lock on working in this database, so that no two processes do the same rows.

    The server lets it go when the connection ends, after the statement that a killed process has left behind.
    """
    cursor.execute("SELECT CONCAT(%s, ' in ', DATABASE())", (what,))
    (name,) = cursor.fetchone()
    cursor.execute("SELECT GET_LOCK(LEFT(%s, 64), %s)", (name, LOCK_SECONDS))
    if cursor.fetchone() != (1,):
        raise RuntimeError(
            f"Another process works on the table domains: its lock {name!r} was not free for {LOCK_SECONDS} s. "
            "Wait for it to end, or end it, and run the same again."
        )
    try:
        yield
    finally:
        with contextlib.suppress(mysql.connector.Error):  # a lost connection has let go by itself
            cursor.execute("SELECT RELEASE_LOCK(LEFT(%s, 64))", (name,))
            cursor.fetchall()


@contextlib.contextmanager
def _cursor():
    """Give a cursor of a new connection to the course's database; close both at the end."""
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor()
        # locks no rows but those it changes, so that others may go on adding
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield connection, cursor
    finally:
        cancel_and_close(connection)


def _in_one_transaction(connection, work):
    """Call `work()` and commit; again where others' locks were in the way (1205: a long wait, 1213: a deadlock)."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            work()
            connection.cmd_query("COMMIT")  # commit() of the driver's C extension lets raw errors through
            return
        except mysql.connector.Error as error:
            if error.errno not in (1205, 1213) or attempt == ATTEMPTS:
                raise
            connection.cmd_query("ROLLBACK")


@contextlib.contextmanager
def _says_how_to_go_on():
    """Add to the error of a lost or locked server what is safe and what to do."""
    try:
        yield
    except mysql.connector.Error as error:
        if error.errno not in (*LOST, 1205, 1213):
            raise
        message = f"{error.msg or error}. All batches before this one are safe: run the same again to go on."
        raise type(error)(msg=message, errno=error.errno, sqlstate=error.sqlstate) from None


def _progress(what, total):
    from tqdm import tqdm

    return tqdm(desc=what, total=total, unit=" rows", unit_scale=True, smoothing=0.1, delay=2)


# Filling --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filling:
    """What one call of fill did."""

    added: int  # rows
    last_id: int  # the number of the last row in the table
    rows: int  # how far it was asked to go
    seconds: float

    def __str__(self):
        text = f"Added {self.added:,} domains in {self.seconds:,.1f} s; the last row has number {self.last_id:,}."
        return text if self.last_id >= self.rows else text + " Stopped: run the same again to go on."


def fill(rows, target_seconds=TARGET_SECONDS):
    """Add made-up domains until the table has the row with number `rows`; row n has the id n and synthetic_domain(n).

    What is there already stays, so a fill that was stopped or killed goes on after its last whole batch. Ctrl-C ends
    it after the batch at work.

    Parameters
    ----------
    rows : int
        The number of the last row.
    target_seconds : float
        How long a batch should take.

    Returns
    -------
    Filling

    Raises
    ------
    ValueError
        `rows` is no number of rows, or the table is another one than this job's.
    mysql.connector.Error, helpers.server.ServerError
        The server cannot be reached, or is lost; whole batches are safe.
    """
    if type(rows) is not int or not 0 < rows < 2**32:
        raise ValueError(f"rows must be a whole number from 1 to {2**32 - 1:,}, not {rows!r}")
    with contextlib.closing(seed.connect_db()) as connection:
        seed.create_database(connection)
    began, added = time.monotonic(), 0
    with _says_how_to_go_on(), _cursor() as (connection, cursor), _alone(cursor), ctrl_c_waits() as stop:
        create_tables(connection)
        last_id = _largest_id(cursor)
        if not last_id:
            cursor.execute("DELETE FROM domains_checkpoint")  # an empty table has no ranks: someone emptied it
            connection.commit()
        pace = Pace(target_seconds)
        made = _made(last_id, rows, pace)
        with _progress("Filling", rows - last_id) as progress, contextlib.closing(one_ahead(made)) as batches:
            for before, count, names in batches:
                start = time.monotonic()
                _in_one_transaction(connection, lambda b=before, n=names: cursor.execute(INSERT, (b, n)))
                pace.took(count, time.monotonic() - start)
                added += count
                last_id = before + count
                progress.update(count)
                if stop.is_set():
                    break
    return Filling(added, last_id, rows, time.monotonic() - began)


# One parameter for a whole batch: the driver need not write out thousands, and both servers can take it apart
INSERT = """INSERT INTO domains (id, domain)
    SELECT %s + number, domain FROM JSON_TABLE(%s, '$[*]' COLUMNS (
        number FOR ORDINALITY, domain VARCHAR(255) CHARACTER SET ascii PATH '$')) AS made"""


def _made(last_id, rows, pace):
    """Yield batches of made-up domains: (the last id before the batch, how many, their names as JSON)."""
    names = synthetic_domains(rows - last_id, start=last_id + 1)
    while batch := list(islice(names, pace.rows)):
        yield last_id, len(batch), json.dumps(batch)
        last_id += len(batch)


def _largest_id(cursor):
    cursor.execute("SELECT MAX(id) FROM domains")
    return cursor.fetchone()[0] or 0


# Ranking --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranking:
    """What one call of update_ranks did, and how far the job is."""

    job: str  # the rank source's name
    rows: int  # rows that this call has done
    unranked: int  # those among them whose domain has no rank
    batches: int
    seconds: float
    last_id: int  # the last row done
    finished: bool  # False: Ctrl-C ended it before the last row
    all_rows: int  # rows done since the job began, in however many calls
    all_unranked: int

    @property
    def rate(self):
        """Rows a second."""
        return self.rows / self.seconds if self.seconds else 0.0

    def __str__(self):
        if not self.rows and self.finished:
            return f"Nothing to do: {self.job} are written up to id {self.last_id:,}. --restart begins again."
        text = (
            f"{self.rows:,} rows in {self.batches:,} batches and {self.seconds:,.1f} s: {self.rate:,.0f} rows/s. "
            f"{self.unranked:,} of their domains have no rank."
        )
        if self.all_rows > self.rows:
            text += f" With the calls before: {self.all_rows:,} rows, {self.all_unranked:,} without a rank."
        if not self.finished:
            text += f" Stopped after id {self.last_id:,}. To go on, run the same again: python -m helpers.domains rank"
        return text


def update_ranks(source=synthetic_ranks, target_seconds=TARGET_SECONDS, restart=False, ids=None):
    """Write the rank of every domain beside it, batch by batch, going on where the last call was stopped.

    Every batch is one transaction, its checkpoint included. A kill at any moment loses no batch that was written and
    leaves no part of one: the rows of at most two batches, the one being written and the one being looked up, are
    looked up again. Ctrl-C ends the call after the batch at work. Rows that others add are done when their turn comes,
    or by the next call; rows that others delete stay deleted.

    Parameters
    ----------
    source : callable
        Given a list of domains (str), returns the list of their ranks (int, or None for those without one). Its name,
        or its attribute `job`, names the checkpoint: another source begins at the first row.
    target_seconds : float
        How long a batch should take, with its look-ups.
    restart : bool
        Begin again at the first row.
    ids : tuple of int, optional
        (first, last): do only the rows whose id is at least first and less than last. Each range is a job of its own,
        with its own checkpoint and its own lock, so several processes may do one range each at the same time. Nobody
        looks whether two jobs overlap: rows that are in both are done twice, with the same ranks.

    Returns
    -------
    Ranking

    Raises
    ------
    ValueError
        No table, a table of another kind, no range of ids, or a source that gives something else than a rank for each
        domain.
    RuntimeError
        Another process is at the same job.
    mysql.connector.Error, helpers.server.ServerError
        The server cannot be reached, or is lost; whole batches are safe.
    """
    job, alone, (first, last) = getattr(source, "job", None) or source.__name__, "domains", (1, LARGEST_ID + 1)
    if ids is not None:
        first, last = _checked_range(ids)
        alone = f"domains {first} to {last - 1}"
        job = f"{job[:200]}, ids {first} to {last - 1}"
    pace = Pace(target_seconds)
    began, rows, unranked, count = time.monotonic(), 0, 0, 0
    with (
        _says_how_to_go_on(),
        _cursor() as (writer, cursor),
        _cursor() as (reader, reading),
        _alone(cursor, alone),
        ctrl_c_waits() as stop,
    ):
        last_id, all_rows, all_unranked = _checkpoint(writer, cursor, job, restart, first)
        reader.autocommit = True  # each read sees what is there by then
        looked_up = _looked_up(reading, source, last_id, last, pace)
        with (
            _progress("Ranking", max(0, min(_largest_id(cursor), last - 1) - last_id)) as progress,
            contextlib.closing(one_ahead(looked_up)) as batches,
        ):
            for ids, ranks, look_up_seconds in batches:
                start = time.monotonic()
                without = ranks.count(None)
                _in_one_transaction(
                    writer, lambda i=ids, r=ranks, w=without, after=last_id: _write(cursor, job, after, i, r, w)
                )
                pace.took(len(ids), max(look_up_seconds, time.monotonic() - start))
                last_id = ids[-1]
                rows += len(ids)
                unranked += without
                count += 1
                progress.update(len(ids))
                if stop.is_set():
                    break
            finished = not stop.is_set()
    seconds = time.monotonic() - began
    return Ranking(job, rows, unranked, count, seconds, last_id, finished, all_rows + rows, all_unranked + unranked)


def _checked_range(ids):
    first, last = ids
    if type(first) is not int or type(last) is not int or not 0 < first < last <= LARGEST_ID + 1:
        raise ValueError(f"ids must be (first, last), whole numbers from 1 on, the first one smaller, not {ids!r}")
    return first, last


def _checkpoint(connection, cursor, job, restart, first):
    """Return (last id, rows done, rows without a rank) of a job, and see to it that its row is there."""
    if not _both_are_there(cursor):
        raise ValueError(
            f"There is no table domains in the database {database_name()} yet. Make one, as large as you like: "
            "python -m helpers.domains fill --rows 1000000"
        )
    if not _largest_id(cursor):
        raise ValueError(
            f"The table domains in the database {database_name()} is empty. Fill it first: "
            "python -m helpers.domains fill --rows 1000000"
        )
    if restart:
        cursor.execute("DELETE FROM domains_checkpoint WHERE job = %s", (job,))
    cursor.execute("INSERT IGNORE INTO domains_checkpoint VALUES (%s, %s, 0, 0)", (job, first - 1))
    connection.commit()
    cursor.execute("SELECT last_id, done, unranked FROM domains_checkpoint WHERE job = %s", (job,))
    return cursor.fetchone()


def _looked_up(cursor, source, last_id, end, pace):
    """Yield batches of rows after `last_id` and before `end` with their ranks: (ids, ranks, seconds that it took)."""
    while True:
        start = time.monotonic()
        # LOCK IN SHARE MODE waits for rows that are being added: a lower id may be committed after a higher one,
        # and a read that did not wait would go past it
        cursor.execute(
            "SELECT id, domain FROM domains WHERE id > %s AND id < %s ORDER BY id LIMIT %s LOCK IN SHARE MODE",
            (last_id, end, pace.rows),
        )
        rows = cursor.fetchall()
        if not rows:
            return
        ids = [row[0] for row in rows]
        domains = [row[1] for row in rows]
        del rows
        ranks = source(domains)
        _check(ranks, domains, source)
        del domains
        last_id = ids[-1]
        yield ids, ranks, time.monotonic() - start


def _check(ranks, domains, source):
    """Raise ValueError unless there is a rank, or None, for each domain."""
    name = getattr(source, "job", None) or source.__name__
    if not isinstance(ranks, list) or len(ranks) != len(domains):
        given = f"{len(ranks):,} ranks" if isinstance(ranks, list) else f"{type(ranks).__name__}, not a list"
        raise ValueError(f"The rank source {name!r} was given {len(domains):,} domains and returned {given}.")
    for rank, domain in zip(ranks, domains, strict=True):
        if rank is not None and not (type(rank) is int and 0 < rank <= LARGEST_RANK):
            raise ValueError(
                f"The rank source {name!r} says {rank!r:.60} of {domain}: a rank is a whole number from 1 to "
                f"{LARGEST_RANK:,}, or None."
            )


def _write(cursor, job, before, ids, ranks, unranked):
    """Write the ranks of one batch and move the checkpoint from `before` to the batch's last id, in one transaction."""
    cursor.execute(
        "UPDATE domains_checkpoint SET last_id = %s, done = done + %s, unranked = unranked + %s "
        "WHERE job = %s AND last_id = %s",
        (ids[-1], len(ids), unranked, job, before),
    )
    if cursor.rowcount != 1:
        raise RuntimeError(f"Another process has moved the checkpoint of {job!r} beyond {before:,}. Start again.")
    for first, last in _pieces(ids):
        _write_piece(cursor, ids[first:last], ranks[first:last])


def _write_piece(cursor, ids, ranks):
    """Write ranks with one UPDATE that finds each one by its place: ELT(2, 'a', 'b') is 'b', on MySQL and MariaDB.

    It changes rows where they stand, in the order of the key. A join with a table of values first collects what it is
    going to change. Ids between the first and the last that are not in the batch keep what they have.
    """
    places = ["alexa_rank"] * (ids[-1] - ids[0] + 1)
    for number in ids:
        places[number - ids[0]] = "%s"
    statement = f"UPDATE domains SET alexa_rank = ELT(id - %s, {', '.join(places)}) WHERE id BETWEEN %s AND %s"
    cursor.execute(statement, (ids[0] - 1, *ranks, ids[0], ids[-1]))


def _pieces(ids):
    """Yield (start, end) of the slices of ascending `ids` that one statement each can write.

    Where rows were deleted, one statement steps over the holes; it is cut at large ones, and where they add up.
    """
    start = 0
    if ids[-1] - ids[0] + 1 > len(ids):
        for place in range(1, len(ids)):
            if ids[place] - ids[place - 1] > LARGEST_HOLE or ids[place] - ids[start] >= 2 * LARGEST_BATCH:
                yield start, place
                start = place
    yield start, len(ids)


# Looking at it --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verification:
    """What the server has found in the table of made-up domains."""

    rows: int
    wrong_domains: int  # rows whose domain is not the one of their number
    wrong_ranks: int  # rows whose rank is not synthetic_ranks of their domain
    unranked: int  # rows without a rank
    last_id: int

    @property
    def missing(self):
        """How many numbers up to the last have no row."""
        return self.last_id - self.rows

    @property
    def right(self):
        """Whether every row is there and is what it should be."""
        return self.rows > 0 and not (self.missing or self.wrong_domains or self.wrong_ranks)

    def __str__(self):
        return (
            f"{self.rows:,} rows, {self.missing:,} missing; {self.wrong_domains:,} wrong domains, "
            f"{self.wrong_ranks:,} wrong ranks, {self.unranked:,} without a rank"
        )


def verify():
    """Let the server compare every row with what fill() and update_ranks() should write; return a Verification."""
    found = [0, 0, 0, 0]
    with _cursor() as (connection, cursor):
        if not _is_ours(cursor, "domains"):
            raise ValueError(f"There is no table domains in the database {database_name()}.")
        last_id = _largest_id(cursor)
        with _progress("Verifying", last_id) as progress:
            for start in range(1, last_id + 1, VERIFY_RANGE):
                cursor.execute(
                    f"SELECT COUNT(*), COALESCE(SUM(BINARY domain <> {DOMAIN_SQL}), 0), "
                    f"COALESCE(SUM(NOT (alexa_rank <=> {RANK_SQL})), 0), COUNT(*) - COUNT(alexa_rank) "
                    "FROM domains WHERE id BETWEEN %s AND %s",
                    (start, start + VERIFY_RANGE - 1),
                )
                found = [total + int(part) for total, part in zip(found, cursor.fetchone(), strict=True)]
                connection.commit()
                progress.update(min(VERIFY_RANGE, last_id + 1 - start))
    return Verification(*found, last_id)


def status():
    """Return what is there, and how far each job is, as text."""
    with contextlib.closing(seed.connect_db()) as connection:
        seed.create_database(connection)
    with _cursor() as (_, cursor):
        if not _both_are_there(cursor):
            return f"The database {database_name()} has no table domains: python -m helpers.domains fill --rows N"
        largest = _largest_id(cursor)
        cursor.execute(
            "SELECT (data_length + index_length) / 1048576 FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = 'domains'"
        )
        lines = [
            f"The table domains in the database {database_name()} has rows up to id {largest:,}, "
            f"about {cursor.fetchone()[0]:,.0f} MiB."
        ]
        cursor.execute("SELECT job, last_id, done, unranked FROM domains_checkpoint ORDER BY job")
        for job, last_id, done, unranked in cursor.fetchall():
            of_range = re.search(r", ids \d+ to (\d+)$", job)
            end = min(largest, int(of_range[1])) if of_range else largest
            left = f"ids up to {end:,} are left" if last_id < end else "all done"
            lines.append(f"{job}: {done:,} rows done, {unranked:,} without a rank, up to id {last_id:,}; {left}.")
    return "\n".join(lines)


# From a terminal ------------------------------------------------------------------------------------------------------


def main(arguments=None):
    """Run one of the commands above; return the exit status: 1 for an error, 130 after Ctrl-C, as shells have it."""
    parser = argparse.ArgumentParser(prog="python -m helpers.domains", description="The job of lesson 06.")
    commands = parser.add_subparsers(dest="command", required=True)
    filling = commands.add_parser("fill", help="add made-up domains")
    filling.add_argument("--rows", type=int, required=True, help="the number of the last row")
    ranking = commands.add_parser("rank", help="write each domain's rank beside it, going on where it was stopped")
    ranking.add_argument("--tranco", metavar="FILE", help="ranks from a file of rank,domain lines, plain or zipped")
    ranking.add_argument("--restart", action="store_true", help="begin again at the first row")
    for command in (filling, ranking):
        command.add_argument("--seconds", type=float, default=TARGET_SECONDS, help="time for a batch (%(default)s)")
    commands.add_parser("status", help="what is there, and how far the ranking is")
    commands.add_parser("verify", help="let the server compare every row with what it should be")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "fill":
            done = fill(chosen.rows, chosen.seconds)
            ended = done.last_id >= done.rows
        elif chosen.command == "rank":
            source = TrancoRanks(chosen.tranco) if chosen.tranco else synthetic_ranks
            done = update_ranks(source, chosen.seconds, chosen.restart)
            ended = done.finished
        else:
            done, ended = status() if chosen.command == "status" else verify(), True
        print(done)
        return 1 if chosen.command == "verify" and not done.right else 0 if ended else 130
    except (mysql.connector.Error, server.ServerError, ValueError, RuntimeError, OSError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped at once. All batches before this one are safe: run the same again to go on.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
