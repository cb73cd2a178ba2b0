"""Users as data: read from a CSV file, checked, or made up.

A user is a tuple (user_id, name, email, age): a UUID, two texts and an int.
"""

import csv
import os
import re
import stat
import sys
import uuid
from pathlib import Path

USER_DATA = Path(__file__).parent.parent / "data" / "user_data.csv"
LONGEST_LINE = 2**20  # characters of one line of a CSV file: a file without line ends must not fill the memory


def read_users(path):
    """Yield the users of a CSV file one at a time, each as (user_id, name, email, age), age an int.

    The file is UTF-8, with or without a byte order mark. Raises as insert_data does.
    """
    if not (os.path.isdir(path) or stat.S_ISREG(os.stat(path).st_mode)):  # open() would wait for ever at a pipe
        raise ValueError(f"{path}: not a file but a pipe or a device; copy its content to a file")
    # surrogateescape keeps bytes that are not UTF-8 until _user can say in which line and column they are
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.reader(_lines(file, path), strict=True)
        line = 1
        try:
            header = [_printable(name.strip().lower()) for name in next(reader, [])]
            if not header:
                raise ValueError(f"{path}, line 1: empty, but it should name the columns name, email and age")
            places = _places(header, path)
            line = reader.line_num + 1
            for fields in reader:
                if fields:  # not a blank line
                    if len(fields) != len(header):
                        column = header[len(fields)] if len(fields) < len(header) else len(header) + 1
                        raise ValueError(
                            f"{path}, line {line}, column {column}: {len(fields)} fields, but the header names "
                            f"{len(header)} columns: {', '.join(header)[:200]}"
                        )
                    row = [fields[place] for place in places]
                    yield _user(row if len(row) == 4 else [None, *row], path, "line", line)
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(f"{path}, line {line}: not readable as CSV: {error}") from None


def _lines(file, path):
    """Yield the lines of a file, none of them longer than LONGEST_LINE."""
    for number in range(1, sys.maxsize):
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            raise ValueError(f"{path}, line {number}: longer than {LONGEST_LINE:,} characters; is this a CSV file?")
        yield line


def _places(header, path):
    """Return the places in the header of user_id (if it is there), name, email and age."""
    wanted = [column for column in ("user_id", "name", "email", "age") if column != "user_id" or column in header]
    for column in wanted:
        if header.count(column) != 1:
            problem = "is missing" if column not in header else "is there twice"
            raise ValueError(f"{path}, line 1, column {column}: {problem}; the header is: {', '.join(header)[:200]}")
    return [header.index(column) for column in wanted]


def _printable(text):
    """Write what cannot be shown, bytes that are not UTF-8 among it, as Python would; cut off what is long."""
    return (text if text.isprintable() else ascii(text)[1:-1])[:50]


def checked_rows(rows):
    """Yield the rows of an iterable as (user_id, name, email, age)."""
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            row = [row.get(column) for column in ("user_id", "name", "email", "age")]
        elif isinstance(row, (str, bytes)) or not hasattr(row, "__len__") or len(row) not in (3, 4):
            raise ValueError(f"row {number}: {row!r:.100} is not (user_id, name, email, age) or (name, email, age)")
        yield _user(row if len(row) == 4 else [None, *row], "the data", "row", number)


_is_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE).fullmatch


def _user(row, path, unit, number):
    """Return one row, checked, as (user_id, name, email, age); ValueError says what is wrong with it, and where."""
    user_id, name, email, age = row
    column, wrong = None, None
    for column, text in (("name", name), ("email", email)):  # noqa: B007 (the error names it)
        if not isinstance(text, str) or not text:
            wrong = "is empty" if text in ("", None) else f"is {text!r:.50}, not text"
        elif len(text) > 255:
            wrong = f"has {len(text):,} characters; there is room for 255"
        elif not text.isascii() and re.search("[\ud800-\udfff]", text):
            wrong = "has bytes that are not UTF-8"
        if wrong:
            break
    else:
        if isinstance(age, str):
            age = int(age) if age.isascii() and age.isdigit() and len(age) <= 3 else age
        if type(age) is not int or not 0 <= age <= 150:
            column, wrong = "age", f"is {age!r:.50}, not a whole number from 0 to 150"
        elif user_id is None:
            user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email))
        elif not isinstance(user_id, str) or not _is_uuid(user_id):
            column, wrong = "user_id", f"is {user_id!r:.50}, not a UUID"
    if wrong:
        raise ValueError(f"{path}, {unit} {number}, column {column}: {wrong}")
    return user_id, name, email, age


# Made-up users --------------------------------------------------------------------------------------------------------

# fmt: off
_FIRST = (
    "Ada", "Bo", "Chen", "Dina", "Emeka", "Fatou", "Goran", "Hana", "Ines", "Jun",
    "Kofi", "Lena", "Mira", "Nils", "Oya", "Pia", "Quinn", "Rosa", "Sami", "Tariq",
)
_LAST = (
    "Abe", "Berg", "Cruz", "Diaz", "Endo", "Funk", "Gupta", "Haas", "Ito", "Juma",
    "Khan", "Lund", "Mbeki", "Novak", "Okoro", "Popov", "Qi", "Roth", "Silva", "Tran",
)
# fmt: on


def synthetic_users(count, start=0):
    """Yield `count` made-up users, (user_id, name, email, age), from number `start` on; the same ones for everybody.

    User number n follows from n alone. Multiplying by an odd number modulo 2**64 maps different n to different values
    in a scattered order (Knuth, The Art of Computer Programming, volume 3, 6.4), so that user_id is unique and, like a
    random one, not in the order of n. It is a UUID of version 8, which RFC 9562 leaves to applications.
    """
    for n in range(start, start + count):
        mixed = (n * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64
        digits = f"{mixed:016x}{n:012x}"
        user_id = f"{digits[:8]}-{digits[8:12]}-8{digits[12:15]}-8{digits[15]}00-{digits[16:]}"
        name = f"{_FIRST[mixed % 20]} {_LAST[mixed // 20 % 20]}"
        yield user_id, name, f"user{n}@example.com", mixed // 400 % 120 + 1
