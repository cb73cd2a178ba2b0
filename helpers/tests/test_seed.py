"""Task 0: create, fill: what goes in, what is refused, and what is left behind."""

import contextlib
import csv
import os
import types
import uuid
from collections import Counter
from decimal import Decimal
from itertools import islice

import numpy
import pandas
import pytest
from places import ADA, HEADER, ask, stored, write

from helpers import databases, memory, notebooks, seed
from helpers.connection import database_name
from helpers.users import USER_DATA, synthetic_users


def test_task_0_from_nothing_as_the_public_project_calls_it(monkeypatch, capsys):
    name = f"{database_name()}_task0_{uuid.uuid4().hex[:8]}"
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
        assert seed.insert_data(connection, "data/user_data.csv" if os.path.exists("data") else USER_DATA) == 1000
        assert seed.insert_data(connection, str(USER_DATA)) == 0
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
    assert seed.insert_data(connection, USER_DATA) == 1000
    before = stored()
    assert seed.insert_data(connection, USER_DATA) == 0
    assert stored() == before
    assert len(before) == 1000
    assert Counter(age for _, _, age in before.values())[25] == 10


def test_every_person_of_the_file_is_in_the_table(connection):
    seed.insert_data(connection, USER_DATA)
    with open(USER_DATA, newline="", encoding="utf-8") as file:
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
        [types.MappingProxyType({"user_id": ADA[0], "name": ADA[1], "email": ADA[2], "age": 36})],
        [(ADA[0], ADA[1], ADA[2], "036")],
        [(f" {ADA[0]} ", f"\t{ADA[1]} ", f"{ADA[2]}\u00a0", " 36 ")],
        [(ADA[0], ADA[1], ADA[2], Decimal("36"))],
        [(ADA[0], ADA[1], ADA[2], numpy.int8(36))],
        [(uuid.UUID(ADA[0]), ADA[1], numpy.str_(ADA[2]), numpy.uint64(36))],
        pandas.DataFrame([ADA]).itertuples(index=False),
    ],
    ids=[
        "tuple",
        "list",
        "generator",
        "dict",
        "dict with more keys",
        "another mapping",
        "age as text",
        "blanks around",
        "Decimal",
        "numpy integer",
        "uuid.UUID",
        "pandas",
    ],
)
def test_rows_of_many_kinds_go_in(connection, rows):
    assert seed.insert_data(connection, rows) == 1
    assert stored() == {ADA[0]: ADA[1:]}


def test_a_stream_of_the_course_goes_in(connection):
    stream_users = notebooks.exported("02").stream_users_fast
    with databases.scratch(), contextlib.closing(seed.connect_to_prodev()) as other:
        seed.insert_data(other, synthetic_users(1500))
        with contextlib.closing(stream_users()) as users:
            first = list(islice(users, 700))
            assert seed.insert_data(connection, first) == 700
            assert seed.insert_data(connection, users) == 800, "the others, as they come from the server"
        assert seed.insert_data(connection, stream_users()) == 0
    assert stored() == {user[0]: user[1:] for user in synthetic_users(1500)}


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
    hostile = [
        "'); DROP TABLE user_data; --",
        "%s %(name)s %%",
        "\\",
        "a\n\r\x1a\"'`",
        "Zoë 🦆",
        "a\u2028.",
        '{"$[0]": 1}',
    ]
    rows = [(str(uuid.UUID(int=n)), text, text, n) for n, text in enumerate(hostile)]
    assert seed.insert_data(connection, rows) == len(rows)
    assert stored() == {user_id: tuple(rest) for user_id, *rest in rows}


def test_rows_are_taken_as_they_are_needed_and_sent_in_batches(connection):
    taken = []

    def rows():
        for user in synthetic_users(3 * seed.BATCH_SIZE + 1):
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
        csv.writer(file).writerows([("user_id", "name", "email", "age"), *synthetic_users(rows)])

    def insert(path=str(tmp_path / "users.csv")):
        with contextlib.closing(seed.connect_to_prodev()) as connection:
            return seed.insert_data(connection, path)

    measured = memory.measure(insert, results=True)
    assert measured.result == rows
    assert measured.peak <= 8


# All or nothing -------------------------------------------------------------------------------------------------------


def bad_at_the_end(rows):
    yield from synthetic_users(rows)
    yield ADA[0], "Bad", "bad@example.com", "old"


def test_a_bad_row_leaves_the_table_as_it_was(connection):
    seed.insert_data(connection, [ADA])
    with pytest.raises(ValueError, match=f"row {2 * seed.BATCH_SIZE + 501}, column age: is 'old'"):
        seed.insert_data(connection, bad_at_the_end(2 * seed.BATCH_SIZE + 500))
    assert stored() == {ADA[0]: ADA[1:]}
    assert not connection.in_transaction, "an open transaction would hold the table"
    assert seed.insert_data(connection, synthetic_users(5)) == 5


def test_what_was_not_committed_before_is_committed_or_undone_with_it(connection):
    seed.insert_data(connection, [ADA])
    connection.cmd_query("DELETE FROM user_data")
    with pytest.raises(ValueError):
        seed.insert_data(connection, bad_at_the_end(seed.BATCH_SIZE + 500))
    assert stored() == {ADA[0]: ADA[1:]}
    connection.cmd_query("DELETE FROM user_data")
    seed.insert_data(connection, synthetic_users(2))
    assert stored() == {user[0]: user[1:] for user in synthetic_users(2)}


def test_it_is_one_transaction_with_autocommit_too(connection):
    connection.autocommit = True
    with pytest.raises(ValueError):
        seed.insert_data(connection, bad_at_the_end(seed.BATCH_SIZE + 500))
    assert stored() == {}
    assert seed.insert_data(connection, [ADA]) == 1


def test_an_error_of_the_callers_generator_comes_through_as_it_is(connection):
    def rows():
        yield ADA
        raise LookupError("no more of them")

    with pytest.raises(LookupError, match="no more of them"):
        seed.insert_data(connection, rows())
    assert stored() == {}
