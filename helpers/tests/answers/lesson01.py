"""Lesson 01: what learners answer in its cells."""

from answers import Turn

READ = """
def read_people(path):
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["name"], row["email"], int(row["age"])
"""
READ_ODD = """
def read_people(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            yield row["name"].strip(), row["email"].strip(), int(row["age"])
"""
ONCE = """
def insert_data(connection, path):
    with closing(connection.cursor()) as cursor:
        for name, email, age in read_people(path):
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
            cursor.execute(INSERT, (user_id, name, email, age))
    connection.commit()
"""
ALL = """
def insert_data(connection, path):
    try:
        with closing(connection.cursor()) as cursor:
            for name, email, age in read_people(path):
                user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
                cursor.execute(INSERT, (user_id, name, email, age))
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
"""
BATCHES = """
def insert_data(connection, path):
    users = ((str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email)), name, email, age)
             for name, email, age in read_people(path))
    try:
        with closing(connection.cursor()) as cursor:
            while batch := list(islice(users, 1000)):
                cursor.executemany(INSERT, batch)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
"""
BY_HAND = """
def insert_data(connection, path):
    cursor = connection.cursor()
    batch = []
    try:
        for name, email, age in read_people(path):
            batch.append((str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email)), name, email, age))
            if len(batch) == 500:
                cursor.executemany(INSERT, batch)
                batch = []
        if batch:
            cursor.executemany(INSERT, batch)
        connection.commit()
    except Exception:
        connection.rollback()
        raise
    finally:
        cursor.close()
"""
CAREFULLY = ONCE.replace("insert_data", "insert_carefully")
PEOPLE = BATCHES.replace("def insert_data(connection, path)", "def insert_people(connection, people)").replace(
    "read_people(path)", "people"
)
FILES = (
    PEOPLE
    + """

def insert_files(connection, paths):
    insert_people(connection, (person for path in paths for person in read_people(path)))
"""
)
SWALLOWING = """
def insert_data(connection, path):
    try:
        with closing(connection.cursor()) as cursor:
            for name, email, age in read_people(path):
                user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
                cursor.execute(INSERT, (user_id, name, email, age))
    except ValueError as error:
        print(error)
        connection.rollback()
    connection.commit()
"""

TURNS = [
    Turn(
        "read_people",
        step=1,
        right=[
            READ,
            """
def read_people(path):
    file = open(path, newline="", encoding="utf-8")
    reader = csv.reader(file)
    next(reader)
    for name, email, age in reader:
        yield (name, email, int(age))
    file.close()
""",
            """
def read_people(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        yield from ((row["name"].strip(), row["email"], int(row["age"])) for row in csv.DictReader(file))
""",
        ],
        wrong=[
            (
                """
def read_people(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(row["name"], row["email"], int(row["age"])) for row in csv.DictReader(file)]
""",
                "memory grew with the file",
            ),
            (
                """
def read_people(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        yield row["name"], row["email"], int(row["age"])
""",
                "memory grew with the file",
            ),
            (
                """
def read_people(path):
    with open(path, newline="", encoding="utf-8") as file:
        return ((row["name"], row["email"], int(row["age"])) for row in csv.DictReader(file))
""",
                "I/O operation on closed file",
            ),
            (READ.replace('int(row["age"])', 'row["age"]'), "the first age was '20'"),
            (
                READ.replace('yield row["name"], row["email"], int(row["age"])', "yield row"),
                "the first thing that came was {",
            ),
            (READ.replace("yield", "return"), "the first thing that came was"),
            (
                """
def read_people(path):
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            name, email, age = line.split(",")
            yield name, email, int(age)
""",
                "it raised ValueError",
            ),
            (
                """
def read_people(path):
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            yield row[0], row[1], int(row[2])
""",
                "it raised ValueError",
            ),
            (
                """
def read_people(path):
    lines = open(path, newline="", encoding="utf-8").readlines()
    for row in csv.DictReader(lines):
        yield row["name"], row["email"], int(row["age"])
""",
                "memory grew with the file",
            ),
        ],
    ),
    Turn(
        "read_people",
        step=2,
        right=[
            READ_ODD,
            """
def read_people(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            name, email, age = [field.strip() for field in row]
            yield name, email, int(age)
""",
            """
def read_people(path):
    with open(path, newline="", encoding="utf-8") as file:
        if file.read(1) != "\\ufeff":
            file.seek(0)
        for row in csv.DictReader(file):
            row = {key: value.strip() for key, value in row.items()}
            yield row["name"], row["email"], int(row["age"])
""",
        ],
        wrong=[
            (READ, "KeyError"),
            (READ.replace("utf-8", "utf-8-sig"), "blanks around a field"),
            (READ_ODD.replace("utf-8-sig", "utf-8"), "KeyError"),
            (READ_ODD.replace('row["email"].strip()', 'row["email"]'), "blanks around a field"),
            (READ_ODD.replace('row["name"].strip()', 'row["name"].replace(" ", "")'), "it gives (name, email, age)"),
            (READ_ODD.replace("utf-8-sig", "utf-16"), "it raised Unicode"),
            (READ_ODD.replace("utf-8-sig", "latin-1"), "is in the file"),
            (READ_ODD.replace('row["name"].strip()', 'row["\\ufeffname"].strip()'), "KeyError"),
            (
                """
def read_people(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return [(row["name"].strip(), row["email"].strip(), int(row["age"])) for row in csv.DictReader(file)]
""",
                "memory grew with the file",
            ),
        ],
    ),
    Turn(
        "insert_data",
        step=1,
        right=[
            ONCE,
            """
import hashlib


def insert_data(connection, path):
    cursor = connection.cursor()
    for person in read_people(path):
        digest = hashlib.md5(person[1].encode()).hexdigest()
        cursor.execute(INSERT, (str(uuid.UUID(digest)), *person))
    connection.commit()
    cursor.close()
""",
            BATCHES,
        ],
        wrong=[
            (
                ONCE.replace('uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email)', "uuid.uuid4()"),
                "35 rows, inserted twice, made 70",
            ),
            (ONCE.replace("    connection.commit()\n", ""), "35 INSERTs were sent, and no commit"),
            (ONCE.replace("    connection.commit()", "            connection.commit()"), "35 rows took 35 commits"),
            (ONCE.replace("INSERT,", '"INSERT INTO user_data VALUES (%s, %s, %s, %s)",'), "it raised IntegrityError"),
            (
                ONCE.replace(
                    "cursor.execute(INSERT, (user_id, name, email, age))",
                    "cursor.execute(f\"INSERT IGNORE INTO user_data VALUES ('{user_id}', '{name}', '{email}', {age})\")",
                ),
                "it raised ProgrammingError",
            ),
            (
                """
def insert_data(connection, rows):
    with closing(connection.cursor()) as cursor:
        for name, email, age in rows:
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
            cursor.execute(INSERT, (user_id, name, email, age))
    connection.commit()
""",
                "it raised ValueError: not enough values to unpack (expected 3, got 1) "
                "(line 3: for name, email, age in rows:) why it matters: 0-main.py calls insert_data",
            ),
            (ONCE.replace('"mailto:" + email', '"mailto:" + name[:5]'), "were missing"),
            (
                ONCE.replace(
                    "            cursor.execute(INSERT",
                    '            cursor.execute("SELECT COUNT(*) FROM user_data WHERE user_id = %s", (user_id,))\n            cursor.fetchall()\n            cursor.execute(INSERT',
                ),
                "35 rows took 35 SELECTs",
            ),
            (
                ONCE.replace(
                    "        for name", '        cursor.execute("TRUNCATE TABLE user_data")\n        for name'
                ),
                "somebody else's was gone",
            ),
            (
                """
def insert_data(connection, path):
    with open(path, newline="", encoding="utf-8-sig") as file, closing(connection.cursor()) as cursor:
        for row in csv.DictReader(file):
            cursor.execute(INSERT, (row["user_id"], row["name"], row["email"], row["age"]))
    connection.commit()
""",
                "why it matters: The file has the columns name, email and age. The id must be made, not read.",
            ),
            (
                ONCE.replace(
                    "for name, email, age in read_people(path):",
                    "for name, email, age in read_people(path):\n            pass\n        if True:",
                ),
                "were missing",
            ),
        ],
    ),
    Turn(
        "insert_data",
        step=2,
        right=[
            ALL,
            """
def insert_data(connection, path):
    cursor = connection.cursor()
    try:
        for name, email, age in read_people(path):
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
            cursor.execute(INSERT, (user_id, name, email, age))
        connection.commit()
    except Exception as error:
        connection.rollback()
        raise error
    finally:
        cursor.close()
""",
            """
def insert_data(connection, path):
    done = False
    try:
        with closing(connection.cursor()) as cursor:
            for name, email, age in read_people(path):
                user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
                cursor.execute(INSERT, (user_id, name, email, age))
        done = True
    finally:
        if done:
            connection.commit()
        else:
            connection.rollback()
""",
            BATCHES,
        ],
        wrong=[
            (ONCE, "after the next commit 1,100 rows of the bad file were there"),
            (
                SWALLOWING,  # names no DataError: it comes out, and nothing is undone
                "it raised DataError; 3 rows of the bad file were there why it matters: Rows that were sent wait in the "
                "transaction. rollback() undoes them.",
            ),
            (
                SWALLOWING.replace("except ValueError", "except Exception"),
                "an error, too seen: it raised nothing; 0 rows of the bad file were there, and nobody was told",
            ),
            (SWALLOWING, "it raised nothing"),
            (
                ALL.replace("        connection.rollback()\n        raise\n", "        raise\n"),
                "after the next commit 1,100 rows",
            ),
            (ALL.replace("        raise\n", ""), "it raised nothing"),
            (ALL.replace("connection.rollback()", "connection.commit()"), "after the next commit 1,100 rows"),
            (ALL.replace("except BaseException", "except OSError"), "after the next commit 1,100 rows"),
            (
                ALL.replace("    connection.commit()\n", "    finally:\n        connection.commit()\n").replace(
                    "        connection.rollback()\n        raise\n", "        raise\n"
                ),
                "after the next commit 1,100 rows",
            ),
            (
                ALL.replace('uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email)', "uuid.uuid4()"),
                "inserted twice, made 70",
            ),
            (
                ALL.replace(
                    "read_people(path)",
                    "((n, e, int(a) if a.isdigit() else 0) for n, e, a in csv.reader(open(path, encoding='utf-8')) if a != 'age')",
                ),
                "it raised nothing; 1,101 rows",
            ),
            (
                ALL.replace("INSERT,", '"INSERT IGNORE INTO user_data VALUES (%s, %s, %s, %s)",'),
                "it raised nothing; the name was there, cut to what the table can take why it matters: INSERT IGNORE cuts "
                "it and only warns",
            ),
        ],
    ),
    Turn(
        "insert_data",
        right=[
            BATCHES,
            BY_HAND,
            """
def insert_data(connection, path):
    def users():
        for name, email, age in read_people(path):
            yield str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email)), name, email, age

    stream = users()
    try:
        with closing(connection.cursor()) as cursor:
            while True:
                batch = list(islice(stream, 1000))
                if not batch:
                    break
                cursor.executemany(INSERT, batch)
    except BaseException:
        connection.rollback()
        raise
    else:
        connection.commit()
""",
        ],
        wrong=[
            (ALL, "2,100 people took 2,100 INSERTs"),
            (
                BATCHES.replace(
                    "while batch := list(islice(users, 1000)):\n                cursor.executemany(INSERT, batch)",
                    "cursor.executemany(INSERT, list(users))",
                ),
                "of 2,100 people, 2,100 went in one statement",
            ),
            (
                BATCHES.replace("while batch := list(islice(users, 1000)):", "if batch := list(islice(users, 1000)):"),
                "of 2,100 people, 1,000 were in the table",
            ),
            (
                BY_HAND.replace("        if batch:\n            cursor.executemany(INSERT, batch)\n", ""),
                "35 of 35 rows of the file were missing",
            ),
            (BATCHES.replace("        connection.rollback()\n", ""), "after the next commit 1,000 rows"),
            (
                BATCHES.replace("users = ((", "users = [(").replace(
                    "read_people(path))", "read_people(path)]\n    users = iter(users)"
                ),
                "all 40,000 lines of the file were in memory",
            ),
            (
                BATCHES.replace(
                    "executemany(INSERT, batch)", "executemany(INSERT, batch)\n                connection.commit()"
                ),
                "after the next commit 1,000 rows",
            ),
            (BY_HAND.replace("                batch = []\n", ""), "of 2,100 people, 2,100 went in one statement"),
            (
                BY_HAND.replace("== 500", "% 500 == 0").replace("                batch = []\n", ""),
                "of 2,100 people, 2,100 went in one",
            ),
            (
                BATCHES.replace(
                    "cursor.executemany(INSERT, batch)",
                    "for _ in range(2):\n                    cursor.executemany(INSERT, batch)",
                ),
                "were sent as 4,200 rows",
            ),
            (BATCHES.replace("list(islice(users, 1000))", "islice(users, 1000)"), "it raised"),
            (BATCHES.replace("islice(users, 1000)", "islice(users, 1)"), "2,100 people took 2,100 INSERTs"),
        ],
    ),
    Turn(
        "insert_carefully",
        right=[
            CAREFULLY,
            ALL.replace("insert_data", "insert_carefully"),
            BATCHES.replace("insert_data", "insert_carefully"),
        ],
        wrong=[
            (
                """
def insert_carefully(connection, path):
    with closing(connection.cursor()) as cursor:
        for name, email, age in read_people(path):
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
            cursor.execute(f"SELECT COUNT(*) FROM user_data WHERE user_id = '{user_id}'")
            if cursor.fetchone() == (0,):
                cursor.execute(f"INSERT INTO user_data VALUES ('{user_id}', '{name}', '{email}', {age})")
                connection.commit()
""",
                "it raised ProgrammingError",
            ),
            (
                """
def insert_carefully(connection, path):
    with closing(connection.cursor()) as cursor:
        for name, email, age in read_people(path):
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
            cursor.execute("SELECT COUNT(*) FROM user_data WHERE user_id = %s", (user_id,))
            if cursor.fetchone() == (0,):
                cursor.execute(INSERT, (user_id, name, email, age))
    connection.commit()
""",
                "35 rows took 35 SELECTs",
            ),
            (
                CAREFULLY.replace("    connection.commit()", "            connection.commit()"),
                "35 rows took 35 commits",
            ),
            (CAREFULLY.replace("    connection.commit()\n", ""), "and no commit"),
            (
                CAREFULLY.replace("INSERT,", '"INSERT INTO user_data VALUES (%s, %s, %s, %s)",'),
                "it raised IntegrityError",
            ),
            (
                CAREFULLY.replace(
                    "cursor.execute(INSERT, (user_id, name, email, age))",
                    "cursor.execute(f\"INSERT IGNORE INTO user_data VALUES ('{user_id}', '{name}', '{email}', {age})\")",
                ),
                "it raised ProgrammingError",
            ),
            (
                CAREFULLY.replace(
                    "cursor.execute(INSERT, (user_id, name, email, age))",
                    'cursor.execute(f\'INSERT IGNORE INTO user_data VALUES ("{user_id}", "{name}", "{email}", {age})\')',
                ),
                "it raised ProgrammingError",
            ),
            (
                CAREFULLY.replace("INSERT,", '"REPLACE INTO user_data VALUES (uuid(), %s, %s, %s)",').replace(
                    "(user_id, name", "(name"
                ),
                "inserted twice, made 70",
            ),
        ],
    ),
    Turn(
        "insert_files",
        right=[
            FILES,
            """
from itertools import chain


def insert_people(connection, people):
    users = ((str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email)), name, email, age) for name, email, age in people)
    cursor = connection.cursor()
    try:
        for batch in iter(lambda: list(islice(users, 1000)), []):
            cursor.executemany(INSERT, batch)
        connection.commit()
    except Exception:
        connection.rollback()
        raise
    finally:
        cursor.close()


def insert_files(connection, paths):
    insert_people(connection, chain.from_iterable(map(read_people, paths)))
""",
            PEOPLE
            + """

def insert_files(connection, paths):
    def all_of_them():
        for path in paths:
            with closing(read_people(path)) as people:
                yield from people

    with closing(all_of_them()) as people:
        insert_people(connection, people)
""",
            BY_HAND.replace("def insert_data(connection, path)", "def insert_people(connection, people)").replace(
                "read_people(path)", "people"
            )
            + """

def insert_files(connection, paths):
    def all_of_them():
        for path in paths:
            for person in read_people(path):
                yield person

    return insert_people(connection, all_of_them())
""",
        ],
        wrong=[
            (
                """
def insert_files(connection, paths):
    for path in paths:
        insert_data(connection, path)
""",
                "insert_files does not call it",
            ),
            (FILES.replace("        connection.rollback()\n", ""), "after the next commit"),
            (FILES.replace("        raise\n", ""), "it raised nothing"),
            (
                FILES.replace("(person for path in paths for person in read_people(path))", "read_people(paths[0])"),
                "were missing",
            ),
            (
                FILES.replace(
                    "(person for path in paths for person in read_people(path))",
                    "[person for path in paths for person in read_people(path)]",
                ),
                "all 40,000 lines of the file were in memory",
            ),
            (
                FILES.replace(
                    "while batch := list(islice(users, 1000)):\n                cursor.executemany(INSERT, batch)",
                    "for user in users:\n                cursor.execute(INSERT, user)",
                ),
                "2,100 people took 2,100 INSERTs",
            ),
            (FILES.replace("    connection.commit()\n", ""), "and no commit"),
            (
                FILES.replace('uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email)', "uuid.uuid4()"),
                "inserted twice, made 70",
            ),
            (
                FILES.replace(
                    "while batch := list(islice(users, 1000)):\n                cursor.executemany(INSERT, batch)",
                    "cursor.executemany(INSERT, list(users))",
                ),
                "of 2,100 people, 2,100 went in one statement",
            ),
            (
                PEOPLE
                + """

def insert_files(connection, paths):
    for path in paths:
        insert_people(connection, read_people(path))
""",
                "rows of the bad file were there",
            ),
            (
                PEOPLE
                + BATCHES.replace("def insert_data(connection, path)", "def insert_files(connection, paths)").replace(
                    "read_people(path))", "(p for path in paths for p in read_people(path)))"
                ),
                "insert_files does not call it",
            ),
            (
                FILES.replace("INSERT,", '"INSERT IGNORE INTO user_data VALUES (%s, %s, %s, %s)",'),
                "✘ a name that is too long for the table is an error, too",
            ),
            ("def insert_files(connection, paths):\n    ...", "not written yet"),
        ],
    ),
]
