"""Lesson 07's job that writes: update_ranks(ids=(first, last)) ranks one range, beside others."""

import pytest
from places import ask

from helpers import domains
from helpers.domains import tables


@pytest.fixture
def database(own_database):
    return own_database


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
