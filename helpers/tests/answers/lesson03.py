"""Lesson 03: what learners answer in its cells."""

from answers import Turn

STREAM = "stream_users_in_batches"
OPEN = "with streaming(QUERY, raw=True) as cursor:"
BATCHES = f"""
def {STREAM}(batch_size):
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            yield as_users(rows)
"""
CHECKED = f"""
def {STREAM}(batch_size):
    if not isinstance(batch_size, int):
        raise TypeError(f"not an int: {{batch_size!r}}")
    if batch_size < 1:
        raise ValueError(f"below 1: {{batch_size}}")

    def batches():
        {OPEN}
            while rows := cursor.fetchmany(batch_size):
                yield as_users(rows)

    return batches()
"""
CALLED = """
def batch_processing(batch_size):
    for users in stream_users_in_batches(batch_size):
        for user in users:
            if user["age"] > 25:
                print(user)
"""
CLOSED = """
def batch_processing(batch_size):
    with closing(stream_users_in_batches(batch_size)) as batches:
        for users in batches:
            for user in users:
                if user["age"] > 25:
                    print(user)
"""
BATCHED = """
def batched(iterable, n):
    iterator = iter(iterable)
    while batch := list(islice(iterator, n)):
        yield batch
"""
BY_HAND = """
def batches_by_hand(batch_size):
    batch = []
    with streaming(QUERY, dictionary=True) as cursor:
        for user in cursor:
            batch.append(user)
            if len(batch) == batch_size:
                yield batch
                batch = []
    if batch:
        yield batch
"""
OLDER = """
def older_in_batches(age, batch_size):
    source = stream_users_in_batches(batch_size)

    def batches():
        with closing(source):
            older = (user for users in source for user in users if user["age"] > age)
            yield from batched(older, batch_size)

    return batches()
"""

TURNS = [
    Turn(
        STREAM,
        step=1,
        right=[
            BATCHES,
            f"""
def {STREAM}(batch_size):
    {OPEN}
        while True:
            rows = cursor.fetchmany(batch_size)
            if not rows:
                break
            users = as_users(rows)
            yield users
""",
            f"""
def {STREAM}(batch_size):
    with streaming(QUERY, dictionary=True) as cursor:
        for rows in iter(lambda: cursor.fetchmany(batch_size), []):
            yield [dict(user) for user in rows]
""",
            f"""
def {STREAM}(batch_size):
    batch = []
    with streaming(QUERY, dictionary=True) as cursor:
        for user in cursor:
            batch.append(user)
            if len(batch) == batch_size:
                yield batch
                batch = []
        if batch:
            yield batch
""",
        ],
        wrong=[
            (
                f"""
def {STREAM}(batch_size):
    batches = []
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            batches.append(as_users(rows))
    return batches
""",
                "all 10,000 users had come from the server before your first one came out",
            ),
            (
                f"""
def {STREAM}(batch_size):
    batches = []
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            batches.append(as_users(rows))
    yield from batches
""",
                "all 10,000 users had come from the server before your first one came out",
            ),
            (
                BATCHES.replace("yield as_users", "yield from as_users"),
                "the first thing that came was one user",
            ),
            (BATCHES.replace("yield", "return"), "the first thing that came was one user"),
            (BATCHES.replace("fetchmany(batch_size)", "fetchmany()"), "the batches had 1, 1, 1, 1"),
            (BATCHES.replace("yield as_users(rows)", "yield rows"), "a user was"),
            (
                BATCHES.replace(
                    "while rows := cursor.fetchmany(batch_size)", "if rows := cursor.fetchmany(batch_size)"
                ),
                "only the first 5 of 23 users came",
            ),
            (
                f"""
def {STREAM}(batch_size):
    batch = []
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            batch += as_users(rows)
            yield batch
""",
                "each holds those of the batches before it",
            ),
            (
                f"""
def {STREAM}(batch_size):
    batch = []
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            batch.extend(as_users(rows))
            yield batch
            batch.clear()
""",
                "each batch stays as it was",
            ),
            (
                f"""
def {STREAM}(batch_size):
    {OPEN}
        while True:
            yield as_users(cursor.fetchmany(batch_size))
""",
                "and went on",
            ),
            (
                f"""
def {STREAM}(batch_size):
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            as_users(rows)
""",
                "a return or a yield is missing",
            ),
        ],
    ),
    Turn(
        STREAM,
        step=2,
        right=[
            CHECKED,
            f"""
def _batches(batch_size):
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            yield as_users(rows)


def {STREAM}(batch_size):
    if type(batch_size) is not int:
        raise TypeError("batch_size must be an int")
    elif batch_size <= 0:
        raise ValueError("batch_size must be 1 or more")
    else:
        return _batches(batch_size)
""",
            f"""
def {STREAM}(batch_size):
    if not isinstance(batch_size, int) or isinstance(batch_size, bool):
        raise TypeError("batch_size must be an int")
    if not batch_size >= 1:
        raise ValueError("batch_size must be 1 or more")

    def users_of(cursor):
        return as_users(cursor.fetchmany(batch_size))

    def generator():
        {OPEN}
            while users := users_of(cursor):
                yield users

    return generator()
""",
        ],
        wrong=[
            (BATCHES, "raised nothing, where TypeError is asked for"),
            (
                f"""
def {STREAM}(batch_size):
    if not isinstance(batch_size, int):
        raise TypeError("batch_size must be an int")
    if batch_size < 1:
        raise ValueError("batch_size must be 1 or more")
    {OPEN}
        while rows := cursor.fetchmany(batch_size):
            yield as_users(rows)
""",
                "raised nothing, where TypeError is asked for",
            ),
            (CHECKED.replace("return batches()", "return batches"), "it gave"),
            (CHECKED.replace("    return batches()\n", ""), "it gave"),
            (CHECKED.replace("raise TypeError", "raise ValueError"), "raised ValueError, where TypeError is asked for"),
            (CHECKED.replace("batch_size < 1", "batch_size < 0"), "(0) raised nothing, where ValueError is asked for"),
            (
                CHECKED.replace("raise TypeError(", "print(").replace("raise ValueError(", "print("),
                "where TypeError is asked for",
            ),
            (
                CHECKED.replace(
                    "    if not isinstance(batch_size, int):", "    if not isinstance(batch_size, (int, float)):"
                ),
                "(2.5) raised nothing, where TypeError is asked for",
            ),
            (CHECKED.replace("raise ValueError(", "return ValueError("), "where ValueError is asked for"),
        ],
    ),
    Turn(
        "batch_processing",
        step=1,
        right=[
            CALLED,
            CLOSED,
            """
def batch_processing(batch_size):
    batches = stream_users_in_batches(batch_size)
    while users := next(batches, None):
        for user in users:
            if not user["age"] <= 25:
                print(user)
""",
            """
def batch_processing(batch_size):
    for users in stream_users_in_batches(batch_size):
        for user in filter(lambda user: user["age"] > 25, users):
            print(user)
""",
        ],
        wrong=[
            (CALLED.replace("print(user)", "yield user"), "the call printed nothing: it gave a generator"),
            (CALLED.replace("> 25", ">= 25"), "exactly 25"),
            (CALLED.replace("> 25", "< 25"), "it printed"),
            (CALLED + "        return\n", "only users of the first batch were printed"),
            (
                """
def batch_processing(batch_size):
    for user in stream_users_in_batches(batch_size):
        if user["age"] > 25:
            print(user)
""",
                "it raised TypeError",
            ),
            (
                """
def batch_processing(batch_size):
    older = []
    for users in stream_users_in_batches(batch_size):
        for user in users:
            if user["age"] > 25:
                older.append(user)
    return older
""",
                "the call printed nothing and returned a list",
            ),
            (
                """
def batch_processing(batch_size):
    users = next(stream_users_in_batches(batch_size))
    for user in users:
        if user["age"] > 25:
            print(user)
""",
                "only users of the first batch were printed",
            ),
            (CALLED.replace("print(user)", "print(users)"), "it printed"),
        ],
    ),
    Turn(
        "batch_processing",
        step=2,
        right=[
            CLOSED,
            """
def batch_processing(batch_size):
    batches = stream_users_in_batches(batch_size)
    try:
        for users in batches:
            for user in users:
                if user["age"] > 25:
                    print(user)
    finally:
        batches.close()
""",
            """
from contextlib import ExitStack


def batch_processing(batch_size):
    with ExitStack() as stack:
        batches = stack.enter_context(closing(stream_users_in_batches(batch_size)))
        for user in (user for users in batches for user in users):
            if user["age"] > 25:
                print(user)
""",
        ],
        wrong=[
            (
                CALLED.replace(
                    "for users in stream_users_in_batches(batch_size)",
                    "batches = stream_users_in_batches(batch_size)\n    for users in batches",
                ),
                "still open",
            ),
            (
                """
def batch_processing(batch_size):
    batches = stream_users_in_batches(batch_size)
    for users in batches:
        for user in users:
            if user["age"] > 25:
                print(user)
    batches.close()
""",
                "still open",
            ),
            (
                """
def batch_processing(batch_size):
    batches = stream_users_in_batches(batch_size)
    for users in batches:
        for user in users:
            if user["age"] > 25:
                print(user)
    del batches
""",
                "still open",
            ),
            (
                """
def batch_processing(batch_size):
    batches = stream_users_in_batches(batch_size)
    try:
        for users in batches:
            for user in users:
                if user["age"] > 25:
                    print(user)
    except ValueError:
        batches.close()
""",
                "still open",
            ),
            (
                """
def batch_processing(batch_size):
    with stream_users_in_batches(batch_size) as batches:
        for users in batches:
            for user in users:
                if user["age"] > 25:
                    print(user)
""",
                "context manager",
            ),
            (
                """
def batch_processing(batch_size):
    with closing(stream_users_in_batches(batch_size)) as batches:
        for users in batches:
            for user in users:
                if user["age"] > 25:
                    yield user
""",
                "the call printed nothing: it gave a generator",
            ),
            (CLOSED.replace("> 25", ">= 25"), "exactly 25"),
        ],
    ),
    Turn(
        "batched",
        right=[
            BATCHED,
            """
def batched(iterable, n):
    iterator = iter(iterable)
    while True:
        batch = tuple(islice(iterator, n))
        if not batch:
            return
        yield batch
""",
            """
def batched(iterable, n):
    batch = []
    for item in iterable:
        batch.append(item)
        if len(batch) == n:
            yield batch
            batch = []
    if batch:
        yield batch
""",
        ],
        wrong=[
            (BATCHED.replace("list(islice(iterator, n))", "islice(iterator, n)"), "came"),
            (
                """
def batched(iterable, n):
    iterator = iter(iterable)
    while True:
        yield list(islice(iterator, n))
""",
                "it went on and on",
            ),
            (
                """
def batched(iterable, n):
    items = list(iterable)
    for start in range(0, len(items), n):
        yield items[start : start + n]
""",
                "it took 30 of 30 items",
            ),
            (
                """
def batched(iterable, n):
    items = list(iterable)
    return [items[start : start + n] for start in range(0, len(items), n)]
""",
                "it gave a list",
            ),
            (
                """
def batched(iterable, n):
    batch = []
    for item in iterable:
        batch.append(item)
        if len(batch) == n:
            yield batch
            batch = []
""",
                "it gave [[0, 1, 2], [3, 4, 5]], not",
            ),
            (
                """
def batched(iterable, n):
    batch = []
    for item in iterable:
        batch.append(item)
        if len(batch) == n:
            yield batch
            batch.clear()
    yield batch
""",
                "it gave",
            ),
            (
                """
def batched(iterable, n):
    iterator = iter(iterable)
    yield list(islice(iterator, n))
""",
                "it gave [[0, 1, 2]], not",
            ),
            (BATCHED.replace("yield batch", "yield from batch"), "among the batches came"),
            (BATCHED.replace("iter(iterable)", "iterable"), "went on"),
            (BATCHED.replace("yield batch", "return batch"), "it gave a list"),
            (
                """
def batched(iterable, n):
    batch = []
    for item in iterable:
        if len(batch) == n:
            yield batch
            batch = []
        batch.append(item)
    yield batch
""",
                "it gave [[]], not []",
            ),
        ],
    ),
    Turn(
        "batches_by_hand",
        right=[
            BY_HAND,
            """
def batches_by_hand(batch_size):
    batch = []
    with streaming(QUERY, dictionary=True) as cursor:
        for user in cursor:
            batch.append(user)
            if len(batch) == batch_size:
                yield list(batch)
                batch.clear()
        if batch:
            yield batch
""",
            """
def batches_by_hand(batch_size):
    with streaming(QUERY, dictionary=True) as cursor:
        yield from batched(cursor, batch_size)
""",
        ],
        wrong=[
            (BY_HAND.replace("batch = []\n    if", "batch.clear()\n    if"), "at the end they were"),
            (
                BY_HAND.replace("    if batch:\n        yield batch\n", "").replace(
                    "                batch = []", "                batch.clear()"
                ),
                "at the end they were one and the same list",
            ),
            (BY_HAND.replace("    if batch:\n        yield batch\n", ""), "the batches had 5, 5, 5, 5 users"),
            (BY_HAND.replace("    if batch:\n        yield batch\n", "    yield batch\n"), "came batches of 23, 0"),
            (BY_HAND.replace("                batch = []\n", ""), "the same list"),
            (
                """
def batches_by_hand(batch_size):
    batches = [[]]
    with streaming(QUERY, dictionary=True) as cursor:
        for user in cursor:
            if len(batches[-1]) == batch_size:
                batches.append([])
            batches[-1].append(user)
    yield from batches
""",
                "before your first batch came out",
            ),
            (
                BY_HAND.replace("yield batch\n                batch = []", "batch = []\n                yield batch"),
                "at the end",
            ),
            (BY_HAND.replace("== batch_size", "> batch_size"), "the batches had 6, 6, 6, 5 users"),
            (
                BY_HAND.replace(
                    "    if batch:\n        yield batch\n", "        if batch:\n            yield user\n"
                ).replace("yield user", "yield [user]"),
                "the batches had",
            ),
        ],
    ),
    Turn(
        "older_in_batches",
        right=[
            OLDER,
            """
def older_in_batches(age, batch_size):
    return _older(age, batch_size, stream_users_in_batches(batch_size))


def _older(age, batch_size, source):
    with closing(source) as batches:
        batch = []
        for users in batches:
            for user in users:
                if user["age"] > age:
                    batch.append(user)
                    if len(batch) == batch_size:
                        yield batch
                        batch = []
        if batch:
            yield batch
""",
            """
def older_in_batches(age, batch_size):
    if not isinstance(batch_size, int):
        raise TypeError("batch_size")
    if batch_size < 1:
        raise ValueError("batch_size")

    def generator():
        query = "SELECT user_id, name, email, age FROM user_data WHERE age > %s ORDER BY user_id"
        with streaming(query, (age,), dictionary=True) as cursor:
            while users := cursor.fetchmany(batch_size):
                yield users

    return generator()
""",
        ],
        wrong=[
            (
                """
def older_in_batches(age, batch_size):
    with closing(stream_users_in_batches(batch_size)) as source:
        older = (user for users in source for user in users if user["age"] > age)
        yield from batched(older, batch_size)
""",
                "raised nothing, not ValueError",
            ),
            (OLDER.replace("with closing(source):", "if True:"), "still open"),
            (
                """
def older_in_batches(age, batch_size):
    source = stream_users_in_batches(batch_size)
    return batched((user for users in source for user in users if user["age"] > age), batch_size)
""",
                "still open",
            ),
            (OLDER.replace("> age", ">= age"), "are exactly"),
            (OLDER.replace("> age", "> 25"), "for 60 came"),
            (
                """
def older_in_batches(age, batch_size):
    source = stream_users_in_batches(batch_size)

    def batches():
        with closing(source):
            for users in source:
                yield [user for user in users if user["age"] > age]

    return batches()
""",
                "for batches of 5 came",
            ),
            (
                """
def older_in_batches(age, batch_size):
    with closing(stream_users_in_batches(batch_size)) as source:
        return list(batched((user for users in source for user in users if user["age"] > age), batch_size))
""",
                "it gave a list",
            ),
            (
                """
def older_in_batches(age, batch_size):
    source = stream_users_in_batches(batch_size)

    def batches():
        with closing(source):
            older = [user for users in source for user in users if user["age"] > age]
        yield from batched(older, batch_size)

    return batches()
""",
                "before your first batch came out",
            ),
            (
                OLDER.replace("yield from batched(older, batch_size)", "yield from older"),
                "among the batches came one user",
            ),
        ],
    ),
]
