"""What filling and ranking share: batch sizes from time, one batch ahead, interrupts that wait, whole transactions."""

import contextlib
import signal
import threading

import mysql.connector

from helpers.connection import LOST

TARGET_SECONDS = 0.5  # how long a batch should take: other users of the table wait no longer than that for a row
FIRST_BATCH = 1_000  # rows, before anything is known about the speed
LARGEST_BATCH = 25_000  # rows: beyond that, memory grows and speed does not
ATTEMPTS = 3  # at a batch whose rows somebody else has locked
SAFE = "All batches before this one are safe. Run the same command again to continue."
LOCKED = (1205, 1213)  # the server's error numbers for "waited too long for a lock" and "deadlock"


class BatchSizer:
    """How many rows the next batch should have, so that it takes about `seconds`; `rows` is the answer.

    >>> sizer = BatchSizer(seconds=0.5, rows=1_000)
    >>> sizer.took(rows=1_000, seconds=2.0)  # 500 rows/s
    >>> sizer.rows
    250
    """

    def __init__(self, seconds, rows=FIRST_BATCH, most=LARGEST_BATCH):
        if not seconds > 0:
            raise ValueError(f"the time for a batch must be more than 0 seconds, not {seconds!r}")
        self.seconds, self.most = seconds, most
        self.rows = min(rows, most)
        self._rate = None

    def took(self, rows, seconds):
        """Take in that a batch of `rows` rows took `seconds`."""
        rate = rows / max(seconds, 1e-6)
        if self._rate and rate > self._rate:
            rate = (self._rate + rate) / 2  # faster step by step, slower at once: others are waiting
        self._rate = rate
        self.rows = int(max(1, min(rate * self.seconds, 2 * self.rows, self.most)))


@contextlib.contextmanager
def defer_interrupt():
    """Inside the block, note the first Ctrl-C in the threading.Event that is given; a second one ends at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only that one hears signals
        yield stop
        return

    def note(*_):
        stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def in_one_transaction(connection, work):
    """Call `work()` and commit; try again where others' locks were in the way, ATTEMPTS times."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            work()
            connection.cmd_query("COMMIT")  # commit() of the driver's C extension lets raw errors through
            return
        except mysql.connector.Error as error:
            if error.errno not in LOCKED or attempt == ATTEMPTS:
                raise
            connection.cmd_query("ROLLBACK")


@contextlib.contextmanager
def says_how_to_resume():
    """Add to the error of a lost or locked server what is safe and what to do."""
    try:
        yield
    except mysql.connector.Error as error:
        if error.errno not in (*LOST, *LOCKED):
            raise
        message = f"{error.msg or error}. {SAFE}"
        raise type(error)(msg=message, errno=error.errno, sqlstate=error.sqlstate) from None


def progress_bar(what, total):
    """Return a tqdm bar for `total` rows, shown where the work takes over 2 s."""
    from tqdm import tqdm

    return tqdm(desc=what, total=total, unit=" rows", unit_scale=True, smoothing=0.1, delay=2)
