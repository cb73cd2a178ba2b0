"""Run the versions of one comparison in fresh processes, in shuffled rounds; make a table and a record of it."""

import contextlib
import datetime
import functools
import importlib
import json
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import mysql.connector
from tqdm import tqdm

from helpers import memory
from helpers.bench import machine

RECORDS = Path(__file__).parents[2] / "data" / "benchmarks"


@dataclass(frozen=True)
class Version:
    """One way to do the work.

    `function` takes no arguments and returns how many rows it did, or (rows, seconds) where its own clock counts.
    """

    name: str
    function: Callable | None = None
    rows: int | None = None  # how many it should do; the comparison's, unless said otherwise
    prepare: Callable = lambda: None  # called before each run, not measured
    missing: str = ""  # why it cannot run here
    memory: bool = True  # whether the process that is measured is the one that does the work


class Imported:
    """A function that finds its modules and lessons imported when it is measured: it imports them where it arrives.

    What a program imports it imports once, however many rows it reads: that is neither its time nor its memory here.
    """

    def __init__(self, function, modules=(), lessons=()):
        self.function, self.modules, self.lessons = function, modules, lessons

    def __setstate__(self, state):
        self.__dict__ |= state
        for name in self.modules:
            importlib.import_module(name)
        for name in self.lessons:
            lesson(name)

    def __call__(self):
        return self.function()


@functools.cache
def lesson(name):
    """Return what a lesson defines (types.SimpleNamespace), made once in a process."""
    from helpers import notebooks  # here, so that only those who need it wait for it

    return notebooks.exported(name)


@dataclass
class Runs:
    """What the runs of one version gave."""

    rows: int
    seconds: list = field(default_factory=list)
    peaks: list = field(default_factory=list)  # MiB above the baseline
    worked: list = field(default_factory=list)  # seconds of the processor, in the process that is measured

    @property
    def rate(self):
        """Rows a second in the middle run."""
        return self.rows / statistics.median(self.seconds)


def run(versions, rows, repeats):
    """Measure each version `repeats` times, in rounds, each in another order; return {name: Runs}.

    Raises AssertionError where a version did another number of rows than it should: its time would say nothing.
    """
    able = [version for version in versions if version.function]
    runs = {version.name: Runs(rows if version.rows is None else version.rows) for version in able}
    turns = [version for _ in range(repeats) for version in random.sample(able, len(able))]
    for version in tqdm(turns, desc="Measuring", unit="run", leave=False, delay=2):
        version.prepare()
        measured = memory.measure(version.function, results=True)
        done = measured.result if isinstance(measured.result, tuple) else (measured.result, measured.seconds)
        found = runs[version.name]
        assert done[0] == found.rows, f"{version.name} did {done[0]} rows; it should do {found.rows}"
        found.seconds.append(done[1])
        if version.memory:
            found.peaks.append(measured.peak)
            found.worked.append(measured.cpu)
    return runs


def record(name, about, rows, reference, versions, runs):
    """Return what a comparison found as a dict, ready for JSON."""
    results = {}
    for version, found in runs.items():
        results[version] = {
            "rows": found.rows,
            "seconds": [float(f"{seconds:.4g}") for seconds in found.seconds],
            "median_seconds": float(f"{statistics.median(found.seconds):.4g}"),
            "rows_per_second": round(found.rate),
            "ratio": float(f"{found.rate / runs[reference].rate:.4g}"),
            "peak_mib": round(statistics.median(found.peaks), 1) if found.peaks else None,
            "processor_seconds": float(f"{statistics.median(found.worked):.4g}") if found.worked else None,
        }
    return {
        "comparison": name,
        "about": about,
        "command": f"python -m helpers.bench {name} --rows {rows}",
        "date": datetime.date.today().isoformat(),
        "rows": rows,
        "reference": reference,
        "machine": machine.describe("mysqlclient", "PyMySQL", "SQLAlchemy", "pandas"),
        "load_average": machine.busy(),
        "results": results,
        "missing": {version.name: version.missing for version in versions if not version.function},
    }


def table(found):
    """Write a record as a table, the fastest first."""
    width = max(map(len, [*found["results"], *found["missing"]]))
    heads = f"{'rows':>11}  {'median s':>9}  {'rows/s':>11}  {'ratio':>8}  {'peak MiB':>8}  {'processor s':>11}"
    lines = [f"{'':{width}}  {heads}"]
    for name, result in sorted(found["results"].items(), key=lambda item: -item[1]["rows_per_second"]):
        peak = "" if result["peak_mib"] is None else f"{result['peak_mib']:,.1f}"
        worked = "" if result["processor_seconds"] is None else f"{result['processor_seconds']:.4g}"
        lines.append(
            f"{name:{width}}  {result['rows']:11,}  {result['median_seconds']:9.4g}  {result['rows_per_second']:11,}  "
            f"{result['ratio']:8.4g}  {peak:>8}  {worked:>11}"
        )
    lines += [f"{name:{width}}  not measured: {why}" for name, why in found["missing"].items()]
    return "\n".join([*lines, f"ratio: rows/s against {found['reference']}"])


def store(found, folder=RECORDS):
    """Write a record to a file of its comparison and kind of server; return the path."""
    path = _path(found, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


def stored(found, folder=RECORDS):
    """Return the record (dict) that is stored of the same comparison and kind of server; FileNotFoundError if none."""
    return json.loads(_path(found, folder).read_text())


def _path(found, folder):
    kind = found["machine"]["server"].split()[0].lower()
    return Path(folder) / f"{found['comparison']}_{kind}.json"


@contextlib.contextmanager
def local_infile(cursor):
    """Let the server take LOAD DATA LOCAL inside the block where this user may; give why not, or "" when it does."""
    cursor.execute("SELECT @@GLOBAL.local_infile")
    (before,) = cursor.fetchone()
    why = ""
    if not before:
        try:
            cursor.execute("SET GLOBAL local_infile = 1")
        except mysql.connector.Error as error:
            why = f"the server's local_infile is off, and {error.msg}"
    try:
        yield why
    finally:
        if not before and not why:
            cursor.execute("SET GLOBAL local_infile = 0")
