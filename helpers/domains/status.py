"""Look at the job: how far it is, and whether every row is what it should be."""

import contextlib
import re
from dataclasses import dataclass

from helpers import seed
from helpers.connection import database_name
from helpers.domains.batches import progress_bar
from helpers.domains.filling import DOMAIN_SQL
from helpers.domains.ranks import RANK_SQL
from helpers.domains.tables import connected, largest_id, schema_matches, tables_exist

VERIFY_RANGE = 1_000_000  # ids that the server compares in one query


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
    with connected() as (connection, cursor):
        if not schema_matches(cursor, "domains"):
            raise ValueError(f"There is no table domains in the database {database_name()}.")
        last_id = largest_id(cursor)
        with progress_bar("Verifying", last_id) as progress:
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
    """Return how large the table is, and how far each job is, as text."""
    with contextlib.closing(seed.connect_db()) as connection:
        seed.create_database(connection)
    with connected() as (_, cursor):
        if not tables_exist(cursor):
            return f"The database {database_name()} has no table domains: python -m helpers.domains fill --rows N"
        largest = largest_id(cursor)
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
