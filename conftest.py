"""What every test and every kernel starts with: no progress bars, and nothing of the learner's own touched."""

import contextlib
import hashlib
import itertools
import os
import re
import signal
import socket
import tempfile
from pathlib import Path

from jupyter_client.connect import LocalPortCache

NOTEBOOKS = Path(__file__).parent / "notebooks"
# make quick: files of helpers/tests that start no kernel and at most one server, under 30 s together on two cores
QUICK = {
    "test_connection",
    "test_data",
    "test_databases",
    "test_docstrings",
    "test_lessons",
    "test_links",
    "test_make",
    "test_plots",
    "test_readme",
    "test_seed",
    "test_setup",
    "test_site",
    "test_users",
}
# make test LESSON=06: files that belong to a lesson, by how their names begin, beside what bears its name
BELONGING = {
    "01": ("test_seed", "test_users", "test_connection", "test_databases"),
    "06": ("test_domains",),
    "07": ("test_dask",),
}


def pytest_addoption(parser):
    """Add the options that `make quick` and `make test LESSON=02` pass."""
    parser.addoption("--quick", action="store_true", help="only the tests that need under 30 s together")
    parser.addoption("--lesson", metavar="NN", help="only the tests of one lesson and of what belongs to it")


def pytest_collection_modifyitems(config, items):
    """Leave out what --quick and --lesson do not ask for."""
    wanted = [item for item in items if _is_wanted(item, config)]
    if left_out := [item for item in items if item not in set(wanted)]:
        config.hook.pytest_deselected(items=left_out)
        items[:] = wanted


def _is_wanted(item, config):
    if config.getoption("--quick") and (item.path.stem not in QUICK or item.get_closest_marker("slow")):
        return False
    number = config.getoption("--lesson")
    return not number or _belongs(item, number)


def _belongs(item, number):
    (lesson,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    if lesson.stem in item.nodeid or item.path.stem.startswith(BELONGING.get(number, ())):
        return True
    functions = set(re.findall(r"def (\w+)\(", lesson.read_text(encoding="utf-8")))
    return bool(re.search(rf"\[({number}|{'|'.join(functions)})\b", item.nodeid))


def _give_kernels_ports_of_their_own(worker):
    """Let the kernels that this process starts listen on ports that nothing else is given.

    jupyter_client takes a free one, lets go of it, and the kernel takes it a second later; a kernel, a cluster or a
    connection that another process opens meanwhile may be given the same. The system gives out ports from 32,768 on.
    """
    first = 12_000 + 4_000 * (worker % 5)
    ports = itertools.cycle(range(first, first + 4_000))
    for _ in range(os.getpid() % 4_000):  # another run beside this one hardly ever takes the same
        next(ports)

    def find_available_port(self, ip):
        for port in ports:
            with contextlib.suppress(OSError), socket.socket() as taken:
                taken.bind((ip, port))
                return port

    LocalPortCache.find_available_port = find_available_port


def pytest_configure(config):
    """Set the environment that the tests, the kernels and the processes that they start inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # run in the background (nohup … &): processes inherit that Ctrl-C is ignored, and tests press it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _give_kernels_ports_of_their_own(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))
    config.option.nbval_sanitize_with = os.path.join(os.path.dirname(__file__), "helpers/tests/nbval_sanitize.cfg")
    os.environ["TQDM_DISABLE"] = "1"
    os.environ.pop("MPLBACKEND", None)  # the kernel chooses its own: one set for scripts would leave no plot
    from helpers.connection import environment_names_server  # here: what is set above holds for what it imports

    if environment_names_server():
        # somebody's own server: their ALX_prodev stays as it is
        os.environ.setdefault("MYSQL_DATABASE", "course_test")
    # a private server apart from the one that a learner's notebooks use, and from those of other copies and programs:
    # two runs at once would meet each other's databases, and one of them not the server that it is to test
    whose = f"{os.path.dirname(__file__)} {os.environ.get('COURSE_MYSQLD')}"
    name = f"generators-course-tests-{os.getuid()}-{hashlib.sha256(whose.encode()).hexdigest()[:8]}"
    os.environ.setdefault("COURSE_SERVER_DIR", os.path.join(tempfile.gettempdir(), name))
