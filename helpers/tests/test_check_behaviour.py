"""helpers.check reports on code that hangs, exits, forks or fills the memory, and works again after it."""

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import cloudpickle
import mysql.connector
import psutil
import pytest
from checked import databases_like, first_bad, good_stream
from places import PATIENCE, run, wait_until

from helpers import check, seed
from helpers.check import process
from helpers.check.harness import MANY, PEOPLE, Harness
from helpers.connection import database_name

cloudpickle.register_pickle_by_value(sys.modules[__name__])


# Code that does not behave --------------------------------------------------------------------------------------------


def prints_without_end():
    while True:
        print("x" * 1000)
    yield


def prints_past_python():
    for _ in range(2000):
        os.write(1, b"x" * 1000)
    subprocess.run(["sh", "-c", "echo loud; echo louder >&2"])
    yield from good_stream()


def prints_a_lot():
    for user in good_stream():
        print(user, "x" * 1000)
        yield user


def never_ends():
    while True:
        pass
    yield


def yields_without_end():
    with closing(seed.connect_to_prodev()) as connection:
        connection.ping()
    while True:
        yield {"user_id": "1", "name": "A", "email": "B", "age": 1}


def sleeps_for_ever_deaf_to_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(10_000)
    yield


def fills_the_memory():
    held = []
    while True:
        held.append(b"x" * 2**24)
    yield held


def forks():
    os.fork()
    yield from good_stream()


def leaves_a_child():
    if os.fork() == 0:
        time.sleep(10_000)
    yield from good_stream()


def leaves_a_thread():
    threading.Thread(target=time.sleep, args=(10_000,)).start()
    yield from good_stream()


def exits():
    sys.exit("enough")
    yield


def exits_at_once():
    os._exit(3)
    yield


def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)
    yield


def interrupts():
    raise KeyboardInterrupt
    yield


def recurses():
    yield from recurses()


def changes_directory():
    os.chdir("/")
    yield from good_stream()


def closes_its_output():
    sys.stdout.close()
    sys.stderr.close()
    os.closerange(1, 3)
    yield from good_stream()


def closes_the_connection_twice():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor
    finally:
        connection.close()
        connection.close()


def asks_for_input():
    input("name? ")
    yield


def drops_the_table():
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("DROP DATABASE ALX_prodev")
    yield from good_stream()


def raises_something_odd():
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    raise Odd
    yield


def ignores_the_end():
    stream = good_stream()
    while True:
        try:
            yield next(stream)
        except GeneratorExit:
            continue
        except StopIteration:
            return


def takes_an_argument(size):
    yield from good_stream()


HANGS = "still running after 4 s: does your loop ever end?"
BEHAVES = None  # a report with nothing to fix
ILL_BEHAVED = {
    prints_without_end: HANGS,
    prints_past_python: BEHAVES,
    prints_a_lot: BEHAVES,
    never_ends: HANGS,
    yields_without_end: "out of 23, and went on",
    sleeps_for_ever_deaf_to_signals: HANGS,
    fills_the_memory: "MiB of memory and was stopped",
    forks: BEHAVES,
    leaves_a_child: BEHAVES,
    leaves_a_thread: BEHAVES,
    exits: "it raised sys.exit",
    exits_at_once: "it ended the whole Python process (status 3)",
    kills_itself: "it ended the whole Python process (status -9)",
    interrupts: "it raised KeyboardInterrupt",
    recurses: "it raised RecursionError",
    changes_directory: BEHAVES,
    closes_its_output: BEHAVES,
    closes_the_connection_twice: BEHAVES,
    asks_for_input: "it raised EOFError",
    drops_the_table: "Unknown database",
    raises_something_odd: "it raised Odd",
    ignores_the_end: "RuntimeError: generator ignored GeneratorExit",
    takes_an_argument: "missing 1 required positional argument: 'size'",
    lambda: 42: "it gave a value of type int",
    lambda: print("hello"): "it gave None: a return or a yield is missing",
}


@pytest.fixture(scope="module")
def ill_behaved():
    """The report of each of them, three at a time, and what was there before.

    Those that hang are given up soon; the others have time, however busy the machine is.
    """
    base = f"{database_name()}_{secrets.token_hex(4)}"  # what the names of the checks' databases start with
    before = SimpleNamespace(folder=os.getcwd(), threads=threading.active_count(), databases=f"{base}_")
    reports = {}
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        patch.setattr(process, "MEMORY_LIMIT", 300)
        patch.setattr(process, "COMPUTING_LIMIT", PATIENCE)  # the other limit is the one that shows here
        patch.setenv("COURSE_DATABASE", base)
        for hang, limit in ((True, 4.0), (False, PATIENCE)):
            patch.setattr(process, "TIME_LIMIT", limit)
            functions = [function for function, wanted in ILL_BEHAVED.items() if (wanted is HANGS) == hang]
            reports |= dict(zip(functions, pool.map(check.stream_users, functions), strict=True))
    return reports, before


@pytest.mark.parametrize("function", ILL_BEHAVED, ids=lambda f: f.__name__)
def test_code_that_does_not_behave_gets_a_report(ill_behaved, function):
    report, wanted = ill_behaved[0][function], ILL_BEHAVED[function]
    if wanted is BEHAVES:
        assert report, str(report)
    else:
        assert wanted in first_bad(report).observed, str(report)


def test_code_that_does_not_behave_leaves_nothing_behind_and_the_next_check_works(ill_behaved):
    _, before = ill_behaved
    assert os.getcwd() == before.folder
    processes = psutil.Process().children(recursive=True)
    runners = [process for process in processes if "runner.py" in " ".join(process.cmdline())]
    assert [process.cmdline()[2] for process in runners] == ["warm"]  # the one that the next learner's is forked from
    assert not databases_like(before.databases)
    wait_until(lambda: threading.active_count() <= before.threads, "a thread of a check still runs")
    assert check.stream_users(good_stream)


LOADED = """
import distributed
from helpers import check

def cut(low, high, pieces):
    import sys
    raise ValueError(f"loaded: {'distributed' in sys.modules}")

for _ in range(3):
    check.cut(cut)
"""


def test_what_takes_long_to_load_is_loaded_once_for_all_checks_and_the_first_one_does_not_wait_for_it():
    said = run(sys.executable, "-c", LOADED).stdout
    assert re.findall("loaded: ([A-Z][a-z]+)", said) == ["False", "True", "True"], said


def test_twenty_seconds_are_given():
    assert process.TIME_LIMIT == 20


@pytest.mark.parametrize("what", ["people", "many", "none"])
def test_what_the_server_still_does_for_a_learner_who_has_left_does_not_meet_the_new_rows(what):
    with Harness(None) as harness:
        harness.fill("people")
        connection = mysql.connector.connect(
            unix_socket=harness.proxy.path, user="learner", database="ALX_prodev", use_pure=True
        )
        before = harness.proxy.real_ids.copy()
        # As with "3; DROP TABLE user_data" for a number: the first answer is there long before the last statement runs
        assert next(connection.cmd_query_iter("SELECT 1; SELECT SLEEP(1); DROP TABLE user_data"))
        connection.shutdown()
        harness.fill(what)
        listed = {number for number, *_ in harness.execute("SHOW PROCESSLIST")}
        assert before and not before & listed
        assert harness.count() == {"people": len(PEOPLE), "many": MANY, "none": 0}[what]
