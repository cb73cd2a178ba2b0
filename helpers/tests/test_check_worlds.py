"""python -m helpers.check on what is no plain solution: other databases, missing packages, Python 2, work at import."""

import pytest
from solutions import BATCHES, CONNECTING, PROCESSING, SEED, STREAM, bad, seen

from helpers.check import folder, project

# Other databases and packages -----------------------------------------------------------------------------------------

POSTGRES = """
import psycopg2
def connect_to_prodev():
    return psycopg2.connect(host="localhost", user="me", password="Secret-123", dbname="ALX_prodev")
"""
SQLITE = """
import sqlite3
def stream_users():
    with sqlite3.connect("users.db") as connection:
        yield from connection.execute("SELECT * FROM user_data")
"""


def written(folder, **files):
    for name, text in files.items():
        (folder / name).write_text(text.lstrip("\n"), encoding="utf-8")
    return folder


def test_made_for_postgresql_is_said_once_and_the_password_is_seen(checking_server, tmp_path):
    solution = written(tmp_path, **{"seed.py": POSTGRES, "0-stream_users.py": STREAM, "1-batch_processing.py": BATCHES})
    result = folder.solution(solution)
    assert result.status == 2
    assert {4, 40} <= {*result.mistakes}
    said = [report.problem for report in result.reports if report.problem != "the file is missing"]
    assert said[0] == "made for PostgreSQL (psycopg2, seed.py line 1). The project is about MySQL: use mysql.connector"
    assert {*said[1:]} == {"not looked at, for the same reason"}
    assert "there is one in line 3 of seed.py" in " ".join(str(result.reports[0]).split())


def test_made_for_sqlite(looked_at):
    report = looked_at("stream_users", SQLITE)
    assert report.unable
    assert report.mistakes == [40]
    assert "made for SQLite (sqlite3, 0-stream_users.py line 1)" in report.problem


@pytest.mark.parametrize("module", ["psycopg2", "a_package_that_nobody_has", "sqlite3"])
def test_an_import_that_nothing_uses_hides_nothing(looked_at, module):
    report = looked_at("seed", f"import {module}\n{SEED}")
    assert report, str(report)
    if module != "sqlite3":  # it comes with Python
        assert f"seed.py imports {module}, which nothing uses, and which is not installed here" in seen(report)


def test_a_package_that_is_not_here_is_said_once(checking_server, tmp_path):
    batches = f"import a_package_that_nobody_has\n{BATCHES}{PROCESSING}\na_package_that_nobody_has.start()\n"
    result = folder.solution(written(tmp_path, **{"seed.py": SEED, "1-batch_processing.py": batches}))
    assert result.status == 2
    one, two = (report.problem for report in result.reports[2:4])
    assert one.startswith("needs the package a_package_that_nobody_has, which is not installed here, 1-batch_")
    assert two == "not looked at, for the same reason"


@pytest.mark.parametrize("guard", ["ImportError", "ModuleNotFoundError", "Exception"])
def test_a_package_that_need_not_be_here(looked_at, guard):
    guarded = f"try:\n    import a_package_that_nobody_has\nexcept {guard}:\n    a_package_that_nobody_has = None\n"
    report = looked_at("seed", guarded + SEED)
    assert report, str(report)


ENGINE = """
import sqlalchemy
def connect_db():
    return sqlalchemy.create_engine("mysql+pymysql://root:Secret-123@localhost")
def create_database(engine):
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE DATABASE IF NOT EXISTS ALX_prodev"))
def connect_to_prodev():
    return sqlalchemy.create_engine("mysql+pymysql://root:Secret-123@localhost/ALX_prodev")
def create_table(engine):
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text('''CREATE TABLE IF NOT EXISTS user_data (user_id CHAR(36) PRIMARY KEY,
            name VARCHAR(99) NOT NULL, email VARCHAR(99) NOT NULL UNIQUE, age DECIMAL NOT NULL)'''))
def insert_data(engine, data):
    {insert}
"""
WITH_PANDAS = """
    import pandas, uuid
    rows = pandas.read_csv(data)
    rows["user_id"] = [str(uuid.uuid4()) for _ in rows.email]
    rows.to_sql("user_data", engine, if_exists="append", index=False)
"""


def test_an_engine_is_no_connection_and_hides_no_password(looked_at):
    report = looked_at("seed", ENGINE.format(insert="pass"))
    assert report.mistakes == [4]
    assert "connect_db() returned an Engine, which is not a connection" in seen(report)
    assert "not written yet: insert_data()" in seen(report)


def test_an_engine_is_no_connection_and_the_rest_is_run(looked_at):
    report = looked_at("seed", ENGINE.format(insert=WITH_PANDAS.strip()))
    assert "connect_db() returned an Engine, which is not a connection" in seen(report)
    assert "✔ each row of the CSV file becomes a user" in seen(report)


# Not to be run as it is -----------------------------------------------------------------------------------------------


def test_python_2_is_said_and_its_password_read(looked_at):
    report = looked_at("seed", 'import MySQLdb\nPASSWORD = "Secret-123"\ndef connect_db():\n    print "connecting"\n')
    assert "it is written for Python 2: it raised SyntaxError" in seen(report)
    assert "seed.py, line 4" in seen(report)
    assert report.mistakes == [4]


def test_a_syntax_error_names_the_line_and_the_password_is_read(looked_at):
    report = looked_at("seed", SEED.replace('os.environ["DB_PASSWORD"]', '"Secret-123"') + "\ndef f(:\n")
    assert "it raised SyntaxError: invalid syntax" in seen(report)
    assert report.mistakes == [4]


def test_what_cannot_run_is_read(looked_at):
    query = 'f"SELECT * FROM user_data LIMIT {batch_size} OFFSET {start}"'
    source = BATCHES.replace('"SELECT * FROM user_data"', query)
    report = looked_at("stream_users_in_batches", source, seed=CONNECTING)
    assert "NameError: name 'start' is not defined" in seen(report)
    assert report.mistakes == [2, 14]
    assert "not looked at, because it does not run to its end yet" in seen(report)
    report = looked_at("stream_users_in_batches", source + "\n1 / 0\n", seed=CONNECTING)
    assert report.mistakes == [2, 14]
    assert "not looked at, because it cannot be imported" in seen(report)


@pytest.mark.parametrize("body", ["yield {}", "return []"], ids=["generator", "coroutine"])
def test_async_def_is_no_generator(looked_at, body):
    report = looked_at("stream_users", f"import seed\nasync def stream_users():\n    {body}\n", seed=CONNECTING)
    assert "it is an async def" in seen(report)
    assert report.to_fix == 1


# At import, and at the keyboard ---------------------------------------------------------------------------------------

AT_IMPORT = """
import seed
connection = seed.connect_to_prodev()
cursor = connection.cursor(dictionary=True)
def stream_users_in_batches(batch_size):
    cursor.execute({query})
    while batch := cursor.fetchmany(batch_size):
        yield batch
"""


@pytest.mark.parametrize("query", ['"SELECT * FROM user_data"', '"SELECT * FROM user_data LIMIT %s", (batch_size,)'])
def test_a_connection_made_at_import_hides_nothing(looked_at, query):
    report = looked_at("stream_users_in_batches", AT_IMPORT.format(query=query), seed=CONNECTING)
    assert report.mistakes == [38] if "LIMIT" not in query else [16, 38], str(report)
    assert "importing 1-batch_processing.py made a connection that stayed open" in seen(report)
    assert "Lost connection" not in seen(report)
    assert "✔ its connection is closed" not in seen(report)


def test_a_connection_made_at_import_of_the_seed(looked_at):
    seed_with_one = CONNECTING + "\nconnection = connect_to_prodev()\n"
    stream = STREAM.replace("with contextlib.closing(seed.connect_to_prodev()) as connection:", "if True:")
    stream = stream.replace("connection.cursor", "seed.connection.cursor")
    report = looked_at("stream_users", stream, seed=seed_with_one)
    assert report.mistakes == [38], str(report)


LATER = """
made = []
def connection():
    if not made:
        made.append(connect_to_prodev())
    return made[0]
"""


MAIN = "\nif __name__ == '__main__':\n    connection = connect_to_prodev()\n"


@pytest.mark.parametrize("behind", [LATER, MAIN], ids=["when-asked", "main"])
def test_a_connection_that_is_not_made_at_import(looked_at, behind):
    report = looked_at("stream_users", STREAM, seed=CONNECTING + behind)
    assert report, str(report)


def test_a_connection_made_and_closed_at_import_is_no_harm_to_functions_that_make_their_own(looked_at):
    report = looked_at("stream_users", f"{STREAM}\nseed.connect_to_prodev().close()\n", seed=CONNECTING)
    assert report.mistakes == [26], str(report)
    assert len(bad(report)) == 1


@pytest.mark.parametrize("asks", ['input("user: ")', 'getpass.getpass("password: ")'])
def test_code_that_asks_at_the_keyboard_is_told_of_the_environment(looked_at, asks):
    report = looked_at("seed", "import getpass\n" + SEED.replace('user="root"', f"user={asks}"))
    (line,) = bad(report)
    assert f"it called {asks.removeprefix('getpass.').replace(chr(34), chr(39))}" in line.observed
    assert 'os.environ["MYSQL_PASSWORD"]' in line.why


def test_a_download_at_import(looked_at):
    source = "import urllib.request\nDATA = urllib.request.urlopen('https://example.com/user_data.csv').read()\n" + SEED
    report = looked_at("seed", source)
    assert report.mistakes == [26]
    assert "importing it asked for example.com:443" in seen(report)


# Environments and folders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reading",
    [
        'os.environ["db_password"]',
        'os.environ["DB_PASS_WORD"]',
        'os.environ["mysql_pwd"]',
        'os.environ["password"]',
        '__import__("dotenv").dotenv_values(".env")["DB_PASSWORD"]',
        '__import__("decouple").config("SECRET_OF_DB")',
    ],
)
def test_credentials_may_stand_in_the_environment_under_any_name(looked_at, reading):
    report = looked_at("seed", SEED.replace('os.environ["DB_PASSWORD"]', reading))
    assert report, str(report)


def test_the_rest_of_the_environment_is_as_it_is(looked_at):
    report = looked_at("seed", SEED + '\nassert "SUPPORT_LEVEL" not in os.environ\nassert os.getenv("COLOR") is None\n')
    assert report, str(report)


@pytest.mark.parametrize("where", ["python-generators-0x00", "alx-backend-python/python-generators-0x00"])
def test_a_solution_one_or_two_floors_down_is_found(checking_server, tmp_path, where):
    (tmp_path / where).mkdir(parents=True)
    written(tmp_path / where, **{"seed.py": SEED})
    (tmp_path / "other").mkdir()
    result = folder.solution(tmp_path)
    assert result.folder == str(tmp_path / where)
    assert result.reports[0], str(result.reports[0])


def test_two_solutions_below_are_named(tmp_path):
    for name in ("ada", "ben"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, **{"seed.py": SEED})
    with pytest.raises(FileNotFoundError, match="several solutions below it. Name one of them: ada, ben"):
        folder.solution(tmp_path)


def test_a_virtual_environment_of_any_name_is_left_out(checking_server, tmp_path):
    written(tmp_path, **{"seed.py": SEED})
    (tmp_path / "my_packages").mkdir()
    written(tmp_path / "my_packages", **{"pyvenv.cfg": "", "seed.py": SEED})
    assert project.is_left_out(tmp_path / "my_packages")
    source = SEED + '\nassert not os.path.exists("my_packages")\n'
    report = folder.one(tmp_path, written(tmp_path, **{"seed.py": source}) / "seed.py", folder.FUNCTIONS[0], True)
    assert report, str(report)


# What comes from elsewhere --------------------------------------------------------------------------------------------


def test_what_comes_from_another_function_is_not_said_again(checking_server, tmp_path):
    batches = BATCHES.replace("connection.cursor(dictionary=True)", "connection.cursor(dictionary=True, buffered=True)")
    leaking = batches.replace("with contextlib.closing(seed.connect_to_prodev()) as connection:",
                              "if connection := seed.connect_to_prodev():")  # fmt: skip
    result = folder.solution(
        written(tmp_path, **{"seed.py": SEED, "1-batch_processing.py": "import uuid\n" + leaking + PROCESSING})
    )
    one, two = result.reports[2:4]
    assert {17, 25} <= {*one.mistakes}
    assert two.mistakes == [17], str(two)
    assert "comes from stream_users_in_batches" in seen(two)
    assert "why it matters" not in seen(two)


def test_a_fault_of_its_own_is_said_in_full(checking_server, tmp_path):
    processing = """
def batch_processing(batch_size):
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute("SELECT * FROM user_data")
    for user in cursor:
        if user["age"] > 25:
            print(user)
"""
    leaking = BATCHES.replace("with contextlib.closing(seed.connect_to_prodev()) as connection:",
                              "if connection := seed.connect_to_prodev():")  # fmt: skip
    files = {"seed.py": SEED, "1-batch_processing.py": leaking + processing}
    result = folder.solution(written(tmp_path, **files))
    assert result.reports[3].mistakes == [17]
    assert "comes from" not in str(result.reports[3])
