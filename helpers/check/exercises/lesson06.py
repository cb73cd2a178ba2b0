"""Lesson 06: the checks of the job's five steps; those of its exercises are in lesson06_exercises.py."""

from contextlib import closing
from itertools import islice, pairwise

from helpers import seed
from helpers.check.look import exercise
from helpers.domains import synthetic_domain
from helpers.domains.tables import TABLES

CHECKPOINT_TABLE = "CREATE TABLE checkpoint (last_id INT UNSIGNED NOT NULL)"
ROWS, SIZE = 60, 10  # of the small table, and of its batches
NEW = 60_000  # a rank that nothing else gives


def fill(look, ids, rank=None):
    """Let the table domains have these ids, each with the rank, and the checkpoint stand at 0."""
    look.harness.reset()
    for name, statement in (("domains", TABLES["domains"]), ("checkpoint", CHECKPOINT_TABLE)):
        look.harness.execute(f"DROP TABLE IF EXISTS {name}")
        look.harness.execute(statement)
    look.harness.execute("INSERT INTO checkpoint VALUES (0)")
    values = ", ".join(f"({n}, '{synthetic_domain(n)}', {rank or 'NULL'})" for n in ids)
    look.harness.execute(f"INSERT INTO domains VALUES {values}")


def ranks_of_table(look):
    """Return what the table holds: {id: rank}."""
    return dict(look.harness.execute("SELECT id, alexa_rank FROM domains ORDER BY id"))


def reached(look):
    """Return (last id of the checkpoint, ids with a rank), as another connection sees them."""
    ((last_id,),) = look.harness.execute("SELECT MAX(last_id) FROM checkpoint")
    found = look.harness.execute("SELECT id FROM domains WHERE alexa_rank IS NOT NULL ORDER BY id")
    return last_id, [number for (number,) in found]


def rows_of(ids):
    return [(n, synthetic_domain(n)) for n in ids]


# 1: read a batch by key -----------------------------------------------------------------------------------------------


def _batches(read_batches, after, size, most, meanwhile=(), emptied=False):
    """In the learner's process: return the batches, and run statements after the first one on another connection.

    Whoever reads them empties each one where `emptied` is true.
    """
    with closing(seed.connect_to_prodev()) as connection:
        connection.autocommit = True  # as in the job, where a commit stands between two batches
        made = read_batches(connection.cursor(), after, size)
        kind = type(made).__name__
        batches = []
        if not hasattr(made, "__next__"):
            return kind, batches
        for batch in islice(made, most):
            if not batches and meanwhile:
                with closing(seed.connect_to_prodev()) as other, closing(other.cursor()) as cursor:
                    for statement in meanwhile:
                        cursor.execute(statement)
                    other.commit()
            batches.append(list(batch) if isinstance(batch, list) else batch)
            if emptied:
                batch.clear()
        made.close()
        return kind, batches


@exercise("06", server=True, title="read_batches(cursor, after, size)")
def read_batches(look):
    """Check read_batches(cursor, after, size): a generator of lists of (id, domain), read by key."""

    def batches(ids, after=0, size=SIZE, meanwhile=(), emptied=False):
        fill(look, ids)
        return look.run(_batches, after, size, len(ids) // size + 5, meanwhile, emptied)

    with look.asks("it is a generator of batches, lists of (id, domain)", must=True):
        kind, found = batches(range(1, ROWS - 4))
        if kind == "NoneType":
            look.fail("it gave None: is a yield missing?")
        if kind != "generator" and not found:
            look.fail(f"it gave a {kind}: is a yield missing?")
        if not found:
            look.fail("it gave no batch at all")
        if not (isinstance(found[0], list) and found[0][:1] == rows_of([1])):
            look.fail(f"the first batch is {str(found[0])[:60]}…, not [(1, 'site1.example'), …]")
    with look.asks("each batch has `size` rows, the last one the rest; then it ends", must=True,
                   why="A row that comes twice is done twice; one that never comes gets no rank."):  # fmt: skip
        _in_order(look, found, list(range(1, ROWS - 4)))
        lengths = [len(batch) for batch in found]
        look.equal(lengths, [SIZE] * 5 + [5], "the lengths of the batches of 55 rows")
    with look.asks("it starts after the id that it is given, and gives nothing after the last row"):
        _, found = batches(range(1, 31), after=12)
        _in_order(look, found, list(range(13, 31)))
        _, found = batches(range(1, 31), after=30)
        look.equal(found, [], "after the last id, it")
    with look.asks("no row is lost where ids are missing, a whole batch of them and more",
                   why="Rows are deleted in any table that lives: ids do not follow one another."):  # fmt: skip
        ids = [*range(1, 5), *range(41, 61)]
        _in_order(look, batches(ids, size=5)[1], ids, size=5)
    _asks_by_key(look, batches)
    with look.asks("a batch is its reader's: whoever empties it loses no row",
                   why="After a yield, the list belongs to somebody else."):  # fmt: skip
        ids = list(range(1, 31))
        _in_order(look, batches(ids, emptied=True)[1], ids)


def _in_order(look, found, wanted, size=SIZE):
    """Fail unless the batches hold the rows with the ids wanted, once each, in order."""
    ids = [row[0] for batch in found for row in batch]
    again = next((one for one, other in pairwise(sorted(ids)) if one == other), None)
    if again is not None:
        look.fail(f"row {again} came again" + (", and it did not end" if len(found) >= len(wanted) // size + 5 else ""))
    if missing := [number for number in wanted if number not in ids]:
        look.fail(f"{len(missing)} of {len(wanted)} rows did not come, the first of them with id {missing[0]}")
    if ids != wanted:
        look.fail(f"the ids were {ids[:12]}…: not the rows that are wanted, in the order of id")


def _asks_by_key(look, batches):
    with look.asks("each batch is a short query of its own, by key: whoever changes the table meanwhile does no harm",
                   why="The job is long. OFFSET counts rows anew each time, and one long query holds a connection "
                       "and an old view of the table.", must=True):  # fmt: skip
        _, found = batches(range(1, 41), meanwhile=("DELETE FROM domains WHERE id <= 5",))
        _in_order(look, found, list(range(1, 41)))
        reads = [query for query in look.harness.proxy.traffic.queries if query.bare.startswith(("SELECT", "WITH"))]
        reads = [query for query in reads if "DOMAINS" in query.bare]
        if len(reads) > 6:
            look.fail(f"{len(reads)} queries for 4 batches")
        if max(query.rows for query in reads) > SIZE:
            look.fail(f"one query sent {max(query.rows for query in reads)} rows, for batches of {SIZE}")
    with look.asks("the query says in which order: ORDER BY id"):
        if not all("ORDER BY" in query.bare for query in reads):
            look.fail("its query has no ORDER BY", 1)


# 2: look ranks up for a batch -----------------------------------------------------------------------------------------


def _looked_up(look_up, rows, ranks):
    """In the learner's process: return what look_up gives, and what it has asked the source."""
    asked = []

    def source(domains):
        asked.append(list(domains) if not isinstance(domains, str) else domains)
        return ranks[: len(ranks)]

    found = look_up(rows, source)
    return type(found).__name__, list(found) if hasattr(found, "__iter__") else found, asked


@exercise("06", title="look_up(rows, source)")
def look_up(look):
    """Check look_up(rows, source): a list of (id, rank) for a batch of (id, domain)."""
    rows, ranks = rows_of([3, 9, 4]), [70, None, 5]
    with look.asks("it asks the source once, for all domains of the batch", must=True,
                   why="One question about 1,000 domains is answered sooner than 1,000 questions."):  # fmt: skip
        kind, found, asked = look.run(_looked_up, rows, ranks)
        if found is None and not asked:
            look.fail("it gave None, and asked nothing: is a return missing?")
        if len(asked) != 1:
            look.fail(f"it asked the source {len(asked)} times for a batch of 3")
        look.equal(asked[0], [domain for _, domain in rows], "what the source was asked for")
    with look.asks("it gives a list of (id, rank), in the order of the rows", must=True):
        if kind != "list":
            look.fail("it gave None: is a return missing?" if kind == "NoneType" else f"it gave a {kind}")
        wanted = [(3, 70), (9, None), (4, 5)]
        if [tuple(pair) if isinstance(pair, list) else pair for pair in found] != wanted:
            look.fail(f"for the ranks {ranks} it gave {found}, not {wanted}")
    with look.asks("a source that gives too few ranks, or too many, is an error",
                   why="Where a rank is left out, those after it silently go to the wrong domains."):  # fmt: skip
        for given in (ranks[:2], [*ranks, 8]):
            answer, error = look.run(_looked_up, rows, given, errors=True)
            if error is None:
                look.fail(f"3 domains, {len(given)} ranks: it gave {answer[1]}")


# 3: write a batch with one statement ----------------------------------------------------------------------------------


def _written(write_ranks, pairs, commit):
    """In the learner's process: call write_ranks, and commit or not."""
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        write_ranks(cursor, pairs)
        connection.commit() if commit else connection.rollback()


@exercise("06", server=True, title="write_ranks(cursor, pairs)")
def write_ranks(look):
    """Check write_ranks(cursor, pairs): the ranks of a batch, with one statement."""
    pairs = [(n, None if n == 7 else NEW + n) for n in range(1, 41) if n % 5]
    with look.asks("each row gets its rank, and NULL where there is none", must=True):
        fill(look, range(1, ROWS + 1), rank=9)
        look.run(_written, pairs, True)
        found = ranks_of_table(look)
        wrong = [n for n, rank in pairs if n in found and found[n] != rank]
        if len(wrong) == len(pairs):
            look.fail("no rank was written")
        if wrong:
            n = wrong[0]
            look.fail(f"{len(wrong)} of {len(pairs)} rows are wrong: row {n} has {found[n]}, not {dict(pairs)[n]}")
    statements = [query for query in look.harness.proxy.traffic.queries if query.writes]
    with look.asks("rows that are not in the batch stay as they are"):
        others = {n: rank for n, rank in found.items() if n not in dict(pairs) and rank != 9}
        if others:
            look.fail(f"row {next(iter(others))} had the rank 9, and has {next(iter(others.values()))} now")
    with look.asks("a row that somebody has deleted meanwhile stays deleted",
                   why="INSERT … ON DUPLICATE KEY UPDATE brings it back, without a domain."):  # fmt: skip
        fill(look, [n for n in range(1, ROWS + 1) if n != 3], rank=9)
        look.run(_written, pairs, True)
        if 3 in ranks_of_table(look):
            look.fail("row 3 was deleted, and is there again")
    with look.asks("it takes one statement, however many rows",
                   why="Each statement is a message there and an answer back, and is parsed anew."):  # fmt: skip
        if len(statements) != 1:
            look.fail(f"{len(statements)} statements for {len(pairs)} rows")
    with look.asks("it does not commit: its caller says when",
                   why="The checkpoint must come into the same transaction."):  # fmt: skip
        fill(look, range(1, ROWS + 1), rank=9)
        look.run(_written, pairs, False)
        if set(ranks_of_table(look).values()) != {9}:
            look.fail("the caller's rollback() did not take the ranks back")


# 4: the checkpoint in the same transaction ----------------------------------------------------------------------------


def _write_two(write_batch, batches):
    """In the learner's process: write batches one after the other, each one closed by what write_batch does itself."""
    with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
        for pairs in batches:
            cursor.execute("SELECT last_id FROM checkpoint")  # the job reads by the same connection
            cursor.fetchall()
            write_batch(connection, pairs)


@exercise("06", server=True, title="write_batch(connection, pairs)")
def write_batch(look):
    """Check write_batch(connection, pairs): ranks and checkpoint in one transaction, committed."""
    ids = [list(range(1, SIZE + 1)), list(range(SIZE + 1, 2 * SIZE + 1))]
    fill(look, range(1, ROWS + 1))
    states = []  # (the statement that comes next, last id, ids with a rank): what a kill at that moment would leave

    def note(query):
        if query.bare.startswith(("UPDATE", "INSERT", "REPLACE", "DELETE", "COMMIT", "WITH")):
            states.append((query.bare.split()[0], *reached(look)))

    with look.asks("it writes by a connection that has read something, as the whole job's has", must=True,
                   why="Each statement begins a transaction where none is open, a SELECT too."):  # fmt: skip
        look.harness.proxy.on_query = note
        look.run(_write_two, [[(n, NEW) for n in batch] for batch in ids])
        look.harness.proxy.on_query = None
    with look.asks("after it, others see the ranks and the checkpoint at the batch's last id", must=True,
                   why="What is not committed is gone when the connection ends."):  # fmt: skip
        look.harness.proxy.end_all()
        last_id, ranked = reached(look)
        if not ranked and not last_id:
            look.fail("nothing of it is there: was it committed?" if states else "nothing was written")
        if not ranked:
            look.fail(f"the checkpoint says {last_id}, and no row has a rank")
        if last_id != 2 * SIZE:
            look.fail(f"the checkpoint says {last_id}, and the batch ended with {2 * SIZE}")
        look.equal(ranked, ids[0] + ids[1], "the ids with a rank are what it")
        if (rows := look.harness.execute("SELECT COUNT(*) FROM checkpoint")[0][0]) != 1:
            look.fail(f"the table checkpoint has {rows} rows now, not one")
    with look.asks("killed at any moment, it leaves the whole batch and its checkpoint, or neither of them",
                   why="Both must come with the same commit."):  # fmt: skip
        for statement, last_id, ranked in [*states, ("", *reached(look))]:
            done = ranked[-1] if ranked else 0
            if last_id == done == len(ranked) and done % SIZE == 0:
                continue
            when = f"killed before its {statement}, it leaves"
            if len(ranked) != done or done % SIZE:
                look.fail(f"{when} a part of a batch: {len(ranked) % SIZE} of {SIZE} rows have their rank")
            if last_id > done:
                look.fail(f"{when} the checkpoint at {last_id}: rows {done + 1} to {last_id} count as done and "
                          "never get a rank")  # fmt: skip
            look.fail(f"{when} rows {last_id + 1} to {done} written and not counted: they are done twice")


# 5: go on from the checkpoint -----------------------------------------------------------------------------------------


def _rank_all(rank_all, size):
    """In the learner's process: run the job with a source that notes what it is asked; return both."""
    asked = []

    def source(domains):
        asked.extend(int(domain.removeprefix("site").removesuffix(".example")) for domain in domains)
        return [7 for _ in domains]

    result = rank_all(source, size)
    return result, asked


@exercise("06", server=True, title="rank_all(source, size)")
def rank_all(look):
    """Check rank_all(source, size): the whole job, which goes on from its checkpoint; it returns the rows done."""
    everything = [*range(1, ROWS - 4)]
    with look.asks("every row gets its rank, and the checkpoint ends at the last id", must=True):
        fill(look, everything)
        done, asked = look.run(_rank_all, SIZE)
        last_id, ranked = reached(look)
        if missing := [number for number in everything if number not in ranked]:
            look.fail(f"{len(missing)} of {len(everything)} rows have no rank, the first of them with id {missing[0]}")
        if last_id != everything[-1]:
            look.fail(f"the checkpoint says {last_id}, and the last row has the id {everything[-1]}")
        if len(asked) != len(everything):
            look.fail(f"{len(asked)} domains were looked up for {len(everything)} rows")
    with look.asks("it returns how many rows it has done, and leaves no connection open"):
        if done is None:
            look.fail("it returned None: is a return missing?")
        look.equal(done, len(everything), "for 55 rows it")
        if look.harness.left_open():
            look.fail("its connection is still open 2 s later", 17)
    with look.asks("it goes on after the checkpoint: what is done is not done again", must=True,
                   why="A long job is stopped one day. It must not start at row 1 then."):  # fmt: skip
        fill(look, everything)
        look.harness.execute("UPDATE checkpoint SET last_id = 30")
        _, asked = look.run(_rank_all, SIZE)
        look.equal(sorted(asked), everything[30:], "with the checkpoint at 30, what it looked up")
        again, asked = look.run(_rank_all, SIZE)
        if asked:
            look.fail(f"all was done, and run once more it did {len(asked)} rows again")
        look.equal(again, 0, "with nothing left to do it")
    with look.asks("killed while it writes its third batch, it leaves two, and run again it does the rest",
                   why="That is what the checkpoint is for."):  # fmt: skip
        _killed_and_resumed(look, everything)


def killed_at_third_commit(look, job, *arguments):
    """Run a job whose connection is lost at its third commit; fail where it has fewer, or does not say so."""
    commits = []

    def lose(query):
        commits.append(query) if query.bare == "COMMIT" else None
        if len(commits) >= 3:
            raise EOFError  # the proxy ends the connection, as if the process were gone

    look.harness.proxy.on_query = lose
    _, error = look.run(job, *arguments, errors=True)
    look.harness.proxy.on_query = None
    look.harness.proxy.end_all()
    if len(commits) < 3:
        look.fail(f"{len(commits)} commits for 6 batches: until then, nothing of it would be left")
    if error is None:
        look.fail("the connection was lost, and it ended without an error")


def _killed_and_resumed(look, everything):
    """Fail unless the job, whose connection is lost at the third commit, leaves whole batches and then goes on."""
    fill(look, everything)
    killed_at_third_commit(look, _rank_all, SIZE)
    last_id, ranked = reached(look)
    if last_id != 2 * SIZE or ranked != everything[: 2 * SIZE]:
        look.fail(f"the checkpoint says {last_id}, and {len(ranked)} rows have a rank")
    look.run(_rank_all, SIZE)
    if reached(look) != (everything[-1], everything):
        look.fail("some rows never got a rank")
