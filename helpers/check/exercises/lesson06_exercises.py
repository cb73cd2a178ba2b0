"""Lesson 06: the checks of its exercises."""

from helpers.check.exercises.lesson06 import SIZE, fill, killed_at_third_commit, ranks_of_table, reached
from helpers.check.look import exercise


@exercise("06", title="source_from(known)")
def source_from(look):
    """Check source_from(known): a rank source from a dict."""

    def ranks(source_from, known, domains):
        return source_from(dict(known))(domains)

    def untouched(source_from, known):
        given = dict(known)
        source_from(given)(["new.example"])
        return given == known

    known = {"a.example": 7, "b.example": 2}
    with look.asks("it gives a list with a rank for each domain, in their order", must=True):
        found = look.run(ranks, known, ["b.example", "a.example", "b.example"])
        look.equal(found, [2, 7, 2], "for b, a and b it")
    with look.asks("None stands in the place of a domain that has no rank", must=True,
                   why="Where it is left out, each rank after it goes to the domain before."):  # fmt: skip
        found = look.run(ranks, known, ["new.example", "a.example", "other.example", "b.example"])
        look.equal(found, [None, 7, None, 2], "for new, a, other and b it")
    with look.asks("an empty batch has no ranks, and the dict stays as it was"):
        look.equal(look.run(ranks, known, []), [], "for no domain it")
        if not look.run(untouched, known):
            look.fail("looking up a new domain has changed the dict")


TESTS = [3, 10, 18, 35, 36, 52]  # ids of names in .test: none in the third and the fifth batch, one that ends a batch


def _clear_tests(clear_tests, size):
    """In the learner's process: call it."""
    return clear_tests(size)


@exercise("06", server=True, title="clear_tests(size)")
def clear_tests(look):
    """Check clear_tests(size): ranks of names in .test become NULL, by batches with a checkpoint."""
    ids = list(range(1, 56))
    cleared = {number: None if number in TESTS else 9 for number in ids}

    def fill_anew():
        fill(look, ids, rank=9)
        for number in TESTS:
            look.harness.execute(f"UPDATE domains SET domain = 'site{number}.test' WHERE id = {number}")
        look.harness.execute("UPDATE domains SET domain = 'a.test.example' WHERE id = 20")  # .test is not its end

    def compare(when=""):
        found = ranks_of_table(look)
        if left := [number for number in TESTS if found.get(number) is not None]:
            look.fail(f"{when}row {left[0]}, a name in .test, still has a rank")
        if found != cleared:
            wrong = next(number for number in ids if found.get(number) != cleared[number])
            look.fail(f"{when}row {wrong} is not a name in .test, and has lost its rank")

    with look.asks("names in .test have no rank any more, all others keep theirs", must=True):
        fill_anew()
        done = look.run(_clear_tests, SIZE)
        compare()
    with look.asks("the checkpoint ends at the last row, and it returns how many names were cleared"):
        look.equal(reached(look)[0], 55, "the checkpoint of 55 rows")
        look.equal(done, len(TESTS), "for 6 such names it")
    with look.asks("it goes on after the checkpoint"):
        fill_anew()
        look.harness.execute("UPDATE checkpoint SET last_id = 30")
        look.run(_clear_tests, SIZE)
        found = ranks_of_table(look)
        look.equal([n for n in TESTS if found[n] is None], [35, 36, 52], "after 30, the rows cleared")
    with look.asks("killed at any moment, it leaves whole batches and their checkpoint; run again it does the rest",
                   why="Both must come with the same commit, also where nothing in a batch is cleared."):  # fmt: skip
        fill_anew()
        _leaves_whole_batches(look)
        fill_anew()
        killed_at_third_commit(look, _clear_tests, SIZE)
        look.run(_clear_tests, SIZE)
        compare("run again: ")


def _leaves_whole_batches(look):
    """Fail where a kill at some moment of clear_tests would leave rows and a checkpoint that do not fit."""
    states = []  # what a kill at that moment would leave

    def note(query):
        if query.bare.startswith(("UPDATE", "INSERT", "REPLACE", "DELETE", "COMMIT", "WITH")):
            found = ranks_of_table(look)
            states.append((query.bare.split()[0], reached(look)[0], [n for n in TESTS if found[n] is None]))

    look.harness.proxy.on_query = note
    look.run(_clear_tests, SIZE)
    look.harness.proxy.on_query = None
    for statement, last_id, found in states:
        if found != [number for number in TESTS if number <= last_id]:
            look.fail(f"killed before its {statement}, it leaves the checkpoint at {last_id}, and rows {found} cleared")


@exercise("06", title="next_size(size, seconds, target)")
def next_size(look):
    """Check next_size(size, seconds, target): how many rows the next batch should have."""

    def about(wanted, *given):
        found = look.call(*given)
        if type(found) not in (int, float) or abs(found - wanted) > 1:
            look.equal(found, wanted, f"next_size{given}")

    with look.asks("a batch that took as long as wanted stays as it is", must=True):
        about(1000, 1000, 0.5, 0.5)
    with look.asks("one that took too long becomes smaller at once, in proportion"):
        about(250, 1000, 2.0, 0.5)
        about(300, 900, 3.0, 1.0)
    with look.asks("one that was fast grows, at most to twice its size",
                   why="One quick batch proves little, and others wait for the next one."):  # fmt: skip
        about(1250, 1000, 0.4, 0.5)
        about(2000, 1000, 0.001, 0.5)
    with look.asks("it is an int, from 1 to 25,000", why="LIMIT wants an int; the largest batch is what takes memory."):
        look.equal(look.call(3, 60.0, 0.5), 1, "next_size(3, 60.0, 0.5)")
        look.equal(look.call(20_000, 0.1, 0.5), 25_000, "next_size(20000, 0.1, 0.5)")
        found = look.call(1000, 0.3, 0.5)
        if type(found) is not int:
            look.fail(f"next_size(1000, 0.3, 0.5) gave {found!r}, a {type(found).__name__}")
    with look.asks("a clock that has not moved is no error"):
        about(2000, 1000, 0.0, 0.5)
