"""Reaching a server: what is connected to, what the environment says, streams, and closing at once."""

import contextlib
from itertools import islice

import mysql.connector
import pytest

from helpers import connection as reaching
from helpers import seed
from helpers.connection import cancel_and_close, fetch_in_c, streaming
from helpers.users import synthetic_users


def test_connect_db_chooses_no_database():
    with contextlib.closing(seed.connect_db()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE(), @@character_set_client, @@collation_connection")
        assert cursor.fetchone() == (None, "utf8mb4", "utf8mb4_general_ci")


# What the environment says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("MYSQL_PORT", "none", "MYSQL_PORT='none' is not a port number from 1 to 65535"),
        ("MYSQL_PORT", "0", "MYSQL_PORT='0' is not a port number"),
        ("MYSQL_PORT", "٣", "is not a port number"),
        ("MYSQL_USER", "", "MYSQL_USER is not set"),
        ("MYSQL_DATABASE", "a`; DROP DATABASE b", "is not a plain name: 1 to 64 letters, digits and underscores"),
        ("MYSQL_DATABASE", "x" * 65, "is not a plain name"),
        ("MYSQL_DATABASE", "users\n", "is not a plain name"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(monkeypatch, variable, value, says):
    for name, usual in {"MYSQL_HOST": "127.0.0.1", "MYSQL_USER": "learner", variable: value}.items():
        monkeypatch.setenv(name, value if name == variable else usual)
    with pytest.raises(ValueError) as caught:
        seed.connect_to_prodev()
    assert says in str(caught.value)


def test_a_driver_without_its_c_extension_is_warned_of_once(monkeypatch):
    monkeypatch.setattr(mysql.connector, "HAVE_CEXT", False)
    reaching._warn_once.cache_clear()
    with pytest.warns(UserWarning, match="reads are about 7 times slower. Install the version") as warned:
        for _ in range(2):
            seed.connect_db().close()
    assert len(warned) == 1
    reaching._warn_once.cache_clear()


# Streaming ------------------------------------------------------------------------------------------------------------


def test_streaming_gives_an_unbuffered_cursor_and_takes_parameters_and_options(connection):
    seed.insert_data(connection, synthetic_users(100))
    with streaming("SELECT email FROM user_data WHERE age = %s", (43,), dictionary=True) as cursor:
        assert {"email": "user0@example.com"} in list(cursor)
    with streaming("SELECT user_id FROM user_data ORDER BY user_id", raw=True) as cursor:
        assert isinstance(cursor.fetchone()[0], (bytes, bytearray))
        assert cursor._connection.unread_result


@pytest.mark.parametrize("options", [{"raw": True}, {}])
@pytest.mark.parametrize("size", [7, 50, 1000])
def test_rows_fetched_in_c_are_those_of_fetchmany(connection, options, size):
    seed.insert_data(connection, synthetic_users(100))
    query = "SELECT user_id, name, email, age FROM user_data ORDER BY user_id"
    with streaming(query, **options) as cursor:
        wanted = cursor.fetchall()
    with streaming(query, **options) as cursor:
        batches = list(iter(lambda: fetch_in_c(cursor, size), []))
        assert not cursor._connection.unread_result
        assert fetch_in_c(cursor, size) == []
    assert [row for batch in batches for row in batch] == wanted
    assert {len(batch) for batch in batches[:-1]} <= {size}


def test_without_the_c_extension_the_driver_s_python_fetches(connection):
    seed.insert_data(connection, synthetic_users(100))
    pure = mysql.connector.connect(**reaching.server_arguments(), database=reaching.database_name(), use_pure=True,
                                   charset="utf8mb4", collation="utf8mb4_general_ci")  # fmt: skip
    with contextlib.closing(pure), contextlib.closing(pure.cursor()) as cursor:
        cursor.execute("SELECT user_id FROM user_data")
        assert [len(batch) for batch in iter(lambda: fetch_in_c(cursor, 60), [])] == [60, 40]


def test_a_query_that_is_cancelled_while_rows_are_fetched_in_c_raises_the_driver_s_error(connection):
    seed.insert_data(connection, synthetic_users(5000))
    query = "SELECT a.*, b.* FROM user_data a, user_data b"
    with pytest.raises(mysql.connector.Error) as caught, streaming(query, raw=True) as cursor:
        assert len(fetch_in_c(cursor, 10)) == 10
        with contextlib.closing(seed.connect_db()) as second:
            second.cmd_query(f"KILL QUERY {cursor._connection.connection_id}")
        while fetch_in_c(cursor, 1000):
            pass
    assert caught.value.errno == 1317


def test_cancel_and_close_may_be_called_again_and_at_any_time(connection):
    seed.insert_data(connection, synthetic_users(100))
    for read in range(3):
        other = seed.connect_to_prodev()
        if read:
            cursor = other.cursor()
            cursor.execute("SELECT * FROM user_data")
            list(islice(cursor, read))
        for _ in range(2):
            cancel_and_close(other)
        assert not other.is_connected()
