"""The harness in which a check runs a learner's code: a database of its own, a watched way to it, a process."""

import contextlib
import os
import secrets
import time

import mysql.connector

from helpers import seed
from helpers.check.process import Learner
from helpers.check.proxy import ENDS_IN, Proxy
from helpers.connection import database_name
from helpers.users import synthetic_users

MANY = 10_000  # rows of the large table
# Seconds count here while nothing is at work: a machine that is busy makes a check take longer, and finds the same
AT_REST = 0.4  # seconds without a row, after which what reads ahead is done, or waits
STILL_OPEN = 2.0  # seconds after which a connection that is still open counts as forgotten
GIVEN_UP = 20.0  # seconds after which what still moves is not waited for

_AGES = (25, 67, 26, 24, 119, 49, 25, 102, 40, 1, 27, 33, 25, 58, 18, 71, 26, 88, 12, 95, 30, 64, 25)
PEOPLE = [
    (user_id, f"Person {n:02}", f"person{n:02}@example.com", age)
    for n, ((user_id, *_), age) in enumerate(zip(synthetic_users(len(_AGES)), _AGES, strict=True))
]

_INSERT = "INSERT INTO user_data (user_id, name, email, age) VALUES (%s, %s, %s, %s)"
# Wide rows: a list of them is seen in the memory of the process
_FILL_MANY = f"""INSERT INTO user_data (user_id, name, email, age)
    WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 199)
    SELECT CONCAT('00000000-0000-4000-8000-', LPAD(a.n * 100 + b.n, 12, '0')),
           RPAD(CONCAT('Person ', a.n * 100 + b.n, ' '), 255, 'n'),
           RPAD(CONCAT('person', a.n * 100 + b.n, '@example.com.'), 255, 'm'), b.n + 1
    FROM s AS a, s AS b WHERE b.n < 100 AND a.n < {MANY // 100}"""


class Harness:
    """A database, a proxy before it, and the learner's process.

    Parameters
    ----------
    setup : dict
        How the learner's code is brought in: see process.Learner.
    folder : str, optional
        The folder of a whole solution.
    """

    def __init__(self, setup, folder=None):
        self._setup, self._folder = setup, folder

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.admin = stack.enter_context(contextlib.closing(seed.connect_db()))
            self.admin.autocommit = True
            self.database = self._make_database(stack)
            names = {"ALX_prodev": None, database_name(): None}
            self.proxy = stack.enter_context(Proxy(self.database, self.admin.server_info, names))
            self.learner = stack.enter_context(Learner(self.proxy.path, self._setup, self._folder))
            self._holds = self._as_made = None
            self.anew = False  # whether each question gets the learner's code imported anew: see made_at_import
            self.at_import = 0  # connections that are made when the learner's code is imported
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        self.learner.end()
        self.proxy.end_all()
        with contextlib.suppress(mysql.connector.Error, TimeoutError):
            self._end_on_server()  # else the database could not be dropped before that
        return self._stack.__exit__(*error)

    def _make_database(self, stack):
        base = os.environ.get("COURSE_DATABASE") or database_name()
        name = f"{base[:45]}_check_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        stack.callback(self._drop, name)
        self.execute(f"USE `{name}`")
        return name

    def _drop(self, name):
        with contextlib.suppress(mysql.connector.Error):
            self.execute(f"DROP DATABASE IF EXISTS `{name}`")

    def execute(self, statement, *parameters):
        """Run a statement as the check; return its rows (list of tuples)."""
        with contextlib.closing(self.admin.cursor()) as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.with_rows else []

    # The data -----------------------------------------------------------------------------------------------------

    def fill(self, what):
        """Let user_data hold "people" (PEOPLE), "one" of them, "none", or "many" (MANY wide rows)."""
        self.reset()
        if self.anew:
            self.learner.end()
        if what == self._holds == "many" and self.count() == MANY:
            return
        if self._holds in (None, "many") or self._made() != self._as_made:
            self.execute(f"CREATE DATABASE IF NOT EXISTS `{self.database}`")
            self.execute(f"USE `{self.database}`")
            self.execute("DROP TABLE IF EXISTS user_data")
            self.execute(seed.TABLE)
            self._as_made = self._made()
        else:  # a few rows: the table that is there is emptied sooner than made anew
            self.execute("DELETE FROM user_data")
        self._holds = what
        if what == "many":
            self.execute(_FILL_MANY)
        elif what != "none":
            rows = PEOPLE if what == "people" else PEOPLE[:1]
            with contextlib.closing(self.admin.cursor()) as cursor:
                cursor.executemany(_INSERT, rows)

    def reset(self):
        """End all connections, on the server too, and start counting anew."""
        self.proxy.reset()
        self._end_on_server()

    def _end_on_server(self):
        """End what the server still does for connections that are gone: a DROP behind a ; would meet the new rows."""
        had = set(self.proxy.real_ids)
        gone = set(had)
        deadline = time.monotonic() + ENDS_IN
        while gone:
            gone &= {number for number, *_ in self.execute("SHOW PROCESSLIST")}
            if time.monotonic() > deadline:
                raise TimeoutError(f"{ENDS_IN:.0f} s later the server still has the connections {sorted(gone)}")
            for number in gone:
                with contextlib.suppress(mysql.connector.Error):  # it has ended by itself
                    self.execute(f"KILL {int(number)}")
        self.proxy.real_ids -= had

    def _made(self):
        """Return how user_data was made, and what hangs on it (list of tuples); [] without such a table."""
        try:
            return self.execute("SHOW CREATE TABLE user_data") + self.execute("SHOW TRIGGERS")
        except mysql.connector.Error:
            return []

    def count(self):
        """Return how many rows user_data holds; -1 without such a table."""
        try:
            return self.execute("SELECT COUNT(*) FROM user_data")[0][0]
        except mysql.connector.Error:
            return -1

    # The learner's code ---------------------------------------------------------------------------------------------

    def watched(self, do, name, *arguments, on_item=None, pause=False, **how):
        """Let the learner's function `name` stream (do="stream"), or call it (do="call"), on the data as it is.

        Returns what was observed, as Learner.ask does. Added to it are "passed" (proxy.Traffic), "left" (connections
        still open afterwards), "sent" (for each of the first items, as many as steps= says, the rows that had left the
        server when it came out), "asked" (the queries until then), and "closed_early" (whether the function had opened
        connections and closed them all before its first item).

        on_item (callable) gets the number of each item that steps= tells of; with `pause`, the consumer waits once, at
        the first of them, where a thread or a child process may read ahead, and "ahead" tells how many rows had come.
        """
        sent, asked, open_when_made, ahead = [], [], [], []

        def on_event(what, number, threads):
            if what == "made":
                if opened := self.proxy.traffic.connections:
                    if threads:
                        self._wait(0.05, lambda: not self.proxy.held())
                    open_when_made.append((opened, self.proxy.held()))
                return
            sent.append(self.proxy.traffic.rows)
            asked.append(len(self.proxy.traffic.selects))
            if pause and number == 1 and (threads > 0 or self.learner.has_children()):
                ahead.append(self._rows_at_rest())
            if on_item:
                on_item(number)

        self.learner.load()
        if self.anew:
            self.at_import = self.proxy.held()
        observed = self.learner.ask(do, on_event, name=name, arguments=arguments, **how)
        observed |= {"sent": sent, "asked": asked, "ahead": ahead, "passed": self.proxy.traffic}
        observed["closed_early"] = any(opened and not still for opened, still in open_when_made)
        pooled = observed["notes"].get("pooled")  # a pool keeps its connections open, rightly
        observed["left"] = 0 if pooled else self.left_open(0.3)
        return observed

    def still_open(self, observed):
        """Return how many connections are open long after what was observed."""
        return self.left_open() if observed["left"] else 0

    def left_open(self, seconds=STILL_OPEN):
        """Return how many connections are open, `seconds` after the last question, that were not made at import."""
        if not self.learner.at_rest():  # else what it holds stays open
            self._wait(seconds, lambda: self.proxy.held() <= self.at_import)
        return max(0, self.proxy.held() - self.at_import)

    def _rows_at_rest(self):
        """Wait while rows come although nobody asks for any; return how many have come (int), MANY at the most."""
        deadline, before = time.monotonic() + GIVEN_UP, -1
        while before != (now := self.proxy.traffic.rows) and now < MANY and time.monotonic() < deadline:
            before = now
            self._wait(AT_REST, lambda before=now: self.proxy.traffic.rows != before)
        return now

    def _wait(self, seconds, until):
        """Wait until `until()` is true, or for `seconds` in which nothing was at work: see learner.at_work."""
        deadline, rested = time.monotonic() + GIVEN_UP, 0.0
        while not until() and rested < seconds and time.monotonic() < deadline:
            time.sleep(0.01)
            rested += 0.0 if self.proxy.at_work() or self.learner.at_work() else 0.01
