"""Users as data: the CSV files and rows that load, those that are refused, and the made-up users."""

import gzip
import os
import uuid
from decimal import Decimal
from itertools import islice

import numpy
import pytest
from places import ADA, HEADER, stored, write

from helpers import seed
from helpers.users import USER_DATA, checked_rows, read_users, synthetic_users, synthetic_users_by_id

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
        ("name,email,age\n  Ada\t, a@example.com ,\u00a01\n Bo,b@example.com ,2 \n", ["Ada", "Bo"]),
        ('name,email,age\n"Ada" , "a@example.com"\t,"1" \n"Bo","b@example.com","2"\n', ["Ada", "Bo"]),
        ('name,email,age\n"Lund ""A"" , Ada" ,"a@example.com","1"\n', ['Lund "A" , Ada']),
        ("\tname\t,\temail\t,\tage\t\n\tAda\t,a@example.com,1\n", ["Ada"]),
        ("name,email,age\nAda,a@example.com,1\n  \n\t\n", ["Ada"]),
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
        "blanks around fields",
        "blanks after quotes",
        "blanks after quotes, and quotes and commas in them",
        "tabs around the names of the columns",
        "lines of blanks",
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
        (HEADER + ",\n", ", line 2, column age: 2 fields, but the header names 3 columns"),
        ("x" * 9000 + HEADER, ", line 1, column name: is missing; the header is: " + "x" * 50 + ", email, age"),
        ("name,email,age,é\x1b[31m\nAda\n", ", line 2, column email: 1 field, but the header names 4 columns: name, "),
        (HEADER + "Ada,a@example.com,1,x\n", ", line 2, column 4: 4 fields, but the header names 3 columns"),
        (HEADER + "Ada,a@example.com,old\n", ", line 2, column age: is 'old', not a whole number from 0 to 150"),
        (HEADER + "Ada,a@example.com,-1\n", ", line 2, column age: is '-1'"),
        (HEADER + "Ada,a@example.com,151\n", ", line 2, column age: is '151', not a whole"),
        (HEADER + "Ada,a@example.com,1.5\n", ", line 2, column age: is '1.5'"),
        (HEADER + "Ada,a@example.com,\n", ", line 2, column age: is ''"),
        (HEADER + "Ada,a@example.com,٣\n", ", line 2, column age: is '٣'"),
        (HEADER + ",a@example.com,1\n", ", line 2, column name: is empty"),
        (HEADER + "Ada,,1\n", ", line 2, column email: is empty"),
        (HEADER + f"{'a' * 256},a@example.com,1\n", ", line 2, column name: has 256 characters; there is room for 255"),
        (HEADER + '"two\nlines",a@example.com,1\nBo,b@example.com,x\n', ", line 4, column age: is 'x'"),
        ("user_id,name,email,age\n12,Ada,a@example.com,1\n", ", line 2, column user_id: is '12', not a UUID"),
        ("user_id,name,email,age\n,Ada,a@example.com,1\n", ", line 2, column user_id: is '', not a UUID"),
        (
            b"name,email,age\nZo\xeb,a@example.com,1\n",
            ", line 2, column name: has bytes that are not UTF-8. As Latin-1 it is 'Zoë': if so, save it as UTF-8",
        ),
        (
            HEADER.encode("utf-16"),
            ", line 1: the file is UTF-16, not UTF-8; save it as UTF-8 (in Excel as CSV UTF-8), or",
        ),
        (HEADER.encode("utf-16-le"), ", line 1: the file is UTF-16"),
        (HEADER.encode("utf-16-be"), ", line 1: the file is UTF-16"),
        (HEADER.encode("utf-32"), ", line 1: the file is UTF-32"),
        (
            HEADER.replace(",", ";"),
            ", line 1: the columns are separated by semicolons, not by commas; save it with commas",
        ),
        (HEADER.replace(",", "\t"), ", line 1: the columns are separated by tabs, not by commas"),
        ('\ufeff"age" | "Email"|"name"\n', ", line 1: the columns are separated by vertical bars"),
        (b"PK\3\4\x14\0\x06\0\x08\0", ", line 1: no CSV file but an Excel workbook or another zip file; in Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ", line 1: no CSV file but an Excel workbook; in Excel save it as"),
        (gzip.compress(HEADER.encode()), ", line 1: no CSV file but packed with gzip; unpack it: gunzip"),
        (HEADER + "A\0da,a@example.com,1\n", ", line 2, column name: is 'A\\x00da': it has a NUL"),
        (HEADER + "Ada,a@example.com\0,1\n", ", line 2, column email: is 'a@example.com\\x00': it has a NUL"),
        (HEADER + '" \t","a@example.com",1\n', ", line 2, column name: is empty"),
        (HEADER + "Ada,\u00a0 ,1\n", ", line 2, column email: is empty"),
        (HEADER + "Ada,a@example.com,25.0\n", ", line 2, column age: is '25.0', not a whole number"),
        (
            HEADER + 'Ada,"a@example.com,1\nBo,b@example.com,2\n',
            ", line 2, column email: not readable as CSV: unexpected end of data",
        ),
        (HEADER + 'Ada,"a"b@example.com,1\n', ", line 2, column email: not readable as CSV: ',' expected after '\"'"),
        (HEADER + "Ada,a@example.com,1" + "x" * 2**20, ", line 2: longer than 1,048,576 characters"),
        (
            HEADER + f"{'a' * 200_000},a@example.com,1\n",
            ", line 2, column name: not readable as CSV: field larger than field limit",
        ),
    ],
    ids=[
        "empty", "no-email", "no-header", "name-twice", "two-fields", "a-comma", "long-header", "control-characters",
        "four-fields", "age-in-words", "age-below-0", "age-above-150", "age-with-a-point", "no-age",
        "age-in-other-digits", "no-name", "no-address", "long-name", "error-after-a-field-of-two-lines",
        "id-is-no-UUID", "no-id", "Latin-1", "UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-32", "semicolons", "tabs",
        "bars", "xlsx", "xls", "gzip", "NUL-in-the-name", "NUL-in-the-address", "blank-name", "blank-address", "25.0",
        "quote-left-open", "text-after-a-quote", "very-long-line", "very-long-field",
    ],
)  # fmt: skip
def test_csv_files_that_are_refused(connection, tmp_path, text, says):
    path = write(tmp_path / "users.csv", text)
    seed.insert_data(connection, [ADA])
    with pytest.raises(ValueError) as caught:
        seed.insert_data(connection, path)
    assert str(caught.value).startswith(f"{path}{says}")
    assert str(caught.value).isprintable()
    assert stored() == {ADA[0]: ADA[1:]}


@pytest.mark.parametrize("fault", ["Bo,b@example.com,25.0\n", "Bo,b@example.com\n", 'Bo,b@example.com,"2"5\n'])
@pytest.mark.parametrize("place", [1, 99, 100, 101, 150])
def test_the_users_before_a_fault_come_out_and_its_line_is_named(tmp_path, place, fault):
    lines = [f"Ada,a{number}@example.com,{number}\n" for number in range(1, 151)]
    lines[place - 1] = fault
    rows = read_users(write(tmp_path / "users.csv", HEADER + "".join(lines)))
    assert [user[3] for user in islice(rows, place - 1)] == list(range(1, place))
    with pytest.raises(ValueError, match=f"line {place + 1}, column age: "):
        next(rows)


def test_a_line_of_millions_of_characters_is_not_read_to_its_end(tmp_path):
    with open(tmp_path / "users.csv", "wb") as file:
        file.truncate(2**40)  # a sparse file: a terabyte without a line end
    with pytest.raises(ValueError, match="line 1: longer than 1,048,576 characters"):
        next(read_users(tmp_path / "users.csv"))


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
        seed.insert_data(connection, USER_DATA / "users.csv")
    assert not connection.in_transaction


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Ada", "row 2: 'Ada' is not (user_id, name, email, age) or (name, email, age)"),
        (5, "row 2: 5 is not"),
        (("Ada",), "row 2: ('Ada',) is not"),
        (frozenset(ADA[1:]), "row 2: frozenset({"),
        (("Ada", "a@example.com", None), "the data, row 2, column age: is None"),
        (("Ada", "a@example.com", True), "the data, row 2, column age: is True"),
        (("Ada", "a@example.com", 1.0), "the data, row 2, column age: is 1.0"),
        (("Ada", "a@example.com", numpy.float64(1)), "the data, row 2, column age: is np.float64(1.0)"),
        (("Ada", "a@example.com", numpy.bool_(True)), "the data, row 2, column age: is np.True_"),
        (("Ada", "a@example.com", Decimal("25.5")), "the data, row 2, column age: is Decimal('25.5')"),
        (("Ada", "a@example.com", Decimal("NaN")), "the data, row 2, column age: is Decimal('NaN')"),
        (("Ada", "a@example.com", "25.0"), "the data, row 2, column age: is '25.0', not a whole number"),
        (("  ", "a@example.com", 1), "the data, row 2, column name: is empty"),
        (
            ("Ada\ud800", "a@example.com", 1),
            "the data, row 2, column name: is 'Ada\\ud800', which has half a character",
        ),
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


# Made-up users --------------------------------------------------------------------------------------------------------


def test_the_id_of_a_user_without_one_is_the_uuid5_of_the_email():
    emails = [f"user{n}@example.com" for n in range(200)] + ["zoë@example.com", "🦆"]
    ids = [user_id for user_id, *_ in checked_rows(("A", email, 1) for email in emails)]
    assert ids == [str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{email}")) for email in emails]


def test_synthetic_users_by_id_are_the_same_in_the_order_of_the_key():
    assert list(synthetic_users_by_id(2_000)) == sorted(synthetic_users(2_000))


def test_synthetic_users_are_the_same_for_everybody_and_unique():
    users = list(synthetic_users(20_000))
    assert users[:2] == [
        ("632be59b-d9b4-8e01-8900-000000000000", "Rosa Silva", "user0@example.com", 43),
        ("01635f55-58ff-85c2-8e00-000000000001", "Goran Cruz", "user1@example.com", 41),
    ]
    assert list(synthetic_users(5, start=123)) == users[123:128]
    assert len({user_id for user_id, *_ in users}) == len(users)
    assert all(str(uuid.UUID(user_id)) == user_id and uuid.UUID(user_id).version == 8 for user_id, *_ in users[:100])
    assert {age for *_, age in users} == set(range(1, 121))
