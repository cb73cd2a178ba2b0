"""Users' files as they come: thousands of odd and damaged ones, each loaded whole or refused with line and column."""

import contextlib
import csv
import re
import subprocess
import sys
import uuid

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from places import ROOT, as_stranger, sizes

from helpers import databases, memory, seed
from helpers.csv_records import LONGEST_RECORD
from helpers.users import read_users

names = st.sampled_from(
    [
        "Ada Lund",
        "Bo, Jr.",
        "Zoë O'Neil",
        'Chen "C" Li',
        "山田",
        "two\nlines",
        "🦆",
        " ",
        "\u00a0Ada ",
        "A\0da",
        "a" * 255,
    ]
)
ages = st.integers(0, 150)
odd_ages = st.sampled_from(
    [" 36", "36\t", "007", "25.0", "1e2", "-1", "+1", "151", "1000", "", "None", "nan", "True", "1_0", "٣", "２５"]
)
users = st.one_of(
    *2 * [st.lists(st.tuples(names, ages), max_size=12)], st.lists(st.tuples(names, ages | odd_ages), max_size=6)
)
damage = st.one_of(
    st.tuples(st.just("insert"), st.integers(0, 600), st.binary(min_size=1, max_size=3)),
    st.tuples(
        st.just("insert"),
        st.integers(0, 600),
        st.sampled_from(
            [b'"', b"\0", b"\r", b"\n", b"\r\n", b",", b"\xef\xbb\xbf", b"\xff", b"\x1a", b"\xed\xa0\x80", b"'"]
        ),
    ),
    st.tuples(
        st.just("insert"),
        st.integers(0, 600),
        st.sampled_from([b"x" * 2**20, b"\n" * 5000, b'"' * 3000, b"y" * 140_000]),
    ),
    st.tuples(st.just("cut"), st.integers(0, 600), st.integers(1, 200)),
    st.tuples(st.just("repeat"), st.integers(0, 600), st.integers(1, 200)),
    st.tuples(st.just("change"), st.integers(0, 600), st.binary(min_size=1, max_size=1)),
)
formats = st.fixed_dictionaries(
    {
        "columns": st.permutations(["name", "email", "age", "city"]),
        "ids": st.sampled_from([None] * 5 + ["{}"] * 3 + [" {} ", "{{{}}}", "urn:uuid:{}", ""]),
        "delimiter": st.sampled_from([","] * 9 + [";", "\t", "|"]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "blanks": st.tuples(*2 * [st.sampled_from(["", "", "", " ", "  ", "\t"])]),
        "encoding": st.sampled_from(
            ["utf-8"] * 8 + ["utf-8-sig"] * 3 + ["latin-1", "cp1252", "shift_jis", "utf-16", "utf-16-le", "utf-32"]
        ),
    }
)


def file_of(people, layout, harm):
    """Return the bytes of a CSV file: people, written in some layout, then harmed."""
    columns = ["user_id"] * (layout["ids"] is not None) + layout["columns"]
    before, after = layout["blanks"]

    def line(fields):
        quoted = [f'"{str(field).replace(chr(34), 2 * chr(34))}"' for field in fields]
        plain = layout["quoting"] == csv.QUOTE_MINIMAL
        bare = [q if re.search('[",;|\\t\\r\\n]', q[1:-1]) or not plain else q[1:-1] for q in quoted]
        return layout["delimiter"].join(before + field + after for field in bare) + layout["lineterminator"]

    text = line(columns)
    for number, (name, age) in enumerate(people):
        row = {"name": name, "email": f"user{number}@example.com", "age": age, "city": "Oslo"}
        row["user_id"] = (layout["ids"] or "").format(uuid.UUID(int=number + 0xABC))
        text += line(row[column] for column in columns)
    content = text.encode(layout["encoding"], "replace")
    for kind, place, what in harm:
        place %= len(content) + 1
        if kind == "insert":
            content = content[:place] + what + content[place:]
        elif kind == "change":
            content = content[:place] + what + content[place + 1 :]
        elif kind == "cut":
            content = content[:place] + content[place + what :]
        else:
            content = content[: place + what] + content[place:]
    return content


def parsed(text):
    """Return the records of a CSV text, each a list of fields, or None where it is none: one character at a time."""
    records, fields, at, start, blanks = [], [], 0, 0, False
    while at < len(text):
        while text[at : at + 1] == " ":
            at += 1
        if text[at : at + 1] == '"':
            field, at = "", at + 1
            while text[at : at + 1] != '"' or text[at + 1 : at + 2] == '"':
                if at >= len(text):
                    return None
                field += text[at]
                at += 1 + (text[at] == '"')
            at += 1
            while text[at : at + 1] in (" ", "\t"):
                at, blanks = at + 1, True
        else:
            end = re.compile("[,\r\n]|$(?![\r\n])").search(text, at).start()
            field, at = text[at:end], end
        fields.append(field)
        end = re.compile("\r\n|[\r\n,]|\\Z").match(text, at)
        if end is None or len(field) > 131_072:
            return None
        at = end.end()
        if end[0] != "," or at == len(text):
            records.append([*fields, ""] if end[0] == "," else fields)
            if blanks and len(re.findall("\r\n|\r|\n", text[start:at])) > LONGEST_RECORD:
                return None  # such records are put together anew with every line, up to a limit
            fields, start, blanks = [], at, False
    return records


def as_it_should_load(content):
    """Return {user_id: row} as a file should load, or None where it should be refused: all at once, nothing lazy."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    records = parsed(content.decode("utf-8-sig", "surrogateescape"))
    if not records or records[0] == [""]:
        return None
    header, *rows = records
    header = [name.strip().lower() for name in header]
    columns = ["name", "email", "age"] + ["user_id"] * ("user_id" in header)
    if any(header.count(column) != 1 for column in columns):
        return None
    found = {}
    for row in rows:
        if len(row) == 1 and not row[0].strip():
            continue
        if len(row) != len(header):
            return None
        user = {name: field.strip() for name, field in zip(header, row, strict=True)}
        for column in ("name", "email"):
            if not 0 < len(user[column]) <= 255 or re.search("[\0\ud800-\udfff]", user[column]):
                return None
        if not re.fullmatch("[0-9]{1,3}", user["age"]) or int(user["age"]) > 150:
            return None
        if "user_id" not in user:
            user["user_id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + user["email"]))
        elif not re.fullmatch("-".join(f"[0-9a-fA-F]{{{n}}}" for n in (8, 4, 4, 4, 12)), user["user_id"]):
            return None
        found.setdefault(user["user_id"].lower(), (user["name"], user["email"], int(user["age"])))
    return found


@sizes(small=150, full=10_000)
def test_damaged_file_loads_whole_or_is_refused_with_line_and_column(tmp_path, tally, tries):
    path = tmp_path / "users.csv"
    before = ("ffffffff-ffff-4fff-8fff-ffffffffffff", "Before", "before@example.com", 1)
    counted = {"loaded": 0, "refused": 0}

    @settings(
        max_examples=tries,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(users, formats, st.lists(damage, max_size=3))
    def load(people, layout, harm):
        content = file_of(people, layout, harm)
        path.write_bytes(content)
        right = as_it_should_load(content)
        with connection.cursor() as cursor, row.one_try(raises=True):
            cursor.execute("DELETE FROM user_data")
            cursor.execute("INSERT INTO user_data VALUES (%s, %s, %s, %s)", before)
            connection.commit()
            try:
                added = seed.insert_data(connection, path)
            except ValueError as error:
                assert right is None, error
                assert re.match(re.escape(str(path)) + r", line \d+(: |, column )", str(error))
                assert len(str(error)) < 1000
                assert not connection.in_transaction
                counted["refused"] += 1
            else:
                assert right is not None, "should be refused"
                assert added == len(right)
                assert seed.insert_data(connection, path) == 0, "the same people again"
                counted["loaded"] += 1
            cursor.execute("SELECT user_id, name, email, age FROM user_data")
            found = {user_id.lower(): tuple(rest) for user_id, *rest in cursor}
            assert found == {before[0]: before[1:]} | (right or {})

    with tally("damaged CSV files") as row, databases.scratch():
        with contextlib.closing(seed.connect_to_prodev()) as connection:
            load()
        assert min(counted.values()) > tries / 10, f"{counted}: a test of both needs both"


@pytest.mark.parametrize(
    ("starts", "goes_on", "mib"),
    [(b"x", b"x", 64), (b'name,email,age\n"', b"x\n", 64), (b"name,email,age\n", b"\n", 2)],
    ids=["no line ends", "an open quote", "blank lines"],
)
def test_a_long_damaged_file_takes_no_memory(tmp_path, starts, goes_on, mib):
    path = str(tmp_path / "users.csv")
    with open(path, "wb") as file:
        file.write(starts)
        for _ in range(mib):
            file.write(goes_on * (2**20 // len(goes_on)))

    def read():
        with contextlib.suppress(ValueError):
            return sum(1 for _ in read_users(path))

    assert memory.measure(read).peak <= 8


def test_a_file_that_may_not_be_read_is_said_by_the_system(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("name,email,age\n")
    path.chmod(0)
    tmp_path.chmod(0o755)
    code = "try:\n    next(read_users(sys.argv[1]))\nexcept OSError as error:\n    print(error)"
    first = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from helpers.users import read_users\n"
    first += "''.encode('utf-8-sig')\n"
    said = as_stranger(code, path, first=first)  # root may read everything
    if said is None:
        said = subprocess.check_output([sys.executable, "-c", first + code, str(path)], text=True)
    assert said == f"[Errno 13] Permission denied: '{path}'\n"
