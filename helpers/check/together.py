"""Checks that run side by side, and end together when somebody stops them (Ctrl-C)."""

import contextlib
import contextvars
import os
import threading
from concurrent.futures import ThreadPoolExecutor

_stops = contextvars.ContextVar("stops", default=())  # an Event for each side_by_side() that a check runs in


class Stopped(BaseException):
    """Somebody stopped the checks. No error of a check's: what catches those lets it pass."""


@contextlib.contextmanager
def side_by_side(at_once):
    """Give submit(function, *arguments) -> Future, which runs at most `at_once` functions at a time.

    Where the block is left by an error or Ctrl-C, what has not begun does not begin. What has begun gets Stopped at its
    next go_on(), and has ended, its processes and databases gone, when the block is over.
    """
    stop = threading.Event()
    token = _stops.set((*_stops.get(), stop))
    pool = ThreadPoolExecutor(at_once)
    try:
        yield lambda function, *arguments: pool.submit(contextvars.copy_context().run, function, *arguments)
    except BaseException:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        _stops.reset(token)
        pool.shutdown()


def go_on():
    """Raise Stopped if the side_by_side() that this runs in, or one around it, was stopped."""
    if any(stop.is_set() for stop in _stops.get()):
        raise Stopped


def processors():
    """Return how many processors this process may use (int)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
