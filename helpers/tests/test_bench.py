"""The benchmarks run, at a size that takes seconds, and their records hold what they say."""

import contextlib
import importlib
import json
import re
import subprocess
import sys
import uuid
from functools import partial

import pytest
from packaging.requirements import Requirement
from places import ROOT

from helpers import seed
from helpers.bench import __main__ as bench
from helpers.bench import comparison, peers, workers
from helpers.bench.comparison import Imported, Version
from helpers.connection import database_name

ROWS = 2_000
CONNECTOR = "mysql-connector-python"


def comparison_of(name):
    """Return the module of a comparison."""
    return importlib.import_module(f"helpers.bench.{bench.MODULES[name]}")


@pytest.mark.parametrize("name", bench.MODULES)
def test_each_version_does_the_rows_that_it_should(name, monkeypatch):
    monkeypatch.setattr(comparison_of(name), "SECONDS", 0, raising=False)  # no longer than it takes
    with comparison_of(name).versions(ROWS) as versions:
        for version in versions:
            assert bool(version.function) != bool(version.missing)
            if version.function:
                version.prepare()
                done = version.function()
                assert (done[0] if isinstance(done, tuple) else done) == (version.rows or ROWS), version.name


def test_a_comparison_measures_each_version_and_writes_a_record(tmp_path, capsys):
    assert bench.main(["stop", "--rows", str(ROWS), "--repeats", "1", "--folder", str(tmp_path)]) == 0
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r"stop_(mariadb|mysql)\.json", path.name)
    found = json.loads(path.read_text())
    assert found["rows"] == ROWS
    assert found["results"][found["reference"]]["ratio"] == 1
    assert found["machine"]["server"].startswith(("MariaDB 1", "MySQL "))
    assert found["machine"]["buffer_pool_mib"] > 0
    printed = capsys.readouterr().out
    for version, result in found["results"].items():
        assert result["rows_per_second"] > 0 and len(result["seconds"]) == 1 and version in printed
    assert all(why and version in printed for version, why in found["missing"].items())
    assert not re.search(r"/(home|root|tmp|work)\b", path.read_text())  # a record names no folder of one machine


@pytest.mark.parametrize(
    ("record", "slow", "fast", "times"),  # what lessons 02 and 03 say in words
    [
        ("stream_mariadb", "mysql-connector, tuples, fetchmany", "mysql-connector, raw, fetchmany", 2),
        ("drivers_mariadb", f"{CONNECTOR}, aio, default cursor", f"{CONNECTOR}, default cursor", 10),
        ("drivers_mysql", f"{CONNECTOR}, aio, default cursor", f"{CONNECTOR}, default cursor", 6),
    ],
)
def test_the_records_hold_what_lessons_say_of_them(record, slow, fast, times):
    results = json.loads((ROOT / f"data/benchmarks/{record}.json").read_text())["results"]
    assert results[fast]["rows_per_second"] / results[slow]["rows_per_second"] == pytest.approx(times, rel=0.1)


def test_the_comparisons_have_what_they_are_for():
    wanted = {
        "stream": [
            "stream_users", "dictionary=True", "SSCursor", "SSDictCursor", "PyMySQL", "SQLAlchemy", "pandas", "--quick",
        ],
        "fastest": ["stream_users", "SSDictCursor, one by one", "fetched in C", "fetchmany", "--quick"],
        "seed": ["insert_data", "executemany", "row by row", "LOAD DATA LOCAL"],
        "paginate": ["OFFSET", "by key"],
        "ranks": ["row by row", "executemany", "update_ranks", "LOAD DATA LOCAL", "single UPDATE"],
        "stop": ["close()", "cancels"],
        "workers": ["sum: the server", "one process", "fingerprint: workers", "nothing", "+ the work"],
    }  # fmt: skip
    for name, words in wanted.items():
        with comparison_of(name).versions(50) as versions:
            names = [version.name for version in versions]
        assert comparison_of(name).REFERENCE in names
        for word in words:
            assert any(word in version for version in names), (name, word)


def test_a_peer_that_is_not_installed_is_said_so_and_the_rest_is_measured(monkeypatch):
    monkeypatch.setattr(peers, "installed", lambda module: False)
    with comparison_of("stop").versions(50) as versions:
        (missing,) = (version for version in versions if not version.function)
        assert (missing.name, missing.missing) == ("mysqlclient, SSCursor, close()", peers.NOT_INSTALLED)
    runs = comparison.run([Version("it", lambda: 1), missing], rows=1, repeats=1)
    found = comparison.record("stop", "", 1, "it", [missing], runs)
    assert "close()  not measured: it is not installed" in comparison.table(found)


def test_an_unknown_comparison_and_bad_numbers_are_refused(capsys):
    cases = {"nothing": "there is no comparison nothing", "stop --rows 0": "positive integers"}
    for arguments, says in cases.items():
        with pytest.raises(SystemExit):
            bench.main(arguments.split())
        assert says in capsys.readouterr().err


def test_a_benchmark_leaves_no_database_behind_that_it_has_made_for_itself(monkeypatch):
    base = f"{database_name()}_{uuid.uuid4().hex[:12]}"  # others make and drop theirs meanwhile
    monkeypatch.setenv("MYSQL_DATABASE", base)
    monkeypatch.delenv("COURSE_DATABASE", raising=False)

    def databases():
        with contextlib.closing(seed.connect_db()) as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.execute("SHOW DATABASES")
            return [name for (name,) in cursor.fetchall() if name.startswith(base)]

    for name in ("seed", "ranks"):
        with pytest.raises(KeyboardInterrupt), comparison_of(name).versions(50):
            assert databases() != []
            raise KeyboardInterrupt
    assert databases() == []


# How it measures ------------------------------------------------------------------------------------------------------


def test_versions_run_in_shuffled_rounds_each_prepared_and_the_middle_run_counts():
    order, clocks = [], {"first": iter([3, 1, 2]), "second": iter([30, 10, 20])}

    def prepared(name, clock):
        order.append(name)
        clock.append(next(clocks[name]))

    first, second = [], []
    versions = [
        Version("first", lambda: (6, first[-1]), prepare=partial(prepared, "first", first)),
        Version("second", lambda: (6, second[-1]), prepare=partial(prepared, "second", second)),
        Version("third", missing="nobody has it"),
    ]
    runs = comparison.run(versions, rows=6, repeats=3)
    assert [{*order[turn : turn + 2]} for turn in (0, 2, 4)] == [{"first", "second"}] * 3
    assert runs["first"].seconds == [3, 1, 2] and runs["first"].rate == 3
    assert runs["second"].rate == 0.3
    assert "third" not in runs


def test_what_is_short_is_timed_again_and_again():
    calls = []
    result, seconds = workers.again_and_again(lambda: calls.append(1) or len(calls), 0.2)
    assert result == len(calls) > 1 and seconds * len(calls) >= 0.2
    assert workers.again_and_again(lambda: "long", 0)[0] == "long"


def test_a_version_that_does_other_work_than_it_should_is_an_error():
    with pytest.raises(AssertionError, match="half did 3 rows; it should do 6"):
        comparison.run([Version("half", lambda: 3)], rows=6, repeats=1)


def test_imports_are_neither_time_nor_memory_of_what_is_measured():
    def loaded():
        return len([name for name in sys.modules if name.split(".")[0] == "pandas"])

    # One row where it is loaded by the time that the clock starts, else none, which run() refuses
    runs = comparison.run([Version("pandas", Imported(lambda: int(loaded() > 100), ["pandas"]))], rows=1, repeats=1)
    assert runs["pandas"].peaks[0] < 5


def test_the_peers_requirements_are_pinned():
    lines = [line for line in (ROOT / "helpers/bench/requirements.txt").read_text().splitlines() if line[0] != "#"]
    assert lines
    assert all(str(Requirement(line).specifier).startswith("==") for line in lines)


# The 100 million, and what is kept of them ----------------------------------------------------------------------------

SMALL_RUN = """
import contextlib, sys
from helpers import seed
from helpers.bench import hundred_million
from helpers.connection import cancel_and_close

client = hundred_million.Run._client

def held(self, step, arguments, kills):
    # While a kill is to come, the job cannot come to its end: somebody holds its last row
    if step == "fill" or not kills:
        return client(self, step, arguments, kills)
    holder = seed.connect_to_prodev()
    try:
        with contextlib.closing(holder.cursor()) as cursor:
            cursor.execute("SELECT id FROM domains WHERE id = %s FOR UPDATE", (self.rows,))
            cursor.fetchall()
        return client(self, step, arguments, kills)
    finally:
        cancel_and_close(holder)  # it may be gone with its server

hundred_million.Run._client = held
hundred_million.KILLS = {"fill": [(0.0, "client")], "rank": [(0.0, "client"), (0.4, "server")]}
hundred_million.NEAR = 100
record, status = sys.argv[1:3]
sys.argv[1:] = ["--rows", "200000", "--record", record, "--status", status]
found = hundred_million.main()
sys.argv[1:] = ["--single", "--record", record]
sys.exit(found or hundred_million.main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory of another process is read from /proc")
def test_the_large_run_kills_resumes_verifies_and_records(warm, tmp_path):
    warm.run(SMALL_RUN, tmp_path / "record.json", tmp_path / "status")
    found = json.loads((tmp_path / "record.json").read_text())
    nothing_wrong = {"missing": 0, "wrong_domains": 0, "wrong_ranks": 0}
    assert found["verified"].items() >= ({"rows": 200_000} | nothing_wrong).items()
    killed = [event for event in found["events"] if event["what"].endswith("killed (-9)")]
    assert [(event["step"], event["what"].split()[0]) for event in killed] == [
        ("fill", "client"), ("rank", "client"), ("rank", "server"),
    ]  # fmt: skip
    assert all(event["lost_before_it"] == event["written_beyond_it"] == 0 for event in killed[1:])
    assert {0, -9} <= {client["status"] for client in found["clients"]} <= {0, 1, -9}
    assert all(client["peak_mib"] < 32 for client in found["clients"])
    assert all(len(point) == len(found["columns"]) for point in found["points"])
    assert "verify: done" in (tmp_path / "status").read_text()
    single, verified = found["single_update"], found["verified"]
    assert single["changed"] == verified["rows"] - verified["without_a_rank"]
    assert single["ratio_of_the_job"] == round(single["seconds"] / found["seconds"]["rank"], 2)


@pytest.mark.parametrize("path", sorted(comparison.RECORDS.glob("*.json")), ids=lambda path: path.name)
def test_stored_records_are_whole_and_small(path):
    text = path.read_text()
    found = json.loads(text)
    assert len(text) < 60_000
    assert found["command"].startswith("python -m helpers.bench") and f"--rows {found['rows']}" in found["command"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert not re.search(r"/(home|root|tmp|work)\b", text)
    if path.name == "hundred_million.json":
        assert found["verified"]["rows"] == found["rows"]
        assert not any(found["verified"][key] for key in ("missing", "wrong_domains", "wrong_ranks"))
        assert max(client["peak_mib"] for client in found["clients"]) < 32
        assert len(found["points"]) <= 400
    if path.name.startswith("workers"):  # as lesson 07 says of it
        assert "2 s or more" in found["about"] and all(len(one["seconds"]) >= 5 for one in found["results"].values())


def test_the_terminal_says_what_there_is():
    done = subprocess.run(
        [sys.executable, "-m", "helpers.bench", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(name in done.stdout for name in bench.MODULES)
