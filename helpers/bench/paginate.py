"""Walk through all pages of a table: lesson 04's OFFSET pages beside its key pages."""

import contextlib
import time
from functools import partial

from helpers import seed
from helpers.bench.comparison import Imported, Version, lesson

ROWS = 200_000
REPEATS = 3
REFERENCE = "by key (lesson 04)"
ABOUT = "Fetch all pages of 1,000 users, or the last page alone; OFFSET's time grows with the square of the table."
PAGE_SIZE = 1_000


def walk(name):
    """Fetch every page of one of the lesson's generators."""
    pages = getattr(lesson("04"), name)(PAGE_SIZE)
    return sum(len(page) for page in pages)


def last_page(rows, by_key):
    """Fetch the last page, and time that alone."""
    size = min(PAGE_SIZE, rows)
    with seed.streaming("SELECT user_id FROM user_data ORDER BY user_id DESC LIMIT 1 OFFSET %s", (size,)) as cursor:
        row = cursor.fetchone()
    start = time.perf_counter()
    if by_key:
        page = lesson("04").paginate_users_by_key(size, row[0] if row else "")
    else:
        page = lesson("04").paginate_users(size, rows - size)
    return len(page), time.perf_counter() - start


@contextlib.contextmanager
def versions(rows):
    """Give the versions, with a table of `rows` users ready inside the block."""
    size = min(PAGE_SIZE, rows)
    with seed.at_scale(rows):
        found = {
            REFERENCE: (partial(walk, "lazy_pagination_by_key"), rows),
            "by OFFSET (lesson 04)": (partial(walk, "lazy_pagination"), rows),
            "the last page, by key": (partial(last_page, rows, True), size),
            "the last page, by OFFSET": (partial(last_page, rows, False), size),
        }
        yield [Version(name, Imported(work, lessons=["04"]), rows=done) for name, (work, done) in found.items()]
