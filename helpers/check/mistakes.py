"""The mistakes that learners really make, counted in public solutions: what each is, and why it matters."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One of them: what it is, why it matters, and the lesson and section that treat it."""

    name: str
    why: str
    lesson: str
    section: str = "What goes wrong"


def _m(name, lesson, why, section="What goes wrong"):
    return Mistake(name, why, lesson, section)


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

MISTAKES = {
    1: _m(
        "pages without ORDER BY", "04",
        "Without ORDER BY the server may give its rows in any order, another one each time: pages then overlap "
        "and leave users out.",
    ),
    2: _m(
        "values written into the SQL", "04",
        "What stands in the text of a statement is run as SQL, whoever sent it. Given apart, with %s, it stays a "
        "value.",
    ),
    3: _m(
        "a connection that is closed only after the loop", "02",
        "Whoever stops early never gets to that line. Each stop leaves a connection open, until the server takes "
        "no more.",
    ),
    4: _m(
        "a password in the source", "01",
        "Whoever reads the file, today or in the history of the repository, can read the database.",
    ),
    5: _m(
        "errors of the database swallowed", "02",
        "Whoever uses the stream takes the part that came for the whole, and nobody learns that rows are missing.",
    ),
    6: _m(
        "rows doubled by seeding again", "01",
        "A script that was stopped half-way is run again. Only ids that follow from the row keep the second run "
        "from adding it once more.",
    ),
    7: _m(
        "a user_id column expected in the CSV file", "01",
        "The file has the columns name, email and age. The id must be made, not read.",
    ),
    8: _m(
        "tuples where dicts are asked for", "02",
        'user["name"] says what it is. user[1] means something else as soon as a column is added.',
    ),
    9: _m(
        "a SELECT before each INSERT", "01",
        "Each row costs one more trip to the server, and between the SELECT and the INSERT another program may add the "
        "same row. A unique key prevents that, without a SELECT.",
    ),
    10: _m(
        "an empty table divides by zero", "05",
        "A table is empty on the day it is made. There is nothing to average then, and the program should say so.",
        "3. Say what an average of nothing is",
    ),
    11: _m(
        "the whole table fetched before the first row comes out", "02",
        "A generator that first fills a list needs as much memory as the list. A large table does not fit.",
    ),
    12: _m(
        "the whole CSV file in a list", "01",
        "The file must then fit in memory. Read line by line, it can be of any size.",
    ),
    13: _m(
        "batch_processing is a generator itself", "03",
        "A function with yield in it runs nothing when it is called. It waits for a next() that nobody calls.",
    ),
    14: _m(
        "batches by LIMIT and OFFSET without ORDER BY", "03",
        "Without ORDER BY the server may give its rows in any order, another one each time: batches then overlap "
        "and leave users out.",
    ),
    15: _m(
        "single users where batches are asked for", "03",
        "Whoever works on batches expects a list to go through, and meets a user instead.",
    ),
    16: _m(
        "only the first batch is ever processed", "03",
        "All users behind the first batch are left out, and nothing says so.",
    ),
    17: _m(
        "a connection that is never closed", "04",
        "A server takes some hundred connections (151 by default on MySQL and MariaDB). Then nobody gets in any "
        "more.",
    ),
    18: _m(
        "an error that hides the real one", "02",
        "The message is about a name in your code. That the server could not be reached, which is what matters, "
        "is not in it.",
    ),
    19: _m(
        "25 taken for over 25", "03",
        "Over 25 means 26 and more: age > 25. Those who are just 25 are not asked for.",
    ),
    20: _m(
        "a commit for each row", "01",
        "Each commit waits for the disk. And a run that fails half-way leaves half the rows.",
    ),
    21: _m(
        "a batch that is never emptied", "03",
        "Each batch holds all the earlier ones too. The last one is the whole table, and users come again and "
        "again.",
    ),
    22: _m(
        "page 1 for ever", "04",
        "The loop never ends, and no user behind page 1 is ever seen. The offset must grow by page_size each "
        "time.",
    ),
    23: _m(
        "one query for each row", "05",
        "Each row costs a trip to the server, and OFFSET n makes it read n rows first: ten times the rows take a "
        "hundred times as long.",
    ),
    24: _m(
        "the average cut off, or divided by the wrong number", "05",
        "The average is the sum of all ages divided by the number of users, with /: // drops what is behind the point.",
    ),
    25: _m(
        "a buffered cursor", "02",
        "The driver fetches the whole table to this side before it gives the first row. A large table does not "
        "fit.",
    ),
    26: _m(
        "work done at import", "02",
        "Whoever imports the file for one function gets the work as well: a test, a lesson, another script.",
    ),
    27: _m(
        "rowcount read before the rows", "01",
        "The cursor holds no rows, so it cannot know how many will come: rowcount is -1 or 0 until they are fetched. "
        "Ask with COUNT(*) and fetchone().",
    ),
    28: _m(
        "CSV split at commas by hand", "01",
        "A comma may stand inside a quoted name. The csv module knows that.",
    ),
    29: _m(
        "the database emptied at each seeding", "01",
        "What somebody else put there is gone. CREATE … IF NOT EXISTS adds what is missing and leaves the rest.",
    ),
    30: _m(
        "a cursor closed with rows unread", "02",
        'cursor.close() raises "Unread result found" then, so the lines behind it do not run: the connection '
        "stays open.",
    ),
    31: _m(
        "one dict or list used again for every item", "03",
        "Whoever keeps the items, as list() does, has the last one many times. Make a new one for each.",
    ),
    32: _m(
        "a stream that starts again after an error", "02",
        "What came before the error comes a second time, and nothing says so.",
    ),
    33: _m(
        "a connection closed before the stream is read", "02",
        "A generator runs when it is asked for items. What was closed before that is gone.",
    ),
    34: _m(
        "a generator that is given out twice", "02",
        "A generator can be gone through once. The second caller finds it used up.",
    ),
    35: _m(
        "reading ahead without a bound", "03",
        "While the consumer is slow, the whole table piles up in memory. A queue needs a maxsize.",
    ),
    36: _m(
        "the rest of the table read after a stop", "02",
        "Whoever takes six rows waits for all of them. Cancel the query, and the rest is never sent.",
    ),
    37: _m(
        "an error handler that fails itself", "02",
        "The message is about the handler. What happened to the database, which is what matters, is not in it.",
    ),
    38: _m(
        "a connection made at import", "01",
        "It is as old as the program: after the server's time limit, or its restart, every function fails.",
    ),
    39: _m(
        "insert_data that does not take a path", "01",
        "0-main.py calls insert_data(connection, 'user_data.csv').",
    ),
    40: _m(
        "made for another database", "01",
        "The project is about MySQL: drivers differ in their placeholders, cursors and errors.",
    ),
}  # fmt: skip
