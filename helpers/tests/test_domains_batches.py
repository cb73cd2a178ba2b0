"""Batches: their size, one ahead, whole in the face of locks, others and Ctrl-C."""

import contextlib
import os
import signal

import mysql.connector
import pytest
from domain_rows import checkpoint
from places import wait_until

from helpers import domains
from helpers.databases import ask
from helpers.domains import batches, tables

# Batches, and others at the same table --------------------------------------------------------------------------------


def test_a_checkpoint_that_another_has_moved_stops_the_batch(own_database):
    domains.fill(3_000)

    def moved(names):
        ask("UPDATE domains_checkpoint SET last_id = 17")
        return domains.synthetic_ranks(names)

    with pytest.raises(RuntimeError, match="Another process has moved the checkpoint"):
        domains.update_ranks(moved)
    assert ask("SELECT COUNT(alexa_rank) FROM domains") == [(0,)]


def test_a_second_process_is_told_that_another_is_at_work(own_database, monkeypatch):
    monkeypatch.setattr(tables, "LOCK_SECONDS", 0)
    domains.fill(100)
    with domains.connected() as (_, cursor), domains.working_alone(cursor):
        for work in (lambda: domains.fill(200), domains.update_ranks):
            with pytest.raises(RuntimeError, match="Another process holds the lock 'domains in"):
                work()
    assert domains.update_ranks().rows == 100


class FakeConnection:
    """Notes what is said to it."""

    def __init__(self):
        self.said = []

    def cmd_query(self, statement):
        self.said.append(statement)


@pytest.mark.parametrize("errno", [1205, 1213])
def test_a_batch_whose_rows_are_locked_is_tried_again_a_few_times(errno):
    connection, errors = FakeConnection(), [mysql.connector.Error(errno=errno, msg="locked")] * 2

    def work():
        if errors:
            raise errors.pop()

    batches.in_one_transaction(connection, work)
    assert connection.said == ["ROLLBACK", "ROLLBACK", "COMMIT"]
    errors = [mysql.connector.Error(errno=errno, msg="locked")] * batches.ATTEMPTS
    with pytest.raises(mysql.connector.Error, match="locked"):
        batches.in_one_transaction(connection, work)


def test_other_errors_are_not_tried_again():
    connection, calls = FakeConnection(), []

    def work():
        calls.append(1)
        raise mysql.connector.Error(errno=1146, msg="no table")

    with pytest.raises(mysql.connector.Error, match="no table"):
        batches.in_one_transaction(connection, work)
    assert len(calls) == 1


def test_the_batch_size_finds_the_batch_that_takes_the_wanted_time():
    sizer = domains.BatchSizer(0.5, rows=1_000, most=50_000)
    for _ in range(20):
        sizer.took(sizer.rows, 0.01 + sizer.rows / 40_000)  # a server that does 40,000 rows/s, and 10 ms a statement
    assert 18_500 < sizer.rows < 20_000
    sizer.took(sizer.rows, 0.01 + sizer.rows / 1_000)  # somebody else works on it now
    assert 450 < sizer.rows < 510


def test_the_batch_size_grows_step_by_step_and_has_limits():
    sizer = domains.BatchSizer(0.5, rows=1_000, most=5_000)
    sizes = []
    for _ in range(4):
        sizer.took(sizer.rows, 1e-9)
        sizes.append(sizer.rows)
    assert sizes == [2_000, 4_000, 5_000, 5_000]
    sizer.took(sizer.rows, 10_000)
    assert sizer.rows == 1
    sizer.took(sizer.rows, 0)
    assert sizer.rows == 2


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_batch_size_without_time_is_refused(seconds):
    with pytest.raises(ValueError, match="more than 0 seconds"):
        domains.BatchSizer(seconds)


# One item ahead -------------------------------------------------------------------------------------------------------


def test_prefetch_gives_the_same_items_and_is_one_item_ahead():
    made = []

    def items():
        for n in range(5):
            made.append(n)
            yield n

    seen = []
    for item in domains.prefetch(items()):
        wait_until(lambda n=item: len(made) == min(n + 2, 5), "the next item is not made meanwhile")
        seen.append(item)
    assert seen == made == [0, 1, 2, 3, 4]


def test_prefetch_passes_errors_on_and_closes_what_it_reads_from():
    ended = []

    def items():
        try:
            yield 1
            yield 2
            raise KeyError("gone")
        finally:
            ended.append(True)

    with pytest.raises(KeyError, match="gone"):
        list(domains.prefetch(items()))
    with contextlib.closing(domains.prefetch(items())) as early:
        assert next(early) == 1
    assert ended == [True, True]


# Ctrl-C ---------------------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_after_the_batch_at_work_and_says_how_to_go_on(own_database):
    domains.fill(9_000)
    calls = []

    def interrupted(names):
        calls.append(len(names))
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return domains.synthetic_ranks(names)

    interrupted.job = "synthetic ranks"
    before = signal.getsignal(signal.SIGINT)
    done = domains.update_ranks(interrupted)
    assert signal.getsignal(signal.SIGINT) is before
    assert not done.finished and 0 < done.rows < 9_000
    assert f"Stopped after id {done.last_id:,}" in str(done) and "python -m helpers.domains rank" in str(done)
    assert checkpoint()[:2] == (done.last_id, done.rows)
    assert domains.update_ranks().rows == 9_000 - done.rows
    assert domains.verify().right


def test_a_second_ctrl_c_ends_at_once_with_whole_batches(own_database):
    domains.fill(3_000)
    calls = []

    def interrupted_twice(names):
        calls.append(len(names))
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return domains.synthetic_ranks(names)

    interrupted_twice.job = "synthetic ranks"
    with contextlib.suppress(KeyboardInterrupt):  # both may come as one
        domains.update_ranks(interrupted_twice)
    reached, done, unranked = checkpoint()
    assert reached == done
    assert ask("SELECT COUNT(alexa_rank), COUNT(IF(id > %s, alexa_rank, NULL)) FROM domains", reached) == [
        (done - unranked, 0)
    ]
    domains.update_ranks()
    assert domains.verify().right
