"""Lesson 07 on a cluster: the same answer however it is cut, killed or spread, and nothing left behind."""

import contextlib
import itertools
import math
import os
import socket
import statistics
import urllib.request
import uuid

import cloudpickle
import dask
import jupyter_client
import mysql.connector
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import PATIENCE, ROOT, SECRET, wait_until

from helpers import databases, domains, notebooks, seed
from helpers.domains import tables
from helpers.users import synthetic_users

lesson = notebooks.exported("07")
WORKER_MIB = 40  # above the worker's own baseline


@pytest.fixture(scope="module")
def client():
    """A client of a cluster on this machine, with the lesson's own settings."""
    client = lesson.connect()
    yield client
    client.cluster.close()
    client.close()


@pytest.fixture
def database():
    """A database of its own for one test; dropped at the end."""
    with databases.scratch() as name:
        yield name


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
    return [lesson.summary(lesson.stream_user_ages(*r))[0] for r in ranges]


# Cutting --------------------------------------------------------------------------------------------------------------

WHOLE = st.integers(0, 2**128)


@given(WHOLE, WHOLE, st.integers(1, 300))
def test_pieces_are_even_and_leave_nothing_out(one, other, pieces):
    low, high = sorted((one, other))
    edges = lesson.cut(low, high, pieces)
    sizes = [after - before for before, after in itertools.pairwise(edges)]
    assert (edges[0], edges[-1], len(sizes)) == (low, high, pieces)
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("pieces", [1, 2, 7, 64])
def test_ranges_of_users_hold_each_user_once_and_are_nearly_even(database, pieces):
    insert(synthetic_users(3_000))
    ranges = lesson.cut_users(pieces)
    assert len(ranges) == pieces and ranges[0][0] == "0" and ranges[-1][1] == "g"
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))
    counts = count_by_range(ranges)
    assert sum(counts) == 3_000
    assert max(counts) < 1.2 * 3_000 / pieces + 5


def test_ranges_of_users_hold_keys_that_are_odd(database):
    assert lesson.cut_users(4) == [("0", "g")]  # no users
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
    ranges = lesson.cut_ids(7)
    counts = [ask("SELECT COUNT(*) FROM domains WHERE id >= %s AND id < %s", r)[0][0] for r in ranges]
    assert sum(counts) == 101 and (ranges[0][0], ranges[-1][1]) == (1, 1000)


# Summaries ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 150), max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_a_summary_made_in_pieces_is_the_one_made_at_once(ages, cuts):
    edges = [0, *sorted(cuts), len(ages)]
    parts = [lesson.summary(ages[first:last]) for first, last in itertools.pairwise(edges)]
    assert lesson.merge(*parts) == lesson.merge(*reversed(parts)) == lesson.summary(ages)
    if ages:
        mean, deviation = lesson.mean_and_deviation(*lesson.merge(*parts))
        assert math.isclose(mean, statistics.fmean(ages), rel_tol=1e-15)
        assert math.isclose(deviation, statistics.pstdev(ages), rel_tol=1e-15)


def test_nothing_has_no_mean():
    with pytest.raises(ValueError, match="nothing to average"):
        lesson.mean_and_deviation(0, 0, 0)


# On a cluster ---------------------------------------------------------------------------------------------------------


def test_the_answer_of_a_cluster_is_that_of_one_process(client, database):
    assert lesson.summary_by(client, lesson.cut_users(3)) == (0, 0, 0)
    insert(synthetic_users(5_000))
    expected = lesson.summary(age for *_, age in synthetic_users(5_000))
    for pieces in (1, 2, 9):
        assert (
            lesson.summary_by(client, lesson.cut_users(pieces)) == expected == lesson.summary(lesson.stream_user_ages())
        )


def test_workers_have_the_fast_driver(client):
    def fast():
        return mysql.connector.HAVE_CEXT

    assert set(client.run(fast).values()) == {True}


def test_a_worker_killed_in_the_middle_of_its_range_changes_nothing(client, database):
    insert(synthetic_users(5_000))
    found, victim, did_it = lesson.summary_with_a_kill(client, lesson.cut_users(6))
    assert found == lesson.summary(age for *_, age in synthetic_users(5_000))
    assert victim != did_it
    client.wait_for_workers(2, timeout=PATIENCE)


def test_a_killed_worker_comes_back_however_long_it_takes():
    """By itself Dask gives up a worker that is not back in 15 s, and a busy machine needs longer: here, in 1 ms."""
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"}), lesson.connect() as client, client.cluster:
        victim = min(client.nthreads())
        lesson.kill(client, victim)
        wait_until(lambda: victim not in client.nthreads(), "the scheduler has not seen it")
        client.wait_for_workers(2, timeout=PATIENCE)
        assert len(client.cluster.workers) == 2  # those that it keeps: one given up may show for a moment, too


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
        client.submit(lesson.summary_of_range, note, "0", "g", pure=False).result()


def specifications(dask_scheduler):
    """On the scheduler: return all that it knows of its tasks, pickled."""
    return cloudpickle.dumps([task.run_spec for task in dask_scheduler.tasks.values()])


def test_no_password_travels_with_a_task_or_stands_on_the_dashboard(client, database, monkeypatch):
    note = lesson.here()
    monkeypatch.setenv("MYSQL_PASSWORD", SECRET)
    monkeypatch.setenv("MYSQL_USER", "ada-of-the-test")
    assert "MYSQL_PASSWORD" in lesson.here()["needs"]
    for task in (lesson.summary_of_range, lesson.fingerprint_of_range, lesson.rank_range, lesson.users_of_range):
        assert SECRET.encode() not in cloudpickle.dumps((task, lesson.here()))
    done = client.submit(lesson.summary_of_range, {**lesson.here(), **note}, "0", "g", pure=False)
    assert done.result() == (0, 0, 0)
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


def test_a_range_of_ids_is_ranked_and_no_other_row(database):
    domains.fill(1_000)
    done = domains.update_ranks(ids=(301, 501))
    assert (done.rows, done.last_id, done.finished) == (200, 500, True)
    assert ask("SELECT MIN(id) >= 301, MAX(id) <= 500 FROM domains WHERE alexa_rank IS NOT NULL") == [(1, 1)]
    assert checkpoints() == [("synthetic ranks, ids 301 to 500", 500, 200)]
    assert domains.update_ranks(ids=(301, 501)).rows == 0
    assert domains.update_ranks(ids=(1, 301)).rows == 300
    assert domains.update_ranks(ids=(501, 5_000)).rows == 500
    assert domains.verify().right
    assert "ids 301 to 500: 200 rows done" in domains.status() and "all done" in domains.status()
    assert domains.update_ranks().rows == 1_000  # the whole table is another job


def test_a_range_without_rows_is_done_at_once(database):
    domains.fill(10)
    assert domains.update_ranks(ids=(11, 20)).rows == 0
    assert domains.status().endswith("all done.")


@pytest.mark.parametrize("ids", [(0, 5), (5, 5), (6, 5), (1, 2**32 + 1), (1.0, 5), ("1", 5), (True, 5)])
def test_what_is_no_range_of_ids_is_refused(database, ids):
    domains.fill(10)
    with pytest.raises(ValueError, match="ids must be"):
        domains.update_ranks(ids=ids)


def test_ranges_wait_for_their_own_lock_only(database, monkeypatch):
    monkeypatch.setattr(tables, "LOCK_SECONDS", 0)
    domains.fill(100)
    with domains.connected() as (_, cursor), domains.working_alone(cursor, "domains 1 to 50"):
        assert domains.update_ranks(ids=(51, 101)).rows == 50
        with pytest.raises(RuntimeError, match="Another process holds the lock 'domains 1 to 50 in"):
            domains.update_ranks(ids=(1, 51))
    assert domains.update_ranks(ids=(1, 51)).rows == 50


def test_a_job_with_a_long_name_has_its_checkpoints_too(database):
    def ranks(names):
        return domains.synthetic_ranks(names)

    ranks.job = "x" * 255
    domains.fill(100)
    assert domains.update_ranks(ranks, ids=(1, 51)).rows == domains.update_ranks(ranks, ids=(51, 101)).rows == 50


def test_ranges_ranked_by_workers_go_on_where_a_killed_one_was(client, database):
    domains.fill(40_000)
    ranges, note = lesson.cut_ids(4), lesson.here()
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        for first, last in ranges:  # nobody gets past the middle of a range, so that the kill comes in one
            cursor.execute("SELECT id FROM domains WHERE id = %s FOR UPDATE", ((first + last) // 2,))
            cursor.fetchall()
        jobs = [client.submit(lesson.rank_range, note, *r, seconds=0.005, pure=False) for r in ranges]
        at_work = min(len(ranges), len(client.nthreads()))
        begun = "SELECT COUNT(*) FROM domains_checkpoint WHERE done > 0"
        wait_until(lambda: ask(begun)[0][0] == at_work, "nothing is ranked")
        lesson.kill(client, lesson.working(client))
        connection.rollback()
    done = client.gather(jobs)
    assert sum(job.all_rows for job in done) == 40_000
    assert sum(job.rows for job in done) < 40_000, "the killed range began anew"
    assert domains.verify().right
    expected = [(f"synthetic ranks, ids {first} to {last - 1}", last - 1, last - first) for first, last in ranges]
    assert sorted(checkpoints()) == sorted(expected)
    client.wait_for_workers(2, timeout=PATIENCE)


# The end --------------------------------------------------------------------------------------------------------------

BUSY = """
import os, sys, time
sys.path.insert(0, "..")
from helpers import notebooks
lesson = notebooks.exported("07")
client = lesson.connect()
client.submit(lesson.summary_of_range, lesson.here(), "0", "g").result()
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
        client.run(lesson.summary_of_range, lesson.here(), "0", "001")
        rest = dict(client.run(lambda: (lesson.worker_name(), lesson.resident())).values())
        _, whole, taken = lesson.summaries_here(client.scheduler.address, lesson.here(), lesson.cut_users(8))
        assert whole == lesson.summary(n % 120 + 1 for n in range(rows))
        peak = max(mib - rest[name] for name, samples in taken for _, mib in samples)
        with capsys.disabled():
            print(f"\nworkers at {rows:,} rows: {peak:.1f} MiB at most above their own baselines")
        assert len({name for name, _ in taken}) >= 2 and peak < WORKER_MIB


# Two hosts: network namespaces, joined by a cable that is none
