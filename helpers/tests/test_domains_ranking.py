"""Ranking: every row gets its rank once, whatever others add and delete, and sources are looked at."""

import contextlib
import threading

import pytest
from domain_rows import checkpoint, write
from places import wait_until

from helpers import domains, seed
from helpers.databases import ask
from helpers.domains import batches
from helpers.domains import rows as rows_of

# Ranking --------------------------------------------------------------------------------------------------------------


def test_every_row_gets_its_rank_and_the_unranked_are_counted(own_database):
    domains.fill(30_000)
    done = domains.update_ranks()
    assert (done.rows, done.all_rows, done.last_id, done.finished) == (30_000, 30_000, 30_000, True)
    found = domains.verify()
    assert found.right and found.rows == 30_000
    assert done.unranked == done.all_unranked == found.unranked > 0
    names = ask("SELECT domain FROM domains ORDER BY id")
    expected = domains.synthetic_ranks([name for (name,) in names])
    assert [rank for (rank,) in ask("SELECT alexa_rank FROM domains ORDER BY id")] == expected
    assert checkpoint() == (30_000, 30_000, found.unranked)


def test_ranking_does_not_make_the_table_larger(own_database):
    """A rank that makes its row longer would split every page: twice the table, and many times the work."""
    size = "SELECT data_length FROM information_schema.tables WHERE table_schema = %s AND table_name = 'domains'"
    domains.fill(100_000)
    sizes = []
    for _ in range(2):
        ask("ANALYZE TABLE domains")
        sizes.append(ask(size, own_database)[0][0])
        domains.update_ranks()
    assert 0 < sizes[1] < 1.2 * sizes[0]


def test_a_second_call_does_what_is_new_and_nothing_else(own_database):
    domains.fill(500)
    domains.update_ranks()
    again = domains.update_ranks()
    assert again.rows == 0 and "Nothing to do" in str(again)
    domains.fill(800)
    more = domains.update_ranks()
    assert (more.rows, more.all_rows) == (300, 800)
    assert domains.verify().right


def test_restart_does_every_row_again(own_database):
    domains.fill(500)
    domains.update_ranks()
    ask("UPDATE domains SET alexa_rank = 1 WHERE id = 77")
    assert not domains.verify().right
    assert domains.update_ranks(restart=True).rows == 500
    assert domains.verify().right


def test_another_source_begins_at_the_first_row(own_database):
    def length_of_name(names):
        return [len(name) for name in names]

    domains.fill(500)
    domains.update_ranks()
    assert domains.update_ranks(length_of_name).rows == 500
    assert ask("SELECT COUNT(*) FROM domains WHERE alexa_rank = LENGTH(domain)") == [(500,)]


def test_ranks_from_a_list_with_unknown_domains_as_null(own_database, tmp_path):
    domains.fill(1_000)
    ask("UPDATE domains SET alexa_rank = 5")  # a rank of long ago must not stay
    source = domains.TrancoRanks(write(tmp_path / "list", "".join(f"{n},site{n}.example\n" for n in range(1, 400))))
    done = domains.update_ranks(source)
    source.close()
    assert (done.rows, done.unranked) == (1_000, 601)
    assert ask("SELECT COUNT(*) FROM domains WHERE alexa_rank = id") == [(399,)]
    assert ask("SELECT COUNT(*) FROM domains WHERE alexa_rank IS NULL") == [(601,)]


def test_rows_that_are_missing_do_no_harm(own_database):
    domains.fill(9_000)
    ask("DELETE FROM domains WHERE id % 3 = 0 OR id BETWEEN 2000 AND 2400 OR id < 8 OR id % 1000 = 1")
    ask("INSERT INTO domains (id, domain) VALUES (4000000000, 'site4000000000.example'), (9500, 'site9500.example')")
    rows = ask("SELECT COUNT(*) FROM domains")[0][0]
    done = domains.update_ranks()
    assert (done.rows, done.last_id) == (rows, 4_000_000_000)
    assert ask(f"SELECT COUNT(*) FROM domains WHERE NOT (alexa_rank <=> {domains.RANK_SQL})") == [(0,)]


@pytest.mark.parametrize("jump", [1, 2, rows_of.LARGEST_HOLE, rows_of.LARGEST_HOLE + 1])
def test_statements_stay_small_where_rows_are_missing(jump):
    ids = list(range(5, 5 + jump * 30_000, jump))
    pieces = list(rows_of.pieces(ids))
    assert [place for start, end in pieces for place in range(start, end)] == list(range(len(ids)))
    assert all(ids[end - 1] - ids[start] < 2 * batches.LARGEST_BATCH or jump == 1 for start, end in pieces)
    assert len(pieces) == (1 if jump == 1 else 30_000 if jump > rows_of.LARGEST_HOLE else len(pieces))


def test_rows_deleted_added_and_changed_between_reading_and_writing(own_database):
    domains.fill(50)
    ask("DELETE FROM domains WHERE id IN (10, 20)")

    def meanwhile(names):
        ask("DELETE FROM domains WHERE id IN (5, 30)")
        ask("INSERT IGNORE INTO domains VALUES (10, 'site10.example', 123), (20, 'site20.example', NULL)")
        return domains.synthetic_ranks(names)

    domains.update_ranks(meanwhile)
    assert ask("SELECT COUNT(*) FROM domains WHERE id IN (5, 30)") == [(0,)]  # stay deleted
    assert ask("SELECT id, alexa_rank FROM domains WHERE id IN (10, 20)") == [(10, 123), (20, None)]  # not its rows
    wrong = f"SELECT COUNT(*) FROM domains WHERE id NOT IN (10, 20) AND NOT (alexa_rank <=> {domains.RANK_SQL})"
    assert ask(wrong) == [(0,)]


def test_a_row_that_is_being_added_with_a_lower_id_is_waited_for(own_database):
    domains.fill(10)
    ask("DELETE FROM domains WHERE id = 4")
    with contextlib.closing(seed.connect_to_prodev()) as other, contextlib.closing(other.cursor()) as cursor:
        cursor.execute("INSERT INTO domains VALUES (4, 'site4.example', NULL)")  # not committed yet
        result = []
        ranking = threading.Thread(target=lambda: result.append(domains.update_ranks()))
        ranking.start()

        def reads():
            told = [(base, info or "") for _, _, _, base, _, _, _, info, *_ in ask("SHOW PROCESSLIST")]
            return any(base == own_database and info.startswith("SELECT id, domain ") for base, info in told)

        wait_until(reads, "the read does not wait")
        other.commit()
        ranking.join()
    assert result[0].rows == 10
    assert domains.verify().right


def test_rows_that_others_add_meanwhile_are_done_too(own_database):
    domains.fill(3_000)

    def adds(names):
        last = int(names[-1].removeprefix("site").removesuffix(".example"))
        if last < 3_010:
            ask(
                "INSERT INTO domains (id, domain) SELECT MAX(id) + 1, CONCAT('site', MAX(id) + 1, '.example') "
                "FROM domains"
            )
        return domains.synthetic_ranks(names)

    adds.job = "synthetic ranks"
    assert domains.update_ranks(adds).rows > 3_000
    assert domains.verify().right


# What a source may get wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (lambda names: [1] * (len(names) - 1), "was given 1,000 domains and returned 999 ranks"),
        (lambda names: None, "returned NoneType, not a list"),
        (lambda names: [0] * len(names), "says 0 of site1.example"),
        (lambda names: [2**32] * len(names), "says 4294967296 of site1.example"),
        (lambda names: ["1"] * len(names), "says '1' of site1.example"),
        (lambda names: [True] * len(names), "says True of site1.example"),
        (lambda names: [1.0] * len(names), "says 1.0 of site1.example"),
    ],
    ids=["one too few", "None", "zero", "too large", "str", "bool", "float"],
)
def test_a_source_that_gives_no_ranks_is_told_so_and_nothing_is_written(own_database, source, says):
    domains.fill(1_500)
    with pytest.raises(ValueError, match=says):
        domains.update_ranks(source)
    assert ask("SELECT COUNT(alexa_rank) FROM domains") == [(0,)]


def test_the_error_of_a_source_comes_out_as_itself_and_the_job_goes_on_later(own_database):
    domains.fill(9_000)
    calls = []

    def fails_once(names):
        calls.append(len(names))
        if len(calls) == 3:
            raise ConnectionError("the ranks' server is away")
        return domains.synthetic_ranks(names)

    fails_once.job = "synthetic ranks"
    with pytest.raises(ConnectionError, match="is away"):
        domains.update_ranks(fails_once)
    reached, done, _ = checkpoint()
    assert done == reached == sum(calls[:2])
    assert ask("SELECT COUNT(*) FROM domains WHERE id > %s AND alexa_rank IS NOT NULL", reached) == [(0,)]
    assert domains.update_ranks(fails_once).rows == 9_000 - done
    assert domains.verify().right
