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

from helpers.check.bench import difference, number
from helpers.check.tasks import Stop, first_run, told

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


def seed(report, bench, sources=(), with_ids=False, folder=None, step=None):
    """Look at Task 0: `sources` are names and texts of the learner's code.

    with_ids says that the CSV file that the solution came with has a user_id column; folder is where its functions may
    look for it, whatever path they are given.
    """
    report.lesson = "01"
    bench.passwords = []
    with tempfile.TemporaryDirectory(prefix="gc-") as temporary, contextlib.suppress(Stop):
        _seed(report, bench, Path(folder or temporary), with_ids, step or 4)
    if step is None or step >= 4:
        no_password(report, bench.passwords, sources)


def _seed(report, bench, folder, with_ids, step):
    asked = "it connects, and creates the database and its table"
    tried = []
    for has_id, tricky, quoted in FILES:
        if has_id >= with_ids:
            rows = PLAIN + TRICKY if tricky else PLAIN
            path = write(folder / "user_data.csv", rows, has_id, quoted)
            seen = fresh(bench, path)
            if not tried:
                first_run(report, seen if not filling(seen) else seen | {"error": None}, asked)
                structure(report, bench, seen, asked)
            fault = wrong_rows(bench, seen, rows)
            tried.append((has_id, tricky, fault))
            if not fault:
                break
    filled(report, tried, with_ids)
    if fault:
        report.open("what it costs, and what a second time does", "looked at when the rows are right")
        return
    if step >= 2:
        trips(report, seen, rows)
    if step >= 3:
        again(report, bench, path, rows)
    if step >= 4:
        streamed(report, bench, folder, has_id)


def fresh(bench, path):
    """Run all of Task 0 where nothing is yet; return what was seen."""
    bench.proxy.reset()
    with contextlib.suppress(mysql.connector.Error):
        bench.execute(f"DROP DATABASE `{bench.database}`")
    return run(bench, path)


def run(bench, path):
    """Run Task 0 as its own main program does; return what was seen, with "stages": queries by function."""
    stages, before = {}, [None, 0]

    def on_event(_, stage):
        queries = bench.proxy.seen.queries
        stages[before[0]] = queries[before[1] :]
        before[:] = stage, len(queries)

    seen = bench.learner.ask("seed", on_event, path=str(path))
    on_event(None, None)
    with contextlib.suppress(mysql.connector.Error):
        bench.execute(f"USE `{bench.database}`")  # it may be a new one
    bench.passwords += seen["notes"].get("passwords", [])
    return seen | {"stages": stages, "passed": bench.proxy.seen, "at": before[0]}


def filling(seen):
    """Whether an error came from insert_data, not from what is before it."""
    return seen["error"] is not None and seen.get("stage") == "insert_data"


def structure(report, bench, seen, asked):
    """Look at the database and the table."""
    columns = bench.execute(
        "SELECT column_name, is_nullable, column_key FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = 'user_data'", bench.database,
    )  # fmt: skip
    found = {str(name).lower(): (nullable, key) for name, nullable, key in columns}
    missing = [name for name in AGREED if name not in found]
    if seen.get("gave_none"):
        report.bad(asked, f"{seen['gave_none']}() gave None", why="The next function needs a connection.")
        raise Stop
    if not columns:
        report.bad(asked, "there was no table user_data in ALX_prodev", why="Everything else reads that table.")
        raise Stop
    if missing:
        report.bad(asked, f"user_data has no column {', '.join(missing)}", why="Tasks 1 to 4 read these columns.")
        raise Stop
    if found["user_id"][1] not in ("PRI", "UNI"):
        report.bad(asked, "user_id is no primary key", why="Without one, the same user can be there twice.")
    elif loose := [name for name in AGREED if found[name][0] == "YES"]:
        why = "Task 0 asks for NOT NULL: a user without an age breaks Task 4."
        report.bad(asked, f"{loose[0]} may be NULL", why=why)
    else:
        report.good(asked)


def wrong_rows(bench, seen, rows):
    """Say what is wrong with what the table holds after seeding; "" if nothing is."""
    if seen["error"]:
        return told(seen["error"])
    try:
        found = bench.execute("SELECT name, email, age, user_id FROM user_data")
    except mysql.connector.Error as error:
        return str(error)
    fault = difference([(name, email, number(age)) for name, email, age, _ in found], rows, "rows of the file")
    ids = Counter(user_id for *_, user_id in found)
    if not fault and (len(ids) < len(found) or not all(ids)):
        return "the user_id is not another one for each row"
    return fault


def filled(report, tried, with_ids):
    """Tell whether each row became a user; if not, what about the file was in the way."""
    asked = "each row of the CSV file becomes a user"
    (_, _, first_fault), (last_id, last_tricky, last_fault) = tried[0], tried[-1]
    if not first_fault:
        report.good(asked)
    elif last_fault:
        report.bad(asked, first_fault, why="Everything else reads these rows.")
    else:
        if last_id and not with_ids:
            report.bad(asked, f"from a file with the columns name, email, age: {first_fault}", 7)
        if not last_tricky:
            fault = next(fault for _, tricky, fault in reversed(tried) if tricky)
            report.bad("a comma inside a quoted name stays in the name", f'with the name "Okafor, Jr.": {fault}', 28)


def trips(report, seen, rows):
    """Count what filling the table cost."""
    queries = seen["stages"].get("insert_data", [])
    asked = "it does not ask the server before each row"
    asking = sum(q.selects for q in queries)
    if asking >= len(rows) // 2:
        report.bad(asked, f"{len(rows)} rows took {asking} SELECTs", 9)
    else:
        report.good(asked)
    asked = "it commits once, not for each row"
    commits = sum(q.bare.startswith("COMMIT") or q.writes and q.autocommit for q in queries)
    if commits >= len(rows) // 2:
        report.bad(asked, f"{len(rows)} rows took {commits} commits", 20)
    else:
        report.good(asked)
    asked = "it knows how many rows there are when it asks"
    if "rowcount" in seen["notes"]:
        got = seen["notes"]["rowcount"]
        report.bad(asked, f"it read cursor.rowcount before it had fetched the rows, and got {got}", 27)
    else:
        report.good(asked)


def again(report, bench, path, rows):
    """Seed once more, where somebody else has added something."""
    asked, others = "seeding again adds nothing", "what others have put in the database stays"
    bench.proxy.reset()
    bench.execute(f"USE `{bench.database}`")
    bench.execute("CREATE TABLE somebody_elses (n INT PRIMARY KEY)")
    bench.execute("INSERT INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)",
                  "00000000-0000-4000-8000-000000000001", "Somebody Else", "somebody.else@example.com", 50)  # fmt: skip
    seen = run(bench, path)
    bench.proxy.reset()
    count = bench.count()
    kept = bench.execute(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = 'somebody_elses'",
        bench.database,
    )[0][0]
    try:
        theirs = bench.execute("SELECT COUNT(*) FROM user_data WHERE name = 'Somebody Else'")[0][0]
    except mysql.connector.Error:
        theirs = 0
    if seen["error"]:
        why = "A script that was stopped half-way is run again."
        report.bad(asked, f"the second time {told(seen['error'])}", why=why)
    elif count > len(rows) + 1:
        report.bad(asked, f"{len(rows)} rows, seeded twice, made {count - theirs}", 6)
    else:
        report.good(asked)
    if not kept:
        report.bad(others, "a table of somebody else's was gone after seeding again", 29)
    elif not theirs:
        report.bad(others, "a row of somebody else's was gone after seeding again", 29)
    else:
        report.good(others)


def streamed(report, bench, folder, has_id):
    """Look at how much of a long file is in memory when the first row goes to the server."""
    asked = "the CSV file is read as it is needed, not as a whole"
    name = "N" * 200
    rows = ((f"{name} {n}", f"{n}.{'e' * 200}@example.com", n % 100) for n in range(LONG_FILE))
    path = write(folder / "user_data.csv", rows, has_id, True)
    size = path.stat().st_size / 2**20
    bench.fill("none")
    held = []

    def first_write(query):
        if query.writes:
            held.append(bench.learner.memory() - base)
            raise EOFError  # that was all: the server is gone

    bench.learner.load()  # it has ended if the function before this hung
    base = bench.learner.memory()
    bench.proxy.on_query = first_write
    bench.learner.ask("seed", path=str(path), only="insert_data")
    bench.proxy.reset()
    if not held:
        report.open(asked, f"it sent no row of a file of {LONG_FILE:,} lines")
    elif held[0] > 0.6 * size:
        what = f"when the first row went to the server, all {LONG_FILE:,} lines of the file were in memory"
        report.bad(asked, what, 12)
    else:
        report.good(asked)


def write(path, rows, has_id, quoted):
    """Write rows (name, email, age) as a CSV file; return its path."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerow(AGREED if has_id else AGREED[1:])
        for n, row in enumerate(rows):
            writer.writerow([f"0b1c2d3e-0000-4000-9000-{n:012}", *row] if has_id else row)
    return path


# A password in the source ---------------------------------------------------------------------------------------------


def no_password(report, used, sources):
    """Look for a password in the source: one that was used, and stands there, or one that is named so there."""
    asked = "no password stands in the source"
    places = [f"line {line} of {name}" for name, source in sources if (line := password_line(source, used))]
    if places:
        report.bad(asked, f"there is one in {', '.join(places)}", 4)
    else:
        report.good(asked)


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
