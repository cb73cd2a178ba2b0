"""The mistakes that learners really make, counted in public solutions: what each is, and why it matters."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One of them: what it is, why it matters, and the lesson and the heading in it that treat it."""

    name: str
    why: str
    lesson: str
    section: str = "What goes wrong"
    seen_in: int | None = None  # of the solutions that were counted
    of: int = 75
    deeper: bool = False  # the section is a part of "Dig deeper"

    @property
    def place(self):
        """Where in its lesson it is treated (str): '"Step 1: yield a row as it comes"'."""
        return f'"{self.section}", in "Dig deeper"' if self.deeper else f'"{self.section}"'

    @property
    def frequency(self):
        """In how many of the counted solutions it was seen: "69 of 75" (str); "" where it was not counted."""
        return "" if self.seen_in is None else f"{self.seen_in} of {self.of}"


def _m(name, lesson, why, section="What goes wrong", seen_in=None, of=75, deeper=False):
    return Mistake(name, why, lesson, section, seen_in, of, deeper)


LESSONS = {
    "00": "00_iterators_and_generators",
    "01": "01_seed_the_database",
    "02": "02_stream_users",
    "03": "03_batch_processing",
    "04": "04_lazy_pagination",
    "05": "05_stream_ages",
    "06": "06_hundred_million_domains",
    "07": "07_beyond_one_machine",
}

# Counted in 30 public solutions and in 45 more; those of which 45 is said, in these alone
MISTAKES = {
    1: _m(
        "pages without ORDER BY", "04",
        "Without ORDER BY the server may give its rows in any order, a different one each time: pages then overlap "
        "and leave users out.", seen_in=69,
    ),
    2: _m(
        "values written into the SQL", "04",
        "What stands in the text of a statement is run as SQL, whoever sent it. Passed separately, with %s, it stays a "
        "value.", seen_in=54,
    ),
    3: _m(
        "a connection that is closed only after the loop", "02",
        "Whoever stops early never gets to that line. Each stop leaves a connection open, until the server takes "
        "no more.", "Step 3: close the connection however the loop ends", seen_in=42,
    ),
    4: _m(
        "a password in the source", "01",
        "Whoever reads the file, today or in the history of the repository, can read the database.", seen_in=42,
    ),
    5: _m(
        "errors of the database swallowed", "02",
        "Whoever uses the stream takes the part that came for the whole, and nobody learns that rows are missing.",
        seen_in=48,
    ),
    6: _m(
        "rows doubled by seeding again", "01",
        "A script that was stopped half-way is run again. Only ids that follow from the row keep the second run "
        "from adding it once more.", "Step 4: insert, and insert again", seen_in=29,
    ),
    7: _m(
        "a user_id column expected in the CSV file", "01",
        "The file has the columns name, email and age. The id must be made, not read.", seen_in=15,
    ),
    8: _m(
        "tuples where dicts are asked for", "02",
        'user["name"] says what it is. user[1] means something else as soon as a column is added.',
        "Step 2: dicts, with an age that is an int", seen_in=17,
    ),
    9: _m(
        "a SELECT before each INSERT", "01",
        "Each row costs one more trip to the server, and between the SELECT and the INSERT another program may add the "
        "same row. A unique key prevents that, without a SELECT.", "Step 6: batches", seen_in=16,
    ),
    10: _m(
        "an empty table divides by zero", "05",
        "A table is empty on the day it is made. There is nothing to average then, and the program should say so.",
        "3. Say what an average of nothing is", seen_in=12,
    ),
    11: _m(
        "the whole table fetched before the first row comes out", "02",
        "A generator that first fills a list needs as much memory as the list. A large table does not fit.",
        "Step 1: yield a row as it comes", seen_in=10,
    ),
    12: _m(
        "the whole CSV file in a list", "01",
        "The file must then fit in memory. Read line by line, it can be of any size.", "Step 1: read row by row",
        seen_in=20,
    ),
    13: _m(
        "batch_processing is a generator itself", "03",
        "A function with yield in it runs nothing when it is called. It waits for a next() that nobody calls.",
        seen_in=21,
    ),
    14: _m(
        "batches by LIMIT and OFFSET without ORDER BY", "03",
        "Without ORDER BY the server may give its rows in any order, a different one each time: batches then overlap "
        "and leave users out.", seen_in=12,
    ),
    15: _m(
        "single users where batches are asked for", "03",
        "Whoever works on batches expects a list to go through, and meets a user instead.", "Rarer mistakes", seen_in=7,
        deeper=True,
    ),
    16: _m(
        "only the first batch is ever processed", "03",
        "All users after the first batch are left out, and nothing says so.", seen_in=9,
    ),
    17: _m(
        "a connection that is never closed", "04",
        "A server takes some hundred connections (151 by default on MySQL and MariaDB). Then nobody else "
        "gets in.", "The connection is never closed", seen_in=10, deeper=True,
    ),
    18: _m(
        "an error that hides the real one", "02",
        "The message is about a name in your code. That the server could not be reached, which is what matters, "
        "is not in it.", "No server", seen_in=11, deeper=True,
    ),
    19: _m(
        "25 taken for over 25", "03",
        "Over 25 means 26 and more: age > 25. Those who are exactly 25 are not asked for.", seen_in=2,
    ),
    20: _m(
        "a commit for each row", "01",
        "Each commit waits for the disk. And a run that fails half-way leaves half the rows.", "Step 6: batches",
        seen_in=3,
    ),
    21: _m(
        "a batch that is never emptied", "03",
        "Each batch holds all the earlier ones too. The last one is the whole table, and users come again and "
        "again.", "Rarer mistakes", seen_in=1, deeper=True,
    ),
    22: _m(
        "page 1 for ever", "04",
        "The loop never ends, and no user after page 1 is ever seen. The offset must grow by page_size each "
        "time.", "Page 1 for ever", seen_in=1, deeper=True,
    ),
    23: _m(
        "one query for each row", "05",
        "Each row costs a trip to the server, and OFFSET n makes it read n rows first: ten times the rows take a "
        "hundred times as long.", seen_in=1,
    ),
    24: _m(
        "the average cut off, or divided by the wrong number", "05",
        "The average is the sum of all ages divided by the number of users, with /: // drops what follows the decimal "
        "point.", seen_in=2,
    ),
    25: _m(
        "a buffered cursor", "02",
        "The driver fetches the whole table to the client before it gives the first row. A large table does not "
        "fit.", "The list against yours", seen_in=3,
    ),
    26: _m(
        "work done at import", "02",
        "Whoever imports the file for one function gets the work as well: a test, a lesson, another script.",
        "Tuples, and work or a connection at import", seen_in=10, deeper=True,
    ),
    27: _m(
        "rowcount read before the rows", "01",
        "The cursor holds no rows, so it cannot know how many will come: rowcount is -1 or 0 until they are fetched. "
        "Ask with COUNT(*) and fetchone().", "Rarer mistakes", seen_in=1, deeper=True,
    ),
    28: _m(
        "CSV split at commas by hand", "01",
        "A comma may stand inside a quoted name. The csv module knows that.", "Rarer mistakes", seen_in=1, deeper=True,
    ),
    29: _m(
        "the database emptied at each seeding", "01",
        "What somebody else put there is gone. CREATE … IF NOT EXISTS adds what is missing and leaves the rest.",
        "Rarer mistakes", seen_in=2, deeper=True,
    ),
    30: _m(
        "a cursor closed with rows unread", "02",
        'cursor.close() raises "Unread result found" then, so the lines behind it do not run: the connection '
        "stays open.", seen_in=16, of=45,
    ),
    31: _m(
        "one dict or list used again for every item", "03",
        "Whoever keeps the items, as list() does, has the last one many times. Make a new one for each.",
        "Rarer mistakes", deeper=True,
    ),
    32: _m(
        "a stream that starts again after an error", "02",
        "What came before the error comes a second time, and nothing says so.",
        "A generator that outlives its connection, and a retry", deeper=True,
    ),
    33: _m(
        "a connection closed before the stream is read", "02",
        "A generator runs when it is asked for items. What was closed before that is gone.",
        "A generator that outlives its connection, and a retry", deeper=True,
    ),
    34: _m(
        "a generator that is given out twice", "02",
        "A generator can be gone through once. The second caller finds it used up.",
        "One dict for all users, and one generator for all callers", deeper=True,
    ),
    35: _m(
        "reading ahead without a bound", "03",
        "While the consumer is slow, the whole table piles up in memory. A queue needs a maxsize.",
        "Generators and threads", deeper=True,
    ),
    36: _m(
        "the rest of the table read after a stop", "02",
        "Whoever takes six rows waits for all of them. Cancel the query, and the rest is never sent.",
        "Step 4: stop early", seen_in=1, of=45,
    ),
    37: _m(
        "an error handler that fails itself", "02",
        "The message is about the handler. What happened to the database, which is what matters, is not in it.",
        "A handler that fails", seen_in=3, of=45, deeper=True,
    ),
    38: _m(
        "a connection made at import", "01",
        "It is as old as the program: after the server's time limit, or its restart, every function fails.",
        "Rarer mistakes", seen_in=2, of=45, deeper=True,
    ),
    39: _m(
        "insert_data that does not take a path", "01",
        "0-main.py calls insert_data(connection, 'user_data.csv').", "Rarer mistakes", seen_in=6, of=45, deeper=True,
    ),
    40: _m(
        "made for another database", "01",
        "The project is about MySQL: drivers differ in their placeholders, cursors and errors.", "Rarer mistakes",
        seen_in=5, of=45, deeper=True,
    ),
}  # fmt: skip
