"""A class of thirty on one server: each learner with a user and a database of their own, all in lesson 02 at once.

make torture TEST="-k class"             on a private server, which all reach by its socket
MYSQL_HOST=… make torture TEST="-k class"    on that server, as a user who may create users
KERNELS in the environment makes the class smaller or larger.
"""

import contextlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import jupyter_client
import mysql.connector
import nbclient
import nbformat
import psutil
import pytest
from places import SECRET

from helpers import notebooks

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]

KERNELS = int(os.environ.get("KERNELS", "30"))
MIB = 2**20


@pytest.fixture
def server(warm):
    """What a learner's environment says about the server, and a connection of its administrator."""
    if os.environ.get("MYSQL_HOST"):
        where = {key: os.environ[key] for key in ("MYSQL_HOST", "MYSQL_PORT") if os.environ.get(key)}
        administrator = mysql.connector.connect(
            host=where["MYSQL_HOST"],
            port=int(where.get("MYSQL_PORT", "3306")),
            user=os.environ["MYSQL_USER"],
            password=os.environ.get("MYSQL_PASSWORD", ""),
        )
    else:
        warm.use()
        where = {"MYSQL_UNIX_SOCKET": (warm.folder / "socket").read_text()}
        administrator = warm.connect()
    with contextlib.closing(administrator):
        yield where, administrator


@pytest.fixture
def learners(server):
    """The environments of the learners, made as the README says; their users and databases are dropped at the end."""
    where, administrator = server
    usual = {key: value for key, value in os.environ.items() if not key.startswith(("MYSQL_", "COURSE_DATABASE"))}
    host = "'%'" if "MYSQL_HOST" in where else "localhost"
    names = [f"learner{number:02}" for number in range(KERNELS)]
    with administrator.cursor() as cursor:
        for name in names:
            cursor.execute(f"CREATE USER {name}@{host} IDENTIFIED BY '{SECRET}'")
            cursor.execute(f"GRANT ALL ON `{name}`.* TO {name}@{host}")
            cursor.execute(rf"GRANT ALL ON `{name}\_%`.* TO {name}@{host}")
    yield [usual | where | {"MYSQL_USER": name, "MYSQL_PASSWORD": SECRET, "MYSQL_DATABASE": name} for name in names]
    with administrator.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        for (database,) in cursor.fetchall():
            if database.partition("_")[0] in names:
                cursor.execute(f"DROP DATABASE `{database}`")
        for name in names:
            cursor.execute(f"DROP USER {name}@{host}")


def run_lesson(path, environment, folder):
    """Run a lesson in a kernel of its own, whose sockets are in the folder; return the error that stopped it, or None.

    Not by ports: Jupyter chooses free ones, and a kernel dies if another program takes one before it does, which is
    likely where two classes start at once. JupyterLab then starts the kernel again with other ports; nbclient does not.
    """
    notebook = nbformat.read(path, as_version=4)
    manager = jupyter_client.AsyncKernelManager(
        kernel_name="python3", transport="ipc", connection_file=str(folder / f"{environment['MYSQL_USER']}.json")
    )
    client = nbclient.NotebookClient(
        notebook, km=manager, startup_timeout=1800, timeout=1800, resources={"metadata": {"path": path.parent}}
    )
    try:
        client.execute(env=environment, cleanup_kc=True)  # as closing the notebook does: the kernel ends
    except nbclient.exceptions.CellExecutionError as error:
        return f"{environment['MYSQL_USER']}: {error}"


def memory_until(done):
    """Watch the processes that this one has started; return the most memory that they shared out among them, in MiB."""
    most = 0
    while not done.wait(2):
        total = 0
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error, FileNotFoundError, ProcessLookupError):
                total += process.memory_full_info().pss
        most = max(most, total / MIB)
    return most


def test_class_runs_lesson_02_all_at_once(learners, temporary, tally, capsys):
    path = notebooks.find("02")
    done = Event()
    with tally(f"a class of {KERNELS} in lesson 02") as row, ThreadPoolExecutor(KERNELS + 1) as pool:
        watching = pool.submit(memory_until, done)
        start = time.monotonic()
        try:
            errors = list(pool.map(run_lesson, [path] * KERNELS, learners, [temporary] * KERNELS))
        finally:
            done.set()
        seconds = time.monotonic() - start
        for error in errors:
            with row.one_try():
                assert error is None, error
        with capsys.disabled():
            print(f"\n{KERNELS} kernels: {seconds:.0f} s, {watching.result():,.0f} MiB")
    assert watching.result() > 50 * KERNELS, "the kernels were not seen at all"
