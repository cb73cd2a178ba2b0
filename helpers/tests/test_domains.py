"""The 100-million-domain job as a whole: its tables, filling, flat memory, and the terminal."""

import contextlib
import signal
import subprocess
import sys

import pytest
from domain_rows import checkpoint, held, last_id, write
from places import ROOT, wait_until

from helpers import domains, memory, seed
from helpers.databases import ask
from helpers.domains.__main__ import main

MOST_MIB = 32  # above the baseline, for any of the job's processes

# Made-up domains and ranks --------------------------------------------------------------------------------------------


def test_synthetic_domains_follow_from_their_number():
    assert list(domains.synthetic_domains(3, start=9)) == ["site9.example", "site10.example", "site11.example"]
    assert list(domains.synthetic_domains(50))[40] == domains.synthetic_domain(41)


def test_synthetic_ranks_are_ranks_and_about_one_in_ten_has_none():
    ranks = domains.synthetic_ranks(list(domains.synthetic_domains(10_000)))
    assert all(rank is None or 0 < rank <= domains.LARGEST_RANK for rank in ranks)
    assert 900 < ranks.count(None) < 1_100
    assert len(set(ranks)) > 8_900


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
    "no transactions": domains.TABLES["domains"].replace("InnoDB ROW_FORMAT=REDUNDANT", "MyISAM"),
    "a view": "CREATE VIEW domains AS SELECT 1 AS id, 'a.example' AS domain, 1 AS alexa_rank",
    "another checkpoint": "CREATE TABLE domains_checkpoint (last_id INT UNSIGNED)",
}


@pytest.mark.parametrize("statement", OTHERS.values(), ids=OTHERS)
def test_a_table_that_is_another_one_is_refused_and_not_touched(own_database, statement):
    ask(statement)
    name = "domains_checkpoint" if "domains_checkpoint" in statement else "domains"
    before = ask("SHOW TABLES"), ask(f"SHOW CREATE TABLE {name}")
    for work in (lambda: domains.fill(10), domains.update_ranks):
        with pytest.raises(ValueError, match=f"table {name} in the database {own_database} already exists") as raised:
            work()
        assert "MYSQL_DATABASE" in str(raised.value)
        assert (ask("SHOW TABLES"), ask(f"SHOW CREATE TABLE {name}")) == before
        assert ask(f"SELECT COUNT(*) FROM {name}") in ([(0,)], [(1,)])


def test_ranking_without_a_table_says_how_to_make_one(own_database):
    with pytest.raises(ValueError, match="helpers.domains fill --rows"):
        domains.update_ranks()


def test_ranking_an_empty_table_says_how_to_fill_it(own_database):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        domains.create_tables(connection)
    with pytest.raises(ValueError, match="is empty. Fill it first"):
        domains.update_ranks()


# Filling --------------------------------------------------------------------------------------------------------------


def test_fill_adds_the_domains_of_their_numbers(own_database):
    done = domains.fill(2_500)
    assert (done.added, done.last_id) == (2_500, 2_500)
    rows = ask("SELECT id, domain, alexa_rank FROM domains ORDER BY id")
    assert rows == [(n, name, None) for n, name in enumerate(domains.synthetic_domains(2_500), start=1)]


def test_fill_goes_on_where_it_was_and_adds_nothing_twice(own_database):
    assert domains.fill(700).added == 700
    assert domains.fill(1_900).added == 1_200
    assert domains.fill(1_900).added == 0
    assert domains.fill(5).added == 0
    assert (domains.verify().rows, domains.verify().wrong_domains, domains.verify().missing) == (1_900, 0, 0)


def test_fill_leaves_rows_that_others_have_added(own_database):
    domains.fill(100)
    ask("INSERT INTO domains (domain, alexa_rank) VALUES ('mine.example', 7)")
    domains.fill(200)
    assert ask("SELECT id, alexa_rank FROM domains WHERE domain = 'mine.example'") == [(101, 7)]
    found = domains.verify()
    assert (found.rows, found.wrong_domains, found.missing) == (200, 1, 0)


@pytest.mark.parametrize("rows", [0, -1, 2**32, 1.5, "10", None, True])
def test_fill_refuses_what_is_no_number_of_rows(rows):
    with pytest.raises(ValueError, match="rows must be a positive integer"):
        domains.fill(rows)


def test_filling_a_table_that_was_emptied_forgets_its_checkpoint(own_database):
    domains.fill(300)
    domains.update_ranks()
    ask("TRUNCATE TABLE domains")
    domains.fill(400)
    assert domains.update_ranks().rows == 400


# Memory ---------------------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_table(own_database):
    few, many = 100_000, 300_000  # both have several of the largest batches, which are what memory is for
    long = 3_600  # seconds for a batch: it grows to the largest, however busy the machine is
    filled = memory.measure(lambda: domains.fill(few, long))
    ranked = memory.measure(lambda: domains.update_ranks(target_seconds=long))
    filled_more = memory.measure(lambda: domains.fill(many, long))
    ranked_more = memory.measure(lambda: domains.update_ranks(target_seconds=long, restart=True))
    assert max(filled.peak, ranked.peak, filled_more.peak, ranked_more.peak) < MOST_MIB
    assert filled_more.peak < 1.5 * filled.peak
    assert ranked_more.peak < 1.5 * ranked.peak
    assert domains.verify().right


# From a terminal ------------------------------------------------------------------------------------------------------


def test_the_commands_from_fill_to_verify(own_database, capsys):
    assert main(["status"]) == 0
    assert "fill --rows" in capsys.readouterr().out
    assert main(["rank"]) == 1
    assert "fill --rows" in capsys.readouterr().err
    assert main(["fill", "--rows", "2000"]) == 0
    assert "Added 2,000 domains" in capsys.readouterr().out
    assert main(["verify"]) == 1
    assert main(["rank"]) == 0
    assert "2,000 rows in" in capsys.readouterr().out
    assert main(["status"]) == 0
    assert f"synthetic ranks: 2,000 rows done, {checkpoint()[2]} without a rank" in capsys.readouterr().out
    assert main(["verify"]) == 0
    assert "2,000 rows, 0 missing; 0 wrong domains, 0 wrong ranks" in capsys.readouterr().out
    assert main(["rank", "--restart"]) == 0


def test_rank_from_a_file_and_its_errors(own_database, capsys, tmp_path):
    domains.fill(100)
    path = write(tmp_path / "list.csv", "5,site7.example\n")
    assert main(["rank", "--tranco", str(path)]) == 0
    assert "99 of their domains have no rank" in capsys.readouterr().out
    assert ask("SELECT id, alexa_rank FROM domains WHERE alexa_rank IS NOT NULL") == [(7, 5)]
    assert main(["rank", "--tranco", str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err
    assert main(["rank", "--tranco", str(write(tmp_path / "bad.csv", "x\n"))]) == 1
    assert "bad.csv, line 1: " in capsys.readouterr().err


def test_ctrl_c_in_a_terminal_ends_with_130(own_database):
    domains.fill(200_000)
    command = [sys.executable, "-m", "helpers.domains", "rank", "--seconds", "0.01"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with held(200_000):
            wait_until(lambda: process.poll() is not None or last_id() > 0, "the job does not start")
            process.send_signal(signal.SIGINT)
        said, error = process.communicate()
    assert (process.returncode, error) == (130, "")
    assert "To continue, run it again: python -m helpers.domains rank" in said
