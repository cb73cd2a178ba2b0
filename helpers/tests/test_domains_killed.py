"""The job, or its server, killed at random moments: whole batches, and every row written once."""

import random
import signal
import subprocess
import sys

import pytest
from domain_rows import checkpoint, held, last_id
from places import ROOT, wait_until

from helpers import domains
from helpers.databases import ask

# Ranks that are looked up are written down beside, to count how often each row was
NOTED_RANKS = """
import sys
import time
from helpers import domains

def noted(names):
    while int(names[0].removeprefix("site").removesuffix(".example")) > int(sys.argv[2]):
        time.sleep(60)  # to be killed here at the latest, and not to come to the end before
    with open(sys.argv[1], "a") as file:
        file.write(f"{names[0]} {names[-1]}\\n")
    return domains.synthetic_ranks(names)

noted.job = "synthetic ranks"
print("started", flush=True)
domains.update_ranks(noted, target_seconds=0.01)
"""
SLACK = 5_000  # rows: several batches
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

    It does not come to its end before, however late the kill is: its source answers for SLACK rows more. "Gone on"
    means past what was looked up before the last kill: a row whose batch is killed again and again is looked up again
    and again.
    """
    notes = tmp_path / "notes"
    notes.touch()
    command = [sys.executable, "-c", NOTED_RANKS, str(notes)]
    for n in range(kills):
        seen = rows - looked_up(notes, rows).count(0)
        goal = seen + rng.randrange(max(1, (rows - seen) // (kills - n + 1)))
        most = goal + min(SLACK, (rows - goal) // 2)
        process = subprocess.Popen([*command, str(most)], cwd=ROOT, stdout=subprocess.PIPE)
        with process:
            process.stdout.readline()
            wait_until(lambda p=process, g=goal: p.poll() is not None or last_id() > g, "the job does not go on")
            process.kill()
        assert process.returncode == -signal.SIGKILL, f"the job ended before it was killed for the {n + 1}th time"
    subprocess.run([*command, str(rows)], cwd=ROOT, check=True, capture_output=True)
    return looked_up(notes, rows)


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


def test_killed_at_random_moments_every_row_is_written_once_and_looked_up_at_most_twice(own_database, tmp_path):
    killed_and_resumed(5, 60_000, tmp_path, seed_of_random=6)


@pytest.mark.torture
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed_of_random", range(2))
def test_killed_at_50_random_moments_every_row_is_written_once(own_database, tmp_path, seed_of_random):
    killed_and_resumed(50, 600_000, tmp_path, seed_of_random)


def test_a_fill_that_is_killed_leaves_whole_batches_and_goes_on(own_database):
    command = [sys.executable, "-m", "helpers.domains", "fill", "--rows", "400000", "--seconds", "0.01"]
    domains.fill(1)
    for _ in range(3):
        (before,) = ask("SELECT MAX(id) FROM domains")[0]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        grown = "SELECT MAX(id) > %s FROM domains"
        wait_until(lambda p=process, b=before, g=grown: p.poll() is not None or ask(g, b) == [(1,)], "no new row")
        process.kill()
        process.wait()
        # the lock is free when the server has ended the statement that the killed process left behind
        with domains.connected() as (_, cursor), domains.working_alone(cursor):
            found = domains.verify()
        assert (found.missing, found.wrong_domains) == (0, 0) and found.rows > before
    domains.fill(found.rows + 10)
    assert domains.verify().rows == found.rows + 10


RANK_TO_THE_END = "import sys\nfrom helpers.domains.__main__ import main\nsys.exit(main(sys.argv[1:]))"
LAST_ID = """
from contextlib import closing
from helpers import seed
with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
    cursor.execute("SELECT MAX(last_id) FROM domains_checkpoint")
    print(cursor.fetchone()[0] or 0)
"""


def server_killed_and_resumed(place, kills, rows, rng):
    """Kill the server while it ranks, `kills` times; each time the job ends with an error, and goes on when started."""
    place.use()  # a process may take longer to start than the server waits for its next user
    place.run(RANK_TO_THE_END, "fill", "--rows", rows)

    def connect():
        return place.connect(database="ALX_prodev")

    for n in range(kills):
        done = int(place.run(LAST_ID))
        goal = done + rng.randrange(max(1, (rows - done) // (kills - n + 1)))
        with connect() as watching, held(min(rows, goal + 2 * SLACK), connect):  # it does not end before the kill
            watching.autocommit = True
            cursor = watching.cursor()
            process = place.start(RANK_TO_THE_END, "rank", "--seconds", "0.01")

            def moved(process=process, cursor=cursor, goal=goal):
                assert process.poll() is None, process.communicate()
                cursor.execute("SELECT MAX(last_id) FROM domains_checkpoint")
                return (cursor.fetchone()[0] or 0) > goal

            wait_until(moved, "the job does not go on")
            (running,) = place.servers()
            running.kill()
            _, error = process.communicate(timeout=120)
            assert process.returncode == 1
            assert "All batches before this one are safe. Run the same command again" in error
            assert len(error.splitlines()) == 1
    place.run(RANK_TO_THE_END, "rank")
    said = place.run(RANK_TO_THE_END, "verify")
    assert said.startswith(f"{rows:,} rows, 0 missing; 0 wrong domains, 0 wrong ranks")


def test_the_server_killed_while_ranking_costs_an_error_and_no_row(warm):
    server_killed_and_resumed(warm, 2, 60_000, random.Random(6))


def test_a_server_that_was_killed_and_counts_few_rows_does_not_lock_them_all(warm):
    """Its count of a table's rows is an old one, and a scan of so few seems cheaper to it than a range of the key."""
    warm.use()  # a process may take longer to start than the server waits for its next user
    warm.run(RANK_TO_THE_END, "fill", "--rows", "20000")
    with warm.connect(database="ALX_prodev") as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE domains STATS_AUTO_RECALC = 0")
        cursor.execute(
            "UPDATE mysql.innodb_table_stats SET n_rows = 300, clustered_index_size = 3 "
            "WHERE database_name = DATABASE() AND table_name = 'domains'"
        )
        connection.commit()
    (running,) = warm.servers()
    running.kill()
    running.wait()
    warm.run(LAST_ID)  # starts it again
    with held(20_000, lambda: warm.connect(database="ALX_prodev")):
        ranked = warm.run("from helpers import domains\nprint(domains.update_ranks(ids=(1, 10_001)).rows)")
    assert ranked == "10000"


@pytest.mark.torture
@pytest.mark.timeout(1200)
def test_the_server_killed_10_times_while_ranking_costs_no_row(warm):
    server_killed_and_resumed(warm, 10, 300_000, random.Random(10))
