"""Fill the table domains with made-up domains, batch by batch."""

import contextlib
import json
import time
from dataclasses import dataclass
from itertools import islice

from helpers import seed
from helpers.domains.batches import (
    TARGET_SECONDS,
    BatchSizer,
    defer_interrupt,
    in_one_transaction,
    progress_bar,
    says_how_to_resume,
)
from helpers.domains.tables import LARGEST_ID, connected, create_tables, largest_id, working_alone
from helpers.prefetch import prefetch

DOMAIN_SQL = "CONCAT('site', id, '.example')"  # synthetic_domain, for the server

# One parameter for a whole batch: the driver need not write out thousands, and both servers can take it apart
INSERT = """INSERT INTO domains (id, domain)
    SELECT %s + number, domain FROM JSON_TABLE(%s, '$[*]' COLUMNS (
        number FOR ORDINALITY, domain VARCHAR(255) CHARACTER SET ascii PATH '$')) AS made"""


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


@dataclass(frozen=True)
class Filling:
    """What one call of fill did."""

    added: int  # rows
    last_id: int  # the number of the last row in the table
    rows: int  # how far it was asked to go
    seconds: float

    def __str__(self):
        text = f"Added {self.added:,} domains in {self.seconds:,.1f} s; the last row has number {self.last_id:,}."
        return text if self.last_id >= self.rows else text + " Stopped. Run the same command again to continue."


def fill(rows, target_seconds=TARGET_SECONDS):
    """Add made-up domains until the table has the row with number `rows`; row n has the id n and synthetic_domain(n).

    Existing rows stay, so a fill that was stopped or killed goes on after its last whole batch. Ctrl-C ends it after
    the current batch.

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
        `rows` is not a possible number of rows, or the table exists with a different schema.
    RuntimeError
        Another process works on the table.
    mysql.connector.Error, helpers.server.ServerError
        The server cannot be reached, or is lost; whole batches are safe.
    """
    if type(rows) is not int or not 0 < rows <= LARGEST_ID:
        raise ValueError(f"rows must be a positive integer, at most {LARGEST_ID:,}, not {rows!r}")
    with contextlib.closing(seed.connect_db()) as connection:
        seed.create_database(connection)
    began, added = time.monotonic(), 0
    with says_how_to_resume(), connected() as (connection, cursor), working_alone(cursor), defer_interrupt() as stop:
        create_tables(connection)
        last_id = largest_id(cursor)
        if not last_id:
            cursor.execute("DELETE FROM domains_checkpoint")  # an empty table has no ranks: someone emptied it
            connection.commit()
        sizer = BatchSizer(target_seconds)
        batches = prefetch(_made(last_id, rows, sizer))
        with progress_bar("Filling", rows - last_id) as progress, contextlib.closing(batches):
            for before, count, names in batches:
                start = time.monotonic()
                in_one_transaction(connection, lambda b=before, n=names: cursor.execute(INSERT, (b, n)))
                sizer.took(count, time.monotonic() - start)
                added += count
                last_id = before + count
                progress.update(count)
                if stop.is_set():
                    break
    return Filling(added, last_id, rows, time.monotonic() - began)


def _made(last_id, rows, sizer):
    """Yield batches of made-up domains: (the last id before the batch, how many, their names as JSON)."""
    names = synthetic_domains(rows - last_id, start=last_id + 1)
    while batch := list(islice(names, sizer.rows)):
        yield last_id, len(batch), json.dumps(batch)
        last_id += len(batch)
