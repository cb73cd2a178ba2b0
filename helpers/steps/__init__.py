"""Step through a generator: which line runs, where it waits, what it yields, and what it keeps meanwhile.

    steps.show(count_upto(3))                     # next() until the end, or for 200 steps
    steps.show(naturals(), ask=3)                 # three times next(), then it is left suspended
    steps.show(averager(), ask=["next", ("send", 10), ("throw", ValueError("no")), "close"])

The generator is run once, under a tracer; what it does is what it does without one. It stands on nothing of ours.
"""

import inspect
import itertools
import types

from .recorder import Recorder
from .recording import Frame, Recording, Step
from .watched import generators

__all__ = ["Frame", "Recording", "Step", "record", "show"]

LIMIT = 200  # steps


def show(generator, ask=None, limit=LIMIT):
    """Run `generator` step by step and show the steps in a notebook, forward and back; print them elsewhere.

    Parameters
    ----------
    generator : generator
        One that was just made, such as count_upto(3), or stands suspended. Generators that it draws from are stepped
        through too, so a pipeline is given by its last one; an iterator over generators (map, islice, …) will do.
    ask : None, int or list
        How to ask for values: None asks next() until the end, a number so many times. A list says each time: "next",
        ("send", value), ("throw", exception) or "close".
    limit : int
        Steps to keep. A generator without an end is cut off there.

    Raises
    ------
    ValueError, TypeError
        Where `ask` or `limit` is none of these. What the generator raises is shown, and not raised.
    """
    recording = record(generator, ask, limit)
    shell = _notebook()
    if shell:
        from IPython.display import display

        display(recording)
    else:
        print(recording.text())
    if recording.interrupted:
        raise KeyboardInterrupt


def record(generator, ask=None, limit=LIMIT):
    """Run `generator` as `show` does, and return the Recording: its `steps`, `handed` values and `text()`.

    >>> record(iter("not a generator")).text()
    'Nothing to step through: this is a str_ascii_iterator. Only generators stand at a line.'
    """
    asks, to_the_end = _asks(ask)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ValueError(f"limit must be a positive integer, not {limit!r}")
    if reason := _nothing_to_see(generator):
        return Recording(f"Nothing to step through: {reason}", [], [])
    return Recorder(generator, limit).run(asks, to_the_end)


def _asks(ask):
    if ask is None:
        return itertools.repeat(("next",)), True
    if isinstance(ask, int) and not isinstance(ask, bool) and ask >= 0:
        return itertools.repeat(("next",), ask), True
    if not isinstance(ask, list | tuple):
        raise TypeError(f"ask must be None, a number of times, or a list such as ['next', ('send', 3)], not {ask!r}")
    asks = [item if isinstance(item, tuple | list) else (item,) for item in ask]
    for item in asks:
        values = {"next": 0, "send": 1, "throw": 1, "close": 0}.get(item[0]) if item else None
        if values != len(item) - 1:
            raise ValueError(f"ask: 'next', ('send', value), ('throw', exception) or 'close', not {item!r}")
    return asks, False


def _nothing_to_see(what):
    """Return why `what` cannot be stepped through, as a sentence; None where it can."""
    kind = type(what).__name__
    if isinstance(what, types.GeneratorType):
        if what.gi_frame is None:
            return f"this generator has ended or was closed. Call {what.gi_code.co_name} again for a new one."
        return "this generator is running already." if what.gi_running else None
    if hasattr(what, "__next__") and any(inner.gi_frame is not None for inner in generators(what)):
        return None
    if what is None:
        return "this is None. A function returns None until its body has a `yield` (or a `return`)."
    if inspect.isasyncgen(what) or inspect.iscoroutine(what):
        return f"this is a {kind}: it runs in an event loop, which next() does not."
    if callable(what):
        called = getattr(what, "__name__", "it")
        return f"{called} is a function, not a generator yet. Call it: {called}(...)."
    if hasattr(what, "__next__"):
        return f"this is a {kind}. Only generators stand at a line."
    return f"this is a {kind}, not a generator. A function makes a generator when its body has a `yield`."


def _notebook():
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()
