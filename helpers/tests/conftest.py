"""Servers of their own for the tests that start, fill, kill and replace them."""

import contextlib
import shutil
import tempfile
import textwrap
import time
import uuid
from pathlib import Path

import pytest

pytest.register_assert_rewrite("places")  # before its import: its assertions tell both sides too
from places import Place  # noqa: E402
from solutions import FUNCTIONS  # noqa: E402

from helpers import databases, seed  # noqa: E402
from helpers.check import folder  # noqa: E402
from helpers.connection import database_name, environment_names_server  # noqa: E402


@pytest.fixture
def temporary():
    """A folder with a short name, to be a system's temporary folder."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def place(tmp_path):
    """A place where no server has ever been."""
    place = Place(tmp_path / "server")
    yield place
    place.close()


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    """A place where a server has been, and ended well."""
    made = Place(tmp_path_factory.mktemp("made") / "server")
    made.run("from helpers import databases, server; databases.ready(); server.main(['stop'])")
    yield made
    made.close()


@pytest.fixture
def warm(_made, tmp_path):
    """A place whose data folder is made, with the 1,000 people in it; no server runs."""
    shutil.copytree(_made.folder, tmp_path / "server")
    place = Place(tmp_path / "server")
    yield place
    place.close()


@pytest.fixture(scope="module")
def shared(_made, tmp_path_factory):
    """A place for the tests of one file that leave the server as they found it; it runs until they end."""
    folder = tmp_path_factory.mktemp("shared") / "server"
    shutil.copytree(_made.folder, folder)
    place = Place(folder)
    place.use()
    yield place
    place.close()


# A database of their own for the tests of one file --------------------------------------------------------------------


@pytest.fixture(scope="module")
def _database():
    with databases.scratch() as name:
        yield name


@pytest.fixture
def database(_database):
    """A database of these tests' own, with an empty user_data; connect_to_prodev() leads there."""
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        connection.cmd_query("DELETE FROM user_data")
        connection.commit()
    return _database


@pytest.fixture
def connection(database):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        yield connection


@pytest.fixture
def own_database():
    """A database of its own for one test; dropped at the end."""
    with databases.scratch() as name:
        yield name


@pytest.fixture
def base(monkeypatch):
    """A name for the course's database that nobody else uses; what was made under it is dropped at the end."""
    name = f"{database_name()}_{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("MYSQL_DATABASE", name)
    monkeypatch.delenv("COURSE_DATABASE", raising=False)
    yield name
    _drop(name)


def _drop(base):
    """Drop the databases that were made under a name."""
    with contextlib.closing(seed.connect_db()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        for (found,) in cursor.fetchall():
            if found == base or found.startswith(base + "_"):
                cursor.execute(f"DROP DATABASE {found}")


# The table of make torture --------------------------------------------------------------------------------------------


class Row:
    """Tries of one kind of fault: how many, what failed, and how long the longest took."""

    def __init__(self):
        self.tries, self.failures, self.longest = 0, [], 0.0

    @contextlib.contextmanager
    def one_try(self, raises=False):
        """Count the block as a try; a failure is kept for the end, so that the other tries are made too."""
        self.tries += 1
        start = time.monotonic()
        try:
            yield
        except Exception as error:
            self.failures.append(f"try {self.tries}: {type(error).__name__}: {error}")
            if raises:
                raise
        finally:
            self.longest = max(self.longest, time.monotonic() - start)


@pytest.fixture
def tally(record_property):
    """Give a context manager that makes a row of the table, and fails at its end where a try has failed."""

    @contextlib.contextmanager
    def row_of(what):
        row = Row()
        try:
            yield row
        finally:
            record_property("torture", (what, row.tries, len(row.failures), row.longest))
        assert not row.failures, f"{len(row.failures)} of {row.tries} tries:\n" + "\n".join(row.failures[:5])

    return row_of


def pytest_terminal_summary(terminalreporter, config):
    """Print the table of tries and failures after make torture."""
    reports = [r for kind in ("passed", "failed", "error") for r in terminalreporter.getreports(kind)]
    rows = {}
    for report in sorted(reports, key=lambda r: r.nodeid):
        if "torture" in getattr(report, "keywords", ()) and (report.when == "call" or report.failed):
            mine = [value for name, value in report.user_properties if name == "torture"]
            if not mine or (report.failed and not any(failures for _, _, failures, _ in mine)):
                mine.append((report.nodeid.partition("::test_")[2], 1, int(report.failed), report.duration))
            rows[report.nodeid] = mine
    if not rows:
        return
    terminalreporter.section("torture")
    terminalreporter.line(f"{'what':72}{'tries':>8}{'failures':>10}{'longest':>10}")
    for what, tries, failures, longest in (row for mine in rows.values() for row in mine):
        terminalreporter.line(f"{what:72}{tries:8,}{failures:10,}{longest:8.1f} s")


# Whole solutions of the public project -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checking_server():
    """The server that the environment names; a private one without."""
    with contextlib.nullcontext() if environment_names_server() else folder.private_server():
        yield


@pytest.fixture
def looked_at(checking_server, tmp_path):
    """Give a function that looks at one function of a solution, whose other files are given by name."""

    def look(name, source, **files):
        function = FUNCTIONS[name]
        for file, text in ({function.file: source} | {f"{key}.py": text for key, text in files.items()}).items():
            (tmp_path / file).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return folder.one(tmp_path, tmp_path / function.file, function, True)

    return look
