"""Make the next item while the caller works on this one. It stands on nothing of ours."""

import contextlib
from concurrent.futures import ThreadPoolExecutor


def prefetch(iterator):
    """Yield what a generator yields, and let it make the next item in a thread meanwhile; close it at the end.

    Its errors come out as themselves, in their turn. Only one item is made ahead, so memory stays flat.

    >>> list(prefetch(number for number in range(3)))
    [0, 1, 2]
    """
    nothing = object()
    with contextlib.closing(iterator), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, iterator, nothing)
        while (item := coming.result()) is not nothing:
            coming = thread.submit(next, iterator, nothing)
            yield item
