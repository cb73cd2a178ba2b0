"""What people read when the server refuses or goes away: each kind with its own advice."""

import contextlib
import os
import secrets
import time

import mysql.connector
import pytest
from places import ask, wait_until

from helpers import databases, notebooks, seed, server
from helpers.connection import (
    LOST,
    SLOW_CONSUMER_SECONDS,
    database_name,
    environment_names_server,
    explained,
    explaining,
    streaming,
)
from helpers.users import synthetic_users

ROWS = 30_000  # more than what waits in the sockets
ADA = [("Ada", "ada@example.com", 36)]
KINDS = {
    "wrong password": (1045, "Check MYSQL_USER and MYSQL_PASSWORD"),
    "no permission": (1044, "You lack permission on this database. Ask for access, or set MYSQL_DATABASE to one that"),
    "server full": (1040, "max_connections.*Shut down the kernels"),
    "user full": (1203, "max_user_connections.*Shut down the kernels"),
    "limit of an account": (1226, "the limit that the message names"),
    "host blocked": (1129, "FLUSH HOSTS"),
    "host not allowed": (1130, "accepts no connections from this machine"),
    "account locked on MySQL": (3118, "locked. Ask the server's administrator"),
    "account locked on MariaDB": (4151, "locked. Ask the server's administrator"),
    "password expired": (1862, "expired.*ALTER USER"),
    "encrypted connections only": (3159, "encrypted connections only"),
    "statement limit of MariaDB": (1969, "limits how long a statement may run.*max_statement_time"),
    "statement limit of MySQL": (3024, "limits how long a statement may run.*max_execution_time"),
    "idle on MySQL": (4031, "Connect again: run the cell that makes the connection"),
    "gone away": (2006, "Connect again: run the cell that makes the connection"),
    "killed on MariaDB": (1927, "Connect again: run the cell that makes the connection"),
    "killed on MySQL": (3169, "Connect again: run the cell that makes the connection"),
    "server shuts down": (1053, "Connect again: run the cell that makes the connection"),
    "server could not write": (1161, "net_write_timeout.*Connect again"),
    "statement stopped": (1317, "KILL QUERY.*Run the cell again"),
    "rows held by another": (1205, "Another connection holds these rows and has not committed"),
    "deadlock": (1213, "Run the cell again"),
    "lost": (2013, "wait_timeout.*net_write_timeout.*Connect again"),
    "disk full": (1114, "could not write; its disk is probably full"),
    "read-only": (1290, "read-only. Set MYSQL_HOST"),
    "no database": (1049, r"Run databases.ready\(\)"),
    "no table": (1146, r"Run databases.ready\(\)"),
    "no host": (2005, "Host not found. Check MYSQL_HOST"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_advice_fits_the_kind_of_error(kind):
    number, says = KINDS[kind]
    with pytest.raises(mysql.connector.Error, match="(?s)it said no. .*" + says) as caught, explaining():
        raise mysql.connector.Error(msg="it said no", errno=number)
    assert caught.value.errno == number
    assert "Is the server running?" not in str(caught.value)


@pytest.mark.parametrize("number", [2002, 2003])
def test_only_where_nobody_answers_it_is_asked_whether_the_server_runs(monkeypatch, number):
    error = mysql.connector.Error(msg="no answer", errno=number)
    for name in ("MYSQL_HOST", "MYSQL_UNIX_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    assert "python -m helpers.server status" in str(explained(error))
    monkeypatch.setenv("MYSQL_HOST", "db")
    assert "Is the server running?" in str(explained(error))
    other = explained(mysql.connector.Error(msg="out of luck.", errno=9999))
    assert str(other).endswith("out of luck.")


# Connections that end -------------------------------------------------------------------------------------------------


def is_given_up(connection):
    """Wait until the server has given a connection up by itself."""
    number = connection.connection_id
    wait_until(lambda: number not in {row[0] for row in ask("SHOW PROCESSLIST")}, "the server keeps the connection")


def test_an_idle_connection_that_the_server_has_closed_is_to_be_made_again(connection):
    connection.cmd_query("SET SESSION wait_timeout = 1")
    is_given_up(connection)
    for _ in range(2):  # the second time the driver itself knows that it is closed
        with pytest.raises(mysql.connector.Error, match="Connect again: run the cell that makes the connection"):
            seed.insert_data(connection, ADA)
    with contextlib.closing(seed.connect_to_prodev()) as again:
        assert seed.insert_data(again, ADA) == 1


def test_a_closed_connection_is_to_be_made_again(connection):
    connection.close()
    for call in (lambda: seed.insert_data(connection, ADA), lambda: seed.create_table(connection)):
        with pytest.raises(mysql.connector.Error, match="Connect again: run the cell that makes the connection"):
            call()


@pytest.mark.parametrize("kill", ["KILL", "KILL QUERY"])
def test_a_stream_that_loses_its_connection_is_an_error_and_the_next_is_whole(database, connection, kill):
    seed.insert_data(connection, (("N" * 250, f"{n}.{'e' * 230}@example.com", 1) for n in range(ROWS)))  # 15 MB
    stream_users = notebooks.exported("02").stream_users_fast
    count = 0
    with pytest.raises(mysql.connector.Error) as caught, contextlib.closing(stream_users()) as users:
        for _ in users:
            count += 1
            if count == 6:
                mine = [
                    row for row in ask("SHOW PROCESSLIST") if row[3] == connection.database and "name" in str(row[7])
                ]
                ask(f"{kill} {mine[0][0]}")
    assert count < ROWS
    assert caught.value.errno in ((*LOST, 1927) if kill == "KILL" else (1317, *LOST))
    with pytest.raises(mysql.connector.Error, match="Connect again|Run the cell again"), explaining():
        raise caught.value
    assert sum(1 for _ in stream_users()) == ROWS


# Streams and time -----------------------------------------------------------------------------------------------------

WIDE = "SELECT a.*, REPEAT('x', 1000) FROM user_data a, (SELECT 1 UNION SELECT 2 UNION SELECT 3) b"
WIDE_ROWS = 90_000  # about 95 MB: far more than what the sockets hold


@pytest.fixture
def server_says(connection, monkeypatch):
    """Fill the table; give a function that lets every connection begin as if a setting were the server's."""
    seed.insert_data(connection, synthetic_users(WIDE_ROWS // 3))
    connect = mysql.connector.connect

    def say(setting):
        monkeypatch.setattr(
            mysql.connector, "connect", lambda **options: connect(**options, init_command=f"SET SESSION {setting}")
        )

    return say


def test_a_stream_goes_on_whose_consumer_thinks_for_longer_than_the_server_waits(server_says):
    server_says("net_write_timeout = 1")
    with streaming("SELECT @@SESSION.net_write_timeout") as cursor:
        assert cursor.fetchall() == [(SLOW_CONSUMER_SECONDS,)]
    with streaming(WIDE) as cursor, contextlib.closing(seed.connect_to_prodev()) as plain:
        cursor.fetchone()
        slow = plain.cursor()
        slow.execute(WIDE)
        slow.fetchone()
        is_given_up(plain)
        with pytest.raises(mysql.connector.Error, match="net_write_timeout.*Connect again") as caught, explaining():
            for _ in slow:
                pass
        assert caught.value.errno in LOST
        assert 1 + sum(1 for _ in cursor) == WIDE_ROWS


def test_a_limit_of_time_ends_a_stream_whose_consumer_thinks_too_long_and_is_explained(server_says):
    mariadb = "MariaDB" in ask("SELECT VERSION()")[0][0]
    server_says("max_statement_time = 1" if mariadb else "max_execution_time = 1000")
    with pytest.raises(mysql.connector.Error, match="limits how long a statement may run"), streaming(WIDE) as cursor:
        cursor.fetchone()
        time.sleep(3)
        for _ in cursor:
            pass


def test_a_statement_limit_of_the_server_is_explained(connection):
    seed.insert_data(connection, synthetic_users(2_000))
    slow = "SELECT COUNT(*) FROM user_data a, user_data b, user_data c WHERE a.age + b.age + c.age = -1"
    mariadb = "MariaDB" in ask("SELECT VERSION()")[0][0]
    limited = "SET STATEMENT max_statement_time = 0.2 FOR " + slow
    query = limited if mariadb else slow.replace("SELECT", "SELECT /*+ MAX_EXECUTION_TIME(200) */", 1)
    with pytest.raises(mysql.connector.Error, match="limits how long a statement may run"), streaming(query) as cursor:
        cursor.fetchall()


# Accounts -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(monkeypatch):
    """Make a user of the server, with options of CREATE USER, who may use the course's database; be that user."""
    name, host = f"gc_{secrets.token_hex(4)}", "%" if environment_names_server() else "localhost"
    admin = seed.connect_db()
    database = database_name()

    def be(options):
        admin.cmd_query(f"CREATE USER '{name}'@'{host}' IDENTIFIED BY 'Secret-123' {options}")
        admin.cmd_query(f"GRANT ALL ON `{database}`.* TO '{name}'@'{host}'")
        if not environment_names_server():
            monkeypatch.setenv("MYSQL_UNIX_SOCKET", server.ensure()["unix_socket"])
        monkeypatch.setenv("MYSQL_USER", name)
        monkeypatch.setenv("MYSQL_PASSWORD", "Secret-123")

    yield be
    admin.cmd_query(f"DROP USER IF EXISTS '{name}'@'{host}'")
    admin.close()


ACCOUNTS = {
    "locked": ("ACCOUNT LOCK", 0, "The account is locked"),
    "expired": ("PASSWORD EXPIRE", 0, "The password has expired"),
    "too many connections": ("WITH MAX_USER_CONNECTIONS 1", 1, "the limit that the message names|max_user_connections"),
    "too many queries": ("WITH MAX_QUERIES_PER_HOUR 3", 0, "the limit that the message names"),
}


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_an_account_with_a_limit_is_told_which_and_never_the_password(account, kind):
    options, connections, says = ACCOUNTS[kind]
    account(options)
    with contextlib.ExitStack() as held, pytest.raises(mysql.connector.Error, match=says) as caught:
        for _ in range(connections):
            held.enter_context(contextlib.closing(seed.connect_db()))
        for _ in range(5):
            seed.connect_db().close()
            databases.ready()
    assert "Secret-123" not in str(caught.value)
    assert os.environ["MYSQL_USER"] in str(caught.value)
    assert "Is the server running?" not in str(caught.value)
