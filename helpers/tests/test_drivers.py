"""The drivers table: its verdicts, its record and its page."""

import copy
import socket

import pytest

from helpers.bench import __main__ as bench
from helpers.bench import comparison, drivers, drivers_page, machine, ways
from helpers.bench.forwarder import CHUNK, Forwarder
from helpers.check import folder

LOOKED_AT = {
    "rows": 1000, "bytes": 100 * machine.MIB, "first_bytes": machine.MIB, "peak_mib": 3.0, "rows_read": 10,
}  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ({}, "streams"),
        ({"rows_read": 1000}, "streams; a stop reads the rest"),
        ({"peak_mib": 120.0}, "streams, and keeps all that it has read"),
        ({"first_bytes": 99 * machine.MIB, "peak_mib": 90.0}, "holds all"),
        ({"first_bytes": 99 * machine.MIB, "peak_mib": 4.0}, "holds all"),
    ],
    ids=["flat", "drains", "keeps", "stores", "all-came-first"],
)
def test_a_verdict_follows_from_what_was_seen(seen, verdict):
    assert drivers.verdict(LOOKED_AT | seen) == verdict


CONNECTOR = "mysql-connector-python"
NAMES = (
    f"{CONNECTOR}, default cursor",
    f"{CONNECTOR}, buffered=True",
    f"{CONNECTOR}, aio, default cursor",
    "this course",
)


@pytest.fixture(scope="module")
def record():
    with folder.private_server():  # rows read are counted for the whole server: nobody else may use it
        yield drivers.measure(rows=20_000, repeats=1, names=NAMES)


def test_what_streams_and_what_holds_all_are_told_apart(record):
    assert not record["missing"]
    first = {name: row["first_rows"] for name, row in record["results"].items()}
    assert first.pop(f"{CONNECTOR}, buffered=True") == 20_000
    assert len(first) == 3
    assert max(first.values()) < 10_000
    verdicts = {name: row["verdict"].split()[0].strip(";,") for name, row in record["results"].items()}
    assert verdicts == dict.fromkeys(first, "streams") | {f"{CONNECTOR}, buffered=True": "holds"}


def test_a_stop_of_the_course_s_stream_leaves_nothing_and_reads_no_more(record):
    row = record["results"]["this course, stream_users"]
    assert (row["left_open"], row["stop_raised"]) == (0, "")
    assert row["stop_rows_read"] < 20_000


def test_the_page_shows_every_way_with_its_verdict_code_and_source(record):
    page = drivers_page.page({"mariadb": record})
    for name, row in record["results"].items():
        assert f"| {name} | {drivers_page.MARKS.get(row['verdict'], row['verdict'])} | {row['peak_mib']:,.1f} |" in page
    for way in ways.WAYS:
        code = f"**{way.name}**\n\n```python\n{way.code}\n```"
        assert (code in page) == (way.name in record["results"] and way.streams)
    for library in {way.library for way in ways.WAYS if way.name in record["results"]}:
        assert ways.CLAIMS[library][1] in page


def test_the_page_says_with_which_option_alone_a_library_streams(record):
    both = {name: row for name, row in record["results"].items() if name.startswith("mysql-connector")}
    line = drivers_page.page({"mariadb": record | {"results": both}}).partition("each\n\n")[2].splitlines()[0]
    assert line.startswith("- **mysql-connector-python** streams only with `default cursor`")


def test_a_changed_verdict_is_a_failure(record, monkeypatch, tmp_path, capsys):
    by_hand = copy.deepcopy(record)
    name = "mysql-connector-python, buffered=True"
    by_hand["results"][name]["verdict"] = "streams"
    comparison.store(by_hand, tmp_path)
    monkeypatch.setattr(drivers, "measure", lambda *_: record)
    assert bench.main(["drivers", "--check", "--folder", str(tmp_path)]) == 1
    now = record["results"][name]["verdict"]
    assert f"{name}: 'streams' in the record, {now!r} now" in capsys.readouterr().out
    comparison.store(record, tmp_path)
    assert bench.main(["drivers", "--check", "--folder", str(tmp_path)]) == 0


def test_a_way_that_is_gone_or_new_is_a_change(record):
    name = "mysql-connector-python, default cursor"
    fewer = copy.deepcopy(record)
    gone = fewer["results"].pop(name)
    fewer["missing"][name] = "it is not installed"
    assert drivers.changes(fewer, record) == [
        f"{name}: {gone['verdict']!r} in the record, not measured now: it is not installed"
    ]
    assert drivers.changes(record, fewer) == [f"{name}: not in the record"]


def test_a_forwarder_s_buffers_hold_several_segments():
    """A buffer smaller than a segment fills once for each timer of 40 ms: a driver over TCP got a tenth of its rows."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with Forwarder({"host": host, "port": port}, tcp=True) as forwarder:
            reached = (forwarder.arguments["host"], forwarder.arguments["port"])
            with socket.create_connection(reached) as driver, server.accept()[0] as beyond:
                for end in (driver, beyond):
                    assert 4 * end.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) < CHUNK


def test_ways_that_are_measured_again_are_replaced_in_the_record(record):
    name, *others = record["results"]
    now = copy.deepcopy(record) | {"date": "2030-01-01", "results": {name: record["results"][name] | {"peak_mib": 1.5}}}
    both = drivers.replaced(record, now)
    assert both["results"][name]["peak_mib"] == 1.5 and list(both["results"]) == [name, *others]
    assert all(both["results"][other] == record["results"][other] for other in others)
    assert f"again on 2030-01-01: {name}." in drivers_page.page({"mariadb": both})
    with pytest.raises(ValueError, match="the record's machine: .* Measure all ways again"):
        drivers.replaced(record, now | {"machine": {}})


def test_every_way_has_a_claim_with_its_source_and_a_name_of_its_own():
    assert len({way.name for way in ways.WAYS}) == len(ways.WAYS) >= 24
    assert {way.library for way in ways.WAYS} == set(ways.CLAIMS)


@pytest.mark.parametrize("server", drivers_page.records())
def test_a_stored_record_has_every_way_that_could_be_installed_here(server):
    stored = drivers_page.records()[server]
    assert len(stored["results"]) >= 24
    assert {*stored["results"], *stored["missing"]} == {way.name for way in ways.WAYS}
    assert (stored["rows"], stored["repeats"]) == (drivers.ROWS, drivers.REPEATS)
    assert not [name for name, row in stored["results"].items() if " / " in row["verdict"]]  # the same each time


def test_the_page_is_made_from_the_records():
    assert drivers_page.PAGE.read_text(encoding="utf-8") == drivers_page.page(drivers_page.records())
