"""Lesson 07 on a cluster: the same answer however it is cut, killed or spread, and nothing left behind."""

import contextlib
import functools
import itertools
import math
import os
import socket
import statistics
import threading
import urllib.request
import uuid
from unittest import mock

import cloudpickle
import dask
import jupyter_client
import mysql.connector
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import PATIENCE, ROOT, SECRET, wait_until

from helpers import databases, domains, notebooks, seed
from helpers.users import synthetic_users

# A busy machine may stand still for longer than hypothesis allows
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

lesson = notebooks.exported("07")
WORKER_MIB = 40  # above the worker's own baseline


@pytest.fixture(scope="module")
def client():
    """A client of a cluster on this machine, with the lesson's own settings.

    By itself Dask gives up a worker that is not back in 15 s, and a busy machine needs longer: here, in 1 ms, unless
    the lesson says otherwise.
    """
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"}):
        client = lesson.connect()
        yield client
        client.cluster.close()
        client.close()


@pytest.fixture(scope="module")
def _own():
    with databases.scratch() as name:
        yield name


@pytest.fixture
def database(_own):
    """A database of these tests' own, with an empty user_data and no domains."""
    ask("DELETE FROM user_data")
    ask("DROP TABLE IF EXISTS domains, domains_checkpoint, snapshot")
    return _own


def insert(users):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        seed.insert_data(connection, users)


def ask(query, parameters=()):
    """Run one statement on a connection of its own, commit, and return its rows."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(query, parameters)
        rows = cursor.fetchall() if cursor.with_rows else None
        connection.commit()
        return rows


def count_by_range(ranges):
    return [lesson.summary_of_range(*r)[0] for r in ranges]


def alike(one, other):
    """Tell whether two summaries are the same: floats to 12 digits, because the order of merging differs."""
    return one[0] == other[0] and all(math.isclose(a, b, rel_tol=1e-12) for a, b in zip(one, other, strict=True))


def summary_of_made_up(count):
    return lesson.summary(age for *_, age in synthetic_users(count))


# Cutting --------------------------------------------------------------------------------------------------------------

WHOLE = st.integers(0, 2**128)


@given(WHOLE, WHOLE, st.integers(1, 300))
def test_pieces_are_even_and_leave_nothing_out(one, other, pieces):
    low, high = sorted((one, other))
    ranges = list(lesson.cut(low, high, pieces))
    sizes = [last - first for first, last in ranges]
    assert (ranges[0][0], ranges[-1][1], len(ranges)) == (low, high, pieces)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("pieces", [1, 2, 7, 64])
def test_ranges_of_users_hold_each_user_once_and_are_nearly_even(database, pieces):
    insert(synthetic_users(3_000))
    ranges = list(lesson.cut_users(pieces))
    assert len(ranges) == pieces and ranges[0][0] == "0" and ranges[-1][1] == "g"
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))
    counts = count_by_range(ranges)
    assert sum(counts) == 3_000
    assert max(counts) < 1.2 * 3_000 / pieces + 5


def test_ranges_of_users_hold_keys_that_are_odd(database):
    assert list(lesson.cut_users(4)) == [("0", "g")]  # no users
    keys = ["0" * 8 + "-0000-0000-0000-" + "0" * 12, "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF", str(uuid.uuid5(uuid.NAMESPACE_URL, "x"))]  # fmt: skip  # noqa: E501
    insert((key, "Ada", "ada@example.com", 30) for key in keys[:1])
    assert sum(count_by_range(lesson.cut_users(4))) == 1  # one user: the first is the last
    insert((key, "Ada", "ada@example.com", 30) for key in keys)
    for pieces in (1, 2, 3, 16):
        assert sum(count_by_range(lesson.cut_users(pieces))) == 3


def test_ranges_of_ids_hold_each_id_once(database):
    domains.fill(1_000)
    assert [last - first for first, last in lesson.cut_ids(3)] == [333, 333, 334]
    ask("DELETE FROM domains WHERE id BETWEEN 3 AND 900 OR id = 1000")
    ranges = list(lesson.cut_ids(7))
    counts = [ask("SELECT COUNT(*) FROM domains WHERE id >= %s AND id < %s", r)[0][0] for r in ranges]
    assert sum(counts) == 101 and (ranges[0][0], ranges[-1][1]) == (1, 1000)


# Summaries ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 150), max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_a_summary_made_in_pieces_is_the_one_made_at_once(ages, cuts):
    edges = [0, *sorted(cuts), len(ages)]
    parts = [lesson.summary(ages[first:last]) for first, last in itertools.pairwise(edges)]
    for order in (parts, parts[::-1]):
        *_, whole = lesson.merged(order)
        assert whole[0] == len(ages)
        if ages:
            mean, deviation = lesson.mean_and_deviation(*whole)
            assert math.isclose(mean, statistics.fmean(ages), rel_tol=1e-12)
            assert math.isclose(deviation, statistics.pstdev(ages), rel_tol=1e-12, abs_tol=1e-12)


def test_nothing_has_no_mean():
    with pytest.raises(ValueError, match="nothing to average"):
        lesson.mean_and_deviation(0, 0.0, 0.0)


# On a cluster ---------------------------------------------------------------------------------------------------------


def test_the_answer_of_a_cluster_is_that_of_one_process(client, database):
    assert lesson.summary_by(client, lesson.cut_users(3)) == (0, 0.0, 0.0)
    insert(synthetic_users(5_000))
    expected = summary_of_made_up(5_000)
    assert alike(lesson.summary(lesson.stream_user_ages()), expected)
    for pieces in (1, 2, 9):
        assert alike(lesson.summary_by(client, lesson.cut_users(pieces)), expected)


def test_ranges_are_taken_as_there_is_room(client):
    taken = []
    ranges = (taken.append(number) or (number, number + 1) for number in range(50))
    made = lesson.answers(client, lambda first, last: first, ranges, 4)
    first = next(made)
    assert len(taken) <= 5
    assert sorted([first, *made]) == taken == list(range(50))


def test_workers_have_the_fast_driver(client):
    def fast():
        return mysql.connector.HAVE_CEXT

    assert set(client.run(fast).values()) == {True}


def test_a_worker_killed_in_the_middle_of_its_range_changes_nothing_and_comes_back(client, database):
    workers = len(client.nthreads())
    insert(synthetic_users(5_000))
    found, victim, did_it = lesson.summary_with_a_kill(client, lesson.cut_users(6))
    assert alike(found, summary_of_made_up(5_000))
    assert victim != did_it
    wait_until(lambda: victim not in client.nthreads(), "the scheduler has not seen it")
    client.wait_for_workers(workers, timeout=PATIENCE)
    assert len(client.cluster.workers) == workers  # those that it keeps: one given up may show for a moment, too


def test_another_cluster_is_used_where_its_address_is_given_and_not_ended(client, database, monkeypatch):
    insert(synthetic_users(100))
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", client.scheduler.address)
    with lesson.connect() as second:
        assert second.cluster is None
        assert lesson.summary_by(second, lesson.cut_users(2))[0] == 100
    assert len(client.run(os.getpid)) >= 2


# Finding the database -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_variables(monkeypatch):
    """An environment that names no server; what go_to() sets is undone."""
    for name in [name for name in os.environ if name.startswith("MYSQL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MYSQL_DATABASE", "before")
    monkeypatch.setenv("COURSE_SERVER_DIR", os.environ["COURSE_SERVER_DIR"])
    return monkeypatch


NAMED = {"database": "theirs", "folder": None, "machine": "laptop", "needs": ["MYSQL_USER", "MYSQL_PASSWORD"]}


@pytest.mark.parametrize(
    ("has", "missing"),
    [
        ({}, "MYSQL_HOST and no MYSQL_USER and no MYSQL_PASSWORD"),
        ({"MYSQL_USER": "ada", "MYSQL_PASSWORD": SECRET}, "MYSQL_HOST"),
        ({"MYSQL_HOST": "db", "MYSQL_PASSWORD": SECRET}, "MYSQL_USER"),
        ({"MYSQL_UNIX_SOCKET": "/run/s", "MYSQL_USER": "ada"}, "MYSQL_PASSWORD"),
    ],
)
def test_a_worker_says_which_variable_it_misses(no_variables, has, missing):
    for name, value in has.items():
        no_variables.setenv(name, value)
    with pytest.raises(ValueError) as raised:
        lesson.go_to(NAMED)
    assert f"The worker on {socket.gethostname()} has no {missing}. Set it" in str(raised.value)
    assert SECRET not in str(raised.value)
    assert os.environ["MYSQL_DATABASE"] == "before"


def test_a_worker_out_of_reach_of_the_private_server_says_so(no_variables, tmp_path):
    note = {"database": "theirs", "folder": str(tmp_path), "machine": "laptop", "needs": []}
    with pytest.raises(ValueError, match="no MYSQL_HOST. The notebook uses the private server of laptop"):
        lesson.go_to(note)
    no_variables.setenv("MYSQL_HOST", "elsewhere")
    with pytest.raises(ValueError, match="has MYSQL_HOST or MYSQL_UNIX_SOCKET, we do not"):
        lesson.go_to(note)


def test_a_worker_goes_to_the_database_of_the_note(no_variables, tmp_path):
    (tmp_path / "socket").touch()
    lesson.go_to({"database": "theirs", "folder": str(tmp_path), "machine": "laptop", "needs": []})
    assert (os.environ["MYSQL_DATABASE"], os.environ["COURSE_SERVER_DIR"]) == ("theirs", str(tmp_path))
    no_variables.setenv("MYSQL_HOST", "db")
    no_variables.setenv("MYSQL_USER", "ada")
    lesson.go_to({**NAMED, "database": "another", "needs": ["MYSQL_USER"]})
    assert os.environ["MYSQL_DATABASE"] == "another"


def test_the_error_of_a_worker_comes_out_as_itself(client, database, tmp_path):
    note = {**lesson.here(), "folder": str(tmp_path), "needs": ["MYSQL_NO_SUCH"]}
    with pytest.raises(ValueError, match="The worker on"):
        client.submit(lesson.at, note, lesson.summary_of_range, "0", "g", pure=False).result()


def specifications(dask_scheduler):
    """On the scheduler: return all that it knows of its tasks, pickled."""
    return cloudpickle.dumps([task.run_spec for task in dask_scheduler.tasks.values()])


def test_no_password_travels_with_a_task_or_stands_on_the_dashboard(client, database, monkeypatch):
    note = lesson.here()
    monkeypatch.setenv("MYSQL_PASSWORD", SECRET)
    monkeypatch.setenv("MYSQL_USER", "ada-of-the-test")
    assert "MYSQL_PASSWORD" in lesson.here()["needs"]
    for task in (lesson.summary_of_range, lesson.fingerprint_of_range, lesson.rank_range, lesson.users_of_range):
        assert SECRET.encode() not in cloudpickle.dumps((lesson.at, lesson.here(), task))
    done = client.submit(lesson.at, {**lesson.here(), **note}, lesson.summary_of_range, "0", "g", pure=False)
    assert done.result() == (0, 0.0, 0.0)
    known = client.run_on_scheduler(specifications)
    assert b"summary_of_range" in known and SECRET.encode() not in known
    address = client.dashboard_link.removesuffix("/status")
    for page in ("status", "info/main/workers.html", f"info/task/{done.key}.html", "json/identity.json"):
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(f"{address}/{page}") as answer:
            text = answer.read().decode()
            assert SECRET not in text and "ada-of-the-test" not in text


# A job that writes ----------------------------------------------------------------------------------------------------


def checkpoints():
    query = "SELECT job, last_id, done FROM domains_checkpoint ORDER BY LENGTH(job), job"
    return [tuple(row) for row in ask(query)]


def test_ranges_ranked_by_workers_go_on_where_a_killed_one_was(client, database):
    domains.fill(10_000)
    ranges, note = list(lesson.cut_ids(4)), lesson.here()
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        for first, last in ranges:  # nobody gets past the middle of a range, so that the kill comes in one
            cursor.execute("SELECT id FROM domains WHERE id = %s LOCK IN SHARE MODE", ((first + last) // 2,))
            cursor.fetchall()
        jobs = [client.submit(lesson.at, note, lesson.rank_range, *r, seconds=0.005, pure=False) for r in ranges]
        at_work = min(len(ranges), len(client.nthreads()))
        begun = "SELECT COUNT(*) FROM domains_checkpoint WHERE done > 0"
        wait_until(lambda: ask(begun)[0][0] == at_work, "nothing is ranked")
        lesson.kill(client, lesson.working(client))
        connection.rollback()
    done = client.gather(jobs)
    assert sum(job.all_rows for job in done) == 10_000
    assert sum(job.rows for job in done) < 10_000, "the killed range began anew"
    assert domains.verify().right
    expected = [(f"synthetic ranks, ids {first} to {last - 1}", last - 1, last - first) for first, last in ranges]
    assert sorted(checkpoints()) == sorted(expected)
    client.wait_for_workers(at_work, timeout=PATIENCE)


# A table that changes, and a second server ----------------------------------------------------------------------------


def test_a_snapshot_is_the_table_of_one_moment(database):
    """Another connection moves years between users all the time: whoever reads in two moments sees it."""
    insert(synthetic_users(4_000))
    total = "SELECT SUM(age) FROM {} WHERE user_id >= %s AND user_id < %s"
    right, stop, moved = ask("SELECT SUM(age) FROM user_data")[0][0], threading.Event(), []

    def move():
        with (
            contextlib.closing(seed.connect_to_prodev()) as connection,
            contextlib.closing(connection.cursor()) as cursor,
        ):
            while not stop.is_set():
                for change in ("age + 1 WHERE user_id < '8' AND age < 120", "age - 1 WHERE user_id >= '8' AND age > 1"):
                    cursor.execute(f"UPDATE user_data SET age = {change} ORDER BY user_id LIMIT 1")
                connection.commit()
                moved.append(1)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for _ in range(5):
            before = len(moved)
            wait_until(lambda: len(moved) > before or not mover.is_alive(), "nobody moves")  # noqa: B023 (called in this round)
            ask("CREATE TABLE snapshot AS SELECT * FROM user_data")
            halves = [ask(total.format("snapshot"), ends)[0][0] for ends in (("0", "8"), ("8", "g"))]
            ask("DROP TABLE snapshot")
            assert sum(halves) == right
    finally:
        stop.set()
        mover.join()


def test_two_shards_give_the_answer_of_one_and_one_that_is_down_is_named(client, database):
    insert(synthetic_users(3_000))
    domains.fill(900)
    ranges, expected = list(lesson.cut_users(5)), summary_of_made_up(3_000)
    with lesson.two_shards("8", 450) as (one, two, stop):
        here = ask("SELECT COUNT(*), MAX(user_id) < '8' FROM user_data")
        assert 1_000 < here[0][0] < 2_000 and here[0][1] == 1
        users = [("0", "8", one), ("8", "g", two)]
        assert alike(lesson.summary_of_shards(client, ranges, users), expected)
        ids = [(1, 451, one), (451, 901, two)]
        job = functools.partial(lesson.on_shard, lesson.rank_range)
        done = list(lesson.answers(client, job, lesson.by_shard(lesson.cut(1, 901, 4), ids), 4))
        assert sorted(part.last_id for part in done) == [225, 450, 675, 900]
        with mock.patch.dict(os.environ, two["variables"]):
            assert ask("SELECT COUNT(*), COUNT(alexa_rank) > 300, MIN(id) FROM domains") == [(450, 1, 451)]
            assert domains.verify().wrong_ranks == 0
        assert domains.verify().wrong_ranks == 0
        stop()
        for asked in (ranges, ranges[::-1], [("8", "9")], [("0", "g")]):
            with pytest.raises(RuntimeError, match=r"shard two, range \[[89a-f]"):
                lesson.summary_of_shards(client, asked, users)
        below = lesson.summary_of_shards(client, [("0", "8")], users)  # nothing is asked of the one that is down
        assert below[0] == here[0][0]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5), st.integers(1, 9))
def test_ranges_are_cut_where_a_shard_begins(edges, pieces):
    edges = sorted({0, 101, *edges})
    range_map = [(low, high, number) for number, (low, high) in enumerate(itertools.pairwise(edges))]
    found = list(lesson.by_shard(lesson.cut(0, 101, pieces), range_map))
    keys = [(key, shard) for shard, first, last in found for key in range(first, last)]
    assert keys == [(key, shard) for low, high, shard in range_map for key in range(low, high)]


# The end --------------------------------------------------------------------------------------------------------------

BUSY = """
import os, sys, time
sys.path.insert(0, "..")
from helpers import notebooks
lesson = notebooks.exported("07")
client = lesson.connect()
client.submit(lesson.at, lesson.here(), lesson.summary_of_range, "0", "g").result()
busy = client.submit(time.sleep, 3600)
while not any(client.processing().values()):
    time.sleep(0.01)
with open("{path}", "w") as file:
    print(*client.run(os.getpid).values(), file=file)
"""


@pytest.mark.parametrize("end", ["killed", pytest.param("shut down", marks=pytest.mark.torture)])
def test_workers_end_with_their_kernel(tmp_path, end):
    """With it ends all that the kernel has started, also a worker in the middle of a task."""
    databases.ready()
    manager, talk = jupyter_client.manager.start_new_kernel(cwd=ROOT / "notebooks", kernel_name="python3")
    try:
        reply = talk.execute(BUSY.replace("{path}", str(tmp_path / "workers")), reply=True, timeout=PATIENCE)
        assert reply["content"]["status"] == "ok", reply["content"]
        workers = set(map(int, (tmp_path / "workers").read_text().split()))
        kernel = psutil.Process(manager.provisioner.pid)
        family = kernel.children(recursive=True)
        assert len(workers) >= 2 and workers <= {process.pid for process in family}
        if end == "killed":
            kernel.kill()
        else:
            manager.shutdown_kernel()
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert not alive
    finally:
        talk.stop_channels()
        manager.shutdown_kernel(now=True)


# What takes longer (make torture) -------------------------------------------------------------------------------------


def let_the_server_insert(rows):
    """Fill user_data with rows that the server makes, in the order of the key: what we make ourselves takes long."""
    digits = ", ".join(f"digits AS d{place}" for place in range(5))
    number = " + ".join(f"d{place}.digit * {10**place}" for place in range(5))
    ask("CREATE TABLE digits (digit INT)")
    ask("INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
    for start in range(0, rows, 10**5):
        ask(
            "INSERT INTO user_data SELECT CONCAT(LPAD(LOWER(HEX(n * %s)), 8, '0'), '-0000-4000-8000-000000000000'), "
            "CONCAT('User ', n), CONCAT('user', n, '@example.com'), MOD(n, 120) + 1 "
            f"FROM (SELECT %s + {number} AS n FROM {digits}) AS numbers",
            (2**32 // rows, start),
        )


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_the_memory_of_a_worker_follows_the_batch_and_not_the_table(client, database, tally, capsys):
    """Streaming ten million rows, each worker stays where it was."""
    rows = 10_000_000
    with tally("a worker's memory at 10,000,000 rows") as row, row.one_try():
        let_the_server_insert(rows)
        client.run(lesson.at, lesson.here(), lesson.summary_of_range, "0", "001")
        rest = dict(client.run(lambda: (lesson.worker_name(), lesson.resident())).values())
        _, whole, taken = lesson.summaries_here(client.scheduler.address, lesson.here(), list(lesson.cut_users(8)))
        assert alike(whole, lesson.summary(n % 120 + 1 for n in range(rows)))
        peak = max(mib - rest[name] for name, samples in taken for _, mib in samples)
        with capsys.disabled():
            print(f"\nworkers at {rows:,} rows: {peak:.1f} MiB at most above their own baselines")
        assert len({name for name, _ in taken}) >= 2 and peak < WORKER_MIB


# Two hosts: network namespaces, joined by a cable that is none
