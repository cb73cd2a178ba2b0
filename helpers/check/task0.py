"""What is asked of Task 0's functions (connect, create, fill), and how they are looked at."""

import contextlib
import csv
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import mysql.connector

from helpers.check.reading import password_line, placeholder_line
from helpers.check.report import Stop
from helpers.check.rules import explained, first_run, stop_here
from helpers.check.words import CRASHES, difference, number, told

FUNCTIONS = ("connect_db", "create_database", "connect_to_prodev", "create_table", "insert_data")
AGREED = ("user_id", "name", "email", "age")
AS_ASKED = "Table user_data created successfully"  # Task 0 asks for that line: it tells nothing
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
# What insert_data may be made for in place of a path, and how that is called
OTHERWISE = {
    "tuples": "a list of (name, email, age)",
    "dicts": "a list of dicts",
    "with ids": "a list of (user_id, name, email, age)",
    "cursor": "a cursor in place of the connection",
    "nothing": "the connection alone",
}


def seed(look, with_ids=False, folder=None, step=None, missing=()):
    """Look at Task 0.

    with_ids says that the CSV file that the solution came with has a user_id column; folder is where its functions may
    look for it, whatever path they are given; missing are the names of functions that it has not.
    """
    with tempfile.TemporaryDirectory(prefix="gc-") as temporary, contextlib.suppress(Stop):
        if "connect_to_prodev" in missing:
            stop_here(look, "there is no connect_to_prodev()")
        seeding = Seeding(look, Path(folder or temporary), with_ids, skip=tuple(missing))
        if "insert_data" in missing:
            path = write(seeding.folder / "user_data.csv", PLAIN, with_ids, True)
            connects(look, seeding, fresh(look, seeding, path))
            stop_here(look, "there is no insert_data() yet")
        _seed(look, seeding, step or 4)


@dataclass
class Seeding:
    """How the solution is called: where its file is, and what it expects."""

    look: object
    folder: Path
    with_ids: bool
    given: str = "path"  # what insert_data gets
    skip: tuple = ()  # functions that are missing


@contextlib.contextmanager
def and_passwords(look, sources):
    """Look for a password in the source after the block, however it ends; `sources` are texts by name."""
    look.harness.passwords = []
    try:
        yield
    finally:
        no_password(look, look.harness.passwords, sources)


def _seed(look, seeding, step):
    tried = []
    for has_id, tricky, quoted in FILES:
        if has_id >= seeding.with_ids:
            rows = PLAIN + TRICKY if tricky else PLAIN
            path = write(seeding.folder / "user_data.csv", rows, has_id, quoted)
            observed = fresh(look, seeding, path)
            if not tried:
                connects(look, seeding, observed)
                observed = made_for_something_else(look, seeding, path, observed)
            fault = wrong_rows(look, observed, rows)
            tried.append((has_id, tricky, fault))
            if not fault:
                break
    if fault:  # what it does with the file as it is
        rows, path = PLAIN + TRICKY, write(seeding.folder / "user_data.csv", PLAIN + TRICKY, seeding.with_ids, True)
        observed = fresh(look, seeding, path)
        wrong_rows(look, observed, rows)
    filled(look, tried, seeding.with_ids, observed)
    if fault and look.harness.count() < 1:
        stop_here(look, "no row came into the table")
    if step >= 2:
        trips(look, observed, rows)
    if step >= 3:
        again(look, seeding, path)
    if step >= 4 and seeding.given in ("path", "cursor"):
        streamed(look, seeding, has_id)
    elif step >= 4:
        takes = OTHERWISE[seeding.given]
        look.report.skip("the CSV file is read as it is needed", f"not looked at, because it takes {takes}")


def connects(look, seeding, observed):
    """Look at the functions before insert_data, and at the table that they made."""
    asked = "it connects, and creates the database and its table"
    if {"connect_db", "create_database", "create_table"} & {*seeding.skip}:
        asked = "it connects"
    if "no_connection" in observed:
        name, made = observed["no_connection"]
        what = f"{name}() returned {'an' if made[0] in 'AEIOU' else 'a'} {made}, which is not a connection"
        look.bad("connect_db() and connect_to_prodev() return a connection", what,
                 why="0-main.py calls connection.close() and gives it to the other functions: return "
                 "mysql.connector.connect(…), or engine.raw_connection().")  # fmt: skip
    before = not filling(observed)
    first_run(look, observed if before else observed | {"error": None}, asked)
    structure(look, observed, asked)


def made_for_something_else(look, seeding, path, observed):
    """Where insert_data does nothing with a path, try what else it may be made for; return what was observed last."""
    if not (filling(observed) and observed["error"]["type"] not in CRASHES) and look.harness.count() > 0:
        return observed
    for given, what in OTHERWISE.items():
        seeding.given = given
        other = fresh(look, seeding, path)
        if not other["error"] and look.harness.count() >= len(PLAIN):
            fault = told(observed["error"]) if observed["error"] else "no row came into the table"
            asked = "insert_data takes the path of a CSV file"
            look.bad(asked, f"called as 0-main.py does, {fault}. It takes {what}", 39)
            seeding.given = given
            return other
    seeding.given = "path"
    return fresh(look, seeding, path)


def fresh(look, seeding, path):
    """Run all of Task 0 where nothing is yet; return what was observed."""
    look.harness.reset()
    if look.harness.anew:
        look.harness.learner.end()
    with contextlib.suppress(mysql.connector.Error):
        look.harness.execute(f"DROP DATABASE `{look.harness.database}`")
    if seeding.skip:
        look.harness.fill("none")
    if "create_table" not in seeding.skip:
        with contextlib.suppress(mysql.connector.Error):
            look.harness.execute("DROP TABLE IF EXISTS user_data")
    return run(look, seeding, path)


def run(look, seeding, path):
    """Run Task 0 as its own main program does; return what was observed, with "stages": queries by function."""
    stages, before = {}, [None, 0]

    def on_event(_, stage):
        queries = look.harness.proxy.traffic.queries
        stages[before[0]] = queries[before[1] :]
        before[:] = stage, len(queries)

    observed = look.harness.learner.ask("seed", on_event, path=str(path), given=seeding.given, skip=seeding.skip)
    printed = [line for line in observed["printed"].splitlines() if AS_ASKED not in line]
    look.printed = "\n".join([*printed, observed.get("complained", "")])
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
        stop_here(look, "there is no connection")
    if not columns:
        look.bad(asked, "there was no table user_data in ALX_prodev", why="Everything else reads that table.")
        stop_here(look, "there is no table")
    if missing:
        look.bad(asked, f"user_data has no column {', '.join(missing)}", why="Tasks 1 to 4 read these columns.")
        stop_here(look, "the table has other columns")
    if found["user_id"][1] not in ("PRI", "UNI"):
        look.bad(asked, "user_id is not a primary key", why="Without one, the same user can be there twice.")
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


def filled(look, tried, with_ids, observed):
    """Tell whether each row became a user; if not, what about the file was in the way."""
    asked = "each row of the CSV file becomes a user"
    (_, _, first_fault), (last_id, last_tricky, last_fault) = tried[0], tried[-1]
    refused = [query for query in observed["passed"].queries if query.error]
    if not first_fault:
        look.good(asked)
    elif last_fault and observed["error"] is None and refused:
        look.bad(asked, f"{first_fault}: the server refused a statement, and no error came out", 5)
    elif last_fault:
        said = explained(observed["error"], observed["passed"]) if observed["error"] else first_fault
        look.bad(asked, said, why="Everything else reads these rows.")
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
    if commits(queries) >= len(rows) // 2:
        look.bad(asked, f"{len(rows)} rows took {commits(queries)} commits", 20)
    else:
        look.good(asked)
    asked = "it knows how many rows there are when it asks"
    if "rowcount" in observed["notes"]:
        got = observed["notes"]["rowcount"]
        look.bad(asked, f"it read cursor.rowcount before it had fetched the rows, and got {got}", 27)
    else:
        look.good(asked)


def commits(queries):
    """Count the commits among the statements that reached the server."""
    return sum(q.bare.startswith("COMMIT") or q.writes and q.autocommit for q in queries)


def again(look, seeding, path):
    """Seed once more, where somebody else has added something."""
    asked, others = "seeding again adds nothing", "what others have put in the database stays"
    look.harness.reset()
    look.harness.execute(f"USE `{look.harness.database}`")
    first = look.harness.count()
    look.harness.execute("CREATE TABLE somebody_elses (n INT PRIMARY KEY)")
    look.harness.execute("INSERT INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)",
                  "00000000-0000-4000-8000-000000000001", "Somebody Else", "somebody.else@example.com", 50)  # fmt: skip
    observed = run(look, seeding, path)
    look.harness.reset()
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
    elif count > first + 1:
        look.bad(asked, f"{first} rows, seeded twice, made {count - theirs}", 6)
    else:
        look.good(asked)
    if not kept:
        look.bad(others, "a table of somebody else's was gone after seeding again", 29)
    elif not theirs:
        look.bad(others, "a row of somebody else's was gone after seeding again", 29)
    else:
        look.good(others)


def streamed(look, seeding, has_id):
    """Look at how much of a long file is in memory when the first row goes to the server."""
    asked = "the CSV file is read as it is needed, not as a whole"
    path = write_long(seeding.folder / "user_data.csv", has_id, True)
    size = path.stat().st_size / 2**20
    task = {"path": str(path), "only": "insert_data", "given": seeding.given}
    held = held_at_first_row(look.harness, lambda: look.harness.learner.ask("seed", **task))
    if held is None:
        look.report.skip(asked, f"not looked at, because it sent no row of a file of {LONG_FILE:,} lines")
    elif held > 0.8 * size:
        what = f"when the first row went to the server, all {LONG_FILE:,} lines of the file were in memory"
        look.bad(asked, what, 12)
    else:
        look.good(asked)


def held_at_first_row(harness, insert):
    """Return by how many MiB the learner's process has grown when its first row goes to the server; None without one.

    insert() lets it insert, into an empty table; the first row ends that.
    """
    held = []

    def first_write(query):
        if query.writes:
            held.append(harness.learner.memory() - base)
            raise EOFError  # that was all: the server is gone

    harness.fill("none")
    harness.learner.load()  # it has ended if the function before this hung
    base = harness.learner.memory()
    harness.proxy.on_query = first_write
    insert()
    harness.proxy.reset()
    return held[0] if held else None


def write(path, rows, has_id, quoted):
    """Write rows (name, email, age) as a CSV file; return its path."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerow(AGREED if has_id else AGREED[1:])
        for n, row in enumerate(rows):
            writer.writerow([_user_id(n), *row] if has_id else row)
    return path


def write_long(path, has_id, quoted):
    """Write LONG_FILE people, so wide that a list of them is seen in the memory of a process; return the path."""
    write(path, [], has_id, quoted)
    sign, name, domain = '"' if quoted else "", "N" * 200, "e" * 200

    def line(n):
        row = f"{name} {n}", f"{n}.{domain}@example.com", str(n % 100)
        return sign + f"{sign},{sign}".join((_user_id(n), *row) if has_id else row) + f"{sign}\n"

    with open(path, "a", encoding="utf-8", newline="") as file:
        file.writelines(map(line, range(LONG_FILE)))  # the csv module would take six times as long
    return path


def _user_id(n):
    return f"0b1c2d3e-0000-4000-9000-{n:012}"


# A password in the source ---------------------------------------------------------------------------------------------


def no_password(look, used, sources):
    """Look for a password in the source: one that was used, and stands there, or one that is named so there."""
    asked = "no password stands in the source"
    places, notes = [], []
    for name, source in sources.items():
        if line := password_line(source, used):
            places.append(f"line {line} of {name}")
        elif found := placeholder_line(source):
            notes.append(f"line {found[0]} of {name} has {found[1]!r} in the place of a password")
    if places:
        look.bad(asked, f"there is one in {', '.join(places)}", 4)
    else:
        look.good(asked)
    for note in notes:
        look.note(note)
