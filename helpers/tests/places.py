"""A private server's place for one test, the processes that use it there, and one that tells what it meets."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import mysql.connector
import psutil
import pytest

from helpers import seed

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LEFT_OUT = (".*", "my_lessons", "__pycache__")  # of a copy of the project: other tests write there meanwhile
PATIENCE = 120  # seconds: no test is about time; this is when a test that hangs is given up
PEOPLE = """
from contextlib import closing
from helpers import seed
with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
    cursor.execute("SELECT COUNT(*) FROM user_data")
    print(cursor.fetchone()[0])
"""

FAILS = """
from helpers import server
try:
    print(server.ensure())
except server.ServerError as error:
    print(str(error).replace("\\n", " | "))
"""


def run(*command, **options):
    """Run a command and return it finished: its status, and what it said to both outputs as one text in `stdout`."""
    options = {"cwd": ROOT, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
    return subprocess.run([str(word) for word in command], **options)


def make_targets():
    """Return the names of all targets of the Makefile."""
    return set(re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.M)[1].split())


def sizes(small, full):
    """Run a test `tries` times: `small` in make test, `full` in make torture."""
    full = pytest.param(full, id="full", marks=[pytest.mark.torture, pytest.mark.timeout(7200)])
    return pytest.mark.parametrize("tries", [pytest.param(small, id="small"), full])


def wait_until(condition, what):
    """Wait until `condition()` is true, and return what it gave; fail where it stays false."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s: {what}"
        time.sleep(0.02)
    return found


class Place:
    """A folder for a private server (COURSE_SERVER_DIR) that only this test knows, and the processes that use it."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("MYSQL_")}
        self.environment["COURSE_SERVER_DIR"] = str(folder)
        self.started = []

    def start(self, code, *arguments, **environment):
        """Start a Python process that runs `code`; its standard input stays open until the test closes it."""
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, code, *arguments, **environment):
        """Run `code` in a Python process to its end; return the last line that it printed, or fail with its error."""
        process = self.start(code, *arguments, **environment)
        said, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, error
        return said.rstrip("\n").rpartition("\n")[2]

    def use(self, then="", **environment):
        """Start a process that uses the private server, and return it when the server is ready."""
        code = f"import sys\nfrom helpers import seed, server\nserver.ensure(); print('ready', flush=True)\n{then}\n"
        process = self.start(code + "sys.stdin.read()", **environment)
        ready = process.stdout.readline()
        assert ready == "ready\n", process.stderr.read()
        return process

    def connect(self, **options):
        """Connect to the server that runs here, without using the helpers."""
        socket = (self.folder / "socket").read_text()
        return mysql.connector.connect(unix_socket=socket, user="root", connection_timeout=PATIENCE, **options)

    def data(self):
        """Return the path of the server's data folder."""
        return next(path for path in self.folder.iterdir() if path.name.startswith(("mysql-", "mariadb-")))

    def servers(self):
        """Return the server processes whose data stand in this folder, and those that make a data folder in it."""
        return self._processes(lambda words: any(w.startswith(f"--datadir={self.folder}") for w in words))

    def supervisors(self):
        """Return the supervisors of this folder (and what they are in the instant of their start)."""
        return self._processes(lambda words: words[-2:] == ["supervise", str(self.folder)])

    def _processes(self, fits):
        found = []
        for process in psutil.process_iter(["cmdline", "status", "ppid"]):
            if process.info["status"] != psutil.STATUS_ZOMBIE and fits(process.info["cmdline"] or []):
                found.append(process)
        return found

    def used(self):
        """Tell whether a process that lives counts as a user of the server."""
        with open(self.folder / "users.lock") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def gone(self):
        """Tell whether no server and no supervisor is left."""
        return not self.servers() and not self.supervisors()

    def kill(self, processes):
        """Kill (-9) servers or supervisors of this place; return when they are gone. Some end with others."""
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        wait_until(lambda: not {*processes} & {*self.servers(), *self.supervisors()}, "kill -9 and it still runs")

    def close(self):
        """End what the test has started here, the server at last, and remove the data."""
        for process in self.started:
            process.kill()
            process.wait()
            for file in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(BrokenPipeError):
                    file.close()
        for process in self.supervisors():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        wait_until(self.gone, "the server of a test that has ended still runs")
        shutil.rmtree(self.folder, ignore_errors=True)


def as_stranger(code, *arguments, first=""):
    """Run Python code as another user of the machine, after `first`; return what it said to both outputs.

    Only root can become another user: as anybody else, return None.
    """
    if os.geteuid():
        return None
    become = f"import os, socket, sys\n{first}\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    command = [sys.executable, "-c", become + code, *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/").stdout


# A table, and what it holds -------------------------------------------------------------------------------------------

HEADER = "name,email,age\n"
ADA = ("00000000-0000-4000-8000-00000000000a", "Ada Lund", "ada@example.com", 36)


def ask(query, parameters=()):
    """Return the rows of a query, from a connection of its own."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def stored():
    """Return what user_data holds: {user_id: (name, email, age)}."""
    return {user_id: tuple(rest) for user_id, *rest in ask("SELECT user_id, name, email, age FROM user_data")}


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# A process that meets a broken environment, and tells ----------------------------------------------------------------

SECRET = "the-password-of-nobody"


def answer(process, question=None):
    """Send a line to a process, where there is one to send, and return what it answers in a line of JSON."""
    if question is not None:
        print(question, file=process.stdin, flush=True)
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)


CALLER = """
import json, os, sys, time, traceback
from helpers import connection as reaching
from helpers import databases, seed
usual = reaching.CONNECT_SECONDS
for line in sys.stdin:
    wanted = json.loads(line)
    reaching.CONNECT_SECONDS = wanted.pop("CONNECT_SECONDS", usual)
    for name in [name for name in os.environ if name.startswith(("MYSQL_", "COURSE_MYSQLD"))]:
        del os.environ[name]
    os.environ.update(wanted)
    start = time.monotonic()
    try:
        rows = os.environ.pop("ROWS", None)
        if rows:
            os.environ["MYSQL_DATABASE"] = databases.ready(int(rows))
        else:
            databases.ready()
        with seed.connect_to_prodev() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM user_data")
            told = {"rows": cursor.fetchone()[0]}
    except Exception as error:
        told = {"error": type(error).__name__, "says": str(error), "shown": traceback.format_exc()}
    print(json.dumps(told | {"seconds": time.monotonic() - start}), flush=True)
"""


class Caller:
    """A process that makes the data ready again and again, each time in the environment that it is given."""

    def __init__(self, place):
        self.process = place.start(CALLER)
        self.usual = {k: v for k, v in place.environment.items() if k == "COURSE_MYSQLD"}

    def __call__(self, **environment):
        return answer(self.process, json.dumps(self.usual | environment))


def is_one_clear_error(told, says, timed):
    """Check what a Caller told: an error that says what is expected, once, without the password, within 10 s."""
    assert re.search(says, told["says"])
    assert SECRET not in told["shown"]
    assert told["shown"].count("Traceback") == 1, "one error, not a chain of them"
    assert not timed or told["seconds"] < 10
