"""Task 0: connect, create, fill. Every call, what it accepts, what it refuses, and what it leaves behind."""

import contextlib
import csv
import os
import subprocess
import sys
import uuid
from collections import Counter
from itertools import islice

import mysql.connector
import pytest
from places import ROOT

from helpers import memory, seed

HEADER = "name,email,age\n"
ADA = ("00000000-0000-4000-8000-00000000000a", "Ada Lund", "ada@example.com", 36)


@pytest.fixture(scope="module")
def _database():
    with seed.scratch() as name:
        yield name


@pytest.fixture
def database(_database):
    """A database of these tests' own, with an empty user_data; connect_to_prodev() leads there."""
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        connection.cmd_query("DELETE FROM user_data")
        connection.commit()
    return _database


@pytest.fixture
def connection(database):
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        yield connection


def ask(query, parameters=()):
    """Return the rows of a query, from a connection of its own."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def stored():
    """Return what user_data holds: {user_id: (name, email, age)}."""
    return {user_id: tuple(rest) for user_id, *rest in ask("SELECT user_id, name, email, age FROM user_data")}


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# Connecting and creating ----------------------------------------------------------------------------------------------


def test_connect_db_chooses_no_database():
    with contextlib.closing(seed.connect_db()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE(), @@character_set_client, @@collation_connection")
        assert cursor.fetchone() == (None, "utf8mb4", "utf8mb4_general_ci")


def test_task_0_from_nothing_as_the_public_project_calls_it(monkeypatch, capsys):
    name = f"{seed.database_name()}_task0_{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("MYSQL_DATABASE", name)
    connection = seed.connect_db()
    try:
        for _ in range(2):  # the second time, all is there
            seed.create_database(connection)
        connection.close()
        connection = seed.connect_to_prodev()
        for _ in range(2):
            seed.create_table(connection)
        assert capsys.readouterr().out == "Table user_data created successfully\n" * 2
        assert seed.insert_data(connection, "data/user_data.csv" if os.path.exists("data") else seed.USER_DATA) == 1000
        assert seed.insert_data(connection, str(seed.USER_DATA)) == 0
        assert len(stored()) == 1000
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
        connection.close()


def test_the_table_is_the_one_of_the_task(database):
    columns = ask(
        "SELECT column_name, column_type, is_nullable, column_key FROM information_schema.columns"
        " WHERE table_schema = %s ORDER BY ordinal_position",
        (database,),
    )
    told = [tuple(value.decode() if isinstance(value, bytes) else value for value in row) for row in columns]
    assert told == [
        ("user_id", "char(36)", "NO", "PRI"),
        ("name", "varchar(255)", "NO", ""),
        ("email", "varchar(255)", "NO", ""),
        ("age", "decimal(3,0)", "NO", ""),
    ]


# What goes in ---------------------------------------------------------------------------------------------------------


def test_seeding_twice_adds_nothing(connection):
    assert seed.insert_data(connection, seed.USER_DATA) == 1000
    before = stored()
    assert seed.insert_data(connection, seed.USER_DATA) == 0
    assert stored() == before
    assert len(before) == 1000
    assert Counter(age for _, _, age in before.values())[25] == 10


def test_every_person_of_the_file_is_in_the_table(connection):
    seed.insert_data(connection, seed.USER_DATA)
    with open(seed.USER_DATA, newline="", encoding="utf-8") as file:
        people = {(row["name"], row["email"], int(row["age"])) for row in csv.DictReader(file)}
    assert set(stored().values()) == people
    assert all(key == str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{who[1]}")) for key, who in stored().items())


@pytest.mark.parametrize(
    "rows",
    [
        [ADA],
        [list(ADA)],
        (row for row in [ADA]),
        [dict(zip(("user_id", "name", "email", "age"), ADA, strict=True))],
        [{"age": "36", "email": ADA[2], "name": ADA[1], "user_id": ADA[0], "city": "Oslo"}],
        [(ADA[0], ADA[1], ADA[2], "036")],
    ],
    ids=["tuple", "list", "generator", "dict", "dict with more keys", "age as text"],
)
def test_rows_of_many_kinds_go_in(connection, rows):
    assert seed.insert_data(connection, rows) == 1
    assert stored() == {ADA[0]: ADA[1:]}


def test_a_row_without_user_id_gets_the_uuid5_of_its_email(connection):
    for row in (ADA[1:], dict(zip(("name", "email", "age"), ADA[1:], strict=True)), (None, *ADA[1:])):
        seed.insert_data(connection, [row])
    assert stored() == {str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:ada@example.com")): ADA[1:]}


def test_of_two_rows_with_one_id_the_first_stays(connection):
    assert seed.insert_data(connection, [ADA, (ADA[0], "Bo", "bo@example.com", 1)]) == 1
    assert seed.insert_data(connection, [(ADA[0].upper(), "Chen", "chen@example.com", 2)]) == 0
    assert stored() == {ADA[0]: ADA[1:]}


def test_nothing_to_insert_is_no_error(connection, tmp_path):
    assert seed.insert_data(connection, []) == 0
    assert seed.insert_data(connection, write(tmp_path / "users.csv", HEADER)) == 0
    assert stored() == {}


def test_what_a_row_holds_never_becomes_sql(connection):
    hostile = ["'); DROP TABLE user_data; --", "%s %(name)s %%", "\\", "\0\n\r\x1a\"'`", "Zoë 🦆", " "]
    rows = [(str(uuid.UUID(int=n)), text, text, n) for n, text in enumerate(hostile)]
    assert seed.insert_data(connection, rows) == len(rows)
    assert stored() == {user_id: tuple(rest) for user_id, *rest in rows}


def test_rows_are_taken_as_they_are_needed_and_sent_in_batches(connection):
    taken = []

    def rows():
        for user in seed.synthetic_users(3 * seed.BATCH_SIZE + 1):
            taken.append(user)
            if len(taken) % seed.BATCH_SIZE == 1:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT COUNT(*) FROM user_data")
                    assert cursor.fetchone() == (len(taken) - 1,)
            yield user

    assert seed.insert_data(connection, rows()) == 3 * seed.BATCH_SIZE + 1
    assert len(stored()) == 3 * seed.BATCH_SIZE + 1


def test_insert_data_of_a_large_file_keeps_memory_flat(database, tmp_path):
    rows = 50_000
    with open(tmp_path / "users.csv", "w", newline="") as file:
        csv.writer(file).writerows([("user_id", "name", "email", "age"), *seed.synthetic_users(rows)])

    def insert(path=str(tmp_path / "users.csv")):
        with contextlib.closing(seed.connect_to_prodev()) as connection:
            return seed.insert_data(connection, path)

    measured = memory.measure(insert, results=True)
    assert measured.result == rows
    assert measured.peak <= 8


# All or nothing -------------------------------------------------------------------------------------------------------


def bad_at_the_end(rows):
    yield from seed.synthetic_users(rows)
    yield ADA[0], "Bad", "bad@example.com", "old"


def test_a_bad_row_leaves_the_table_as_it_was(connection):
    seed.insert_data(connection, [ADA])
    with pytest.raises(ValueError, match="row 2501, column age: is 'old'"):
        seed.insert_data(connection, bad_at_the_end(2500))
    assert stored() == {ADA[0]: ADA[1:]}
    assert not connection.in_transaction, "an open transaction would hold the table"
    assert seed.insert_data(connection, seed.synthetic_users(5)) == 5


def test_what_was_not_committed_before_is_committed_or_undone_with_it(connection):
    seed.insert_data(connection, [ADA])
    connection.cmd_query("DELETE FROM user_data")
    with pytest.raises(ValueError):
        seed.insert_data(connection, bad_at_the_end(1500))
    assert stored() == {ADA[0]: ADA[1:]}
    connection.cmd_query("DELETE FROM user_data")
    seed.insert_data(connection, seed.synthetic_users(2))
    assert stored() == {user[0]: user[1:] for user in seed.synthetic_users(2)}


def test_it_is_one_transaction_with_autocommit_too(connection):
    connection.autocommit = True
    with pytest.raises(ValueError):
        seed.insert_data(connection, bad_at_the_end(1500))
    assert stored() == {}
    assert seed.insert_data(connection, [ADA]) == 1


def test_an_error_of_the_callers_generator_comes_through_as_it_is(connection):
    def rows():
        yield ADA
        raise LookupError("no more of them")

    with pytest.raises(LookupError, match="no more of them"):
        seed.insert_data(connection, rows())
    assert stored() == {}


# CSV files that load --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("\ufeffname,email,age\nAda,a@example.com,1\n", ["Ada"]),
        ("name,email,age\r\nAda,a@example.com,1\r\nBo,b@example.com,2\r\n", ["Ada", "Bo"]),
        ("name,email,age\rAda,a@example.com,1\rBo,b@example.com,2\r", ["Ada", "Bo"]),
        ("name,email,age\nAda,a@example.com,1\r\nBo,b@example.com,2\rChen,c@example.com,3", ["Ada", "Bo", "Chen"]),
        ('name,email,age\n"Lund, Ada",a@example.com,1\n', ["Lund, Ada"]),
        ('name,email,age\n"Ada\nLund",a@example.com,1\nBo,b@example.com,2\n', ["Ada\nLund", "Bo"]),
        ('name,email,age\n"Ada ""The First"" O\'Neil",a@example.com,1\n', ['Ada "The First" O\'Neil']),
        ("name,email,age\nZoë 🦆,a@example.com,1\n", ["Zoë 🦆"]),
        ('"name","email","age"\n"Ada","a@example.com","1"\n', ["Ada"]),
        ("age,city,email,name\n1,Oslo,a@example.com,Ada\n", ["Ada"]),
        (" Name ,EMAIL,Age\nAda,a@example.com,1\n", ["Ada"]),
        ("name,email,age\n\nAda,a@example.com,1\n\n\n", ["Ada"]),
        ("name,email,age\nAda,a@example.com,0\nBo,b@example.com,150\n", ["Ada", "Bo"]),
        (f"name,email,age\n{'ß' * 255},a@example.com,1\n", ["ß" * 255]),
        ("name,email,age\nA\0da,a@example.com,1\n", ["A\0da"]),
    ],
    ids=[
        "BOM",
        "CRLF",
        "CR",
        "mixed line ends",
        "comma",
        "newline",
        "quotes",
        "UTF-8",
        "all quoted",
        "more columns, another order",
        "capitals and spaces in the header",
        "blank lines",
        "ages at the limits",
        "255 letters",
        "NUL",
    ],
)
def test_csv_files_that_load(connection, tmp_path, text, names):
    path = write(tmp_path / "users.csv", text)
    assert seed.insert_data(connection, path) == len(names)
    assert sorted(name for name, _, _ in stored().values()) == sorted(names)


def test_a_file_with_user_ids_keeps_them(connection, tmp_path):
    path = write(tmp_path / "users.csv", "age,user_id,name,email\n36,{},{},{}\n".format(*ADA[:3]))
    assert seed.insert_data(connection, path) == 1
    assert stored() == {ADA[0]: ADA[1:]}


# CSV files that do not ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ", line 1: empty, but it should name the columns name, email and age"),
        ("name,age\nAda,1\n", ", line 1, column email: is missing; the header is: name, age"),
        ("Ada,a@example.com,1\n", ", line 1, column name: is missing; the header is: ada, a@example.com, 1"),
        ("name,email,age,name\nA,a@example.com,1,B\n", ", line 1, column name: is there twice"),
        (HEADER + "Ada,a@example.com\n", ", line 2, column age: 2 fields, but the header names 3 columns"),
        ("x" * 9000 + HEADER, ", line 1, column name: is missing; the header is: " + "x" * 50 + ", email, age"),
        ("name,email,age,é\x1b[31m\nAda\n", ", line 2, column email: 1 fields, but the header names 4 columns: name, "),
        (HEADER + "Ada,a@example.com,1,x\n", ", line 2, column 4: 4 fields, but the header names 3 columns"),
        (HEADER + "Ada,a@example.com,old\n", ", line 2, column age: is 'old', not a whole number from 0 to 150"),
        (HEADER + "Ada,a@example.com,-1\n", ", line 2, column age: is '-1'"),
        (HEADER + "Ada,a@example.com,151\n", ", line 2, column age: is 151, not a whole"),
        (HEADER + "Ada,a@example.com,1.5\n", ", line 2, column age: is '1.5'"),
        (HEADER + "Ada,a@example.com,\n", ", line 2, column age: is ''"),
        (HEADER + "Ada,a@example.com,٣\n", ", line 2, column age: is '٣'"),
        (HEADER + ",a@example.com,1\n", ", line 2, column name: is empty"),
        (HEADER + "Ada,,1\n", ", line 2, column email: is empty"),
        (HEADER + f"{'a' * 256},a@example.com,1\n", ", line 2, column name: has 256 characters; there is room for 255"),
        (HEADER + '"two\nlines",a@example.com,1\nBo,b@example.com,x\n', ", line 4, column age: is 'x'"),
        ("user_id,name,email,age\n12,Ada,a@example.com,1\n", ", line 2, column user_id: is '12', not a UUID"),
        ("user_id,name,email,age\n,Ada,a@example.com,1\n", ", line 2, column user_id: is '', not a UUID"),
        (b"name,email,age\nZo\xeb,a@example.com,1\n", ", line 2, column name: has bytes that are not UTF-8"),
        (HEADER.encode("utf-16"), ", line 1, column name: is missing"),
        (
            HEADER + 'Ada,"a@example.com,1\nBo,b@example.com,2\n',
            ", line 2: not readable as CSV: unexpected end of data",
        ),
        (HEADER + 'Ada,"a"b@example.com,1\n', ", line 2: not readable as CSV: ',' expected after '\"'"),
        (HEADER + "Ada,a@example.com,1" + "x" * 2**20, ", line 2: longer than 1,048,576 characters"),
        (HEADER + f"{'a' * 200_000},a@example.com,1\n", ", line 2: not readable as CSV: field larger than field limit"),
    ],
)
def test_csv_files_that_are_refused(connection, tmp_path, text, says):
    path = write(tmp_path / "users.csv", text)
    seed.insert_data(connection, [ADA])
    with pytest.raises(ValueError) as caught:
        seed.insert_data(connection, path)
    assert str(caught.value).startswith(f"{path}{says}")
    assert str(caught.value).isprintable()
    assert stored() == {ADA[0]: ADA[1:]}


def test_a_line_of_millions_of_characters_is_not_read_to_its_end(tmp_path):
    with open(tmp_path / "users.csv", "wb") as file:
        file.truncate(2**40)  # a sparse file: a terabyte without a line end
    with pytest.raises(ValueError, match="line 1: longer than 1,048,576 characters"):
        next(seed.read_users(tmp_path / "users.csv"))


def test_what_is_no_file_is_said_and_not_waited_for(connection, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe: not a file but a pipe or a device"):
        seed.insert_data(connection, tmp_path / "pipe")
    with pytest.raises(ValueError, match="/dev/zero: not a file"):
        seed.insert_data(connection, "/dev/zero")
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        seed.insert_data(connection, tmp_path)
    with pytest.raises(FileNotFoundError, match="no-such.csv"):
        seed.insert_data(connection, tmp_path / "no-such.csv")
    with pytest.raises(NotADirectoryError):  # the system's error 20, and not the driver's
        seed.insert_data(connection, seed.USER_DATA / "users.csv")
    assert not connection.in_transaction


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Ada", "row 2: 'Ada' is not (user_id, name, email, age) or (name, email, age)"),
        (5, "row 2: 5 is not"),
        (("Ada",), "row 2: ('Ada',) is not"),
        (("Ada", "a@example.com", None), "the data, row 2, column age: is None"),
        (("Ada", "a@example.com", True), "the data, row 2, column age: is True"),
        (("Ada", "a@example.com", 1.0), "the data, row 2, column age: is 1.0"),
        ((None, "a@example.com", 1), "the data, row 2, column name: is empty"),
        ((b"Ada", "a@example.com", 1), "the data, row 2, column name: is b'Ada', not text"),
        ({"name": "Ada", "age": 1}, "the data, row 2, column email: is empty"),
        ((5, *ADA[1:]), "the data, row 2, column user_id: is 5, not a UUID"),
    ],
)
def test_rows_that_are_refused(connection, row, says):
    with pytest.raises(ValueError) as caught:
        seed.insert_data(connection, [ADA, row])
    assert str(caught.value).startswith(says)
    assert stored() == {}


# Data ready for a lesson ----------------------------------------------------------------------------------------------


def test_synthetic_users_are_the_same_for_everybody_and_unique():
    users = list(seed.synthetic_users(20_000))
    assert users[:2] == [
        ("632be59b-d9b4-8e01-8900-000000000000", "Rosa Silva", "user0@example.com", 43),
        ("01635f55-58ff-85c2-8e00-000000000001", "Goran Cruz", "user1@example.com", 41),
    ]
    assert list(seed.synthetic_users(5, start=123)) == users[123:128]
    assert len({user_id for user_id, *_ in users}) == len(users)
    assert all(str(uuid.UUID(user_id)) == user_id and uuid.UUID(user_id).version == 8 for user_id, *_ in users[:100])
    assert {age for *_, age in users} == set(range(1, 121))


@pytest.fixture
def base(monkeypatch):
    """A name for the course's database that nobody else uses; what was made under it is dropped at the end."""
    name = f"{seed.database_name()}_{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("MYSQL_DATABASE", name)
    monkeypatch.delenv("COURSE_DATABASE", raising=False)
    yield name
    with contextlib.closing(seed.connect_db()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        for (found,) in cursor.fetchall():
            if found == name or found.startswith(name + "_"):
                cursor.execute(f"DROP DATABASE {found}")


def test_ready_makes_the_thousand_people_once(base):
    assert [seed.ready(), seed.ready()] == [base, base]
    assert len(stored()) == 1000


def test_at_scale_points_there_inside_the_block_and_back_after_it(base):
    seed.ready()
    with pytest.raises(LookupError), seed.at_scale(1500) as name:
        assert name == seed.database_name() == os.environ["MYSQL_DATABASE"] == f"{base}_1500"
        assert stored() == {user[0]: user[1:] for user in seed.synthetic_users(1500)}
        child = "from helpers import seed; print(seed.connect_to_prodev().database)"
        assert subprocess.check_output([sys.executable, "-c", child], cwd=ROOT, text=True) == f"{base}_1500\n"
        with seed.at_scale(10) as inner:
            assert inner == f"{base}_10", "blocks in a block do not add up"
        assert seed.ready() == base
        assert seed.database_name() == f"{base}_1500"
        raise LookupError
    assert seed.database_name() == base
    assert "COURSE_DATABASE" not in os.environ
    assert len(stored()) == 1000


def test_ready_fills_up_what_an_interrupted_seeding_left(base):
    with seed.at_scale(1000), contextlib.closing(seed.connect_to_prodev()) as connection:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM user_data WHERE age < 60")
        connection.commit()
        assert len(stored()) < 1000
        seed.ready(1000)
        assert len(stored()) == 1000


@pytest.mark.parametrize("rows", [0, -1, 1.5, "10", "1; DROP TABLE user_data", True])
def test_ready_refuses_what_is_no_number_of_rows(rows):
    with pytest.raises(ValueError, match="rows must be a whole number from 1 on"):
        seed.ready(rows)


def test_scratch_leaves_nothing():
    with pytest.raises(LookupError), seed.scratch() as name:
        with contextlib.closing(seed.connect_to_prodev()) as connection:
            seed.insert_data(connection, [ADA])
        assert seed.database_name() == name
        raise LookupError
    assert seed.database_name() != name
    with contextlib.closing(seed.connect_db()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        assert name not in {found for (found,) in cursor.fetchall()}


def test_the_command_makes_the_data_ready(base):
    command = [sys.executable, "-m", "helpers.seed"]
    for options, name in ([], base), (["--rows", "10"], f"{base}_10"):
        said = subprocess.check_output(command + options, cwd=ROOT, text=True)
        assert said == f"The table user_data in the database {name} is ready.\n"


# What the environment says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("MYSQL_PORT", "none", "MYSQL_PORT='none' is not a port number from 1 to 65535"),
        ("MYSQL_PORT", "0", "MYSQL_PORT='0' is not a port number"),
        ("MYSQL_PORT", "٣", "is not a port number"),
        ("MYSQL_USER", "", "MYSQL_USER is not set"),
        ("MYSQL_DATABASE", "a`; DROP DATABASE b", "is not a plain name: 1 to 64 letters, digits and underscores"),
        ("MYSQL_DATABASE", "x" * 65, "is not a plain name"),
        ("MYSQL_DATABASE", "users\n", "is not a plain name"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(monkeypatch, variable, value, says):
    for name, usual in {"MYSQL_HOST": "127.0.0.1", "MYSQL_USER": "learner", variable: value}.items():
        monkeypatch.setenv(name, value if name == variable else usual)
    with pytest.raises(ValueError) as caught:
        seed.connect_to_prodev()
    assert says in str(caught.value)


@pytest.mark.parametrize("value", ["1e6", "0", "many"])
def test_a_number_of_rows_that_makes_no_sense_is_named(value):
    command = [sys.executable, "-c", "from helpers import seed"]
    environment = {**os.environ, "COURSE_ROWS": value}
    done = subprocess.run(command, cwd=ROOT, text=True, env=environment, stderr=subprocess.PIPE)
    assert done.stderr.endswith(f"ValueError: COURSE_ROWS={value!r} is not a whole number from 1 on\n")


def test_a_driver_without_its_c_extension_is_warned_of_once(monkeypatch):
    monkeypatch.setattr(mysql.connector, "HAVE_CEXT", False)
    seed._warn_once.cache_clear()
    with pytest.warns(UserWarning, match="reads are about 7 times slower. Install the version") as warned:
        for _ in range(2):
            seed.connect_db().close()
    assert len(warned) == 1
    seed._warn_once.cache_clear()


# Streaming ------------------------------------------------------------------------------------------------------------


def test_streaming_gives_an_unbuffered_cursor_and_takes_parameters_and_options(connection):
    seed.insert_data(connection, seed.synthetic_users(100))
    with seed.streaming("SELECT email FROM user_data WHERE age = %s", (43,), dictionary=True) as cursor:
        assert {"email": "user0@example.com"} in list(cursor)
    with seed.streaming("SELECT user_id FROM user_data ORDER BY user_id", raw=True) as cursor:
        assert isinstance(cursor.fetchone()[0], (bytes, bytearray))
        assert cursor._connection.unread_result


def test_close_now_may_be_called_again_and_at_any_time(connection):
    seed.insert_data(connection, seed.synthetic_users(100))
    for read in range(3):
        other = seed.connect_to_prodev()
        if read:
            cursor = other.cursor()
            cursor.execute("SELECT * FROM user_data")
            list(islice(cursor, read))
        for _ in range(2):
            seed.close_now(other)
        assert not other.is_connected()
