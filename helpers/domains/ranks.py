"""Rank sources: functions that are given a list of domains and return the list of their ranks, None for no rank."""

import contextlib
import json
import os
import sqlite3
import tempfile
import zlib
from pathlib import Path

from helpers.domains.lists import in_dns, read_ranks

RANK_SQL = "IF(CRC32(domain) % 10 = 0, NULL, CRC32(domain) DIV 10 + 1)"  # synthetic_ranks, for the server

FORMAT = 2  # of the index: one that an earlier version of this file made is made anew


def synthetic_ranks(domains):
    """Return the made-up ranks of a list of domains: positive integers, and None for about one in ten.

    A rank follows from the domain's CRC-32 alone, which Python and both servers compute alike. This is the simplest
    rank source: any function that is given a list of domains and returns the list of their ranks can be one.

    >>> synthetic_ranks(["site1.example", "site2.example"])
    [380331981, 367835207]
    """
    sums = (zlib.crc32(domain.encode()) for domain in domains)
    return [None if crc % 10 == 0 else crc // 10 + 1 for crc in sums]


synthetic_ranks.job = "synthetic ranks"


class TrancoRanks:
    """A rank source that looks domains up in a file of `rank,domain` lines, as Tranco publishes (https://tranco-list.eu).

    The lines go into an index on disk, an SQLite file, so memory stays flat however long the list is. The index is
    made once and used again as long as the list's size and time stay what they were. Domains are compared as the DNS
    does: upper and lower case, a final dot, and an international name and its ASCII form are the same. www.example.com
    and example.com are two domains.

    Parameters
    ----------
    path : str or pathlib.Path
        The list: plain text, or one file in a .zip or .gz. Without a header, or with that of the Majestic Million, of
        DomCop or of Cloudflare Radar's ranking. A domain that is there twice keeps its better rank.
    index : str or pathlib.Path, optional
        Where the index should stand. Otherwise beside the list.

    Raises
    ------
    ValueError
        A list that is empty, has a malformed line, or has no ranks of domains (CrUX, Radar's buckets): with the file,
        the line, and how to convert it.
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
        stamp = f"{FORMAT} {of.st_size} {of.st_mtime_ns}"
        if not _index_is_of(index, stamp):
            _make_index(self.path, index, stamp)
        # look-ups are made in a thread, but in one thread at a time
        self._index = sqlite3.connect(index, check_same_thread=False)

    def __call__(self, domains):
        """Return the ranks of a list of domains, in its order, None for those that the list does not have."""
        query = """SELECT ranks.rank FROM json_each(?) AS asked LEFT JOIN ranks ON ranks.domain = asked.value
                   ORDER BY asked.key"""
        asked = [d.lower().removesuffix(".") if d.isascii() else _in_dns_or_not(d) for d in domains]
        return [rank for (rank,) in self._index.execute(query, (json.dumps(asked),))]

    def examples(self, count=3):
        """Return the first `count` domains of the list, by their rank."""
        return [domain for (domain,) in self._index.execute("SELECT domain FROM ranks ORDER BY rank LIMIT ?", (count,))]

    def close(self):
        """Close the index file."""
        self._index.close()


def _in_dns_or_not(domain):
    try:
        return in_dns(domain)
    except ValueError:  # no list has it
        return domain


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
