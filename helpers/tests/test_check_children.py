"""Processes that a solution's code starts by spawn, forkserver or subprocess are watched as its own process is."""

import inspect

import pytest
from checked import is_named_and_the_rest_passes
from solutions import CONNECTING, seen
from test_check_hidden import QUERY, dicts, from_a_child, put_all

# The solution of test_check_hidden as a file that a child can import. The child is started by `method` and puts what it
# reads into a queue of `size`, where 0 is without a bound
QUEUE = f"""
import multiprocessing
from contextlib import closing

import seed

QUERY = {QUERY!r}


def forking():
    return multiprocessing.get_context("%(method)s")


{inspect.getsource(dicts)}
{inspect.getsource(put_all)}
{inspect.getsource(from_a_child)}
def stream_users():
    yield from from_a_child(dicts, forking().Queue(%(size)s))
"""
# What the child prints: a user a line
READER = """
import json
import seed

connection = seed.connect_to_prodev()
cursor = connection.cursor(dictionary=True)
cursor.execute("SELECT * FROM user_data")
for user in cursor:
    print(json.dumps(user | {"age": int(user["age"])}))
connection.close()
"""
PIPE = """
import json
import subprocess
import sys


def stream_users():
    child = subprocess.Popen([sys.executable, "reader.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for line in child.stdout:
            yield json.loads(line)
        said = child.stderr.read()
        if child.wait():
            raise ConnectionError(said)
    finally:
        child.kill()
        child.communicate()
"""
WHOLE = """
import json
import subprocess
import sys


def stream_users():
    done = subprocess.run([sys.executable, "reader.py"], capture_output=True, text=True)
    if done.returncode:
        raise ConnectionError(done.stderr)
    for line in done.stdout.splitlines():
        yield json.loads(line)
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_of_any_kind_that_reads_ahead_without_a_bound_is_named(looked_at, method):
    is_named_and_the_rest_passes(looked_at("stream_users", QUEUE % {"method": method, "size": 0}, seed=CONNECTING), 35)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_of_any_kind_that_waits_for_the_consumer_is_right(looked_at, method):
    report = looked_at("stream_users", QUEUE % {"method": method, "size": 100}, seed=CONNECTING)
    assert report, str(report)


def test_a_program_that_reads_all_before_the_first_user_is_named(looked_at):
    report = looked_at("stream_users", WHOLE, seed=CONNECTING, reader=READER)
    is_named_and_the_rest_passes(report, 11)
    assert "users had come from the server before your first one came out" in seen(report)


def test_a_program_that_waits_until_its_pipe_is_read_is_right(looked_at):
    report = looked_at("stream_users", PIPE, seed=CONNECTING, reader=READER)
    assert report, str(report)
