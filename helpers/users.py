"""Users as data: read from a CSV file, checked, or made up.

A user is a tuple (user_id, name, email, age): a UUID, two texts and an int.
"""

import hashlib
import operator
import re
import uuid
from collections.abc import Mapping, Set
from decimal import Decimal
from pathlib import Path

from helpers.csv_records import TO_UTF_8, printable, records

USER_DATA = Path(__file__).parent.parent / "data" / "user_data.csv"
COLUMNS = ("user_id", "name", "email", "age")
PART = 100  # rows that are checked at once
_AGES = {str(age): age for age in range(151)}

# A file, one user at a time -------------------------------------------------------------------------------------------


def read_users(path):
    """Yield the users of a CSV file one at a time, each as (user_id, name, email, age), age an int.

    The file is UTF-8, with or without a byte order mark, and has the columns name, email and age, and perhaps user_id,
    in any order. Blanks around a field do not count. Where there is no user_id, it is the UUID5 of the e-mail.

    Raises
    ------
    ValueError
        Not such a file, or a row that is not a user: with the file, the line and the column.
    OSError
        The file cannot be read.

    Examples
    --------
    >>> next(read_users(USER_DATA))[1:]
    ('Núria Núñez', 'nuria.nunez@example.org', 44)
    """
    rows = records(path, COLUMNS[1:])
    _, header = next(rows, (1, []))
    header = [printable(name.strip().lower()) for name in header]
    if not header:
        raise ValueError(f"{path}, line 1: empty, but it should name the columns name, email and age")
    pick = operator.itemgetter(*_places(header, path))
    for part in _parts(rows):
        plain = _plain_users([fields for _, fields in part], len(header), pick)
        yield from plain or _users_one_by_one(part, header, pick, path)


def _users_one_by_one(rows, header, pick, path):
    """Yield the users of a part of a file, or say what is wrong with the first row that is not a user."""
    for line, fields in rows:
        if len(fields) == len(header):
            row = pick(fields)
            yield _user(row if len(row) == 4 else (None, *row), path, "line", line)
        elif "".join(fields).strip() or len(fields) > 1:  # not a blank line
            column = header[len(fields)] if len(fields) < len(header) else len(header) + 1
            raise ValueError(
                f"{path}, line {line}, column {column}: {len(fields)} field{'s' * (len(fields) > 1)}, but the header "
                f"names {len(header)} columns: {', '.join(header)[:200]}"
            )


def _parts(rows):
    """Yield the rows in lists of at most PART; an error comes behind the rows before it."""
    part = []
    try:
        for row in rows:
            part.append(row)
            if len(part) == PART:
                yield part
                part = []
    except ValueError:
        yield part
        raise
    yield part


def _plain_users(rows, width, pick):
    """Return the users of rows, checked column by column, which takes half the time; None if one may not be a user."""
    if not rows or {*map(len, rows)} != {width}:
        return None
    *ids, names, emails, ages = zip(*map(pick, rows), strict=True)
    texts = [*map(str.strip, names + emails)]
    ages, joined = [*map(_AGES.get, ages)], "".join(texts)
    if None in ages or "" in texts or max(map(len, texts)) > 255 or "\0" in joined or _has_surrogate(joined):
        return None
    names, emails = texts[: len(rows)], texts[len(rows) :]
    if not ids:
        ids = [[_uuid(None, email) for email in emails]]
    elif not all(map(_is_uuid, ids[0])):
        return None
    return zip(ids[0], names, emails, ages, strict=True)


def _places(header, path):
    """Return the places in the header of user_id (if it is there), name, email and age."""
    wanted = [column for column in COLUMNS if column != "user_id" or column in header]
    for column in wanted:
        if header.count(column) != 1:
            problem = "is missing" if column not in header else "is there twice"
            raise ValueError(f"{path}, line 1, column {column}: {problem}; the header is: {', '.join(header)[:200]}")
    return [header.index(column) for column in wanted]


# One user, checked ----------------------------------------------------------------------------------------------------


def checked_rows(rows):
    """Yield the rows of an iterable as (user_id, name, email, age), each checked as those of a file are.

    Parameters
    ----------
    rows : iterable
        Each (user_id, name, email, age), (name, email, age), or a dict with these keys. user_id may be a uuid.UUID or
        None; age any integer, a Decimal from the server or a numpy integer too, or its digits.

    Raises
    ------
    ValueError
        A row that is not a user: with its number, from 1 on, and the column.

    Examples
    --------
    >>> list(checked_rows([("Ada", " ada@example.com ", "36")]))
    [('3d21f9ee-d85e-5a10-bda2-dff7da80567a', 'Ada', 'ada@example.com', 36)]
    """
    for number, row in enumerate(rows, start=1):
        if type(row) is not tuple and isinstance(row, Mapping):
            row = [row.get(column) for column in COLUMNS]
        elif isinstance(row, (str, bytes, Set)) or not hasattr(row, "__len__") or len(row) not in (3, 4):
            raise ValueError(f"row {number}: {row!r:.100} is not (user_id, name, email, age) or (name, email, age)")
        yield _user(row if len(row) == 4 else (None, *row), "the data", "row", number)


def _user(row, path, unit, number):
    """Return one row, checked, as (user_id, name, email, age); ValueError says what is wrong with it, and where."""
    user_id, name, email, age = row
    column = "name"
    try:
        name = _text(name)
        column = "email"
        email = _text(email)
        column = "age"
        age = _age(age)
        column = "user_id"
        return _uuid(user_id, email), name, email, age
    except ValueError as error:
        raise ValueError(f"{path}, {unit} {number}, column {column}: {error}") from None


def _text(value):
    if not isinstance(value, str):
        raise ValueError("is empty" if value is None else f"is {value!r:.50}, not text")
    value = value.strip()
    if not value:
        raise ValueError("is empty")
    if len(value) > 255:
        raise ValueError(f"has {len(value):,} characters; there is room for 255")
    if "\0" in value:
        raise ValueError(f"is {value!r:.50}: it has a NUL, which no name or address has")
    if _has_surrogate(value):
        raise ValueError(_not_utf_8(value))
    return value


def _has_surrogate(text):
    return not text.isascii() and bool(re.search("[\ud800-\udfff]", text))


def _not_utf_8(text):
    try:
        read = text.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeError:  # half a character, from Python and not from a file
        return f"is {ascii(text):.50}, which has half a character (a lone surrogate)"
    return f"has bytes that are not UTF-8. As Latin-1 it is {printable(read)!r}: if so, {TO_UTF_8.format('latin-1')}"


def _age(value):
    age = value
    if isinstance(value, str):
        digits = value.strip()
        age = int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= 3 else None
    elif isinstance(value, Decimal):
        age = int(value) if value.is_finite() and value == int(value) else None
    elif type(value) is not int:
        age = operator.index(value) if hasattr(value, "__index__") and not isinstance(value, bool) else None
    if age is None or not 0 <= age <= 150:
        raise ValueError(f"is {value!r:.50}, not a whole number from 0 to 150")
    return age


_HEX = "[0-9A-Fa-f]"
_is_uuid = re.compile(f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}").fullmatch
_mailto = hashlib.sha1(uuid.NAMESPACE_URL.bytes + b"mailto:", usedforsecurity=False)


def _uuid(value, email):
    if value is None:  # uuid.uuid5(uuid.NAMESPACE_URL, "mailto:" + email), four times as fast (RFC 9562, 5.5)
        sha1 = _mailto.copy()
        sha1.update(email.encode())
        digits = sha1.hexdigest()
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
    if isinstance(value, uuid.UUID):
        return str(value)
    user_id = value.strip() if isinstance(value, str) else ""
    if not _is_uuid(user_id):
        raise ValueError(f"is {value!r:.50}, not a UUID")
    return user_id


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


_NAMES = [f"{first} {last}" for last in _LAST for first in _FIRST]

# n * _FACTOR + _SHIFT modulo 2**64 is another number for every n, in a scattered order: the factor is odd (Knuth, The
# Art of Computer Programming, volume 3, 6.4), and _BACK undoes it
_FACTOR, _SHIFT = 0x9E3779B97F4A7C15, 0x632BE59BD9B4E019
_BACK = pow(_FACTOR, -1, 2**64)


def synthetic_users(count, start=0):
    """Yield `count` made-up users, (user_id, name, email, age), from number `start` on; the same ones for everybody.

    >>> next(synthetic_users(1))
    ('632be59b-d9b4-8e01-8900-000000000000', 'Rosa Silva', 'user0@example.com', 43)
    """
    for n in range(start, start + count):
        yield _synthetic_user(n, (n * _FACTOR + _SHIFT) % 2**64)


def synthetic_users_by_id(count):
    """Yield the same users in the order of user_id, in which a table fills faster; takes 56 bytes for each."""
    for mixed in sorted([(n * _FACTOR + _SHIFT) % 2**64 for n in range(count)]):
        yield _synthetic_user((mixed - _SHIFT) * _BACK % 2**64, mixed)


def _synthetic_user(n, mixed):
    """Return the made-up user number n. Its id is a UUID of version 8, which RFC 9562 leaves to applications."""
    digits = f"{mixed:016x}{n:012x}"
    user_id = f"{digits[:8]}-{digits[8:12]}-8{digits[12:15]}-8{digits[15]}00-{digits[16:]}"
    return user_id, _NAMES[mixed % 400], f"user{n}@example.com", mixed // 400 % 120 + 1
