"""Write a rank beside each domain: the course's update_ranks beside other ways, and the server alone as the limit."""

import contextlib
import tempfile
from functools import partial

from helpers import databases, domains, seed
from helpers.bench import peers
from helpers.bench.comparison import Version, local_infile

ROWS = 1_000_000
REPEATS = 3
REFERENCE = "update_ranks"
ABOUT = "Write ranks into a table that has none yet; each version of all rows starts from a copy that is new."
BY_ROW, EXECUTEMANY, BATCHES = 5_000, 20_000, 100_000  # rows of the slow ones, which grow in proportion
BATCH = 10_000  # rows of a batch, for those that do not choose by themselves
NULL = r"\N"  # as LOAD DATA has it
UPDATE = "UPDATE domains SET alexa_rank = %s WHERE id = %s"


def course():
    """The course's job."""
    return domains.update_ranks().rows


def server_alone():
    """The limit: the server computes the rank by itself, in one statement and one transaction."""
    with opened() as (connection, cursor):
        cursor.execute(f"UPDATE domains SET alexa_rank = {domains.RANK_SQL}")
        connection.commit()
        cursor.execute("SELECT COUNT(*) FROM domains")
        return cursor.fetchone()[0]


@contextlib.contextmanager
def opened(connect=seed.connect_to_prodev):
    """Give a connection and its cursor; close both at the end."""
    with contextlib.closing(connect()) as connection, contextlib.closing(connection.cursor()) as cursor:
        yield connection, cursor


def batches(cursor, first, rows, size):
    """Yield lists of (rank, id) of `rows` rows from id `first` on, read by key on a connection of its own."""
    last, end = first - 1, first + rows - 1
    while last < end:
        cursor.execute(
            "SELECT id, domain FROM domains WHERE id > %s AND id <= %s ORDER BY id LIMIT %s", (last, end, size)
        )
        found = cursor.fetchall()
        last = found[-1][0]
        yield list(zip(domains.synthetic_ranks([name for _, name in found]), [n for n, _ in found], strict=True))


def written(write, connect, size, first, rows):
    """Read, look up, write with `write(connection, cursor, batch)`, which also commits; return the rows."""
    done = 0
    with opened() as (_, reading), opened(connect) as (connection, cursor):
        for batch in batches(reading, first, rows, size):
            write(connection, cursor, batch)
            done += len(batch)
    return done


def by_row(connection, cursor, batch):
    """A statement and a commit for each row."""
    for pair in batch:
        cursor.execute(UPDATE, pair)
        connection.commit()


def by_executemany(connection, cursor, batch):
    """executemany, which sends an UPDATE statement for each row; a commit a batch."""
    cursor.executemany(UPDATE, batch)
    connection.commit()


def by_upsert(connection, cursor, batch):
    """INSERT … ON DUPLICATE KEY UPDATE, which executemany sends as one statement. It would bring back deleted rows."""
    cursor.executemany(
        "INSERT INTO domains (alexa_rank, id, domain) VALUES (%s, %s, '') "
        "ON DUPLICATE KEY UPDATE alexa_rank = VALUES(alexa_rank)",
        batch,
    )
    connection.commit()


def by_values(connection, cursor, batch):
    """UPDATE joined with a table of values; MySQL and MariaDB write that table differently."""
    parameters = [value for rank, number in batch for value in (number, rank)]
    if "mariadb" in connection.server_info.lower():
        table = f"(WITH made (id, new) AS (VALUES {', '.join(['(%s, %s)'] * len(batch))}) SELECT * FROM made) AS made"
    else:
        table = f"(VALUES {', '.join(['ROW(%s, %s)'] * len(batch))}) AS made (id, new)"
    cursor.execute(f"UPDATE domains JOIN {table} USING (id) SET alexa_rank = made.new", parameters)
    connection.commit()


def by_load_data(connection, cursor, batch):
    """LOAD DATA LOCAL into a temporary table, then an UPDATE joined with that."""
    cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS staged (id INT UNSIGNED PRIMARY KEY, new INT UNSIGNED)")
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        for rank, number in batch:
            file.write(f"{number}\t{NULL if rank is None else rank}\n")
        file.flush()
        cursor.execute("LOAD DATA LOCAL INFILE %s INTO TABLE staged (id, new)", (file.name,))
    cursor.execute("UPDATE domains JOIN staged USING (id) SET alexa_rank = staged.new")
    cursor.execute("DELETE FROM staged")
    connection.commit()


def copy_anew():
    """Make the table domains a new copy of the one without ranks, and forget the checkpoint."""
    with opened() as (connection, cursor):
        cursor.execute("DROP TABLE domains")
        cursor.execute(domains.TABLES["domains"])
        cursor.execute("INSERT INTO domains SELECT * FROM without_ranks ORDER BY id")
        cursor.execute("DELETE FROM domains_checkpoint")
        connection.commit()


@contextlib.contextmanager
def versions(rows):
    """Give the versions, in a database of their own with a table of `rows` domains inside the block."""
    with contextlib.ExitStack() as entered:
        entered.enter_context(databases.scratch())
        domains.fill(rows)
        _, cursor = entered.enter_context(opened())
        why_not = entered.enter_context(local_infile(cursor))
        cursor.execute("RENAME TABLE domains TO without_ranks")
        cursor.execute(domains.TABLES["domains"])
        # The slow ones share one copy and do some of its rows each, one after the other
        first = 1
        found = []
        for name, write, most, connect in (
            ("row by row, a commit each", by_row, BY_ROW, seed.connect_to_prodev),
            ("executemany UPDATE", by_executemany, EXECUTEMANY, seed.connect_to_prodev),
            ("INSERT … ON DUPLICATE KEY UPDATE", by_upsert, BATCHES, seed.connect_to_prodev),
            ("UPDATE JOIN VALUES", by_values, BATCHES, seed.connect_to_prodev),
            ("LOAD DATA LOCAL, UPDATE JOIN", None if why_not else by_load_data, BATCHES, peers.with_local_infile),
        ):
            share = max(1, min(rows // 6, most))
            function = partial(written, write, connect, BATCH, first, share) if write else None
            prepare = {} if found else {"prepare": copy_anew}
            found.append(Version(name, function, rows=share, missing=why_not if write is None else "", **prepare))
            first += share
        found.append(Version("the server's own single UPDATE: the limit", server_alone, prepare=copy_anew))
        found.append(Version(REFERENCE, course, prepare=copy_anew))
        yield found
