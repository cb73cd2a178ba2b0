"""What learners answer in lesson 04."""

from answers import Turn

QUERY = '"SELECT user_id, name, email, age FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset)'
PAGE = f"""
def paginate_users(page_size, offset):
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute({QUERY})
        return [{{**user, "age": int(user["age"])}} for user in cursor]
"""
BY_HAND = f"""
def paginate_users(page_size, offset):
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    try:
        cursor.execute({QUERY})
        page = cursor.fetchall()
    finally:
        connection.close()
    for user in page:
        user["age"] = int(user["age"])
    return page
"""
ONE_PAGE = Turn(
    "paginate_users",
    step=1,
    right=[
        PAGE,
        BY_HAND,
        """
def paginate_users(page_size, offset):
    with seed.connect_to_prodev() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT user_id, name, email, age FROM user_data ORDER BY user_id LIMIT %s, %s", (offset, page_size))
        return [dict(zip(cursor.column_names, (key, name, email, int(age)))) for key, name, email, age in cursor.fetchall()]
""",
        PAGE.replace("ORDER BY user_id", "ORDER BY name, user_id"),
        PAGE.replace("page_size, offset", "size, skip").replace("    with", "    size, skip = int(size), int(skip)\n    with"),
    ],
    wrong=[
        (PAGE.replace("ORDER BY user_id ", ""), "the server was sent: SELECT user_id, name, email, age FROM user_data LIMIT"),
        (PAGE.replace("ORDER BY user_id", "ORDER BY age"), "Add user_id to it"),
        (PAGE.replace("LIMIT %s OFFSET %s", "LIMIT {page_size} OFFSET {offset}").replace('("SELECT', '(f"SELECT')
         .replace(", (page_size, offset)", ""), "it sent the server"),
        (PAGE.replace('OFFSET %s", (page_size, offset)', 'OFFSET %s", (offset, page_size)'), "pages of 5 had 0"),
        (PAGE.replace(" OFFSET %s", "").replace("(page_size, offset)", "(page_size,)").replace("def paginate_users(page_size,)",
         "def paginate_users(page_size, offset)"), "pages of 5 had 5, 5, 5, 5, 5, 5 users"),
        (PAGE.replace('[{**user, "age": int(user["age"])} for user in cursor]', "cursor.fetchall()"), "Decimal('67')"),
        (PAGE.replace("dictionary=True", "").replace('[{**user, "age": int(user["age"])} for user in cursor]', "cursor.fetchall()"),
         "the first user was a tuple"),
        (PAGE.replace('return [{**user, "age": int(user["age"])} for user in cursor]', "cursor.fetchall()"),
         "pages of 5 had 0"),
        (BY_HAND.replace("    finally:\n        connection.close()", "    finally:\n        connection.close"),
         "your connection was still open"),
        (PAGE.replace('return [{**user, "age": int(user["age"])} for user in cursor]', "return cursor.fetchone()"), "✘"),
    ],
)  # fmt: skip

STEP_2 = Turn(
    "lazy_pagination",
    step=1,
    before=PAGE,
    right=[
        """
def lazy_pagination(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        yield page
        offset += page_size
""",
        """
def lazy_pagination(page_size):
    offset = 0
    while True:
        page = paginate_users(page_size, offset)
        if not page:
            return
        yield page
        offset += len(page)
""",
        """
from itertools import count, takewhile

def lazy_pagination(page_size):
    yield from takewhile(bool, (paginate_users(page_size, offset) for offset in count(0, page_size)))
""",
        """
def lazy_pagination(page_size):
    offset, size = 0, page_size
    while size == page_size:
        page = paginate_users(page_size, offset)
        size = len(page)
        offset += page_size
        if page:
            yield page
""",
    ],
    wrong=[
        ("def lazy_pagination(page_size):\n    ...\n", "not written yet"),
        ("""
def lazy_pagination(page_size):
    pages, offset = [], 0
    while page := paginate_users(page_size, offset):
        pages.append(page)
        offset += page_size
    return pages
""", "had come from the server before your first page came out"),
        ("""
def lazy_pagination(page_size):
    pages, offset = [], 0
    while page := paginate_users(page_size, offset):
        pages.append(page)
        offset += page_size
    yield from pages
""", "had come from the server before your first page came out"),
        ("""
def lazy_pagination(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        yield page
        ofset = offset + page_size
""", "page 2 was page 1 again"),
        ("""
def lazy_pagination(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        yield page
        offset += 1
""", "and went on"),
        ("""
def lazy_pagination(page_size):
    offset = 0
    while True:
        page = paginate_users(page_size, offset)
        yield page
        offset += page_size
""", "and went on"),
        ("""
def lazy_pagination(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        yield from page
        offset += page_size
""", "the first thing that came was"),
        ("""
def lazy_pagination(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        return page
        offset += page_size
""", "the first thing that came was"),
        ("""
def lazy_pagination(page_size):
    offset = page_size
    while page := paginate_users(page_size, offset):
        yield page
        offset += page_size
""", "5 of 23 users were missing"),
        ("""
def lazy_pagination(page_size):
    offset = 0
    page = paginate_users(page_size, offset)
    while len(page) == page_size:
        yield page
        offset += page_size
        page = paginate_users(page_size, offset)
""", "3 of 23 users were missing"),
    ],
)  # fmt: skip

CHECKED = """
def lazy_pagination(page_size):
    check_int("page_size", page_size, least=1)
    return _pages(page_size)

def _pages(page_size):
    offset = 0
    while page := paginate_users(page_size, offset):
        yield page
        offset += page_size
"""
STEP_3 = Turn(
    "lazy_pagination",
    step=2,
    right=[
        CHECKED,
        """
def lazy_pagination(page_size):
    check_int("page_size", page_size, least=1)

    def pages():
        offset = 0
        while page := paginate_users(page_size, offset):
            yield page
            offset += page_size

    return pages()
""",
        """
def lazy_pagination(page_size):
    check_int("page_size", page_size, least=1)
    return _pages(page_size, 0)

def _pages(size, offset):
    while page := paginate_users(size, offset):
        yield page
        offset += size
""",
        """
def lazy_pagination(page_size):
    if not isinstance(page_size, int):
        raise TypeError("page_size must be an int")
    if page_size <= 0:
        raise ValueError("page_size must be 1 or more")
    from itertools import count, takewhile
    return takewhile(bool, (paginate_users(page_size, offset) for offset in count(0, page_size)))
""",
    ],
    wrong=[
        ("""
def lazy_pagination(page_size):
    check_int("page_size", page_size, least=1)
    offset = 0
    while page := paginate_users(page_size, offset):
        yield page
        offset += page_size
""", "lazy_pagination('300') raised nothing, where TypeError is asked for"),
        (CHECKED.replace("return _pages", "yield from _pages"), "raised nothing, where TypeError is asked for"),
        (CHECKED.replace("    return _pages(page_size)\n", "    _pages(page_size)\n"), "it gave None: a return or a yield is missing"),
        (CHECKED.replace("return _pages(page_size)", "return list(_pages(page_size))"),
         "had come from the server before your first page came out"),
        (CHECKED.replace("least=1", "least=0"), "lazy_pagination(0) raised nothing, where ValueError is asked for"),
        (CHECKED.replace('check_int("page_size", page_size, least=1)', "if page_size < 1: raise ValueError(page_size)"),
         "lazy_pagination(2.5) raised nothing, where TypeError is asked for"),
        (CHECKED.replace('check_int("page_size", page_size, least=1)',
                         "if not isinstance(page_size, int) or page_size < 1: raise ValueError(page_size)"),
         "lazy_pagination('300') raised ValueError, where TypeError is asked for"),
        (CHECKED.replace('check_int("page_size", page_size, least=1)', "paginate_users(page_size, 0)"),
         "2 queries had been sent before your first page came out"),
        (CHECKED.replace('check_int("page_size", page_size, least=1)', "assert isinstance(page_size, int) and page_size > 0"),
         "raised AssertionError, where TypeError is asked for"),
    ],
)  # fmt: skip

KEY = """
def lazy_pagination_by_key(page_size):
    query = "SELECT user_id, name, email, age FROM user_data WHERE user_id > %s ORDER BY user_id LIMIT %s"
    after = ""
    while page := page_of(query, (after, page_size)):
        after = page[-1]["user_id"]
        yield page
"""
BY_KEY = Turn(
    "lazy_pagination_by_key",
    right=[
        KEY,
        """
PAGE_BY_KEY = "SELECT user_id, name, email, age FROM user_data WHERE user_id > %(after)s ORDER BY user_id LIMIT %(size)s"

def paginate_users_by_key(page_size, after):
    return page_of(PAGE_BY_KEY, {"after": after, "size": page_size})

def lazy_pagination_by_key(page_size):
    after = ""
    while page := paginate_users_by_key(page_size, after):
        after = page[-1]["user_id"]
        yield page
""",
        """
def lazy_pagination_by_key(page_size):
    page = page_of("SELECT * FROM user_data ORDER BY user_id LIMIT %s", (page_size,))
    while page:
        last = page[-1]["user_id"]
        yield page
        page = page_of("SELECT * FROM user_data WHERE user_id > %s ORDER BY user_id LIMIT %s", (last, page_size))
""",
        """
def lazy_pagination_by_key(page_size):
    after = "00000000-0000-0000-0000-000000000000"
    while True:
        with closing(seed.connect_to_prodev()) as connection:
            cursor = connection.cursor(dictionary=True)
            cursor.execute("SELECT * FROM user_data WHERE user_id > %(after)s ORDER BY user_id ASC LIMIT %(size)s",
                           {"after": after, "size": page_size})
            page = cursor.fetchall()
        if not page:
            break
        after = max(user["user_id"] for user in page)
        yield page
""",
        KEY.replace("user_id > %s ORDER BY user_id", "email > %s ORDER BY email").replace('["user_id"]', '["email"]'),
    ],
    wrong=[
        ("def lazy_pagination_by_key(page_size):\n    ...\n", "not written yet"),
        (KEY.replace('        after = page[-1]["user_id"]\n', ""), "page 2 was page 1 again"),
        (KEY.replace("user_id > %s", "user_id >= %s"), "the last user of page 1 was the first one of page 2"),
        (KEY.replace("page[-1]", "page[0]"), "came on page 1 and again on page 2"),
        (KEY.replace('["user_id"]', ""), "it raised"),
        (KEY.replace('        after = page[-1]["user_id"]\n        yield page\n', '        yield page\n        after = page[-1]["user_id"]\n'),
         "its pages may be emptied by those who get them"),
        (KEY.replace("ORDER BY user_id ", ""), "its pages come in a fixed order"),
        ("""
def lazy_pagination_by_key(page_size):
    offset = 0
    while page := page_of("SELECT * FROM user_data WHERE user_id > '' ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset)):
        yield page
        offset += page_size
""", "it pages by key seen: the server was sent"),
        ("lazy_pagination_by_key = lazy_pagination\n", "it pages by key seen: the server was sent"),
        (KEY.replace(" LIMIT %s", "").replace("(after, page_size)", "(after,)"), "the pages had 23 users"),
        (KEY.replace("(after, page_size)", "(page_size, after)"), "it raised"),
        ("""
def lazy_pagination_by_key(page_size):
    after = ""
    while page := page_of(f"SELECT * FROM user_data WHERE user_id > '{after}' ORDER BY user_id LIMIT {page_size}", ()):
        after = page[-1]["user_id"]
        yield page
""", "it sent the server"),
        ("""
def lazy_pagination_by_key(page_size):
    rows = page_of("SELECT * FROM user_data WHERE user_id > '' ORDER BY user_id", ())
    for start in range(0, len(rows), page_size):
        yield rows[start : start + page_size]
""", "had come from the server before your first page came out"),
        (KEY.replace("yield page", "yield from page"), "the first thing that came was"),
        (KEY.replace("ORDER BY user_id", "ORDER BY age"), "✘"),
    ],
)  # fmt: skip

TWICE = """
def twice_and_never():
    return ["Ada", "Bo", "Chen"], ["Goran", "Hana", "Ines"]
"""
BUG_2 = Turn(
    "twice_and_never",
    right=[
        TWICE,
        """
def twice_and_never():
    old = ["Ada", "Bo", "Chen", "Dina", "Emeka", "Fatou", "Goran", "Hana", "Ines"]
    new = old[::-1]
    came = old[:3] + new[3:6] + new[6:9]
    return [name for name in old if came.count(name) > 1], [name for name in old if name not in came]
""",
        """
def twice_and_never():
    twice = ("Chen", "Bo", "Ada")
    never = ("Ines", "Hana", "Goran")
    return [twice, never]
""",
    ],
    wrong=[
        (TWICE.replace('["Ada", "Bo", "Chen"], ["Goran", "Hana", "Ines"]', "[], []"), "who comes twice: you name nobody"),
        (TWICE.replace('["Ada", "Bo", "Chen"], ["Goran", "Hana", "Ines"]', '["Goran", "Hana", "Ines"], ["Ada", "Bo", "Chen"]'),
         "Goran does not come twice"),
        (TWICE.replace('["Ada", "Bo", "Chen"], ["Goran", "Hana", "Ines"]', '["Chen"], ["Dina"]'), "there are more than Chen"),
        (TWICE.replace('["Goran", "Hana", "Ines"]', '["Dina", "Emeka", "Fatou"]'), "Dina comes"),
        (TWICE.replace('["Goran", "Hana", "Ines"]', "[]"), "who never comes: you name nobody"),
        (TWICE.replace('"Goran", "Hana", ', ""), "there are more than Ines"),
        (TWICE.replace('["Ada", "Bo", "Chen"]', '"Ada Bo Chen"'), "is not a list of names"),
        (TWICE.replace(', ["Goran", "Hana", "Ines"]', ""), "Two lists are asked for"),
        (TWICE.replace("return", "both ="), "is a return missing?"),
    ],
)  # fmt: skip

MENDED = """
def endless_pages(page_size):
    query = "SELECT * FROM user_data WHERE user_id > %s ORDER BY user_id LIMIT %s"
    after = ""
    while page := page_of(query, (after, page_size)):
        after = page[-1]["user_id"]
        yield page
"""
MEND = Turn(
    "lazy_pagination_by_key",
    name="endless_pages",
    right=[
        MENDED,
        MENDED.replace("user_id > %s", "NOT user_id <= %s"),
        """
def endless_pages(page_size):
    query = "SELECT * FROM user_data WHERE user_id > %s ORDER BY user_id LIMIT %s"
    after = ""
    while True:
        page = page_of(query, (after, page_size))
        if len(page) == 0:
            return
        after = page[-1]["user_id"]
        yield page
""",
    ],
    wrong=[
        (MENDED.replace("user_id > %s", "user_id >= %s"), "the last user of page 1 was the first one of page 2"),
        ("""
def endless_pages(page_size):
    offset = 0
    while page := page_of("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset)):
        yield page
        offset += page_size
""", "it pages by key seen: the server was sent"),
        (MENDED.replace("user_id > %s", "user_id >= %s").replace("yield page", "yield page\n        if len(page) < page_size:\n            return"),
         "the last user of page 1 was the first one of page 2"),
        (MENDED.replace("user_id > %s", "user_id >= %s").replace("yield page", "yield page[1:]"), "it had given 23 pages, and went on"),
        (MENDED.replace("user_id > %s", "user_id < %s"), "the pages had"),
        (MENDED.replace("yield page", "yield page\n        return"), "18 of 23 users were missing"),
        (MENDED.replace("user_id > %s", "user_id >= %s").replace(
            "        yield page", "        if len(page) == 1:\n            return\n        yield page"),
         "the last user of page 1 was the first one of page 2"),
        (MENDED.replace('        after = page[-1]["user_id"]\n        yield page', '        yield page\n        after = page[-1]["user_id"]'),
         "its pages may be emptied by those who get them"),
    ],
)  # fmt: skip

AGE = """
def pages_by_age(page_size):
    check_int("page_size", page_size, least=1)
    return _pages_by_age(page_size)

def _pages_by_age(page_size):
    query = "SELECT * FROM user_data WHERE age > %s OR (age = %s AND user_id > %s) ORDER BY age, user_id LIMIT %s"
    age, user_id = -1, ""
    while page := page_of(query, (age, age, user_id, page_size)):
        age, user_id = page[-1]["age"], page[-1]["user_id"]
        yield page
"""
BY_AGE = Turn(
    "pages_by_age",
    right=[
        AGE,
        AGE.replace("age > %s OR (age = %s AND user_id > %s)", "(age, user_id) > (%s, %s)").replace("(age, age, user_id, page_size)", "(age, user_id, page_size)"),
        """
def pages_by_age(page_size):
    check_int("page_size", page_size, least=1)

    def pages():
        last = None
        while True:
            where, values = "", ()
            if last:
                where = "WHERE age > %s OR (age = %s AND user_id > %s)"
                values = (last["age"], last["age"], last["user_id"])
            page = page_of(f"SELECT * FROM user_data {where} ORDER BY age ASC, user_id ASC LIMIT %s", (*values, page_size))
            if not page:
                return
            last = dict(page[-1])
            yield page

    return pages()
""",
        AGE.replace("age > %s OR (age = %s AND user_id > %s)", "age >= %s AND (age > %s OR user_id > %s)"),
    ],
    wrong=[
        ("def pages_by_age(page_size):\n    ...\n", "not written yet"),
        (AGE.replace("age > %s OR (age = %s AND user_id > %s)", "age > %s").replace("(age, age, user_id, page_size)", "(age, page_size)"),
         "users were missing"),
        (AGE.replace("age > %s OR (age = %s AND user_id > %s)", "age >= %s").replace("(age, age, user_id, page_size)", "(age, page_size)"),
         "✘ it gives page after page, and ends"),
        (AGE.replace("age > %s OR (age = %s AND user_id > %s)", "age > %s AND user_id > %s").replace("(age, age, user_id, page_size)", "(age, user_id, page_size)"),
         "users were missing"),
        (AGE.replace("age > %s OR (age = %s AND user_id > %s)", "age > %s OR user_id > %s").replace("(age, age, user_id, page_size)", "(age, user_id, page_size)"),
         "and went on"),
        ("""
def pages_by_age(page_size):
    check_int("page_size", page_size, least=1)
    return _by_offset(page_size)

def _by_offset(page_size):
    offset = 0
    while page := page_of("SELECT * FROM user_data ORDER BY age, user_id LIMIT %s OFFSET %s", (page_size, offset)):
        yield page
        offset += page_size
""", "it pages by key seen: the server was sent"),
        (AGE.replace("ORDER BY age, user_id", "ORDER BY age"), "✘"),
        (AGE.replace("ORDER BY age, user_id", "ORDER BY age DESC, user_id"), "✘"),
        (AGE.replace("ORDER BY age, user_id", "ORDER BY user_id"), "✘"),
        (AGE.replace("return _pages_by_age(page_size)", "yield from _pages_by_age(page_size)"),
         "pages_by_age('300') raised nothing, where TypeError is asked for"),
        (AGE.replace("yield page", "yield from page"), "a page was"),
        (AGE.replace("age, user_id = -1", "age, user_id = 18"), "users were missing"),
        ("""
def pages_by_age(page_size):
    check_int("page_size", page_size, least=1)
    users = sorted(page_of("SELECT * FROM user_data WHERE age > -1 ORDER BY age, user_id", ()), key=lambda user: (user["age"], user["user_id"]))
    return iter([users[start : start + page_size] for start in range(0, len(users), page_size)])
""", "had come from the server before your first page came out"),
        ("""
def pages_by_age(page_size):
    check_int("page_size", page_size, least=1)
    return _tuples(page_size)

def _tuples(page_size):
    age, user_id = -1, ""
    query = "SELECT user_id, name, email, age FROM user_data WHERE age > %s OR (age = %s AND user_id > %s) ORDER BY age, user_id LIMIT %s"
    while page := [tuple(user.values()) for user in page_of(query, (age, age, user_id, page_size))]:
        age, user_id = page[-1][3], page[-1][0]
        yield page
""", "the first user was a tuple"),
        ("""
def pages_by_age(page_size):
    check_int("page_size", page_size, least=1)
    return _on_one_connection(page_size)

def _on_one_connection(page_size):
    cursor = seed.connect_to_prodev().cursor(dictionary=True)
    query = "SELECT * FROM user_data WHERE age > %s OR (age = %s AND user_id > %s) ORDER BY age, user_id LIMIT %s"
    age, user_id = -1, ""
    while True:
        cursor.execute(query, (age, age, user_id, page_size))
        page = [user | {"age": int(user["age"])} for user in cursor]
        if not page:
            return
        age, user_id = page[-1]["age"], page[-1]["user_id"]
        yield page
""", "✘ it leaves no connection open"),
    ],
)  # fmt: skip

TURNS = [ONE_PAGE, STEP_2, STEP_3, BY_KEY, BUG_2, MEND, BY_AGE]
