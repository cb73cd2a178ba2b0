"""Walk through all pages of a table: lesson 04's OFFSET pages beside its key pages."""

import contextlib
import statistics
import time
from functools import partial

from helpers import databases
from helpers.bench.comparison import Imported, Version, lesson
from helpers.connection import streaming

ROWS = 200_000
REPEATS = 3
REFERENCE = "by key (lesson 04)"
ABOUT = (
    "Fetch all pages of 1,000 users, or one page alone (the median of 20 fetches); "
    "OFFSET's time grows with the square of the table."
)
PAGE_SIZE = 1_000
FETCHES = 20  # of one page: a single one takes milliseconds, and whatever comes in between counts


def walk(name):
    """Fetch every page of one of the lesson's generators."""
    pages = getattr(lesson("04"), name)(PAGE_SIZE)
    return sum(len(page) for page in pages)


def one_page(rows, by_key, last):
    """Fetch the first or the last page again and again; return (its rows, the median of the seconds of a fetch)."""
    size = min(PAGE_SIZE, rows)
    after, offset = "", 0
    if last:
        offset = rows - size
        query = "SELECT user_id FROM user_data ORDER BY user_id DESC LIMIT 1 OFFSET %s"
        with streaming(query, (size,)) as cursor:
            after = (cursor.fetchone() or ("",))[0]
    seconds = []
    for _ in range(FETCHES):
        start = time.perf_counter()
        page = lesson("04").paginate_users_by_key(size, after) if by_key else lesson("04").paginate_users(size, offset)
        seconds.append(time.perf_counter() - start)
    return len(page), statistics.median(seconds)


@contextlib.contextmanager
def versions(rows):
    """Give the versions, with a table of `rows` users ready inside the block."""
    size = min(PAGE_SIZE, rows)
    with databases.at_scale(rows):
        found = {
            REFERENCE: (partial(walk, "lazy_pagination_by_key"), rows),
            "by OFFSET (lesson 04)": (partial(walk, "lazy_pagination"), rows),
            "the first page, by key": (partial(one_page, rows, by_key=True, last=False), size),
            "the last page, by key": (partial(one_page, rows, by_key=True, last=True), size),
            "the first page, by OFFSET": (partial(one_page, rows, by_key=False, last=False), size),
            "the last page, by OFFSET": (partial(one_page, rows, by_key=False, last=True), size),
        }
        yield [Version(name, Imported(work, lessons=["04"]), rows=done) for name, (work, done) in found.items()]
