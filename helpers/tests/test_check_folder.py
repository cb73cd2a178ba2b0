"""python -m helpers.check FOLDER reports on whole solutions as they stand: any credentials, drivers, work at import."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from helpers.check import folder, task0
from helpers.check.report import BAD

ROOT = Path(__file__).parents[2]

RIGHT = {
    "seed.py": """
        import csv
        import os
        import uuid

        import mysql.connector
        from dotenv import load_dotenv

        load_dotenv()
        CREDENTIALS = {"host": os.environ["DB_HOST"], "user": os.getenv("DB_USER"), "password": os.getenv("DB_PASS")}


        def connect_db():
            return mysql.connector.connect(**CREDENTIALS)


        def create_database(connection):
            cursor = connection.cursor()
            cursor.execute("SHOW DATABASES LIKE 'ALX_prodev'")
            if cursor.fetchone() is None:
                cursor.execute("CREATE DATABASE ALX_prodev")
            cursor.close()


        def connect_to_prodev():
            return mysql.connector.connect(database=os.environ["MYSQL_DB_NAME"], **CREDENTIALS)


        def create_table(connection):
            cursor = connection.cursor()
            cursor.execute('''CREATE TABLE IF NOT EXISTS user_data (
                user_id CHAR(36) PRIMARY KEY, name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL,
                age DECIMAL(3,0) NOT NULL, INDEX (user_id))''')
            cursor.close()
            print("Table user_data created successfully")


        def insert_data(connection, data):
            cursor = connection.cursor()
            with open("user_data.csv", newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, row["email"]))
                    cursor.execute("INSERT IGNORE INTO user_data VALUES (%s, %s, %s, %s)",
                                   (user_id, row["name"], row["email"], row["age"]))
            connection.commit()
            cursor.close()
        """,
    "0-stream_users.py": """
        import sys

        seed = __import__("seed")


        def stream_users():
            connection = seed.connect_to_prodev()
            try:
                cursor = connection.cursor(dictionary=True)
                cursor.execute("SELECT * FROM user_data")
                yield from cursor
            finally:
                connection.close()


        sys.modules[__name__] = stream_users
        """,
    "1-batch_processing.py": """
        import pymysql
        import pymysql.cursors


        def stream_users_in_batches(batch_size):
            connection = pymysql.connect(host="127.0.0.1", port=3306, user="root", db="ALX_prodev")
            with connection, connection.cursor(pymysql.cursors.SSDictCursor) as cursor:
                cursor.execute("SELECT * FROM user_data")
                while batch := cursor.fetchmany(batch_size):
                    yield batch


        def batch_processing(batch_size):
            for batch in stream_users_in_batches(batch_size):
                for user in batch:
                    if user["age"] > 25:
                        print(user)
        """,
    "2-lazy_paginate.py": """
        from contextlib import closing

        import seed


        def paginate_users(page_size, offset):
            with closing(seed.connect_to_prodev()) as connection:
                cursor = connection.cursor(dictionary=True)
                cursor.execute("SELECT * FROM user_data ORDER BY user_id LIMIT %s OFFSET %s", (page_size, offset))
                return cursor.fetchall()


        def lazy_paginate(page_size):
            offset = 0
            while page := paginate_users(page_size, offset):
                yield page
                offset += page_size
        """,
    "4-stream_ages.py": """
        from contextlib import closing
        from seed import connect_to_prodev


        def stream_user_ages():
            with closing(connect_to_prodev()) as connection:
                cursor = connection.cursor()
                cursor.execute("SELECT age FROM user_data")
                for (age,) in cursor:
                    yield int(age)


        def calculate_average_age():
            total = count = 0
            for age in stream_user_ages():
                total += age
                count += 1
            if count:
                print(f"Average age of users: {total / count}")


        if __name__ == "__main__":
            calculate_average_age()
        """,
    "user_data.csv": '"name","email","age"\n"Ada","ada@example.com","36"\n',
}
AVERAGE_AT_IMPORT = RIGHT["4-stream_ages.py"].split("if __name__")[0] + "calculate_average_age()\n"
WRONG = {
    "seed.py": RIGHT["seed.py"].replace('os.getenv("DB_PASS")', '"root"').replace('row["email"]))', 'row["user_id"]))'),
    "0-stream_users.py": RIGHT["0-stream_users.py"].replace("SELECT *", "SELEC *"),
    "1-batch_processing.py": """
        import MySQLdb
        import MySQLdb.cursors


        def stream_users_in_batches(batch_size):
            db = MySQLdb.connect("localhost", "root", "root", "ALX_prodev", cursorclass=MySQLdb.cursors.DictCursor)
            cursor = db.cursor()
            cursor.execute("SELECT * FROM user_data")
            try:
                while batch := cursor.fetchmany(batch_size):
                    yield batch
            finally:
                db.close()


        def batch_processing(batch_size):
            pass
        """,
    "2-lazy_paginate.py": "from a_module_that_nobody_has import paginate_users, lazy_pagination\n",
    "4-stream_ages.py": AVERAGE_AT_IMPORT,
}


def written(path, files):
    """Write the files of a solution into a folder; return its path."""
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def from_terminal(path, *options, **environment):
    """Check a folder as from a terminal; return the finished process."""
    command = [sys.executable, "-m", "helpers.check", str(path), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | environment)


def bad_lines(report):
    return [line for line in report.lines if line.mark == BAD]


@pytest.fixture(scope="module")
def server():
    with folder.private_server():
        yield


@pytest.fixture(scope="module")
def wrong(server, tmp_path_factory):
    """The report on each function of WRONG."""
    result = folder.solution(written(tmp_path_factory.mktemp("wrong"), WRONG))
    assert result.status == 2  # a package is not here
    return {function.name: report for function, report in zip(folder.FUNCTIONS, result.reports, strict=True)}


def test_a_right_solution_is_right_in_less_than_a_minute_of_computing(tmp_path, temporary):
    solution = written(tmp_path / "right", RIGHT)
    before = {path.name: path.read_bytes() for path in solution.iterdir()}
    computed = sum(os.times()[2:4])  # seconds
    done = from_terminal(solution, TMPDIR=str(temporary))
    assert sum(os.times()[2:4]) - computed < 60  # of the processes that it started and that have ended
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "✘" not in done.stdout
    assert done.stdout.count("\nAll is well.\n") == 9
    assert "  ✔ Task 3, 2-lazy_paginate.py: lazy_pagination(page_size)\n" in done.stdout
    assert {path.name: path.read_bytes() for path in solution.iterdir()} == before
    assert not [*temporary.glob("gc-check-*")]


def test_the_seed(wrong):
    assert wrong["seed"].mistakes == [4, 7]
    seen = [line.observed for line in bad_lines(wrong["seed"])]
    assert "KeyError: 'user_id'" in seen[0]
    assert seen[1] == "there is one in line 9 of seed.py, line 6 of 1-batch_processing.py"


def test_an_error_names_the_file_and_the_line(wrong):
    (line,) = bad_lines(wrong["stream_users"])
    assert "1064 (42000)" in line.observed
    assert '(0-stream_users.py, line 10: cursor.execute("SELEC * FROM user_data"))' in line.observed


def test_another_driver_and_its_cursor_that_stores_all(wrong):
    assert wrong["stream_users_in_batches"].mistakes == [25]
    assert "(the cursor is a DictCursor)" in bad_lines(wrong["stream_users_in_batches"])[0].observed


def test_a_function_that_is_not_written_yet(wrong):
    assert wrong["batch_processing"].problem == "not written yet"


def test_a_file_that_cannot_be_imported(wrong):
    said = "needs the package a_module_that_nobody_has, which is not installed here, 2-lazy_paginate.py line 1"
    assert wrong["paginate_users"].problem == said
    assert wrong["lazy_pagination"].problem == "not looked at, for the same reason"


def test_work_at_import_and_the_rest_of_that_file_passes(wrong):
    assert wrong["stream_user_ages"].mistakes == [26]
    (line,) = bad_lines(wrong["stream_user_ages"])
    assert line.observed.startswith("importing 4-stream_ages.py connected to the server and sent it ")
    assert wrong["calculate_average_age"]


BEFORE_ALL = {
    "hangs": ("while True: pass\n", "still running after 2 s: does your loop ever end?"),
    "exits": ("import sys; sys.exit('no')\n", "sys.exit"),
    "raises": ("1 / 0\n", "ZeroDivisionError"),
    "is no Python": ("def f(:\n", "SyntaxError"),
    "dies": ("import os; os.abort()\n", "it ended the whole Python process (status -6)"),
    "has no function": ("", "seed.py has no connect_db(), create_database()"),
}


@pytest.mark.parametrize("what", BEFORE_ALL)
def test_a_seed_that(server, tmp_path, monkeypatch, what):
    text, wanted = BEFORE_ALL[what]
    if what == "hangs":  # the others have time, however busy the machine is
        monkeypatch.setattr("helpers.check.process.TIME_LIMIT", 2.0)
    report = folder.one(tmp_path, written(tmp_path, {"seed.py": text}) / "seed.py", folder.FUNCTIONS[0], True)
    assert not report
    assert wanted in bad_lines(report)[-1].observed


def test_a_file_with_ids_may_be_expected_to_have_them(server, tmp_path):
    files = {
        "seed.py": RIGHT["seed.py"].replace('row["email"]))', 'row["user_id"]))'),
        "user_data.csv": '"user_id","name","email","age"\n"1","Ada","ada@example.com","36"\n',
    }
    report = folder.one(tmp_path, written(tmp_path, files) / "seed.py", folder.FUNCTIONS[0], True)
    assert report, str(report)


def test_a_password_from_a_dotenv_file_is_none_in_the_source(server, tmp_path):
    files = RIGHT | {".env": "DB_HOST=db\nDB_USER=me\nDB_PASS='s3cret'\n"}
    report = folder.one(tmp_path, written(tmp_path, files) / "seed.py", folder.FUNCTIONS[0], True)
    assert report, str(report)


def test_what_cannot_be_copied_is_left_out(server, tmp_path):
    solution = written(tmp_path, RIGHT)
    os.mkfifo(solution / "pipe")
    report = folder.one(solution, solution / "4-stream_ages.py", folder.FUNCTIONS[-1], True)
    assert report, str(report)


def test_the_name_of_a_variable_is_no_password():
    assert task0.password_line('PASSWORD_VARIABLE = "MYSQL_PASSWORD"\nsecret = os.environ[PASSWORD_VARIABLE]\n') is None
    assert task0.password_line('\nPASSWORD = "s3cret"\n') == 2


def test_json_for_a_class(tmp_path):
    solution = written(tmp_path, {"0-stream_users.py": RIGHT["0-stream_users.py"]})
    done = from_terminal(solution, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == said["status"] == 1
    assert said["folder"] == str(solution)
    assert said["ok"] is False
    assert said["mistakes"] == []
    by_title = {report["title"]: report for report in said["reports"]}
    assert by_title["Task 0, seed.py"]["problem"] == "the file is missing"
    line, rest = by_title["Task 1, 0-stream_users.py: stream_users()"]["lines"]
    assert line["mark"] == "fail"
    assert rest["mark"] == "skipped"
    assert "No module named 'seed'" in line["observed"]


@pytest.mark.parametrize("what", ["a folder that is not there", "a folder with other files", "no server"])
@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_what_cannot_be_checked_ends_with_2(tmp_path, monkeypatch, what, json_too):
    monkeypatch.setenv("COURSE_MYSQLD", "/no/server")
    where = tmp_path if what == "a folder with other files" else tmp_path / "solution"
    if what == "no server":
        written(where, RIGHT)
    done = from_terminal(where, *json_too)
    assert done.returncode == 2
    said = json.loads(done.stdout)["problem"] if json_too else done.stderr
    assert ("/no/server" if what == "no server" else str(where)) in said
    assert "Traceback" not in said
