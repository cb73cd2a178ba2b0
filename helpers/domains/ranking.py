"""Write the rank of every domain beside it, in batches that are whole whatever happens."""

import contextlib
import time
from dataclasses import dataclass, replace

from helpers.connection import database_name
from helpers.domains.batches import (
    TARGET_SECONDS,
    BatchSizer,
    defer_interrupt,
    in_one_transaction,
    progress_bar,
    says_how_to_resume,
)
from helpers.domains.ranks import synthetic_ranks
from helpers.domains.rows import look_up, write
from helpers.domains.tables import LARGEST_ID, connected, largest_id, tables_exist, working_alone
from helpers.domains.unmatched import stop_unmatched
from helpers.prefetch import prefetch


@dataclass(frozen=True)
class Ranking:
    """What one call of update_ranks did, and how far the job is."""

    job: str  # the rank source's name
    last_id: int  # the last row done
    all_rows: int  # rows done since the job began, in however many calls
    all_unranked: int
    rows: int = 0  # rows that this call has done
    unranked: int = 0  # those among them whose domain has no rank
    batches: int = 0
    seconds: float = 0.0
    finished: bool = False  # False: Ctrl-C ended it before the last row

    def plus(self, batch):
        """Return the Ranking after one more batch."""
        rows, unranked = len(batch.ids), batch.unranked
        return replace(
            self, last_id=batch.ids[-1], batches=self.batches + 1, rows=self.rows + rows,
            unranked=self.unranked + unranked, all_rows=self.all_rows + rows,
            all_unranked=self.all_unranked + unranked,
        )  # fmt: skip

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
            text += f" Stopped after id {self.last_id:,}. To continue, run it again: python -m helpers.domains rank"
        return text


def update_ranks(source=synthetic_ranks, target_seconds=TARGET_SECONDS, restart=False, ids=None, allow_unmatched=False):
    """Write the rank of every domain beside it, batch by batch, resuming where the last call stopped; return a Ranking.

    Every batch is one transaction, its checkpoint included: a kill at any moment leaves whole batches, and at most two
    are looked up again. Ctrl-C ends the call after the current batch. Rows that others add are done when their turn
    comes, or by the next call; rows that others delete stay deleted.

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
        with its own checkpoint and lock, so several processes may do one range each at the same time.
    allow_unmatched : bool
        Go on where the source has no rank for any domain looked at; the ranks in the table become NULL.

    Raises
    ------
    ValueError
        No table, a table with a different schema, no range of ids, a source that does not give each domain a rank or
        None, or that gives None to all of them.
    RuntimeError
        Another process is at the same job.
    mysql.connector.Error, helpers.server.ServerError
        The server cannot be reached, or is lost; whole batches are safe.
    """
    began = time.monotonic()
    job, lock, first, last = _job(source, ids)
    with _at_work(lock) as (writer, cursor, reading), defer_interrupt() as stop:
        done, sizer = _resumed(writer, cursor, job, restart, first), BatchSizer(target_seconds)
        batches = look_up(reading, source, done.last_id, last, sizer)
        batches = prefetch(batches if allow_unmatched else stop_unmatched(batches, reading, source))
        left = max(0, min(largest_id(cursor), last - 1) - done.last_id)
        with progress_bar("Ranking", left) as progress, contextlib.closing(batches):
            for batch in batches:
                done = _written(writer, cursor, done, batch, sizer)
                progress.update(len(batch.ids))
                if stop.is_set():
                    break
    return replace(done, finished=not stop.is_set(), seconds=time.monotonic() - began)


@contextlib.contextmanager
def _at_work(lock):
    """Give a connection and its cursor to write with, and the cursor of another one to read with, under a lock."""
    with (
        says_how_to_resume(),
        connected() as (writer, cursor),
        connected() as (reader, reading),
        working_alone(cursor, lock),
    ):
        reader.autocommit = True  # each read sees what is there by then
        yield writer, cursor, reading


def _written(connection, cursor, done, batch, sizer):
    """Write one Batch in one transaction, and tell the sizer how long it took; return the Ranking after it."""
    start = time.monotonic()
    in_one_transaction(connection, lambda: write(cursor, done.job, done.last_id, batch))
    sizer.took(len(batch.ids), max(batch.seconds, time.monotonic() - start))
    return done.plus(batch)


def _job(source, ids):
    """Return the job's name, its lock's name, and the range of ids, [first, last)."""
    name = getattr(source, "job", None) or source.__name__
    if ids is None:
        return name, "domains", 1, LARGEST_ID + 1
    first, last = ids
    if type(first) is not int or type(last) is not int or not 0 < first < last <= LARGEST_ID + 1:
        raise ValueError(f"ids must be (first, last), positive integers, first less than last, not {ids!r}")
    return f"{name[:200]}, ids {first} to {last - 1}", f"domains {first} to {last - 1}", first, last


def _resumed(connection, cursor, job, restart, first):
    """Return the Ranking of a job at its checkpoint, and make the checkpoint's row unless it exists."""
    how = "python -m helpers.domains fill --rows 1000000"
    if not tables_exist(cursor):
        raise ValueError(
            f"There is no table domains in the database {database_name()} yet. Make one, as large as you like: " + how
        )
    if not largest_id(cursor):
        raise ValueError(f"The table domains in the database {database_name()} is empty. Fill it first: {how}")
    if restart:
        cursor.execute("DELETE FROM domains_checkpoint WHERE job = %s", (job,))
    cursor.execute("INSERT IGNORE INTO domains_checkpoint VALUES (%s, %s, 0, 0)", (job, first - 1))
    connection.commit()
    cursor.execute("SELECT last_id, done, unranked FROM domains_checkpoint WHERE job = %s", (job,))
    return Ranking(job, *cursor.fetchone())
