"""What takes over 2 s shows a progress bar, which goes away again: nothing of it is stored, and nbval sees none."""

import shlex
from concurrent.futures import ThreadPoolExecutor

import nbclient
import nbformat
import pytest
from places import PATIENCE

from helpers import notebooks, server
from helpers.notebooks import store

CODE = """
import sys, time
sys.path.insert(0, "..")
from helpers import databases, memory, seed
from helpers.users import synthetic_users

def slow_users():
    for user in synthetic_users(8):
        time.sleep(0.5)
        yield user

seed.BATCH_SIZE = 1  # so that a few users take a while
with databases.scratch():
    connection = seed.connect_to_prodev()
    print(seed.insert_data(connection, slow_users()))
    connection.close()
measured = memory.compare({"slow": lambda: time.sleep(4)})
try:
    memory.compare({"fails": lambda: time.sleep(3) or 1 / 0})
except ZeroDivisionError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def runs(shared):
    """What the code above writes, in Lab and under nbval: by the stream's name, and the notebook with it.

    Both at once: it waits most of the time.
    """
    usual = {k: v for k, v in shared.environment.items() if k != "TQDM_DISABLE"}

    def run(environment):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
        client = nbclient.NotebookClient(
            notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": notebooks.LESSONS}}
        )
        client.execute(env=usual | environment)
        written = {"stdout": "", "stderr": ""}
        for output in notebook.cells[0].outputs:
            written[output.name] += output.text
        return written, notebook

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(("in Lab", "under nbval"), pool.map(run, ({}, {"TQDM_DISABLE": "1"})), strict=True))


def test_seeding_and_measuring_show_a_bar_that_is_wiped_away(runs):
    written, notebook = runs["in Lab"]
    steps = written["stderr"].split("\r")
    assert sum(step.startswith("Seeding: ") for step in steps) >= 3, "it moves"
    assert len({step for step in steps if step.startswith("Measuring:   0%")}) >= 2, "its clock goes on"
    assert not steps[-1].strip() and not steps[-2].strip(), "wiped away"
    for number, step in enumerate(steps):
        if step.startswith("Measuring") and not steps[number + 1].startswith("Measuring"):
            assert not steps[number + 1].strip(), "wiped away, after an error too"
    store.clean(notebook, "00")
    assert [(output.name, output.text) for output in notebook.cells[0].outputs] == [("stdout", "8\ndivision by zero\n")]


def test_with_tqdms_switch_there_is_none(runs):
    written, _ = runs["under nbval"]
    assert written == {"stdout": "8\ndivision by zero\n", "stderr": ""}


@pytest.mark.parametrize("switch", [{}, {"TQDM_DISABLE": "1"}], ids=["in-lab", "under-nbval"])
def test_a_private_server_that_takes_its_time_to_start_says_so(place, tmp_path, switch):
    slow = tmp_path / "mariadbd"
    program = shlex.quote(server.find_program())
    slow.write_text(f'#!/bin/sh\ncase "$*" in *--socket*) sleep 3;; esac\nexec {program} "$@"\n')
    slow.chmod(0o755)
    place.environment.pop("TQDM_DISABLE", None)
    started = place.start("from helpers import server; server.ensure()", COURSE_MYSQLD=str(slow), **switch)
    _, said = started.communicate(timeout=PATIENCE)
    assert started.returncode == 0, said
    steps = said.split("\n")  # "\r" on the way, which text mode reads as a line's end
    if switch:
        assert steps == [""]
    else:
        assert len({step for step in steps if step.startswith("Starting the private server")}) >= 2, "its clock goes on"
        assert not steps[-1].strip(), "wiped away"
