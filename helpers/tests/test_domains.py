"""The 100-million-domain job: right rows, whole batches, flat memory, whatever happens on the way."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import zipfile

import mysql.connector
import pytest
from places import ROOT, wait_until

from helpers import databases, domains, memory, seed

MOST_MIB = 32  # above the baseline, for any of the job's processes


@pytest.fixture
def database():
    """A database of its own for one test, on the server that the environment names; dropped at the end."""
    with databases.scratch() as name:
        yield name


def ask(query, parameters=()):
    """Run one statement on a connection of its own, commit, and return its rows."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(query, parameters)
        rows = cursor.fetchall() if cursor.with_rows else None
        connection.commit()
        return rows


def checkpoint():
    """Return (last id, rows done, rows without a rank) of the synthetic ranks' job."""
    (found,) = ask("SELECT last_id, done, unranked FROM domains_checkpoint WHERE job = %s", ("synthetic ranks",))
    return found


# Made-up domains and ranks --------------------------------------------------------------------------------------------


def test_synthetic_domains_follow_from_their_number():
    assert list(domains.synthetic_domains(3, start=9)) == ["site9.example", "site10.example", "site11.example"]
    assert list(domains.synthetic_domains(50))[40] == domains.synthetic_domain(41)


def test_synthetic_ranks_are_ranks_and_about_one_in_ten_has_none():
    ranks = domains.synthetic_ranks(list(domains.synthetic_domains(10_000)))
    assert all(rank is None or 0 < rank <= domains.LARGEST_RANK for rank in ranks)
    assert 900 < ranks.count(None) < 1_100
    assert len(set(ranks)) > 8_900


# A list of ranks in a file --------------------------------------------------------------------------------------------


def write(path, content, zipped=False):
    """Write a rank file; return its path."""
    content = content if isinstance(content, bytes) else content.encode()
    if zipped:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("list.csv", content)
    else:
        path.write_bytes(content)
    return path


def test_tranco_gives_ranks_in_the_order_asked_and_none_for_the_unknown(tmp_path):
    path = write(tmp_path / "list.csv", "1,b.example\n2,a.example\n4294967295,c-d_e.example\n")
    ranks = domains.TrancoRanks(path)
    asked = ["a.example", "no.example", "b.example", "a.example", "", "it's; odd", "c-d_e.example"]
    assert ranks(asked) == [2, None, 1, 2, None, None, 4294967295]
    assert ranks([]) == []
    ranks.close()


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize(
    "content",
    ["1,a.example\r\n2,b.example\r\n", b"\xef\xbb\xbf1,a.example\n2,b.example\n", "1,A.Example\n2,b.example"],
    ids=["CRLF", "byte order mark", "capitals, no last line end"],
)
def test_tranco_reads_what_lists_look_like(tmp_path, content, zipped):
    ranks = domains.TrancoRanks(write(tmp_path / "list", content, zipped))
    assert ranks(["a.example", "A.EXAMPLE", "b.example"]) == [1, 1, 2]
    ranks.close()


def test_tranco_keeps_the_better_rank_of_a_domain_that_is_there_twice(tmp_path):
    ranks = domains.TrancoRanks(write(tmp_path / "list", "7,a.example\n3,b.example\n5,a.example\n9,B.example\n"))
    assert ranks(["a.example", "b.example"]) == [5, 3]
    ranks.close()


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize(
    "line",
    ["0,x.example", "-1,x.example", "4294967296,x.example", "one,x.example", "x.example", ",x.example", "3,", "3",
     "3,x.example,y", "3 ,x.example", "3,x y.example", "3,münchen.example", "3,x\x00.example", "", "٣,x.example",
     '"3","x.example"', "3," + "x" * 256, "3," + "x" * 5000, "9" * 5000],
)  # fmt: skip
def test_tranco_names_the_file_and_the_line_that_is_malformed(tmp_path, line, zipped):
    path = write(tmp_path / "list", f"1,a.example\n2,b.example\n{line}\n4,c.example\n", zipped)
    with pytest.raises(ValueError, match="line 3: the (rank|domain) is ") as raised:
        domains.TrancoRanks(path)
    assert str(path) in str(raised.value)
    assert len(str(raised.value)) < len(str(path)) + 250
    assert list(tmp_path.iterdir()) == [path]  # no index, and none half made


def test_tranco_names_the_line_whose_bytes_are_no_text(tmp_path):
    with pytest.raises(ValueError, match="line 2: the domain is "):
        domains.TrancoRanks(write(tmp_path / "list", b"1,a.example\n2,\xff\xfe.example\n"))


def test_tranco_says_that_a_list_is_empty(tmp_path):
    path = write(tmp_path / "list", "")
    with pytest.raises(ValueError, match="is empty"):
        domains.TrancoRanks(path)
    with pytest.raises(ValueError, match="is empty"):
        domains.TrancoRanks(write(tmp_path / "zipped", "", zipped=True))


def test_tranco_refuses_a_zip_file_that_is_broken_or_has_not_one_file(tmp_path):
    whole = write(tmp_path / "whole.zip", "1,a.example\n" * 1000, zipped=True).read_bytes()
    data = whole.index(b"list.csv") + len(b"list.csv") + 4
    broken = write(tmp_path / "broken.zip", whole[:data] + bytes(8) + whole[data + 8 :])
    with pytest.raises(ValueError, match="cannot be unzipped"):
        domains.TrancoRanks(broken)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "1,a.example\n")
        archive.writestr("b.csv", "1,b.example\n")
    with pytest.raises(ValueError, match="there are 2 files"):
        domains.TrancoRanks(tmp_path / "two.zip")


def test_tranco_makes_its_index_once_and_again_when_the_list_has_changed(tmp_path, monkeypatch):
    path = write(tmp_path / "list", "1,a.example\n")
    domains.TrancoRanks(path).close()
    with monkeypatch.context() as patched:
        patched.setattr(domains, "read_ranks", lambda path: pytest.fail("the list was read again"))
        again = domains.TrancoRanks(path)
    assert again(["a.example"]) == [1]
    again.close()
    write(path, "12,a.example\n")
    changed = domains.TrancoRanks(path)
    assert changed(["a.example"]) == [12]
    changed.close()


def test_tranco_makes_an_index_anew_that_is_none(tmp_path):
    path = write(tmp_path / "list", "1,a.example\n")
    (tmp_path / "list.index").write_text("something else")
    ranks = domains.TrancoRanks(path)
    assert ranks(["a.example"]) == [1]
    ranks.close()


def test_tranco_holds_no_more_of_a_long_list_than_of_a_short_one(tmp_path):
    def peak(lines):
        scattered = (f"{n},site{n * 7919 % lines}.example\n" for n in range(1, lines))
        path = write(tmp_path / f"list{lines}", "".join(scattered))
        return memory.measure(lambda: domains.TrancoRanks(path).close()).peak

    assert peak(300_000) < min(1.3 * peak(120_000), MOST_MIB)  # both fill SQLite's cache, which has a limit


# The tables -----------------------------------------------------------------------------------------------------------

OTHERS = {
    "another column": "CREATE TABLE domains (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, domain VARCHAR(255) NOT NULL, "
    "alexa_rank INT UNSIGNED, seen DATE)",
    "a column less": "CREATE TABLE domains (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, domain VARCHAR(255) NOT NULL)",
    "another type": "CREATE TABLE domains (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, domain VARCHAR(255) CHARACTER "
    "SET ascii NOT NULL, alexa_rank INT NULL)",
    "another length": "CREATE TABLE domains (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, domain VARCHAR(100) CHARACTER "
    "SET ascii NOT NULL, alexa_rank INT UNSIGNED NULL)",
    "no NULL": "CREATE TABLE domains (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, domain VARCHAR(255) CHARACTER "
    "SET ascii NOT NULL, alexa_rank INT UNSIGNED NOT NULL)",
    "no key": "CREATE TABLE domains (id INT UNSIGNED NOT NULL, domain VARCHAR(255) CHARACTER SET ascii NOT NULL, "
    "alexa_rank INT UNSIGNED NULL)",
    "no transactions": domains.TABLES["domains"].replace("InnoDB", "MyISAM"),
    "a view": "CREATE VIEW domains AS SELECT 1 AS id, 'a.example' AS domain, 1 AS alexa_rank",
    "another checkpoint": "CREATE TABLE domains_checkpoint (last_id INT UNSIGNED)",
}


@pytest.mark.parametrize("statement", OTHERS.values(), ids=OTHERS)
def test_a_table_that_is_another_one_is_refused_and_not_touched(database, statement):
    ask(statement)
    name = "domains_checkpoint" if "domains_checkpoint" in statement else "domains"
    before = ask("SHOW TABLES"), ask(f"SHOW CREATE TABLE {name}")
    for work in (lambda: domains.fill(10), domains.update_ranks):
        with pytest.raises(ValueError, match=f"table {name} in the database {database} is another one") as raised:
            work()
        assert "MYSQL_DATABASE" in str(raised.value)
        assert (ask("SHOW TABLES"), ask(f"SHOW CREATE TABLE {name}")) == before
        assert ask(f"SELECT COUNT(*) FROM {name}") in ([(0,)], [(1,)])


def test_ranking_without_a_table_says_how_to_make_one(database):
    with pytest.raises(ValueError, match="helpers.domains fill --rows"):
        domains.update_ranks()


def test_ranking_an_empty_table_says_how_to_fill_it(database):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        domains.create_tables(connection)
    with pytest.raises(ValueError, match="is empty. Fill it first"):
        domains.update_ranks()


# Filling --------------------------------------------------------------------------------------------------------------


def test_fill_adds_the_domains_of_their_numbers(database):
    done = domains.fill(2_500)
    assert (done.added, done.last_id) == (2_500, 2_500)
    rows = ask("SELECT id, domain, alexa_rank FROM domains ORDER BY id")
    assert rows == [(n, name, None) for n, name in enumerate(domains.synthetic_domains(2_500), start=1)]


def test_fill_goes_on_where_it_was_and_adds_nothing_twice(database):
    assert domains.fill(700).added == 700
    assert domains.fill(1_900).added == 1_200
    assert domains.fill(1_900).added == 0
    assert domains.fill(5).added == 0
    assert (domains.verify().rows, domains.verify().wrong_domains, domains.verify().missing) == (1_900, 0, 0)


def test_fill_leaves_rows_that_others_have_added(database):
    domains.fill(100)
    ask("INSERT INTO domains (domain, alexa_rank) VALUES ('mine.example', 7)")
    domains.fill(200)
    assert ask("SELECT id, alexa_rank FROM domains WHERE domain = 'mine.example'") == [(101, 7)]
    found = domains.verify()
    assert (found.rows, found.wrong_domains, found.missing) == (200, 1, 0)


@pytest.mark.parametrize("rows", [0, -1, 2**32, 1.5, "10", None, True])
def test_fill_refuses_what_is_no_number_of_rows(rows):
    with pytest.raises(ValueError, match="rows must be a whole number"):
        domains.fill(rows)


def test_filling_a_table_that_was_emptied_forgets_its_checkpoint(database):
    domains.fill(300)
    domains.update_ranks()
    ask("TRUNCATE TABLE domains")
    domains.fill(400)
    assert domains.update_ranks().rows == 400


# Ranking --------------------------------------------------------------------------------------------------------------


def test_every_row_gets_its_rank_and_the_unranked_are_counted(database):
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


def test_a_second_call_does_what_is_new_and_nothing_else(database):
    domains.fill(500)
    domains.update_ranks()
    again = domains.update_ranks()
    assert again.rows == 0 and "Nothing to do" in str(again)
    domains.fill(800)
    more = domains.update_ranks()
    assert (more.rows, more.all_rows) == (300, 800)
    assert domains.verify().right


def test_restart_does_every_row_again(database):
    domains.fill(500)
    domains.update_ranks()
    ask("UPDATE domains SET alexa_rank = 1 WHERE id = 77")
    assert not domains.verify().right
    assert domains.update_ranks(restart=True).rows == 500
    assert domains.verify().right


def test_another_source_begins_at_the_first_row(database):
    def length_of_name(names):
        return [len(name) for name in names]

    domains.fill(500)
    domains.update_ranks()
    assert domains.update_ranks(length_of_name).rows == 500
    assert ask("SELECT COUNT(*) FROM domains WHERE alexa_rank = LENGTH(domain)") == [(500,)]


def test_ranks_from_a_list_with_unknown_domains_as_null(database, tmp_path):
    domains.fill(1_000)
    ask("UPDATE domains SET alexa_rank = 5")  # a rank of long ago must not stay
    source = domains.TrancoRanks(write(tmp_path / "list", "".join(f"{n},site{n}.example\n" for n in range(1, 400))))
    done = domains.update_ranks(source)
    source.close()
    assert (done.rows, done.unranked) == (1_000, 601)
    assert ask("SELECT COUNT(*) FROM domains WHERE alexa_rank = id") == [(399,)]
    assert ask("SELECT COUNT(*) FROM domains WHERE alexa_rank IS NULL") == [(601,)]


def test_rows_that_are_missing_do_no_harm(database):
    domains.fill(9_000)
    ask("DELETE FROM domains WHERE id % 3 = 0 OR id BETWEEN 2000 AND 2400 OR id < 8 OR id % 1000 = 1")
    ask("INSERT INTO domains (id, domain) VALUES (4000000000, 'site4000000000.example'), (9500, 'site9500.example')")
    rows = ask("SELECT COUNT(*) FROM domains")[0][0]
    done = domains.update_ranks()
    assert (done.rows, done.last_id) == (rows, 4_000_000_000)
    assert ask(f"SELECT COUNT(*) FROM domains WHERE NOT (alexa_rank <=> {domains.RANK_SQL})") == [(0,)]


@pytest.mark.parametrize("jump", [1, 2, domains.LARGEST_HOLE, domains.LARGEST_HOLE + 1])
def test_statements_stay_small_where_rows_are_missing(jump):
    ids = list(range(5, 5 + jump * 30_000, jump))
    pieces = list(domains._pieces(ids))
    assert [place for start, end in pieces for place in range(start, end)] == list(range(len(ids)))
    assert all(ids[end - 1] - ids[start] < 2 * domains.LARGEST_BATCH or jump == 1 for start, end in pieces)
    assert len(pieces) == (1 if jump == 1 else 30_000 if jump > domains.LARGEST_HOLE else len(pieces))


def test_rows_deleted_added_and_changed_between_reading_and_writing(database):
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


def test_a_row_that_is_being_added_with_a_lower_id_is_waited_for(database):
    domains.fill(10)
    ask("DELETE FROM domains WHERE id = 4")
    with contextlib.closing(seed.connect_to_prodev()) as other, contextlib.closing(other.cursor()) as cursor:
        cursor.execute("INSERT INTO domains VALUES (4, 'site4.example', NULL)")  # not committed yet
        result = []
        ranking = threading.Thread(target=lambda: result.append(domains.update_ranks()))
        ranking.start()
        reads = "SELECT 1 FROM information_schema.processlist WHERE db = %s AND info LIKE 'SELECT id, domain %%'"
        wait_until(lambda: ask(reads, (database,)) == [(1,)], "the read does not wait")
        other.commit()
        ranking.join()
    assert result[0].rows == 10
    assert domains.verify().right


def test_rows_that_others_add_meanwhile_are_done_too(database):
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
)
def test_a_source_that_gives_no_ranks_is_told_so_and_nothing_is_written(database, source, says):
    domains.fill(1_500)
    with pytest.raises(ValueError, match=says):
        domains.update_ranks(source)
    assert ask("SELECT COUNT(alexa_rank) FROM domains") == [(0,)]


def test_the_error_of_a_source_comes_out_as_itself_and_the_job_goes_on_later(database):
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
    assert ask("SELECT COUNT(*) FROM domains WHERE id > %s AND alexa_rank IS NOT NULL", (reached,)) == [(0,)]
    assert domains.update_ranks(fails_once).rows == 9_000 - done
    assert domains.verify().right


# Batches, and others at the same table --------------------------------------------------------------------------------


def test_a_checkpoint_that_another_has_moved_stops_the_batch(database):
    domains.fill(3_000)

    def moved(names):
        ask("UPDATE domains_checkpoint SET last_id = 17")
        return domains.synthetic_ranks(names)

    with pytest.raises(RuntimeError, match="Another process has moved the checkpoint"):
        domains.update_ranks(moved)
    assert ask("SELECT COUNT(alexa_rank) FROM domains") == [(0,)]


def test_a_second_process_is_told_that_another_is_at_work(database, monkeypatch):
    monkeypatch.setattr(domains, "LOCK_SECONDS", 0)
    domains.fill(100)
    with domains._cursor() as (_, cursor), domains._alone(cursor):
        for work in (lambda: domains.fill(200), domains.update_ranks):
            with pytest.raises(RuntimeError, match="Another process works on the table domains"):
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

    domains._in_one_transaction(connection, work)
    assert connection.said == ["ROLLBACK", "ROLLBACK", "COMMIT"]
    errors = [mysql.connector.Error(errno=errno, msg="locked")] * domains.ATTEMPTS
    with pytest.raises(mysql.connector.Error, match="locked"):
        domains._in_one_transaction(connection, work)


def test_other_errors_are_not_tried_again():
    connection, calls = FakeConnection(), []

    def work():
        calls.append(1)
        raise mysql.connector.Error(errno=1146, msg="no table")

    with pytest.raises(mysql.connector.Error, match="no table"):
        domains._in_one_transaction(connection, work)
    assert len(calls) == 1


def test_the_pace_finds_the_batch_that_takes_the_wanted_time():
    pace = domains.Pace(0.5, rows=1_000, most=50_000)
    for _ in range(20):
        pace.took(pace.rows, 0.01 + pace.rows / 40_000)  # a server that does 40,000 rows/s, and 10 ms a statement
    assert 18_500 < pace.rows < 20_000
    pace.took(pace.rows, 0.01 + pace.rows / 1_000)  # somebody else works on it now
    assert 450 < pace.rows < 510


def test_the_pace_grows_step_by_step_and_has_limits():
    pace = domains.Pace(0.5, rows=1_000, most=5_000)
    sizes = []
    for _ in range(4):
        pace.took(pace.rows, 1e-9)
        sizes.append(pace.rows)
    assert sizes == [2_000, 4_000, 5_000, 5_000]
    pace.took(pace.rows, 10_000)
    assert pace.rows == 1
    pace.took(pace.rows, 0)
    assert pace.rows == 2


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_pace_without_time_is_refused(seconds):
    with pytest.raises(ValueError, match="more than 0 seconds"):
        domains.Pace(seconds)


# One item ahead -------------------------------------------------------------------------------------------------------


def test_one_ahead_gives_the_same_items_and_is_one_item_ahead():
    made = []

    def items():
        for n in range(5):
            made.append(n)
            yield n

    seen = []
    for item in domains.one_ahead(items()):
        wait_until(lambda n=item: len(made) == min(n + 2, 5), "the next item is not made meanwhile")
        seen.append(item)
    assert seen == made == [0, 1, 2, 3, 4]


def test_one_ahead_passes_errors_on_and_closes_what_it_reads_from():
    ended = []

    def items():
        try:
            yield 1
            yield 2
            raise KeyError("gone")
        finally:
            ended.append(True)

    with pytest.raises(KeyError, match="gone"):
        list(domains.one_ahead(items()))
    with contextlib.closing(domains.one_ahead(items())) as early:
        assert next(early) == 1
    assert ended == [True, True]


# Ctrl-C ---------------------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_after_the_batch_at_work_and_says_how_to_go_on(database):
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


def test_a_second_ctrl_c_ends_at_once_with_whole_batches(database):
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
    assert ask("SELECT COUNT(alexa_rank), COUNT(IF(id > %s, alexa_rank, NULL)) FROM domains", (reached,)) == [
        (done - unranked, 0)
    ]
    domains.update_ranks()
    assert domains.verify().right


# kill -9 --------------------------------------------------------------------------------------------------------------

# Ranks that are looked up are written down beside, to count how often each row was
NOTED_RANKS = """
import sys
from helpers import domains

def noted(names):
    with open(sys.argv[1], "a") as file:
        file.write(f"{names[0]} {names[-1]}\\n")
    return domains.synthetic_ranks(names)

noted.job = "synthetic ranks"
print("started", flush=True)
domains.update_ranks(noted, target_seconds=0.01)
"""
WRITES = "CREATE TABLE writes (id INT UNSIGNED NOT NULL, INDEX (id)) ENGINE=InnoDB"
NOTE_WRITES = "CREATE TRIGGER noted AFTER UPDATE ON domains FOR EACH ROW INSERT INTO writes VALUES (NEW.id)"


def looked_up(path, rows):
    """Return how often each row was looked up, from what the source has written down."""
    times = [0] * (rows + 1)
    for line in path.read_text().splitlines():
        first, last = (int(name.removeprefix("site").removesuffix(".example")) for name in line.split())
        for number in range(first, last + 1):
            times[number] += 1
    return times[1:]


def kill_while_ranking(kills, rows, tmp_path, rng):
    """Kill the job at random moments, each time after it has gone on, then let it end; return looked_up()'s answer.

    "Gone on" means past what was looked up before the last kill: a row whose batch is killed again and again is looked
    up again and again.
    """
    notes = tmp_path / "notes"
    notes.touch()
    command = [sys.executable, "-c", NOTED_RANKS, str(notes)]
    for n in range(kills):
        seen = rows - looked_up(notes, rows).count(0)
        goal = seen + rng.randrange(max(1, (rows - seen) // (kills - n + 1)))
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        with process:
            process.stdout.readline()
            wait_until(lambda p=process, g=goal: p.poll() is not None or last_id() > g, "the job does not go on")
            process.kill()
        assert process.returncode == -signal.SIGKILL, f"the job ended before it was killed for the {n + 1}th time"
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return looked_up(notes, rows)


def last_id():
    """Return the last id that any job has done, 0 if none has."""
    return ask("SELECT MAX(last_id) FROM domains_checkpoint")[0][0] or 0


def killed_and_resumed(kills, rows, tmp_path, seed_of_random):
    domains.fill(rows)
    ask(WRITES)
    ask(NOTE_WRITES)
    times = kill_while_ranking(kills, rows, tmp_path, random.Random(seed_of_random))
    found = domains.verify()
    assert found.right and found.rows == rows
    assert ask("SELECT COUNT(*), COUNT(DISTINCT id) FROM writes") == [(rows, rows)]
    assert checkpoint() == (rows, rows, found.unranked)
    assert min(times) == 1 and max(times) <= 2


def test_killed_at_random_moments_every_row_is_written_once_and_looked_up_at_most_twice(database, tmp_path):
    killed_and_resumed(5, 60_000, tmp_path, seed_of_random=6)


@pytest.mark.torture
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed_of_random", range(2))
def test_killed_at_50_random_moments_every_row_is_written_once(database, tmp_path, seed_of_random):
    killed_and_resumed(50, 600_000, tmp_path, seed_of_random)


def test_a_fill_that_is_killed_leaves_whole_batches_and_goes_on(database):
    command = [sys.executable, "-m", "helpers.domains", "fill", "--rows", "400000", "--seconds", "0.01"]
    domains.fill(1)
    for _ in range(3):
        (before,) = ask("SELECT MAX(id) FROM domains")[0]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        grown = "SELECT MAX(id) > %s FROM domains"
        wait_until(lambda p=process, b=before, g=grown: p.poll() is not None or ask(g, (b,)) == [(1,)], "no new row")
        process.kill()
        process.wait()
        with domains._cursor() as (_, cursor), domains._alone(cursor):  # the server ends the statement that it has
            found = domains.verify()
        assert (found.missing, found.wrong_domains) == (0, 0) and found.rows > before
    domains.fill(found.rows + 10)
    assert domains.verify().rows == found.rows + 10


RANK_TO_THE_END = "import sys\nfrom helpers import domains\nsys.exit(domains.main(sys.argv[1:]))"
LAST_ID = """
from contextlib import closing
from helpers import seed
with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
    cursor.execute("SELECT MAX(last_id) FROM domains_checkpoint")
    print(cursor.fetchone()[0] or 0)
"""


def server_killed_and_resumed(place, kills, rows, rng):
    """Kill the server while it ranks, `kills` times; each time the job ends with an error, and goes on when started."""
    place.run(RANK_TO_THE_END, "fill", "--rows", rows)
    for n in range(kills):
        done = int(place.run(LAST_ID))
        goal = done + rng.randrange(max(1, (rows - done) // (kills - n + 1)))
        with place.connect(database="ALX_prodev") as watching:
            watching.autocommit = True
            cursor = watching.cursor()
            process = place.start(RANK_TO_THE_END, "rank", "--seconds", "0.01")

            def moved(cursor=cursor, goal=goal):
                cursor.execute("SELECT MAX(last_id) FROM domains_checkpoint")
                return (cursor.fetchone()[0] or 0) > goal

            wait_until(moved, "the job does not go on")
            (running,) = place.servers()
            running.kill()
            _, error = process.communicate(timeout=120)
            assert process.returncode == 1
            assert "All batches before this one are safe: run the same again" in error
            assert len(error.splitlines()) == 1
    place.run(RANK_TO_THE_END, "rank")
    said = place.run(RANK_TO_THE_END, "verify")
    assert said.startswith(f"{rows:,} rows, 0 missing; 0 wrong domains, 0 wrong ranks")


def test_the_server_killed_while_ranking_costs_an_error_and_no_row(warm):
    server_killed_and_resumed(warm, 2, 60_000, random.Random(6))


@pytest.mark.torture
@pytest.mark.timeout(1200)
def test_the_server_killed_10_times_while_ranking_costs_no_row(warm):
    server_killed_and_resumed(warm, 10, 300_000, random.Random(10))


# Memory ---------------------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_table(database):
    few, many = 100_000, 300_000  # both have several of the largest batches, which are what memory is for
    long = 3_600  # seconds for a batch: it grows to the largest, however busy the machine is
    filled = memory.measure(lambda: domains.fill(few, long))
    ranked = memory.measure(lambda: domains.update_ranks(target_seconds=long))
    filled_more = memory.measure(lambda: domains.fill(many, long))
    ranked_more = memory.measure(lambda: domains.update_ranks(target_seconds=long, restart=True))
    assert max(filled.peak, ranked.peak, filled_more.peak, ranked_more.peak) < MOST_MIB
    assert filled_more.peak < 1.3 * filled.peak
    assert ranked_more.peak < 1.3 * ranked.peak
    assert domains.verify().right


# From a terminal ------------------------------------------------------------------------------------------------------


def test_the_commands_from_fill_to_verify(database, capsys):
    assert domains.main(["status"]) == 0
    assert "fill --rows" in capsys.readouterr().out
    assert domains.main(["rank"]) == 1
    assert "fill --rows" in capsys.readouterr().err
    assert domains.main(["fill", "--rows", "2000"]) == 0
    assert "Added 2,000 domains" in capsys.readouterr().out
    assert domains.main(["verify"]) == 1
    assert domains.main(["rank"]) == 0
    assert "2,000 rows in" in capsys.readouterr().out
    assert domains.main(["status"]) == 0
    assert f"synthetic ranks: 2,000 rows done, {checkpoint()[2]} without a rank" in capsys.readouterr().out
    assert domains.main(["verify"]) == 0
    assert "2,000 rows, 0 missing; 0 wrong domains, 0 wrong ranks" in capsys.readouterr().out
    assert domains.main(["rank", "--restart"]) == 0


def test_rank_from_a_file_and_its_errors(database, capsys, tmp_path):
    domains.fill(100)
    path = write(tmp_path / "list.csv", "5,site7.example\n")
    assert domains.main(["rank", "--tranco", str(path)]) == 0
    assert "99 of their domains have no rank" in capsys.readouterr().out
    assert ask("SELECT id, alexa_rank FROM domains WHERE alexa_rank IS NOT NULL") == [(7, 5)]
    assert domains.main(["rank", "--tranco", str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err
    assert domains.main(["rank", "--tranco", str(write(tmp_path / "bad.csv", "x\n"))]) == 1
    assert "bad.csv, line 1: " in capsys.readouterr().err


def test_ctrl_c_in_a_terminal_ends_with_130(database):
    domains.fill(200_000)
    command = [sys.executable, "-m", "helpers.domains", "rank", "--seconds", "0.01"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(lambda: process.poll() is not None or last_id() > 0, "the job does not start")
        process.send_signal(signal.SIGINT)
        said, error = process.communicate()
    assert (process.returncode, error) == (130, "")
    assert "To go on, run the same again: python -m helpers.domains rank" in said
