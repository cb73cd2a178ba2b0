"""What really streams: every way to read MySQL from Python, run in fresh processes and watched.

For each way of helpers/bench/ways.py, on a table of made-up users:

- the whole table: the peak of memory above the process after its imports, and rows a second;
- the first row: seconds and rows on the client until it is handed out (bytes counted by a forwarder before the server);
- a stop after six rows: milliseconds for closing, rows that the server read, connections left open;
- memory with a consumer that takes six rows and then pauses.
"""

import contextlib
import datetime
import gc
import os
import statistics
import time

import mysql.connector
from tqdm import tqdm

from helpers import databases, memory, processes
from helpers.bench import machine, peers
from helpers.bench.forwarder import Forwarder, counted
from helpers.bench.ways import WAYS, Reader

ROWS = 1_000_000
REPEATS = 2
ABOUT = "Read user_data in every way that people do; watch memory, the first row, and a stop after six rows."
TAKEN = 6
PAUSE = 0.5  # seconds: what a driver reads ahead, it reads in this time
BATCH_MIB = 8  # what batches may take where the table is small
SECONDS = 600  # after which a process is given up
PACKAGES = (
    "mysqlclient", "PyMySQL", "mariadb", "aiomysql", "asyncmy", "SQLAlchemy", "pandas", "polars", "Django", "peewee",
    "connectorx", "pyarrow", "dask",
)  # fmt: skip


# In the fresh process -------------------------------------------------------------------------------------------------


def whole(reader, where, counter):
    """Read everything; return rows, seconds, those until the first row, and the bytes then and in the end."""
    sent = counted(counter)
    start = time.perf_counter()
    stream = reader.start()
    rows = next(stream)
    first, on_client = time.perf_counter() - start, sent()
    rows += sum(stream)
    seconds = time.perf_counter() - start
    total = sent()
    with contextlib.suppress(Exception):  # what closing does is looked at after a stop
        reader.close()
    return {"rows": rows, "seconds": seconds, "first_seconds": first, "first_bytes": on_client, "bytes": total}


def stop(reader, where, counter):
    """Take six rows, pause, close; return what that cost and what was left."""
    start_mib = processes.high_water_mark()
    with contextlib.closing(mysql.connector.connect(**_plain(where))) as watcher:
        before = _rows_read(watcher)
        stream = reader.start()
        taken = 0
        while taken < TAKEN:
            taken += next(stream)
        time.sleep(PAUSE)
        paused = processes.high_water_mark() - start_mib
        start = time.perf_counter()
        raised = ""
        try:
            reader.close()
        except Exception as error:
            raised = type(error).__name__
        seconds = time.perf_counter() - start
        del stream
        reader.names.clear()
        gc.collect()
        left = _open(watcher, where)
        return {
            "stop_seconds": seconds, "stop_raised": raised, "left_open": left,
            "rows_read": _rows_read(watcher) - before, "paused_mib": paused,
        }  # fmt: skip


def _plain(where):
    return {"charset": "utf8mb4", "collation": "utf8mb4_general_ci", "autocommit": True, **where}


def _rows_read(watcher):
    with contextlib.closing(watcher.cursor()) as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Handler_read%next'")
        return sum(int(value) for _, value in cursor.fetchall())


def _open(watcher, where):
    """Return how many other connections to the database stay open where no query runs on any of them."""
    deadline, quiet = time.monotonic() + SECONDS / 4, 0
    with contextlib.closing(watcher.cursor()) as cursor:
        while True:
            cursor.execute("SHOW PROCESSLIST")
            others = [
                row for row in cursor.fetchall() if row[3] == where["database"] and row[0] != watcher.connection_id
            ]
            quiet = 0 if any(row[4] == "Query" for row in others) else quiet + 1
            if not others or quiet == 10 or time.monotonic() > deadline:  # one that was closed takes a moment to end
                return len(others)
            time.sleep(0.05)


# Measuring ------------------------------------------------------------------------------------------------------------


class Probe:
    """A look at one way, ready to be pickled: it imports its modules where it arrives, before the baseline."""

    def __init__(self, look, number, forwarder):
        self.look, self.number = look, number
        self.where, self.counter = forwarder.arguments, forwarder.counter

    def __setstate__(self, state):
        self.__dict__ |= state
        # Not the connection of the look: memory_profiler forks a process that samples, and it would hold that open
        for made in Reader(WAYS[self.number], self.where).names.values():
            if hasattr(made, "close") and not isinstance(made, type):
                made.close()

    def __call__(self):
        return self.look(Reader(WAYS[self.number], self.where), self.where, self.counter)


def look_at(number):
    """Return what one way did once: a dict."""
    found = {}
    for look in (whole, stop):
        with Forwarder(peers.where(), tcp=WAYS[number].tcp) as forwarder:
            measured = memory.measure(Probe(look, number, forwarder), results=True)
            found |= measured.result | ({"peak_mib": measured.peak} if look is whole else {})
    return found


def verdict(found):
    """Say in words what a way does (str), from what was seen of it."""
    data = found["bytes"] / machine.MIB
    if found["first_bytes"] > found["bytes"] / 2:
        return "holds all"
    if found["peak_mib"] > max(data / 2, BATCH_MIB):
        return "streams, and keeps all that it has read"
    if found["rows_read"] > found["rows"] / 2:
        return "streams; a stop reads the rest"
    return "streams"


def result(runs):
    """Return the record of one way's runs (a list of what look_at returns): medians, and its verdict."""
    verdicts = {verdict(found) for found in runs}
    middle = {
        name: statistics.median(found[name] for found in runs)
        for name in ("peak_mib", "seconds", "first_seconds", "first_bytes", "bytes", "stop_seconds", "rows_read",
                     "left_open", "paused_mib")
    }  # fmt: skip
    rows = runs[0]["rows"]
    return {
        "verdict": " / ".join(sorted(verdicts)),
        "peak_mib": round(middle["peak_mib"], 1),
        "rows_per_second": round(rows / middle["seconds"]),
        "first_ms": float(f"{1000 * middle['first_seconds']:.3g}"),
        "first_rows": round(rows * middle["first_bytes"] / middle["bytes"]),
        "stop_ms": float(f"{1000 * middle['stop_seconds']:.3g}"),
        "stop_rows_read": round(middle["rows_read"]),
        "stop_raised": runs[-1]["stop_raised"],
        "left_open": round(middle["left_open"]),
        "paused_mib": round(middle["paused_mib"], 1),
    }


def measure(rows=None, repeats=None, names=()):
    """Look at every way that is installed, `repeats` times; return the record (a dict).

    Raises AssertionError where a way read another number of rows than the table has, or not through the forwarder.
    """
    rows, repeats = rows or ROWS, repeats or REPEATS
    chosen = [n for n, way in enumerate(WAYS) if not names or any(name in way.name for name in names)]
    able = [number for number in chosen if not WAYS[number].missing]
    runs = {number: [] for number in able}
    failed = {}
    with databases.at_scale(rows):
        for number in tqdm(able * repeats, desc="Watching", unit="run", leave=False, delay=2):
            try:
                found = look_at(number)
            except Exception as error:
                text = f"{type(error).__name__}: {error}".splitlines()[0]
                if password := os.environ.get("MYSQL_PASSWORD"):  # an error may name the URL that it was given
                    text = text.replace(password, "…")
                failed[WAYS[number].name] = text[:200]
                continue
            assert found["rows"] == rows, f"{WAYS[number].name} read {found['rows']} rows of {rows}"
            assert found["bytes"] > rows, f"{WAYS[number].name} has read them past the forwarder"
            runs[number].append(found)
        described = machine.describe(*PACKAGES)
    return {
        "comparison": "drivers",
        "about": ABOUT,
        "command": f"python -m helpers.bench drivers --rows {rows}",
        "date": datetime.date.today().isoformat(),
        "rows": rows,
        "repeats": repeats,
        "machine": described,
        "load_average": machine.busy(),
        "results": {WAYS[number].name: result(found) for number, found in runs.items() if found},
        "missing": {WAYS[n].name: WAYS[n].missing for n in chosen if WAYS[n].missing} | failed,
    }


def replaced(recorded, found):
    """Return a record with the ways that were measured again in the place of its own, and the day of each.

    Raises ValueError where the table, the machine or a package is another one: these do not belong into one record.
    """
    for what in ("rows", "machine"):
        if recorded[what] != found[what]:
            raise ValueError(f"the record's {what}: {recorded[what]}; now: {found[what]}. Measure all ways again.")
    again = recorded.get("again", {}) | dict.fromkeys(found["results"], found["date"])
    return recorded | {"again": again, "results": recorded["results"] | found["results"]}


def table(found):
    """Write a record as a table for a terminal."""
    width = max(map(len, [*found["results"], *found["missing"]]))
    lines = [
        f"{'':{width}}  {'peak MiB':>8}  {'rows/s':>9}  {'first ms':>8}  {'first rows':>10}  {'stop ms':>7}  verdict"
    ]
    for name, row in found["results"].items():
        lines.append(
            f"{name:{width}}  {row['peak_mib']:8,.1f}  {row['rows_per_second']:9,}  {row['first_ms']:8.3g}  "
            f"{row['first_rows']:10,}  {row['stop_ms']:7.3g}  {row['verdict']}"
        )
    return "\n".join([*lines, *(f"{name:{width}}  not measured: {why}" for name, why in found["missing"].items())])


def changes(found, recorded):
    """Return what has changed from one record to another: a list of sentences, empty when every verdict is the same."""
    told = []
    for name, row in recorded["results"].items():
        now = found["results"].get(name)
        if now is None:
            told.append(f"{name}: {row['verdict']!r} in the record, not measured now: {found['missing'].get(name)}")
        elif now["verdict"] != row["verdict"]:
            told.append(f"{name}: {row['verdict']!r} in the record, {now['verdict']!r} now")
    told += [f"{name}: not in the record" for name in found["results"] if name not in recorded["results"]]
    return told
