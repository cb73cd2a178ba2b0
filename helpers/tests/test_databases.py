"""The databases of the lessons: made ready once, pointed at, and dropped."""

import contextlib
import os
import subprocess
import sys

import pytest
from places import ADA, ROOT, stored

from helpers import databases, seed
from helpers.connection import database_name, streaming
from helpers.users import synthetic_users


def test_ready_makes_the_thousand_people_once(base):
    assert [databases.ready(), databases.ready()] == [base, base]
    assert len(stored()) == 1000


def test_at_scale_points_there_inside_the_block_and_back_after_it(base):
    databases.ready()
    with pytest.raises(LookupError), databases.at_scale(1500) as name:
        assert name == database_name() == os.environ["MYSQL_DATABASE"] == f"{base}_1500"
        assert stored() == {user[0]: user[1:] for user in synthetic_users(1500)}
        child = "from helpers import seed; print(seed.connect_to_prodev().database)"
        assert subprocess.check_output([sys.executable, "-c", child], cwd=ROOT, text=True) == f"{base}_1500\n"
        with databases.at_scale(10) as inner:
            assert inner == f"{base}_10", "blocks in a block do not add up"
        assert databases.ready() == base
        assert database_name() == f"{base}_1500"
        raise LookupError
    assert database_name() == base
    assert "COURSE_DATABASE" not in os.environ
    assert len(stored()) == 1000


def test_ready_fills_up_what_an_interrupted_seeding_left(base):
    with databases.at_scale(1000), contextlib.closing(seed.connect_to_prodev()) as connection:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM user_data WHERE age < 60")
        connection.commit()
        assert len(stored()) < 1000
        databases.ready(1000)
        assert len(stored()) == 1000


@pytest.mark.parametrize("rows", [0, -1, 1.5, "10", "1; DROP TABLE user_data", True])
def test_ready_refuses_what_is_no_number_of_rows(rows):
    with pytest.raises(ValueError, match="rows must be a positive integer"):
        databases.ready(rows)


def test_scratch_leaves_nothing():
    with pytest.raises(LookupError), databases.scratch() as name:
        with contextlib.closing(seed.connect_to_prodev()) as connection:
            seed.insert_data(connection, [ADA])
        assert database_name() == name
        raise LookupError
    assert database_name() != name
    with contextlib.closing(seed.connect_db()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        assert name not in {found for (found,) in cursor.fetchall()}


def test_the_command_makes_the_data_ready(base):
    command = [sys.executable, "-m", "helpers.databases"]
    for options, name in ([], base), (["--rows", "10"], f"{base}_10"):
        said = subprocess.check_output(command + options, cwd=ROOT, text=True)
        assert said == f"The table user_data in the database {name} is ready.\n"


@pytest.mark.parametrize("value", ["1e6", "0", "many"])
def test_a_number_of_rows_that_makes_no_sense_is_named(value):
    command = [sys.executable, "-c", "from helpers import databases"]
    environment = {**os.environ, "COURSE_ROWS": value}
    done = subprocess.run(command, cwd=ROOT, text=True, env=environment, stderr=subprocess.PIPE)
    assert done.stderr.endswith(f"ValueError: COURSE_ROWS={value!r} must be a positive integer\n")


# Looking into them ----------------------------------------------------------------------------------------------------


def test_ask_returns_rows_and_commits(database):
    insert = "INSERT INTO user_data VALUES (%s, %s, %s, %s)"
    assert databases.ask(insert, "00000000-0000-4000-8000-000000000001", "Bo % Berg", "bo@example.com", 9) == []
    assert databases.ask("SELECT name, age FROM user_data") == [("Bo % Berg", 9)]
    assert databases.ask("SELECT name FROM user_data WHERE name LIKE '%x%'") == []


def test_one_connection_serves_all_and_counts_what_the_server_did(connection):
    seed.insert_data(connection, synthetic_users(50))
    with databases.one_connection() as counted:
        numbers = set()
        for _ in range(3):
            with contextlib.closing(seed.connect_to_prodev()) as lent:
                numbers.add(lent.connection_id)
        before = counted()
        with streaming("SELECT user_id FROM user_data ORDER BY user_id") as cursor:
            assert len(cursor.fetchall()) == 50
        after = counted()
        assert after["queries"] - before["queries"] == 1
        assert after["steps"] - before["steps"] in (49, 50)
        with streaming("SELECT user_id FROM user_data") as cursor:
            cursor.fetchone()  # and leave the others unread
        assert counted()["queries"] == after["queries"] + 1
        assert lent.is_connected(), "closing it inside the block only empties it"
    assert len(numbers) == 1
    assert not lent.is_connected()
    with contextlib.closing(seed.connect_to_prodev()) as other:
        assert other.connection_id not in numbers
