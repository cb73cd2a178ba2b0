"""A process is killed before the statement that was named, and not before."""

import contextlib
import subprocess
import sys

import cloudpickle
import pytest
from places import ROOT

from helpers import seed
from helpers.databases import ask
from helpers.kills import kill_before

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the other process does not find this file


def three_rows():
    """Commit three rows, one after the other, and update one of them twice."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        for number in (1, 2, 3):
            cursor.execute("INSERT INTO noted VALUES (%s)", (number,))
            connection.commit()
        cursor.execute("update  noted set number = 4 where number = 1")
        cursor.executemany("UPDATE noted SET number = %s WHERE number = %s", [(5, 2), (6, 3)])
        connection.commit()


@pytest.mark.parametrize(
    ("statement", "time", "status", "left"),
    [
        ("INSERT INTO noted", 1, -9, []),
        ("INSERT INTO noted", 3, -9, [1, 2]),
        ("UPDATE noted", 1, -9, [1, 2, 3]),
        ("UPDATE noted", 3, -9, [1, 2, 3]),
        ("UPDATE noted", 4, 0, [4, 5, 6]),
        ("DELETE", 1, 0, [4, 5, 6]),
        ("COMMIT", 1, -9, []),
        ("COMMIT", 4, -9, [1, 2, 3]),
        ("COMMIT", 5, 0, [4, 5, 6]),
    ],
)
def test_what_is_committed_before_stays_and_the_rest_is_gone(own_database, statement, time, status, left):
    ask("CREATE TABLE noted (number INT PRIMARY KEY)")
    assert kill_before(statement, time, three_rows) == status
    assert ask("SELECT number FROM noted ORDER BY number") == [(number,) for number in left]


def test_a_notebooks_process_is_a_copy_that_need_not_import_what_jobs_use():
    program = """
import sys
sys.path.insert(0, "..")
from helpers.kills import kill_before
kill_before("DELETE", 1, lambda: print({"helpers.domains", "mysql.connector"} <= sys.modules.keys(), flush=True))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "notebooks", capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n", done
