"""Lesson 01: the checks of its reader and of its ways to insert people. check.seed looks at all of Task 0."""

import csv
import tempfile
from pathlib import Path

from helpers.check.look import Failed, exercise
from helpers.check.mistakes import MISTAKES
from helpers.check.task0 import LONG_FILE, PLAIN, TRICKY, commits, held_at_first_row, write_long
from helpers.check.words import difference, number

PEOPLE = PLAIN + TRICKY
SOMEBODY = ("00000000-0000-4000-8000-000000000001", "Somebody Else", "somebody.else@example.com", 50)
MANY = 2_100  # people of a file that should come in batches of 1,000
GOOD = 1_100  # people of a file before its bad row
EVE = ("Eve Doe", "eve@example.com", "unknown")
TOO_LONG = ("N" * 300, "n@example.com", 36)  # the table takes 255 letters


# The reader -----------------------------------------------------------------------------------------------------------


@exercise("01", title="read_people(path)")
def read_people(look):
    """Check read_people(path): each row as it is read (step 1), from a spreadsheet's file too (step 2)."""
    with tempfile.TemporaryDirectory(prefix="gc-") as folder:
        path = write(Path(folder) / "people.csv", PEOPLE)
        with look.asks("it gives (name, email, age) for each row, the age an int", must=True):
            same_people(look, look.items(path), PEOPLE)
        with look.asks("each person comes as soon as the row is read", mistake=12, more=None):
            if look.bytes_each(lambda read, count: read_many(read, count)) > 30:
                look.fail("memory grew with the file: 20,000 more rows took more of it")
            look.gives_iterator(path)
        if look.from_step(2):
            odd = Path(folder) / "spreadsheet.csv"
            with look.asks("a byte order mark is not part of the file's first word", why="Excel writes one."):
                odd.write_bytes("\ufeffname,email,age\r\nZoë Ångström,zoe@example.com,36\r\n".encode())
                same_people(look, look.items(str(odd)), [("Zoë Ångström", "zoe@example.com", 36)])
            why = "With a space it is a different e-mail, and so a different user."
            with look.asks("blanks around a field are taken away, those inside a name stay", why=why):
                odd.write_text("name,email,age\n Ada King , ada@example.com\t, 36 \n", encoding="utf-8")
                same_people(look, look.items(str(odd)), [("Ada King", "ada@example.com", 36)])


def read_many(read, count):
    """Run in the learner's process: write a file of so many people, and read it."""
    import os
    import tempfile

    descriptor, path = tempfile.mkstemp(suffix=".csv")
    with open(descriptor, "w") as file:
        file.write("name,email,age\n")
        for n in range(count):
            file.write(f"Person {n},person{n}@example.com,{n % 100}\n")
    for _ in read(path):
        pass
    os.unlink(path)


def same_people(look, found, wanted):
    """Fail unless what was read are these people, each as (name, email, age)."""
    strange = next((item for item in found if not isinstance(item, (tuple, list)) or len(item) != 3), None)
    if strange is not None:
        look.fail(f"the first thing that came was {strange!r:.60}", why="Each should be (name, email, age).")
    if found and type(found[0][2]) is not int:
        look.fail(f"the first age was {found[0][2]!r}", why="A CSV file holds text. int(…) makes a number of it.")
    found = [*map(tuple, found)]
    if not difference(found, wanted) and found != wanted:
        look.fail("the people came in a different order from the file")
    if len(found) != len(wanted):
        look.fail(difference(found, wanted, "people", "the file"))
    for came, there in zip(found, wanted, strict=True):
        if came != there:
            look.fail(f"{came!r:.60} came, where {there!r:.60} is in the file")


# Inserting ------------------------------------------------------------------------------------------------------------


@exercise("01", server=True, title="insert_data(connection, path)")
def insert_data(look):
    """Check insert_data(connection, path).

    Steps: 1 every person, once, one commit; 2 a bad row leaves the table as it was; without: in batches as well.
    """
    with tempfile.TemporaryDirectory(prefix="gc-") as folder:
        inserts_once(look, write(Path(folder) / "people.csv", PEOPLE))
        if look.from_step(2):
            all_or_none(look, write(Path(folder) / "bad.csv", [*people(GOOD), EVE]))
            refuses_too_long(look, write(Path(folder) / "long.csv", [*people(3), TOO_LONG]))
        if look.from_step(3):
            in_batches(look, write(Path(folder) / "many.csv", people(MANY)))
            reads_as_needed(look, long_file(folder))


@exercise("01", server=True, title="insert_carefully(connection, path)")
def insert_carefully(look):
    """Check the exercise insert_carefully(connection, path): no SELECT, one commit, values that stay values."""
    with tempfile.TemporaryDirectory(prefix="gc-") as folder:
        inserts_once(look, write(Path(folder) / "people.csv", PEOPLE))


@exercise("01", server=True, title="insert_files(connection, paths)")
def insert_files(look):
    """Check the exercise insert_files(connection, paths): several files by one insert_people, all of them or none."""
    with tempfile.TemporaryDirectory(prefix="gc-") as folder:
        folder = Path(folder)
        plain, tricky = write(folder / "plain.csv", PLAIN), write(folder / "tricky.csv", TRICKY)
        good, bad = write(folder / "good.csv", people(GOOD)), write(folder / "bad.csv", [EVE])
        asked, why = "insert_people does the inserting", "What inserts any stream need not be written for each source."
        with look.asks(asked, why=why, must=True):
            look.run(lambda insert_files: None)  # is it written?
            if not look.run(uses_insert_people):
                look.fail("insert_files does not call it")
        inserts_once(look, [plain, tricky])
        all_or_none(look, [good, bad])
        refuses_too_long(look, [plain, write(folder / "too_long.csv", [TOO_LONG])])
        in_batches(look, [write(folder / f"{n}.csv", people(MANY // 3, n * MANY // 3)) for n in range(3)])
        reads_as_needed(look, [long_file(folder), plain])


def uses_insert_people(function):
    """Run in the learner's process: whether the function, or one inside it, names insert_people."""
    codes = [function.__code__]
    for code in codes:
        codes += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return any("insert_people" in code.co_names for code in codes)


def inserts_once(look, data):
    """Every person of PEOPLE is there after one call, and as many after two; it took one commit and no SELECT each."""
    harness = look.harness
    harness.fill("none")
    with look.asks("each row of the CSV file becomes a user", why="Everything else reads these rows.", must=True):
        inserts(look, data)
        queries = harness.proxy.traffic.queries
        found = harness.execute("SELECT name, email, age FROM user_data")
        told = difference([(name, email, number(age)) for name, email, age in found], PEOPLE, "rows of the file")
        if told and sum(q.writes for q in queries) and not commits(queries):
            look.fail(f"{sum(q.writes for q in queries)} INSERTs were sent, and no commit: {told}",
                      why="What is not committed is undone when the connection is closed.")  # fmt: skip
        if told and not queries:
            look.fail(f"the server was sent nothing: {told}")
        if told:
            look.fail(told)
    with look.asks("it does not ask the server before each row", mistake=9):
        asking = sum(q.selects for q in queries)
        if asking >= len(PEOPLE) // 2:
            look.fail(f"{len(PEOPLE)} rows took {asking} SELECTs")
    with look.asks("it commits once, not for each row", mistake=20):
        if commits(queries) >= len(PEOPLE) // 2:
            look.fail(f"{len(PEOPLE)} rows took {commits(queries)} commits")
    harness.execute("INSERT INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)", *SOMEBODY)
    taught_here = None if look.step == 1 else ""
    with look.asks("a second run adds nothing, and what others have put there stays", mistake=6, more=taught_here):
        look.run(seeded, data)
        theirs = harness.execute("SELECT COUNT(*) FROM user_data WHERE user_id = %s", SOMEBODY[0])[0][0]
        if not theirs:
            look.fail("a row of somebody else's was gone after the second run", 29)
        if harness.count() != len(PEOPLE) + 1:
            look.fail(f"{len(PEOPLE)} rows, inserted twice, made {harness.count() - 1}")


def inserts(look, data):
    """Let the learner's function insert `data`; say of SQL that a value has broken just that, alike on each server."""
    try:
        look.run(seeded, data)
    except Failed as failed:
        if "KeyError: 'user_id'" in str(failed):
            look.fail(str(failed), 7, MISTAKES[7].why)
        if isinstance(data, str) and takes_rows(look):
            look.fail(str(failed), 39, MISTAKES[39].why)
        if "error in your SQL syntax" not in str(failed):
            raise
        broken = "it raised ProgrammingError: 1064, an error in the SQL, at O'Brien's name or at \"Amazing\""
        why = "A quote in a name ends the text in the SQL. Passed separately, with %s, a value stays a value."
        look.fail(broken, why=why)


def takes_rows(look):
    """Whether the learner's function inserts a list of people, where it is to be given a path."""
    _, error = look.run(seeded, [TRICKY[0]], True, errors=True)
    return not error and look.harness.count() > 0


def all_or_none(look, data):
    """After an error, and a commit of whoever goes on with the connection, no row of the bad data is there."""
    harness = look.harness
    harness.fill("one")
    with look.asks("a bad row is an error, and leaves the table as it was", why="Half a file looks like a whole one."):
        _, error = look.run(seeded, data, True, errors=True)
        left = harness.count() - 1
        if not error:
            look.fail(f"it raised nothing; {left:,} rows of the bad file were there, and nobody was told")
        if left:
            look.fail(f"it raised {error}; after the next commit {left:,} rows of the bad file were there",
                      why="Rows that were sent wait in the transaction. rollback() undoes them.")  # fmt: skip


def refuses_too_long(look, data):
    """A name that the table cannot take is an error as well, and nothing of the data is there."""
    harness = look.harness
    if "STRICT" not in harness.execute("SELECT @@GLOBAL.sql_mode")[0][0]:
        return  # such a server cuts a name, however it is inserted
    harness.fill("one")
    with look.asks("a name that is too long for the table is an error, too", why="Half a file looks like a whole one."):
        _, error = look.run(seeded, data, True, errors=True)
        left = harness.count() - 1
        if harness.execute("SELECT COUNT(*) FROM user_data WHERE name LIKE %s", TOO_LONG[0][:200] + "%")[0][0]:
            look.fail(f"it raised {error or 'nothing'}; the name was there, cut to what the table can take",
                      why="INSERT IGNORE cuts it and only warns: what is in the table is then not what is in "
                      "the file.")  # fmt: skip
        if left and error:
            look.fail(f"it raised {error}; {left:,} rows of the bad file were there",
                      why="Rows that were sent wait in the transaction. rollback() undoes them.")  # fmt: skip
        if not error:
            look.fail(f"it raised nothing; {left:,} rows of the bad file were there, and nobody was told")


def in_batches(look, data):
    """MANY people go in a few statements, none of which has them all."""
    harness = look.harness
    harness.fill("none")
    with look.asks("it sends many rows with each statement", why="Each statement is a trip to the server and back."):
        look.run(seeded, data)
        rows = [q.text.count("@example.com") for q in harness.proxy.traffic.queries if q.writes]  # of each statement
        if harness.count() != MANY:
            look.fail(f"of {MANY:,} people, {harness.count():,} were in the table: is the last batch lost?",
                      why="The last batch is shorter, but it is a batch.")  # fmt: skip
        if len(rows) > MANY // 100:
            look.fail(f"{MANY:,} people took {len(rows):,} INSERTs")
        if max(rows) >= MANY:
            look.fail(f"of {MANY:,} people, {max(rows):,} went in one statement",
                      why="A list of them all needs the memory of the whole file.")  # fmt: skip
        if sum(rows) > MANY:
            look.fail(f"{MANY:,} people were sent as {sum(rows):,} rows: is a batch ever emptied?")


def reads_as_needed(look, data):
    """When the first row goes to the server, the long file is not in memory."""
    with look.asks("the CSV file is read as it is needed, not as a whole", mistake=12):
        held = held_at_first_row(look.harness, lambda: look.run(seeded, data, errors=True))
        if held is None:
            look.fail(f"it sent no row of a file of {LONG_FILE:,} lines", why="Rows should go as they are read.")
        if held > 10:
            look.fail(f"when the first row went to the server, all {LONG_FILE:,} lines of the file were in memory")


def seeded(function, data, then_commit=False):
    """Run in the learner's process: insert with a connection of its own; then commit as whoever goes on with it."""
    import contextlib

    from helpers import seed

    connection = seed.connect_to_prodev()
    try:
        function(connection, data)
    finally:
        with contextlib.suppress(Exception):
            if then_commit:
                connection.commit()
        with contextlib.suppress(Exception):
            connection.close()


# Files ----------------------------------------------------------------------------------------------------------------


def people(count, start=0):
    """Yield so many people, (name, email, age)."""
    for n in range(start, start + count):
        yield f"Person {n}", f"person{n}@example.com", n % 100


def long_file(folder):
    """Write a file that is seen in the memory of a process; return its path."""
    return str(write_long(Path(folder) / "long.csv", has_id=False, quoted=False))


def write(path, rows):
    """Write people to a CSV file; return its path as text."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "email", "age"])
        writer.writerows(rows)
    return str(path)
