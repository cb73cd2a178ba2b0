"""What is asked of Task 0's functions (connect, create, fill), and how they are looked at."""

import ast
import contextlib
import csv
import re
import tempfile
import threading
from collections import Counter
from pathlib import Path

import mysql.connector

from helpers.check.report import Stop
from helpers.check.rules import first_run
from helpers.check.words import difference, number, told

FUNCTIONS = ("connect_db", "create_database", "connect_to_prodev", "create_table", "insert_data")
AGREED = ("user_id", "name", "email", "age")
LONG_FILE = 40_000  # rows of the CSV file that must not be in memory as a whole
PLAIN = [(f"Plain Person {n}", f"plain{n}@example.com", 20 + n) for n in range(30)]
TRICKY = [
    ("Okafor, Jr.", "okafor@example.com", 31),
    ("O'Brien, Aoife", "obrien@example.com", 25),
    ('Grace "Amazing" Hopper', "hopper@example.com", 85),
    ("Zoë Ångström", "zoe@example.com", 119),
    ("李小龍", "li@example.com", 32),
]
# Files with and without what a solution may stumble over, the true one first: (has user_id, names with commas, quotes)
FILES = [(False, True, True), (True, True, True), (False, False, True), (True, False, True), (False, False, False),
         (True, False, False)]  # fmt: skip
SECRET = re.compile(r"pass(wor)?d?$|passw|pwd|secret", re.IGNORECASE)
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")  # the name of one in the environment
# Python 3.11 counts the depth of ast.parse for all threads in one place: two at a time end in a SystemError
# (https://github.com/python/cpython/issues/106905)
PARSING = threading.Lock()


def seed(look, sources=(), with_ids=False, folder=None, step=None):
    """Look at Task 0: `sources` are names and texts of the learner's code.

    with_ids says that the CSV file that the solution came with has a user_id column; folder is where its functions may
    look for it, whatever path they are given.
    """
    look.harness.passwords = []
    with tempfile.TemporaryDirectory(prefix="gc-") as temporary, contextlib.suppress(Stop):
        _seed(look, Path(folder or temporary), with_ids, step or 4)
    if step is None or step >= 4:
        no_password(look, look.harness.passwords, sources)


def _seed(look, folder, with_ids, step):
    asked = "it connects, and creates the database and its table"
    tried = []
    for has_id, tricky, quoted in FILES:
        if has_id >= with_ids:
            rows = PLAIN + TRICKY if tricky else PLAIN
            path = write(folder / "user_data.csv", rows, has_id, quoted)
            observed = fresh(look, path)
            if not tried:
                first_run(look, observed if not filling(observed) else observed | {"error": None}, asked)
                structure(look, observed, asked)
            fault = wrong_rows(look, observed, rows)
            tried.append((has_id, tricky, fault))
            if not fault:
                break
    filled(look, tried, with_ids)
    if fault:
        look.skip("what it costs, and what a second time does", "looked at when the rows are right")
        return
    if step >= 2:
        trips(look, observed, rows)
    if step >= 3:
        again(look, path, rows)
    if step >= 4:
        streamed(look, folder, has_id)


def fresh(look, path):
    """Run all of Task 0 where nothing is yet; return what was observed."""
    look.harness.proxy.reset()
    with contextlib.suppress(mysql.connector.Error):
        look.harness.execute(f"DROP DATABASE `{look.harness.database}`")
    return run(look, path)


def run(look, path):
    """Run Task 0 as its own main program does; return what was observed, with "stages": queries by function."""
    stages, before = {}, [None, 0]

    def on_event(_, stage):
        queries = look.harness.proxy.traffic.queries
        stages[before[0]] = queries[before[1] :]
        before[:] = stage, len(queries)

    observed = look.harness.learner.ask("seed", on_event, path=str(path))
    look.printed = observed["printed"]
    on_event(None, None)
    with contextlib.suppress(mysql.connector.Error):
        look.harness.execute(f"USE `{look.harness.database}`")  # it may be a new one
    look.harness.passwords += observed["notes"].get("passwords", [])
    return observed | {"stages": stages, "passed": look.harness.proxy.traffic, "at": before[0]}


def filling(observed):
    """Whether an error came from insert_data, not from what is before it."""
    return observed["error"] is not None and observed.get("stage") == "insert_data"


def structure(look, observed, asked):
    """Look at the database and the table."""
    columns = look.harness.execute(
        "SELECT column_name, is_nullable, column_key FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = 'user_data'", look.harness.database,
    )  # fmt: skip
    found = {str(name).lower(): (nullable, key) for name, nullable, key in columns}
    missing = [name for name in AGREED if name not in found]
    if observed.get("gave_none"):
        look.bad(asked, f"{observed['gave_none']}() gave None", why="The next function needs a connection.")
        raise Stop
    if not columns:
        look.bad(asked, "there was no table user_data in ALX_prodev", why="Everything else reads that table.")
        raise Stop
    if missing:
        look.bad(asked, f"user_data has no column {', '.join(missing)}", why="Tasks 1 to 4 read these columns.")
        raise Stop
    if found["user_id"][1] not in ("PRI", "UNI"):
        look.bad(asked, "user_id is no primary key", why="Without one, the same user can be there twice.")
    elif loose := [name for name in AGREED if found[name][0] == "YES"]:
        why = "Task 0 asks for NOT NULL: a user without an age breaks Task 4."
        look.bad(asked, f"{loose[0]} may be NULL", why=why)
    else:
        look.good(asked)


def wrong_rows(look, observed, rows):
    """Say what is wrong with what the table holds after seeding; "" if nothing is."""
    if observed["error"]:
        return told(observed["error"])
    try:
        found = look.harness.execute("SELECT name, email, age, user_id FROM user_data")
    except mysql.connector.Error as error:
        return str(error)
    fault = difference([(name, email, number(age)) for name, email, age, _ in found], rows, "rows of the file")
    ids = Counter(user_id for *_, user_id in found)
    if not fault and (len(ids) < len(found) or not all(ids)):
        return "the user_id is not another one for each row"
    return fault


def filled(look, tried, with_ids):
    """Tell whether each row became a user; if not, what about the file was in the way."""
    asked = "each row of the CSV file becomes a user"
    (_, _, first_fault), (last_id, last_tricky, last_fault) = tried[0], tried[-1]
    if not first_fault:
        look.good(asked)
    elif last_fault:
        look.bad(asked, first_fault, why="Everything else reads these rows.")
    else:
        if last_id and not with_ids:
            look.bad(asked, f"from a file with the columns name, email, age: {first_fault}", 7)
        if not last_tricky:
            fault = next(fault for _, tricky, fault in reversed(tried) if tricky)
            look.bad("a comma inside a quoted name stays in the name", f'with the name "Okafor, Jr.": {fault}', 28)


def trips(look, observed, rows):
    """Count what filling the table cost."""
    queries = observed["stages"].get("insert_data", [])
    asked = "it does not ask the server before each row"
    asking = sum(q.selects for q in queries)
    if asking >= len(rows) // 2:
        look.bad(asked, f"{len(rows)} rows took {asking} SELECTs", 9)
    else:
        look.good(asked)
    asked = "it commits once, not for each row"
    commits = sum(q.bare.startswith("COMMIT") or q.writes and q.autocommit for q in queries)
    if commits >= len(rows) // 2:
        look.bad(asked, f"{len(rows)} rows took {commits} commits", 20)
    else:
        look.good(asked)
    asked = "it knows how many rows there are when it asks"
    if "rowcount" in observed["notes"]:
        got = observed["notes"]["rowcount"]
        look.bad(asked, f"it read cursor.rowcount before it had fetched the rows, and got {got}", 27)
    else:
        look.good(asked)


def again(look, path, rows):
    """Seed once more, where somebody else has added something."""
    asked, others = "seeding again adds nothing", "what others have put in the database stays"
    look.harness.proxy.reset()
    look.harness.execute(f"USE `{look.harness.database}`")
    look.harness.execute("CREATE TABLE somebody_elses (n INT PRIMARY KEY)")
    look.harness.execute("INSERT INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)",
                  "00000000-0000-4000-8000-000000000001", "Somebody Else", "somebody.else@example.com", 50)  # fmt: skip
    observed = run(look, path)
    look.harness.proxy.reset()
    count = look.harness.count()
    kept = look.harness.execute(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = 'somebody_elses'",
        look.harness.database,
    )[0][0]
    try:
        theirs = look.harness.execute("SELECT COUNT(*) FROM user_data WHERE name = 'Somebody Else'")[0][0]
    except mysql.connector.Error:
        theirs = 0
    if observed["error"]:
        why = "A script that was stopped half-way is run again."
        look.bad(asked, f"the second time {told(observed['error'])}", why=why)
    elif count > len(rows) + 1:
        look.bad(asked, f"{len(rows)} rows, seeded twice, made {count - theirs}", 6)
    else:
        look.good(asked)
    if not kept:
        look.bad(others, "a table of somebody else's was gone after seeding again", 29)
    elif not theirs:
        look.bad(others, "a row of somebody else's was gone after seeding again", 29)
    else:
        look.good(others)


def streamed(look, folder, has_id):
    """Look at how much of a long file is in memory when the first row goes to the server."""
    asked = "the CSV file is read as it is needed, not as a whole"
    name = "N" * 200
    rows = ((f"{name} {n}", f"{n}.{'e' * 200}@example.com", n % 100) for n in range(LONG_FILE))
    path = write(folder / "user_data.csv", rows, has_id, True)
    size = path.stat().st_size / 2**20
    look.harness.fill("none")
    held = []

    def first_write(query):
        if query.writes:
            held.append(look.harness.learner.memory() - base)
            raise EOFError  # that was all: the server is gone

    look.harness.learner.load()  # it has ended if the function before this hung
    base = look.harness.learner.memory()
    look.harness.proxy.on_query = first_write
    look.harness.learner.ask("seed", path=str(path), only="insert_data")
    look.harness.proxy.reset()
    if not held:
        look.skip(asked, f"it sent no row of a file of {LONG_FILE:,} lines")
    elif held[0] > 0.8 * size:
        what = f"when the first row went to the server, all {LONG_FILE:,} lines of the file were in memory"
        look.bad(asked, what, 12)
    else:
        look.good(asked)


def write(path, rows, has_id, quoted):
    """Write rows (name, email, age) as a CSV file; return its path."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerow(AGREED if has_id else AGREED[1:])
        for n, row in enumerate(rows):
            writer.writerow([f"0b1c2d3e-0000-4000-9000-{n:012}", *row] if has_id else row)
    return path


# A password in the source ---------------------------------------------------------------------------------------------


def no_password(look, used, sources):
    """Look for a password in the source: one that was used, and stands there, or one that is named so there."""
    asked = "no password stands in the source"
    places = [f"line {line} of {name}" for name, source in sources if (line := password_line(source, used))]
    if places:
        look.bad(asked, f"there is one in {', '.join(places)}", 4)
    else:
        look.good(asked)


def password_line(source, used=()):
    """Return the number of the line (int) of Python source that has a password in it, or None."""
    try:
        with PARSING:
            tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in used:
            return node.lineno
        for name, value in named_values(node):
            given = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
            if given and SECRET.search(name) and not VARIABLE.fullmatch(given):
                return value.lineno
    return None


def named_values(node):
    """Yield the (name, value) pairs of a node: keyword arguments, dict items, assignments, defaults of getenv."""
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.Call) and len(node.args) == 2 and isinstance(node.args[0], ast.Constant):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in ("get", "getenv", "setdefault", "config", "env"):
            yield str(node.args[0].value), node.args[1]
