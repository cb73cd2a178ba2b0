"""One batch of rows: read it by key with the ranks of its domains, and write them with the checkpoint."""

import time
from typing import NamedTuple

from helpers.domains.batches import LARGEST_BATCH
from helpers.domains.lists import LARGEST_RANK

# A server that was killed may count a table's rows as the few that it had some time ago (SHOW TABLE STATUS). A scan of
# them all seems cheaper to it then than a range of the key, and it locks them all (seen on MariaDB 11.8)
BY_KEY = "domains FORCE INDEX (PRIMARY)"
LARGEST_HOLE = 50  # missing ids that a statement steps over before a second statement is cheaper


class Batch(NamedTuple):
    """Rows that were read, with the ranks of their domains."""

    ids: list
    ranks: list
    seconds: float  # how long reading and looking up took

    @property
    def unranked(self):
        """How many of them have no rank."""
        return self.ranks.count(None)


def look_up(cursor, source, last_id, end, sizer):
    """Yield Batch after Batch of the rows after `last_id` and before `end`, each as large as `sizer` says by then."""
    while True:
        start = time.monotonic()
        # LOCK IN SHARE MODE waits for rows that are being added: a lower id may be committed after a higher one,
        # and a read that did not wait would go past it
        cursor.execute(
            f"SELECT id, domain FROM {BY_KEY} WHERE id > %s AND id < %s ORDER BY id LIMIT %s LOCK IN SHARE MODE",
            (last_id, end, sizer.rows),
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
        yield Batch(ids, ranks, time.monotonic() - start)


def _check(ranks, domains, source):
    """Raise ValueError unless there is a rank, or None, for each domain."""
    name = getattr(source, "job", None) or source.__name__
    if not isinstance(ranks, list) or len(ranks) != len(domains):
        given = f"{len(ranks):,} ranks" if isinstance(ranks, list) else f"{type(ranks).__name__}, not a list"
        raise ValueError(f"The rank source {name!r} was given {len(domains):,} domains and returned {given}.")
    for rank, domain in zip(ranks, domains, strict=True):
        if rank is not None and not (type(rank) is int and 0 < rank <= LARGEST_RANK):
            raise ValueError(
                f"The rank source {name!r} says {rank!r:.60} of {domain}: a rank is an integer from 1 to "
                f"{LARGEST_RANK:,}, or None."
            )


def write(cursor, job, before, batch):
    """Write the ranks of a Batch and move the checkpoint from `before` to its last id, within one transaction."""
    cursor.execute(
        "UPDATE domains_checkpoint SET last_id = %s, done = done + %s, unranked = unranked + %s "
        "WHERE job = %s AND last_id = %s",
        (batch.ids[-1], len(batch.ids), batch.unranked, job, before),
    )
    if cursor.rowcount != 1:
        raise RuntimeError(f"Another process has moved the checkpoint of {job!r} beyond {before:,}. Start again.")
    for first, last in pieces(batch.ids):
        write_piece(cursor, batch.ids[first:last], batch.ranks[first:last])


def write_piece(cursor, ids, ranks):
    """Write ranks with one UPDATE that finds each one by its place: ELT(2, 'a', 'b') is 'b', on MySQL and MariaDB.

    It changes rows where they stand, in the order of the key. A join with a table of values first collects what it is
    going to change. Ids between the first and the last that are not in the batch keep what they have.
    """
    places = ["alexa_rank"] * (ids[-1] - ids[0] + 1)
    for number in ids:
        places[number - ids[0]] = "%s"
    statement = f"UPDATE {BY_KEY} SET alexa_rank = ELT(id - %s, {', '.join(places)}) WHERE id BETWEEN %s AND %s"
    cursor.execute(statement, (ids[0] - 1, *ranks, ids[0], ids[-1]))


def pieces(ids):
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
