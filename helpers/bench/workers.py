"""Let one process, Dask's workers and the server do lesson 07's two jobs, and the workers its five tasks."""

import contextlib
import time
from functools import partial

from helpers import databases
from helpers.bench.comparison import Imported, Version, lesson

ROWS = 200_000
REPEATS = 5
SECONDS = 2.0  # that a timing lasts at least
REFERENCE = "fingerprint: one process"
ABOUT = (
    "The sum of all ages, and a slow hash of each user: by one process, by a worker for each core, and by the server. "
    "Then five tasks by all workers, each of which goes a step further than the one before. A timing lasts 2 s or "
    "more: the work is done again and again, and the seconds are those of one time."
)


def works(client):
    """Return what lesson 07 lets a cluster do with all users: {name: function}."""
    ranges = list(lesson("07").cut_users(8 * len(client.nthreads())))
    return lesson("07").two_jobs(client, ranges) | lesson("07").five_tasks(client, ranges)


def again_and_again(work, seconds):
    """Call work() until so many seconds have passed; return its last result, and the seconds of a call."""
    start, calls, spent = time.perf_counter(), 0, 0.0
    while not calls or spent < seconds:
        result = work()
        calls, spent = calls + 1, time.perf_counter() - start
    return result, spent / calls


def timed(name, address, rows, right, seconds):
    """Do one of the works on the cluster at an address; return (rows, seconds): 0 rows where its result is wrong."""
    from distributed import Client

    with Client(address) as client:
        result, spent = again_and_again(works(client)[name], seconds)
    if name == "+ the work":
        result = sum(count for count, *_ in result[0])
    return (rows if right in (None, result) else 0), spent


@contextlib.contextmanager
def versions(rows):
    """Give the versions, with a table of `rows` users and a cluster ready inside the block."""
    with databases.at_scale(rows), contextlib.closing(lesson("07").connect()) as client, client.cluster or client:
        right = {
            "sum": int(databases.ask("SELECT SUM(age) FROM user_data")[0][0]),
            "fingerprint": lesson("07").fingerprint_of_range("0", "g"),
            "+ the work": rows,
        }
        how = [client.scheduler.address, rows]
        yield [
            Version(
                name,
                Imported(partial(timed, name, *how, right.get(name.partition(":")[0]), SECONDS), lessons=["07"]),
                memory=False,
            )
            for name in works(client)
        ]
