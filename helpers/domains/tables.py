"""The job's two tables, domains and domains_checkpoint, and a connection to work on them."""

import contextlib
import re

from helpers import seed
from helpers.connection import cancel_and_close, database_name, exclusive_lock

LARGEST_ID = 2**32 - 1  # what INT UNSIGNED holds
LOCK_SECONDS = 60  # how long to wait for another process that works on the same table to end

# REDUNDANT keeps the place of a number that is NULL. In the other formats a rank makes its row longer: every page is
# full and splits in two, the table doubles, and the log gets 13 times as much (lesson 06 measures it)
TABLES = {
    "domains": """CREATE TABLE domains (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        domain VARCHAR(255) CHARACTER SET ascii NOT NULL,
        alexa_rank INT UNSIGNED NULL
    ) ENGINE=InnoDB ROW_FORMAT=REDUNDANT""",
    "domains_checkpoint": """CREATE TABLE domains_checkpoint (
        job VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY,
        last_id INT UNSIGNED NOT NULL,
        done BIGINT UNSIGNED NOT NULL,
        unranked BIGINT UNSIGNED NOT NULL
    ) ENGINE=InnoDB""",
}
COLUMNS = {  # the same, as the server describes them: name, type, NULL allowed, key, auto_increment, character set
    "domains": [
        ("id", "int unsigned", "NO", "PRI", "auto_increment", None),
        ("domain", "varchar(255)", "NO", "", "", "ascii"),
        ("alexa_rank", "int unsigned", "YES", "", "", None),
    ],
    "domains_checkpoint": [
        ("job", "varchar(255)", "NO", "PRI", "", "utf8mb4"),
        ("last_id", "int unsigned", "NO", "", "", None),
        ("done", "bigint unsigned", "NO", "", "", None),
        ("unranked", "bigint unsigned", "NO", "", "", None),
    ],
}


@contextlib.contextmanager
def connected():
    """Give a new connection to the course's database and a cursor on it; close both at the end."""
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor()
        # locks no rows but those it changes, so that others may go on adding
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield connection, cursor
    finally:
        cancel_and_close(connection)


def working_alone(cursor, what="domains"):
    """Hold the lock on working on `what` (str) in this database inside a with block: no two processes do the same rows.

    Raises RuntimeError if another process still holds it after LOCK_SECONDS. A killed process holds it until the server
    has ended the statement that it left behind.
    """
    cursor.execute("SELECT CONCAT(%s, ' in ', DATABASE())", (what,))
    (name,) = cursor.fetchone()
    return exclusive_lock(cursor, name, LOCK_SECONDS)


def create_tables(connection):
    """Create the tables domains and domains_checkpoint unless they exist; commit.

    Raises
    ------
    ValueError
        A table of that name exists with a different schema, or without transactions: nothing is changed.
    """
    with contextlib.closing(connection.cursor()) as cursor:
        missing = [table for table in TABLES if not schema_matches(cursor, table)]
        for table in missing:
            cursor.execute(TABLES[table])
        if "domains" in missing:
            cursor.execute("DELETE FROM domains_checkpoint")  # it told of another table
    connection.commit()


def schema_matches(cursor, table):
    """Tell whether `table` exists; raise ValueError if it exists with a different schema."""
    cursor.execute(
        "SELECT engine, table_type FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = %s",
        (table,),
    )
    found = cursor.fetchall()
    if not found:
        return False
    cursor.execute(
        "SELECT column_name, column_type, is_nullable, column_key, extra, character_set_name "
        "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    columns = [tuple(_described(field) for field in row) for row in cursor.fetchall()]
    if columns == COLUMNS[table] and found == [("InnoDB", "BASE TABLE")]:
        return True
    has = ", ".join(f"{name} {kind}" for name, kind, *_ in columns) + f" ({found[0][0] or found[0][1]})"
    needs = ", ".join(f"{name} {kind}" for name, kind, *_ in COLUMNS[table]) + " (InnoDB)"
    raise ValueError(
        f"The table {table} in the database {database_name()} already exists with a different schema; left "
        f"unchanged. It has: {has}. The job needs: {needs}, declared as in helpers/domains/tables.py. "
        "Rename that table, or set MYSQL_DATABASE to another database."
    )


def tables_exist(cursor):
    """Tell whether both tables exist; raise ValueError if one of them has a different schema."""
    found = [schema_matches(cursor, table) for table in TABLES]  # each is looked at
    return all(found)


def largest_id(cursor):
    """Return the largest id (int) in the table domains, 0 where it is empty."""
    cursor.execute("SELECT MAX(id) FROM domains")
    return cursor.fetchone()[0] or 0


def _described(field):
    """Write a field of information_schema as MySQL does: MariaDB says int(10) where MySQL says int."""
    field = field.decode() if isinstance(field, bytes) else field
    return re.sub(r"int\(\d+\)", "int", field) if field else field
