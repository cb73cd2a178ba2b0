"""Servers of their own for the tests that start, fill, kill and replace them."""

import shutil
import tempfile
from pathlib import Path

import pytest
from places import Place


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
    place.clear()


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    """A place where a server has been, and ended well."""
    made = Place(tmp_path_factory.mktemp("made") / "server")
    made.run("from helpers import seed, server; seed.ready(); server.main(['stop'])")
    yield made
    made.clear()


@pytest.fixture
def warm(_made, tmp_path):
    """A place whose data folder is made, with the 1,000 people in it; no server runs."""
    shutil.copytree(_made.folder, tmp_path / "server")
    place = Place(tmp_path / "server")
    yield place
    place.clear()


@pytest.fixture(scope="module")
def shared(_made, tmp_path_factory):
    """A place for the tests of one file that leave the server as they found it; it runs until they end."""
    folder = tmp_path_factory.mktemp("shared") / "server"
    shutil.copytree(_made.folder, folder)
    place = Place(folder)
    place.use()
    yield place
    place.clear()
