"""Streams stopped early, and kernels that are killed and restarted: nothing is left, and the next call works."""

import contextlib
import gc
import operator
import os
import signal
import threading

import jupyter_client
import mysql.connector
import psutil
import pytest
from places import PATIENCE, ROOT, ask, sizes, wait_until

from helpers import databases, notebooks

# Leaks ----------------------------------------------------------------------------------------------------------------


def stopped_by_break(stream):
    for _ in stream():
        break


def stopped_by_exception(stream):
    with contextlib.suppress(LookupError):
        for _ in stream():
            raise LookupError


def stopped_by_dropping_the_reference(stream):
    users = stream()
    next(users)
    del users


def stopped_by_close(stream):
    users = stream()
    next(users)
    users.close()


@pytest.mark.parametrize("lesson", ["02"])
@sizes(small=40, full=1000)
def test_streams_stopped_early_leave_nothing(base, tally, lesson, tries, monkeypatch):
    stream = notebooks.exported(lesson).stream_users_fast
    opened = []
    connect = mysql.connector.connect

    def noted(*args, **kwargs):
        connection = connect(*args, **kwargs)
        opened.append(connection.connection_id)
        return connection

    def open_connections():
        return {number for number, *_ in ask("SHOW PROCESSLIST")} & set(mine)

    def held():
        return process.num_fds(), process.num_threads(), threading.active_count()

    monkeypatch.setattr(mysql.connector, "connect", noted)
    process = psutil.Process()
    stops = [stopped_by_break, stopped_by_exception, stopped_by_dropping_the_reference, stopped_by_close]
    with tally("streams stopped early") as row, databases.at_scale(5000):
        for stop in stops:
            stop(stream)
        gc.collect()
        before = held()
        for number in range(tries):
            opened.clear()
            with row.one_try():
                stops[number % len(stops)](stream)
                mine = list(opened)
                assert len(mine) == 2, "one to stream, one to stop it"
                wait_until(lambda: not open_connections(), "a connection is left on the server")
        gc.collect()
        # No more, that is: what an earlier test has left to end by itself may end meanwhile
        wait_until(lambda: all(map(operator.le, held(), before)), "more files or threads are open than before")


# Many kernels ---------------------------------------------------------------------------------------------------------


class Kernel:
    """A Jupyter kernel, started as JupyterLab starts one."""

    def __init__(self, environment):
        self.manager = jupyter_client.KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=environment, cwd=str(ROOT / "notebooks"))
        self._connect()

    def _connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code):
        """Run a cell; return what it prints, or fail with its error."""
        said = []

        def listen(message):
            said.append(message["content"].get("text") or "\n".join(message["content"].get("traceback", [])))

        reply = self.client.execute_interactive(code, timeout=PATIENCE, output_hook=listen)
        assert reply["content"]["status"] == "ok", "".join(said)
        return "".join(said)

    def kill_and_restart(self):
        """Kill it (-9) in the middle of a cell, and start it again."""
        self.client.execute("import time; time.sleep(600)")
        os.kill(self.manager.provisioner.pid, signal.SIGKILL)
        wait_until(lambda: not self.manager.is_alive(), "kill -9 and the kernel is alive")
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self._connect()

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


COUNT_IN_A_CELL = """
import sys; sys.path.insert(0, "..")
from contextlib import closing
from helpers import databases, seed
databases.ready()
with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
    cursor.execute("SELECT COUNT(*) FROM user_data")
    print(cursor.fetchone()[0])
"""


def test_kernels_that_are_killed_restarted_and_lose_their_server(warm):
    kernels = [Kernel(warm.environment) for _ in range(2)]
    try:
        for kernel in kernels:
            assert kernel.run(COUNT_IN_A_CELL) == "1000\n"
        (before,) = warm.servers()
        kernels[0].kill_and_restart()
        assert kernels[0].run(COUNT_IN_A_CELL) == "1000\n"
        assert warm.servers() == [before]
        before.kill()
        before.wait()
        assert [kernel.run(COUNT_IN_A_CELL) for kernel in kernels] == ["1000\n"] * 2
        assert len(warm.servers()) == len(warm.supervisors()) == 1
    finally:
        for kernel in kernels:
            kernel.end()
    wait_until(lambda: not warm.used(), "a kernel has ended and still counts as a user")
