"""Each kind of false alarm, miss and unhelpful word that public solutions met, on small solutions."""

import textwrap

import pytest
from solutions import (
    AGES,
    BATCHES,
    BEFORE_INSERT,
    CONNECTING,
    INSERT,
    NOISY,
    PAGES,
    PROCESSING,
    SEED,
    STREAM,
    bad,
    seen,
)

# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["compute_average", "main", "averageAge", "process_ages"])
def test_the_average_is_found_under_any_name_by_the_generator_that_it_uses(looked_at, name):
    report = looked_at("calculate_average_age", AGES.format(name=name, how=""), seed=CONNECTING)
    assert report, str(report)


@pytest.mark.parametrize("name", ["lazypaginate", "lazy_paginate", "lazy_pagination", "lazyPaginate"])
def test_the_task_writes_lazy_paginate_in_several_ways(looked_at, name):
    report = looked_at("lazy_pagination", PAGES.format(name=name), seed=CONNECTING)
    assert report, str(report)


# Noise ----------------------------------------------------------------------------------------------------------------

YIELDS = PROCESSING.replace("print(user)", "yield user")
LISTS = """
def batch_processing(batch_size):
    return [user for batch in stream_users_in_batches(batch_size) for user in batch if user["age"] > 25]
"""
PRINTS_LATER = PROCESSING.replace("print(user)", "print(user)\n                yield")


@pytest.mark.parametrize("connecting", [NOISY, CONNECTING], ids=["noisy", "quiet"])
@pytest.mark.parametrize(
    ("processing", "mistakes", "wanted"),
    [
        (YIELDS, [13], "the call printed nothing: it gave a generator"),
        (PRINTS_LATER, [13], "the call printed nothing: it gave a generator"),
        (LISTS, [], "and returned a list"),
        (PROCESSING, [], None),
    ],
    ids=["yields", "yields-and-prints", "returns-a-list", "prints"],
)
def test_noise_is_no_user(looked_at, connecting, processing, mistakes, wanted):
    report = looked_at("batch_processing", BATCHES + processing, seed=connecting)
    assert report.mistakes == mistakes
    assert bool(report) == (wanted is None), str(report)
    if wanted:
        (line,) = bad(report)
        assert wanted in line.observed
        assert line.asked == "it prints users when it is called"


# Passwords ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["insert_data", "create_table"])
def test_a_missing_function_hides_no_password(looked_at, missing):
    source = SEED.replace('os.environ["DB_PASSWORD"]', '"Secret-123"').replace(f"def {missing}", "def other")
    report = looked_at("seed", source)
    assert report.mistakes == [4]
    assert f"seed.py has no {missing}()" in seen(report)
    assert "its table" not in seen(report) or missing != "create_table"


@pytest.mark.parametrize("text", ["your_password", "<password>", "your password here", "****", "changeme"])
def test_a_placeholder_is_no_password(looked_at, text):
    source = SEED.replace('os.environ["DB_PASSWORD"]', f'os.getenv("DB_PASSWORD", "{text}")')
    report = looked_at("seed", source)
    assert report, str(report)
    assert f"has '{text}' in the place of a password" in seen(report)


@pytest.mark.parametrize("text", ["root", "Secret-123", "password1"])
def test_a_default_is_a_password(looked_at, text):
    source = SEED.replace('os.environ["DB_PASSWORD"]', f'os.getenv("DB_PASSWORD", "{text}")')
    assert looked_at("seed", source).mistakes == [4]


URL = """
import csv, uuid, sqlalchemy
def engine(name=""):
    return sqlalchemy.create_engine({url})
def connect_db():
    return engine().connect()
def connect_to_prodev():
    return engine("ALX_prodev").connect()
def create_database(connection):
    connection.execute(sqlalchemy.text("CREATE DATABASE IF NOT EXISTS ALX_prodev"))
def create_table(connection):
    connection.execute(sqlalchemy.text('''CREATE TABLE IF NOT EXISTS user_data (user_id CHAR(36) PRIMARY KEY,
        name VARCHAR(99) NOT NULL, email VARCHAR(99) NOT NULL UNIQUE, age DECIMAL NOT NULL)'''))
def insert_data(connection, data):
    with open(data, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            values = {{"i": str(uuid.uuid5(uuid.NAMESPACE_DNS, row["email"])), **row}}
            connection.execute(sqlalchemy.text("INSERT IGNORE INTO user_data VALUES (:i, :name, :email, :age)"), values)
    connection.commit()
"""


@pytest.mark.parametrize(
    ("url", "mistakes"),
    [
        ("'mysql+pymysql://root:Secret-123@localhost/' + name", [4]),
        ("f'mysql+pymysql://root:Secret-123@localhost/{name}'", [4]),
        ("f'mysql+pymysql://root@localhost/{name}'", []),
        ('f\'mysql+pymysql://root:{__import__("os").environ["DB_PASS"]}@localhost/{name}\'', []),
    ],
)
def test_a_password_in_a_url_stands_in_the_source(looked_at, url, mistakes):
    assert looked_at("seed", URL.format(url=url)).mistakes == mistakes


# Errors that are dropped, and handlers that fail ----------------------------------------------------------------------


def handling(how):
    body = textwrap.indent(STREAM.partition("def stream_users():\n")[2].strip("\n"), "    ")
    return STREAM.partition("def stream_users")[0] + f"import sys\ndef stream_users():\n    try:\n{body}\n{how}"


@pytest.mark.parametrize(
    "how",
    [
        "    except mysql.connector.Error as e:\n        print(e, file=os.stderr)\n",
        "    except mysql.connection.Error as e:\n        raise\n",
        "    except mysql.connector.Error as e:\n        raise 'no connection'\n",
        "    except mysql.connector.Error as e:\n        print('Error: ' + e)\n",
        "    except mysql.connector.Error as e:\n        log(e)\n",
    ],
    ids=["os.stderr", "mysql.connection", "raise-text", "text-and-error", "no-such-name"],
)
def test_a_handler_that_fails_itself(looked_at, how):
    report = looked_at("stream_users", handling(how), seed=CONNECTING)
    assert report.mistakes == [37], str(report)
    assert "0-stream_users.py, line" in seen(report)


@pytest.mark.parametrize(
    "how",
    [
        "    except mysql.connector.Error as e:\n        raise RuntimeError('the users cannot be read') from e\n",
        "    except mysql.connector.Error as e:\n        print(e, file=sys.stderr)\n        raise\n",
    ],
    ids=["raise-from", "raise"],
)
def test_a_handler_that_works(looked_at, how):
    report = looked_at("stream_users", handling(how), seed=CONNECTING)
    assert report, str(report)


OR_NONE = """
import mysql.connector, os
def connect_to_prodev():
    try:
        return mysql.connector.connect(user="root", password=os.environ["DB_PASSWORD"], database="ALX_prodev")
    except mysql.connector.Error as e:
        print(e)
"""


@pytest.mark.parametrize("then", ["raise StopIteration", "return", "return iter(())"])
def test_an_error_that_was_printed_and_dropped(looked_at, then):
    source = f"""
import contextlib, seed
def stream_users():
    connection = seed.connect_to_prodev()
    if not connection:
        {then}
    with contextlib.closing(connection):
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data")
        yield from cursor
"""
    report = looked_at("stream_users", source, seed=OR_NONE)
    assert report.mistakes == [5], str(report)
    assert "your code printed: 2002 (HY000)" in seen(report)


def test_a_seed_that_drops_an_error_is_shown_what_it_printed(looked_at):
    source = (
        BEFORE_INSERT
        + """
def insert_data(connection, data):
    try:
        cursor = connection.cursor()
        with open(data, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                cursor.execute("INSERT INTO users VALUES (%s, %s, %s)", (row["name"], row["email"], row["age"]))
        connection.commit()
    except mysql.connector.Error as e:
        print(f"Error inserting data: {e}")
"""
    )
    report = looked_at("seed", source)
    assert report.mistakes == [5]
    assert "35 of 35 rows of the file were missing" in seen(report)
    printed = "your code printed: Error inserting data: 1146 (42S02): Table 'ALX_prodev.users' doesn't exist"
    assert printed in seen(report)


# insert_data that is made for something else --------------------------------------------------------------------------

ROWS = """
def insert_data(connection, data):
    cursor = connection.cursor()
    for {row} in data:
        cursor.execute("SELECT COUNT(*) FROM user_data WHERE name = %s", ({name},))
        cursor.fetchone()
        cursor.execute("INSERT INTO user_data VALUES (%s, %s, %s, %s)", (str(uuid.uuid4()), {name}, {rest}))
        connection.commit()
"""
NOT_UNIQUE = BEFORE_INSERT.replace(" UNIQUE", "")


@pytest.mark.parametrize(
    ("row", "name", "rest", "takes"),
    [
        ("name, email, age", "name", "email, age", "a list of (name, email, age)"),
        ("row", 'row["name"]', 'row["email"], row["age"]', "a list of dicts"),
        ("_, name, email, age", "name", "email, age", "a list of (user_id, name, email, age)"),
    ],
)
def test_rows_in_place_of_a_path_hide_nothing(looked_at, row, name, rest, takes):
    report = looked_at("seed", NOT_UNIQUE + ROWS.format(row=row, name=name, rest=rest))
    assert report.mistakes == [6, 9, 20, 39], str(report)
    assert f"It takes {takes}" in seen(report)


def test_a_cursor_in_place_of_the_connection(looked_at):
    begins = "def insert_data(connection, data):\n    cursor = connection.cursor()"
    insert = INSERT.replace(begins, "def insert_data(cursor, data):").replace("    connection.commit()\n", "")
    report = looked_at("seed", BEFORE_INSERT + insert)
    assert report.mistakes == [39], str(report)
    assert "It takes a cursor in place of the connection" in seen(report)


@pytest.mark.parametrize(("behind", "what"), [(";  -- no duplicates", "The comment"), ("; SELECT 1", "What stands")])
def test_a_second_statement_behind_the_semicolon_is_explained(looked_at, behind, what):
    report = looked_at("seed", BEFORE_INSERT + INSERT.replace('%s, %s, %s, %s)"', f'%s, %s, %s, %s){behind}"'))
    assert "Commands out of sync" in seen(report)
    assert f"{what} behind the ; is a second statement: " in seen(report)


# SQL, and the rest of the table ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        'f"SELECT * FROM user_data ORDER BY user_id LIMIT {batch_size} OFFSET {offset}"',
        '"SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s" % (batch_size, offset)',
        '"SELECT * FROM user_data ORDER BY user_id LIMIT {} OFFSET {}".format(batch_size, offset)',
    ],
    ids=["f-string", "percent", "format"],
)
@pytest.mark.parametrize("name", ["stream_users_in_batches", "batch_processing"])
def test_values_in_the_sql_of_batches(looked_at, query, name):
    source = f"""
import contextlib, seed
def stream_users_in_batches(batch_size):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        offset = 0
        while True:
            cursor.execute({query})
            batch = cursor.fetchall()
            if not batch:
                return
            yield batch
            offset += batch_size
"""
    assert looked_at(name, source + PROCESSING, seed=CONNECTING).mistakes == [2]


BUFFERED = AGES.format(name="calculate_average_age", how="buffered=True")


def test_an_average_is_not_to_blame_for_its_generators_buffer(looked_at):
    assert looked_at("stream_user_ages", BUFFERED, seed=CONNECTING).mistakes == [25]
    report = looked_at("calculate_average_age", BUFFERED, seed=CONNECTING)
    assert report, str(report)


OBJECTS = {
    "class": """
class User:
    def __init__(self, *fields):
        self.user_id, self.name, self.email, self.age = fields
""",
    "dataclass": "import dataclasses\nUser = dataclasses.make_dataclass('User', ['user_id', 'name', 'email', 'age'])\n",
    "namedtuple": "import collections\nUser = collections.namedtuple('User', 'user_id name email age')\n",
}


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("name", ["stream_users_in_batches", "batch_processing"])
def test_objects_are_no_dicts_and_nothing_else_is_wrong_with_them(looked_at, kind, name):
    source = BATCHES.replace("dictionary=True", "").replace("yield batch", "yield [User(*row) for row in batch]")
    processing = PROCESSING.replace('user["age"]', "user.age").replace("print(user)", "print(user.name)")
    report = looked_at(name, OBJECTS[kind] + source + processing, seed=CONNECTING)
    assert report.mistakes == ([8] if name == "stream_users_in_batches" else []), str(report)
    assert len(bad(report)) == len(report.mistakes)
