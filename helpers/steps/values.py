"""Values as short text that is the same in every run: no addresses, no order of a set, never a million rows."""

import datetime
import decimal
import fractions
import pathlib
import re
import types
import uuid

LONGEST = 100  # characters of one value
INSIDE = 18  # characters of a text inside a list or dict: a row shows all its fields
DEPTH = 3  # lists in lists that are shown
ITEMS = 6  # of a list, dict or set; the rest is counted
ATOMIC = frozenset(
    (int, float, complex, bool, str, bytes, type(None), decimal.Decimal, fractions.Fraction, uuid.UUID)
    + (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
)
_BRACKETS = {list: "[]", tuple: "()", set: "{}", frozenset: "{}", dict: "{}"}
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def describe(value, depth=DEPTH):
    """Return `value` as text of about LONGEST characters, without its address and without reading it to the end.

    >>> describe([1, 2, 3, 4, 5, 6, 7, 8])
    '[1, 2, 3, 4, 5, 6, … 8 items]'
    """
    try:
        text = _describe(value, depth)
    except Exception as error:  # a learner's __repr__ may fail: that is no failure of the program that is watched
        text = f"{type(value).__name__} object (its repr raises {type(error).__name__})"
    return text if len(text) <= 1.5 * LONGEST else text[:LONGEST] + "…"


def _describe(value, depth):
    kind = type(value)
    if kind is int and value.bit_length() > 8 * LONGEST:
        return f"an int of about {value.bit_length() * 0.30103:,.0f} digits"
    if kind in (str, bytes):
        return _text(value, kind, LONGEST if depth == DEPTH else INSIDE)
    if kind in ATOMIC:
        return repr(value)
    if kind in _BRACKETS:
        return _collection(value, kind, depth)
    if isinstance(value, types.GeneratorType):
        return f"generator {name(value.gi_code)}"
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return f"function {value.__name__}"
    if isinstance(value, type):
        return f"class {value.__name__}"
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, pathlib.PurePath):
        return repr(str(value))
    if isinstance(value, BaseException):
        return error(value)
    if (rows := rows_fetched(value)) is not None:
        return f"{_class(kind)}, {rows}"
    return _by_repr(value, kind)


def _text(value, kind, longest):
    if len(value) <= longest:
        return repr(value)
    start = f"{value[: longest // 2]!r}"
    if longest == INSIDE:
        return f"{start[:-1]}…{start[-1]}"
    return f"{start}… {len(value):,} {'characters' if kind is str else 'bytes'}"


def _collection(value, kind, depth):
    if depth == 0 and value:
        return f"{_BRACKETS[kind][0]}…{_BRACKETS[kind][1]}"
    if kind is dict:
        items = [f"{describe(k, depth - 1)}: {describe(v, depth - 1)}" for k, v in _first(value.items())]
    elif kind in (set, frozenset):
        if len(value) > 1000:  # not worth the sorting
            return f"a {kind.__name__} of {len(value):,} items"
        items = sorted(describe(item, depth - 1) for item in value)[:ITEMS]
    else:
        items = [describe(item, depth - 1) for item in _first(value)]
    while len(items) > 1 and len(", ".join(items)) > LONGEST:
        items.pop()
    if len(items) < len(value):
        items.append(f"… {len(value):,} items")
    if kind in (set, frozenset) and not value:
        return f"{kind.__name__}()"
    end = "," if kind is tuple and len(value) == 1 else ""
    text = f"{_BRACKETS[kind][0]}{', '.join(items)}{end}{_BRACKETS[kind][1]}"
    return f"frozenset({text})" if kind is frozenset else text


def _class(kind):
    """Return the name of a class; the driver's C extension has the same classes with a C before their names."""
    return kind.__name__.removeprefix("C") if kind.__name__.startswith("CMySQL") else kind.__name__


def _first(items):
    return [item for item, _ in zip(items, range(ITEMS), strict=False)]


def _by_repr(value, kind):
    try:
        plain = kind.__repr__ is object.__repr__
    except AttributeError:
        plain = True
    if plain:
        return _class(kind) if kind is object or hasattr(kind, "__next__") else f"{_class(kind)} object"
    if hasattr(kind, "__len__") and len(value) > 1000:
        return f"a {kind.__name__} of {len(value):,} items"
    text = _ADDRESS.sub("", repr(value))
    return " ".join(text.split())


def error(exception):
    """Return an exception as a learner would write it: `ValueError('x')`."""
    arguments = ", ".join(describe(argument) for argument in exception.args)
    return f"{type(exception).__name__}({arguments})" if arguments else type(exception).__name__


def name(code):
    """Return what to call the generator that runs `code`."""
    return "generator expression" if code.co_name == "<genexpr>" else code.co_name


def rows_fetched(cursor):
    """Return how many rows a database cursor has fetched, as text; None where that is not known exactly.

    mysql.connector counts what was fetched of a result that streams, and the whole result where the cursor is buffered
    (PyMySQL and mysqlclient too, which hold the result on the client unless the cursor is an SSCursor: that one does
    not count, nor does sqlite3).
    """
    kind = type(cursor)
    module = kind.__module__.partition(".")[0]
    if module not in ("mysql", "pymysql", "MySQLdb") or not hasattr(kind, "fetchone"):
        return None
    if getattr(cursor, "description", None) is None or not isinstance(count := cursor.rowcount, int):
        return None
    names = {base.__name__ for base in kind.__mro__}
    if module == "mysql":
        all_at_once = any("Buffered" in base for base in names)
        count = max(count, 0)
    elif any(base.startswith("SS") for base in names):
        return None
    else:
        all_at_once = True
    rows = f"{count:,} row{'' if count == 1 else 's'}"
    return f"all {rows} are on the client" if all_at_once else f"{rows} fetched so far"
