"""Faults by force: kills, broken environments, damaged files, leaks, many kernels, strangers.

Each is here in two sizes: a small one in `make test`, and a full one in `make torture`, which prints a table of tries
and failures.
"""

import contextlib
import random
import re
import signal
import socket
import subprocess
import sys
import time
import zlib

import pytest
from places import ROOT, SECRET, Caller, answer, ask, is_one_clear_error, sizes, wait_until

from helpers import databases, seed
from helpers.connection import LOST
from helpers.users import synthetic_users

CONTENT = "SELECT COUNT(*), COALESCE(SUM(CRC32(CONCAT_WS(',', user_id, name, email, age))), 0) FROM user_data"


def content_of(users):
    """Return what CONTENT says of a table that holds these users and nothing else."""
    sums = [zlib.crc32(",".join(map(str, user)).encode()) for user in users]
    return [(len(sums), sum(sums))]


# Kill -----------------------------------------------------------------------------------------------------------------

SEEDING = "import sys\nfrom helpers import databases\nprint('begins', flush=True)\ndatabases.ready(int(sys.argv[1]))"


def seeding(rows, code=SEEDING):
    """Start a process that seeds `rows` users, and return it when it is about to begin."""
    command = [sys.executable, "-c", code, str(rows)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n", process.stderr.read()
    return process


@sizes(small=3, full=50)
def test_seeding_killed_at_a_random_moment_and_run_again(base, tally, tries):
    rows = 100_000 if tries == 50 else 10_000
    right = content_of(synthetic_users(rows))
    start = time.monotonic()
    with seeding(rows) as process:
        _, error = process.communicate()
        assert process.returncode == 0, error
    whole = time.monotonic() - start
    moments = random.Random(1)
    with tally("kill -9 of seeding, then again") as row:
        for _ in range(tries):
            with contextlib.closing(seed.connect_db()) as connection:
                connection.cmd_query(f"DROP DATABASE {base}_{rows}")
            with row.one_try(), seeding(rows) as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=moments.uniform(0, whole))
                process.kill()
                process.wait()
                left = databases_content(f"{base}_{rows}")
                assert left in (None, [(0, 0)], right), f"{left}: a part of the rows"
                with databases.at_scale(rows):
                    assert ask(CONTENT) == right


def databases_content(name):
    """Return what CONTENT says of a database's user_data, or None where there is none yet."""
    with contextlib.closing(seed.connect_db()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = 'user_data'",
            (name,),
        )
        if cursor.fetchone() == (0,):
            return None
        cursor.execute(CONTENT.replace("user_data", f"{name}.user_data"))
        return cursor.fetchall()


def test_ctrl_c_while_seeding_leaves_the_table_as_it_was_and_the_same_process_goes_on(base):
    code = """
import time
from helpers import databases, seed
from helpers.users import synthetic_users

def users(interrupted):
    for number, user in enumerate(synthetic_users(10_000)):
        if interrupted and number == 5000:
            print("begins", flush=True)
            while True:  # a single wait would miss a Ctrl-C that comes just before it
                time.sleep(0.01)
        yield user

databases.ready()
connection = seed.connect_to_prodev()
try:
    seed.insert_data(connection, users(True))
except KeyboardInterrupt:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM user_data")
        print(cursor.fetchone()[0], seed.insert_data(connection, users(False)))
"""
    command = [sys.executable, "-c", code]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        assert process.stdout.readline() == "begins\n", process.stderr.read()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "1000 10000\n", process.stderr.read()


# Sits in a private server's place: makes a table, then reads or fills it while the test kills the server
AT_WORK = """
import json
import sys
from contextlib import closing
import mysql.connector
from helpers import databases, notebooks, seed
from helpers.users import synthetic_users

ROWS = 10_000
stream_users = notebooks.exported("02").stream_users_fast

def told(**what):
    print(json.dumps(what), flush=True)
    sys.stdin.readline()

def refilled(at):
    for number, user in enumerate(synthetic_users(10_000, start=ROWS), start=1):
        if number == at:
            told(at="work")
        yield user
    if at > number:
        told(at="work")

def stream():
    users = stream_users()
    next(users)
    told(at="work")
    return 1 + sum(1 for user in users)

def fill(at=6000):
    with closing(seed.connect_to_prodev()) as connection:
        return seed.insert_data(connection, refilled(at))

def commit():
    return fill(at=10_001)

with databases.at_scale(ROWS):
    for work in {"stream": stream, "fill": fill, "commit": commit}[sys.argv[1]], stream_users:
        try:
            done = work()
            told(rows=sum(1 for user in done) if work is stream_users else done)
        except mysql.connector.Error as error:
            told(error=str(error), number=error.errno)
"""


@pytest.mark.parametrize(("work", "who"), [("stream", "server"), ("fill", "supervisor"), ("commit", "server")])
@sizes(small=1, full=50)
def test_server_killed_at_work(warm, tally, work, who, tries):
    with tally(f"kill -9 of the {who} at work: {work}") as row:
        for _ in range(tries):
            with row.one_try():
                process = warm.start(AT_WORK, work)

                assert answer(process) == {"at": "work"}
                warm.kill(warm.servers() if who == "server" else warm.supervisors())
                for server in warm.servers():
                    server.wait()  # its supervisor's end is its own
                error = answer(process, "")
                assert error["number"] in LOST
                assert "the private server: " in error["error"]
                assert "Connect again: run the cell" in error["error"]
                assert answer(process, "") == {"rows": 10_000}, "all or none, and the next call works"
                process.communicate()


# Broken environments --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def port(listens):
    """Give a TCP port of 127.0.0.1 where somebody accepts and never answers, or where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if listens:
            taken.listen()
        yield str(taken.getsockname()[1])


@pytest.fixture(scope="module")
def somebodys(shared):
    """The environment of a server that belongs to somebody: two users, one of whom may do nothing."""
    with shared.connect() as connection, connection.cursor() as cursor:
        for name in ("owner", "guest"):
            cursor.execute(f"CREATE USER {name}@localhost IDENTIFIED BY '{SECRET}'")
        cursor.execute("GRANT ALL ON *.* TO owner@localhost")
    path = (shared.folder / "socket").read_text()
    return {"MYSQL_UNIX_SOCKET": path, "MYSQL_USER": "owner", "MYSQL_PASSWORD": SECRET}


TCP = {"MYSQL_HOST": "127.0.0.1", "MYSQL_USER": "learner", "MYSQL_PASSWORD": SECRET}
ENVIRONMENTS = {
    "a host of no such name": (
        TCP | {"MYSQL_HOST": "no-such-host.invalid"},
        "user 'learner' at no-such-host.invalid:3306: .*Check MYSQL_HOST",
    ),
    "a host with a port in its name": (
        TCP | {"MYSQL_HOST": "127.0.0.1:3306"},
        "user 'learner' at 127.0.0.1:3306:3306: .*Check MYSQL_HOST",
    ),
    "a port where nobody listens": (TCP | {"MYSQL_PORT": "closed"}, r"user 'learner' at 127.0.0.1:\d+: .*Check MYSQL_"),
    "a port that never answers": (
        TCP | {"MYSQL_PORT": "silent"},
        r"user 'learner' at 127.0.0.1:\d+: .*No server greeted us there: it is too busy, or what listens is none",
    ),
    "a port that is no number": (TCP | {"MYSQL_PORT": "3306/tcp"}, "MYSQL_PORT='3306/tcp' is not a port number"),
    "no user named": ({"MYSQL_HOST": "127.0.0.1"}, "MYSQL_USER is not set"),
    "a socket that is not there": (
        {"MYSQL_UNIX_SOCKET": "/nowhere/s", "MYSQL_USER": "learner"},
        "user 'learner' at /nowhere/s: .*Is the server running",
    ),
    "a socket's path that is too long": (
        {"MYSQL_UNIX_SOCKET": "/tmp/" + "x" * 200, "MYSQL_USER": "learner"},
        "user 'learner' at /tmp/x+: ",
    ),
    "a wrong password": (
        {"somebody's": "", "MYSQL_PASSWORD": SECRET + "!"},
        r"user 'owner' at /.*/s: Access denied.*Check MYSQL_USER and MYSQL_PASSWORD",
    ),
    "no password": ({"somebody's": "", "MYSQL_PASSWORD": ""}, "user 'owner' at /.*/s: Access denied.*Check MYSQL_USER"),
    "a user nobody knows": ({"somebody's": "", "MYSQL_USER": "stranger"}, "user 'stranger' at /.*/s: Access denied"),
    "a user without rights": (
        {"somebody's": "", "MYSQL_USER": "guest"},
        "user 'guest' at /.*/s: Access denied.*You lack permission on this database",
    ),
    "a database that is none": ({"MYSQL_DATABASE": "my course"}, "MYSQL_DATABASE='my course' is not a plain name"),
}


@pytest.fixture(scope="module")
def caller(shared):
    return Caller(shared)


@pytest.mark.parametrize("fault", ENVIRONMENTS)
@sizes(small=1, full=5)
def test_broken_environment(caller, somebodys, tally, fault, tries):
    environment, says = ENVIRONMENTS[fault]
    if "somebody's" in environment:
        environment = somebodys | {k: v for k, v in environment.items() if k != "somebody's"}
    with tally(f"environment: {fault}") as row, port(listens=False) as closed, port(listens=True) as silent:
        named = {"closed": closed, "silent": silent}
        environment = {k: named.get(v, v) for k, v in environment.items()}
        for _ in range(tries):
            with row.one_try():
                soon = tries == 1 and "silent" in ENVIRONMENTS[fault][0].values()  # only there it is waited for
                told = caller(**environment, **({"CONNECT_SECONDS": 1} if soon else {}))
                is_one_clear_error(told, says, timed=tries > 1)
                assert caller()["rows"] == 1000, "the cause is gone: the next call works"


PROGRAMS = {
    "no server program": (None, "COURSE_MYSQLD='.*/mysqld' is not a program that can be run"),
    "a server that dies while it starts": (
        "echo '[ERROR] no luck'; exit 1",
        r"ended while it started.*\n  \[ERROR\] no",
    ),
    "a server that is killed while it starts": ("kill -9 $$", "ended while it started"),
}


@pytest.mark.parametrize("fault", PROGRAMS)
@sizes(small=1, full=5)
def test_broken_server_program(warm, tmp_path, tally, fault, tries):
    does, says = PROGRAMS[fault]
    program = tmp_path / "mysqld"
    if does:
        program.write_text(
            f'#!/bin/sh\ncase "$*" in *--version) echo mysqld Ver 99.7.0;; *--init*) ;; *) {does};; esac\n'
        )
        program.chmod(0o755)
    caller = Caller(warm)
    with tally(f"environment: {fault}") as row:
        for _ in range(tries):
            with row.one_try():
                is_one_clear_error(caller(COURSE_MYSQLD=str(program)), says, timed=tries > 1)
                assert caller()["rows"] == 1000, "the cause is gone: the next call works"
                warm.kill(warm.servers())
                wait_until(warm.gone, "kill -9 and it still runs")


# Strangers ------------------------------------------------------------------------------------------------------------

EVERYTHING = """
import contextlib, itertools
from helpers import databases, notebooks, seed

HOSTILE = ["1; DROP TABLE theirs.kept", "1 OR 1=1", "0x31", -1, 0, 1.5, None, b"1", [1], True, "1"]

def refuse(call, *arguments):
    try:
        call(*arguments)
    except (ValueError, TypeError):
        return
    raise AssertionError(f"{call.__name__}{arguments} was not refused at the call")

databases.ready()
with databases.at_scale(50):
    databases.ready()
with databases.scratch(), contextlib.closing(seed.connect_to_prodev()) as connection:
    seed.create_database(connection)
    seed.create_table(connection)
    seed.insert_data(connection, [("'; DROP TABLE theirs.kept; --", "a@example.com", 1)])
for hostile in HOSTILE:
    refuse(databases.ready, *([hostile] if hostile is not None else ["None"]))
    refuse(notebooks.exported("03").stream_users_in_batches, hostile)
    refuse(notebooks.exported("03").batch_processing, hostile)
    refuse(notebooks.exported("04").lazy_pagination, hostile)
    refuse(notebooks.exported("04").paginate_users, hostile, 0)
    if hostile != 0:
        refuse(notebooks.exported("04").paginate_users, 1, hostile)
list(itertools.islice(notebooks.exported("02").stream_users_fast(), 3))
"""


def test_on_somebodys_server_nothing_else_is_dropped_or_changed(warm, somebodys):
    """All that the course does to a server, while the server writes down what it is told."""
    warm.use()
    with warm.connect(autocommit=True) as connection, connection.cursor() as cursor:
        for statement in (
            "CREATE DATABASE theirs",
            "CREATE TABLE theirs.kept (id INT PRIMARY KEY, text TEXT)",
            "INSERT INTO theirs.kept VALUES (1, 'one'), (2, 'two')",
            "DROP DATABASE ALX_prodev",
            "CREATE DATABASE ALX_prodev_other",
            "SET GLOBAL log_output = 'TABLE'",
            "SET GLOBAL general_log = 1",
        ):
            cursor.execute(statement)
        cursor.execute("SHOW DATABASES")
        before = {name for (name,) in cursor.fetchall()}
        socket_path = (warm.folder / "socket").read_text()
        warm.run(EVERYTHING, MYSQL_UNIX_SOCKET=socket_path, MYSQL_USER="root", MYSQL_DATABASE="course")
        cursor.execute("SET GLOBAL general_log = 0")
        cursor.execute("SELECT * FROM theirs.kept ORDER BY id")
        assert cursor.fetchall() == [(1, "one"), (2, "two")]
        cursor.execute("SHOW DATABASES")
        assert {name for (name,) in cursor.fetchall()} == before | {"course", "course_50"}
        cursor.execute("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query'")
        statements = [text for (text,) in cursor.fetchall() if not text.startswith("SET GLOBAL general_log")]
    changing = [
        text for text in statements if re.match(r"\s*(CREATE|DROP|ALTER|RENAME|TRUNCATE|GRANT|FLUSH)\b", text, re.I)
    ]
    assert changing
    ours = r"CREATE TABLE IF NOT EXISTS user_data |(CREATE DATABASE IF NOT EXISTS|DROP DATABASE) `course(_50|_\w{12})?`"
    assert not [text for text in changing if not re.match(ours, text)]
    assert not [text for text in statements if re.match(r"SET (GLOBAL|PERSIST)|UPDATE|DELETE|REPLACE", text)]
    killed = [text for text in statements if text.startswith("KILL")]
    assert all(re.fullmatch(r"KILL QUERY \d+", text) for text in killed), killed
