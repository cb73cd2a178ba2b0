"""Lesson 07: the checks of the five steps and of the exercises."""

from contextlib import closing

from helpers import seed
from helpers.check.exercises.lesson05 import same, summary_of
from helpers.check.harness import PEOPLE
from helpers.check.look import exercise
from helpers.domains.tables import TABLES

LARGE = (2**127, 2**128 - 1)  # keys as long as a UUID's: a float does not hold them
RANGES = [(number, number + 1) for number in range(12)]


# 1: cut ---------------------------------------------------------------------------------------------------------------


def _pairs(cut, low, high, pieces):
    from itertools import islice

    return [tuple(pair) for pair in islice(cut(low, high, pieces), pieces + 5)]


@exercise("07", title="cut(low, high, pieces)")
def cut(look):
    """Check cut(low, high, pieces): ranges (first, last) of whole numbers, together [low, high)."""
    with look.asks("it is a generator of pairs (first, last)", must=True):
        look.gives_iterator(0, 12, 3)
        look.equal(look.run(_pairs, 0, 12, 3), [(0, 4), (4, 8), (8, 12)], "cut(0, 12, 3)")
    with look.asks("together the ranges are [low, high): no gap, no overlap", must=True,
                   why="A gap is rows that nobody reads; where two ranges overlap, rows count twice."):  # fmt: skip
        for given in ((0, 10, 3), (5, 6, 1), (3, 103, 7)):
            _joined(look, given, look.run(_pairs, *given))
    with look.asks("the ranges are as even as can be: one key more at most",
                   why="The workers wait for the one that has the largest range."):  # fmt: skip
        for given in ((0, 11, 4), (3, 103, 7), (0, 19, 10)):
            sizes = [last - first for first, last in look.run(_pairs, *given)]
            if max(sizes) - min(sizes) > 1:
                look.fail(f"cut{given} gave ranges of {sizes} keys")
    with look.asks("it does so for keys as long as a UUID's", why="A float holds 53 bits of them: use // and not /."):
        found = look.run(_pairs, *LARGE, 3)
        _joined(look, (*LARGE, 3), found)
        if any(type(edge) is not int for pair in found for edge in pair):
            look.fail(f"an edge is a {type(found[-1][-1]).__name__}")
    with look.asks("fewer keys than pieces are no error: some ranges are empty"):
        _joined(look, (0, 2, 4), look.run(_pairs, 0, 2, 4))


def _joined(look, given, found):
    """Fail unless the ranges make up [low, high), in as many pieces as wanted."""
    low, high, pieces = given
    named = f"cut({', '.join(f'{n:,}' if n < 1000 else f'…{n % 1000:03}' for n in given)})"
    if len(found) != pieces:
        look.fail(f"{named} gave {'more than ' * (len(found) > pieces + 4)}{len(found)} ranges, not {pieces}")
    if found[0][0] != low:
        look.fail(f"{named} begins at {found[0][0]}, not at {low}")
    for (first, last), (after, _) in zip(found, found[1:], strict=False):
        if last != after or last < first:
            look.fail(f"{named}: after ({first}, {last}) comes a range from {after}")
    if (end := found[-1][1]) != high:
        keys = f"key {min(end, high)} is" if abs(high - end) == 1 else "the keys in between are"
        look.fail(f"{named} ends before {end}, not before {high}: {keys} {'lost' if end < high else 'too many'}")


# 2: the task ----------------------------------------------------------------------------------------------------------

EDGE = PEOPLE[3][0]  # a user_id that ends one range and begins the next


def _of_people(first, last):
    return summary_of([age for user_id, _, _, age in PEOPLE if first <= user_id < last])


@exercise("07", server=True, title="summary_of_range(first, last)")
def summary_of_range(look):
    """Check summary_of_range(first, last): (count, mean, squares) of the ages of one range of keys."""
    with look.asks("it returns count, mean and squares of all ages", must=True):
        look.harness.fill("people")
        _three(look, look.call("0", "g"), _of_people("0", "g"), 'summary_of_range("0", "g")')
    with look.asks("the first key belongs to the range, the last one does not", must=True,
                   why="Else a user at an edge counts twice, or never."):  # fmt: skip
        for first, last in (("0", EDGE), (EDGE, "g")):
            what = f"the range {'before' if first == '0' else 'from'} {EDGE[:8]}…"
            _three(look, look.call(first, last), _of_people(first, last), what)
    with look.asks("a range without users is no error"):
        _three(look, look.call("00", "00"), (0, 0.0, 0.0), 'summary_of_range("00", "00")')
    _travels_little(look)
    with look.asks("its connection is closed"):
        look.harness.fill("people")
        look.call("0", "g")
        if look.harness.left_open():
            look.fail("a connection was still open 2 s later", 17)
    with look.asks("memory stays flat: one pass, and no list", why="A range may hold millions of rows."):
        look.harness.fill("many")
        if look.bytes_each(_many_ages, 2_000, 10_000) > 16:
            look.fail("memory grew with the rows of the range: all of them are kept")


def _many_ages(summary_of_range, count):
    """In the learner's process: let it read the first `count` of the many users."""
    summary_of_range("0", f"00000000-0000-4000-8000-{count:012}")


def _three(look, found, wanted, what):
    if found is None:
        look.fail(f"{what} gave None: is a return missing?")
    if not isinstance(found, (tuple, list)) or len(found) != 3:
        shown = f"{len(found)} items" if hasattr(found, "__len__") else repr(found)[:60]
        look.fail(f"{what} gave {shown}, not (count, mean, squares)")
    if found[0] != wanted[0]:
        look.fail(f"{what} has {wanted[0]} users, and the count was {found[0]}")
    for name, one, other in zip(("mean", "squares"), found[1:], wanted[1:], strict=True):
        if not same([one], [other]):
            look.fail(f"{what} gave {name} {one:g}, not {other:g}")


def _travels_little(look):
    with look.asks("the server sends the ages of this range, and no more",
                   why="A row that is thrown away here was read, sent and decoded for nothing."):  # fmt: skip
        look.harness.fill("people")
        look.call(EDGE, "g")
        sent, wanted = look.harness.proxy.traffic.rows, _of_people(EDGE, "g")[0]
        if sent > wanted + 2:
            look.fail(f"{sent} rows were sent for a range of {wanted}")
        asked = [query for query in look.harness.proxy.traffic.selects if "USER_DATA" in query.bare]
        if len(asked) != 1:
            look.fail(f"{len(asked)} queries for one range")


# 3 and 4: answers as they come, a few in flight -----------------------------------------------------------------------


class _Watched:
    """A Dask client that notes the futures it has submitted, and how many of them were unfinished at most."""

    def __init__(self, client):
        self.client, self.submitted, self.unfinished = client, [], 0

    def submit(self, *arguments, **options):
        future = self.client.submit(*arguments, **options)
        self.submitted.append(future)
        self.unfinished = max(self.unfinished, sum(one.status == "pending" for one in self.submitted))
        return future

    def map(self, function, *arguments, **options):
        return [self.submit(function, *given, **options) for given in zip(*arguments, strict=False)]

    def __getattr__(self, name):
        return getattr(self.client, name)


def _probe(answers, ranges, at_most, slow=None, broken=None, again=False):
    """In the learner's process: run answers on a small cluster of threads; return what came and how it went."""
    import logging
    import os
    import time

    from distributed import Client

    os.environ.pop("GO_ON", None)

    def task(first, last):
        time.sleep(0.03)  # so that several are unfinished at one moment
        ran, still = None, 0
        while first == slow and "GO_ON" not in os.environ and still < (200 if ran != str(len(ranges) - 1) else 50):
            time.sleep(0.01)
            # The slow range gives its answer all the same: 2 s after another task has ended, 0.5 s after the last one
            ran, still = os.environ["TASKS_RUN"], still + 1 if os.environ["TASKS_RUN"] == ran else 0
        os.environ["TASKS_RUN"] = str(int(os.environ["TASKS_RUN"]) + 1)
        if first == broken:
            raise LookupError("the shard is down")
        return [first, last]

    local = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with Client(**local, silence_logs=logging.CRITICAL) as client:
        kept = []  # the futures of the first time: as long as they are held, Dask knows their answers
        for _ in range(1 + again):
            os.environ["TASKS_RUN"] = "0"
            watched, pulled = _Watched(client), []
            kept.append(watched)
            told = _came(answers(watched, task, (pulled.append(r) or r for r in ranges), at_most), watched, pulled)
            told["run"] = int(os.environ["TASKS_RUN"])
        return told


def _came(made, watched, pulled):
    """Take all answers of a generator; after 6 of them, let the slow task go on. Return what came, and when."""
    import os

    told = {"kind": type(made).__name__, "done": [], "error": "", "says": "", "pulled_first": 0}
    if hasattr(made, "__next__"):
        try:
            for answer in made:
                told["done"].append(answer if isinstance(answer, list) else f"a {type(answer).__name__}")
                if len(told["done"]) == 1:
                    told["pulled_first"] = len(pulled)
                if len(told["done"]) == 6:
                    os.environ["GO_ON"] = "yes"
        except Exception as error:
            told["error"], told["says"] = type(error).__name__, str(error)[:80]
    return told | {"submitted": len(watched.submitted), "unfinished": watched.unfinished}


@exercise("07", title="answers(client, task, ranges, at_most)")
def answers(look):
    """Check answers(client, task, ranges, at_most).

    Steps: 1 each answer as it comes, and errors come out; 2 at most so many tasks are unfinished.
    """
    with look.asks("it is a generator of the answers, one for each range", must=True):
        told = look.run(_probe, RANGES, 4)
        _is_generator(look, told)
        if told["done"] and not isinstance(told["done"][0], list):
            look.fail(f"it gave {told['done'][0]}, not the answer: future.result()")
        if sorted(told["done"]) != [list(r) for r in RANGES]:
            look.fail(f"{len(told['done'])} answers came for {len(RANGES)} ranges")
    with look.asks("an answer that is there comes at once: nobody waits for the first range", must=True,
                   why="One slow range would hold back all answers behind it."):  # fmt: skip
        slow = look.run(_probe, RANGES, 4, 0)
        if slow["done"][0] == [0, 1]:
            look.fail("the first range was slow, and its answer came first all the same")
    with look.asks("a task that failed raises its error here",
                   why="Where it is passed over, the sum is too small and looks right."):  # fmt: skip
        broken = look.run(_probe, RANGES, 4, None, 7)
        if broken["error"] != "LookupError":
            look.fail(f"the task of one range raised LookupError, and {broken['error'] or 'nothing'} came out")
    if look.from_step(2):
        _few_at_a_time(look, told, slow)


def _is_generator(look, told):
    if told["kind"] == "NoneType":
        look.fail("it gave None: is a yield missing?")
    if told["kind"] != "generator" and not told["done"]:
        look.fail(f"it gave a {told['kind']}: is a yield missing?")
    if told["error"]:
        after = f"after {len(told['done'])} of {len(RANGES)} answers"
        look.fail(f"{told['error']} came out of it {after}: {told['says']}")
    if not told["submitted"]:
        look.fail("it submitted nothing: client.submit(task, *r, pure=False)")


def _few_at_a_time(look, told, slow):
    with look.asks("at most `at_most` tasks are unfinished", why="What waits takes the scheduler's memory."):
        if slow["unfinished"] > 4:
            look.fail(f"with at_most=4, {slow['unfinished']} tasks were unfinished at one moment")
    with look.asks("it takes a range from the generator when there is room for it",
                   why="A list of all ranges is what a generator was to save."):  # fmt: skip
        if told["pulled_first"] > 6:
            look.fail(f"with at_most=4, it had taken {told['pulled_first']} of 12 ranges when the first answer came")
    with look.asks("it uses the room: while the first range is slow, the others go on"):
        if slow["unfinished"] < 3:
            look.fail(f"with at_most=4, {slow['unfinished']} tasks were unfinished at most")
        if (before := slow["done"].index([0, 1])) < 5:
            look.fail(f"{before} answers came while the first range was slow, and then it waited for that one")
    with look.asks("no ranges, or fewer than `at_most`, are no error"):
        for ranges in (RANGES[:2], []):
            few = look.run(_probe, ranges, 4)
            if few["error"] or sorted(few["done"]) != [list(r) for r in ranges]:
                error = few["error"] and f" and {few['error']}"
                look.fail(f"{len(ranges)} ranges gave {len(few['done'])} answers{error}")
    with look.asks("asked again, each task runs again", why="Without pure=False, Dask gives the old answer."):
        ran = look.run(_probe, RANGES[:3], 4, None, None, True)["run"]
        if ran != 3:
            look.fail(f"the second time, {ran} of 3 tasks ran: the answers were the old ones")


# 5: merge as they come ------------------------------------------------------------------------------------------------

AGES = ([30, 41, 12], [35, 99], [7, 7, 54, 23], [])


def _so_far(merged, parts):
    from itertools import islice

    return [list(one) if isinstance(one, tuple) else one for one in islice(merged(iter(parts)), len(parts) + 3)]


def _go_through(merged, count):
    for _ in merged((1, 30.0, 0.0) for _ in range(count)):
        pass


@exercise("07", title="merged(parts)")
def merged(look):
    """Check merged(parts): yields the summary of all parts so far, after each part."""
    parts, ages = [summary_of(part) for part in AGES], []
    with look.asks("it is a generator that gives a summary after each part", must=True):
        look.gives_iterator(parts)
        found = look.run(_so_far, parts)
        if len(found) != len(parts):
            look.fail(f"{len(parts)} parts gave {len(found)} summaries")
        if not all(isinstance(one, list) and len(one) == 3 for one in found):
            look.fail(f"it gave {str(found[0])[:60]}, not (count, mean, squares)")
    with look.asks("each is the summary of all ages so far", must=True):
        for number, (part, one) in enumerate(zip(AGES, found, strict=True), start=1):
            ages += part
            for name, got, wanted in zip(("count", "mean", "squares"), one, summary_of(ages), strict=True):
                if not same([got], [wanted]):
                    look.fail(f"after {number} parts the {name} was {got:g}, not {wanted:g}")
    with look.asks("no parts give no summary, and no error"):
        look.equal(look.run(_so_far, []), [], "merged([])")
    with look.asks("it takes a part when a summary is asked for", why="The parts come over hours."):
        if (taken := look.pulled(parts, after=1)) > 1:
            look.fail(f"it had taken {taken} parts before the first summary came out")
    with look.asks("it keeps one summary, not the parts", why="A list of them grows with the ranges."):
        if look.bytes_each(_go_through) > 8:
            look.fail("memory grew with the parts: all of them are kept")


# The exercises --------------------------------------------------------------------------------------------------------


@exercise("07", server=True, title="count_range(first, last)")
def count_range(look):
    """Check count_range(first, last): how many domains have an id in [first, last)."""
    look.harness.execute("DROP TABLE IF EXISTS domains")
    look.harness.execute(TABLES["domains"])
    values = ", ".join(f"({n}, 'site{n}.example', NULL)" for n in range(1, 1001))
    look.harness.execute(f"INSERT INTO domains VALUES {values}")
    with look.asks("the counts of all ranges add up to the table", must=True,
                   why="An id at an edge counts in one range alone."):  # fmt: skip
        counts = [look.call(first, first + 250) for first in range(1, 1001, 250)]
        if any(type(count) is not int for count in counts):
            look.fail(f"count_range(1, 251) gave {counts[0]!r}, not a number")
        if sum(counts) != 1000:
            look.fail(f"four ranges of a table of 1,000 domains have {counts}: {sum(counts):,} together")
    with look.asks("the first id belongs to the range, the last one does not"):
        look.equal(look.call(10, 11), 1, "count_range(10, 11)")
        look.equal(look.call(1, 3), 2, "count_range(1, 3)")
        look.equal(look.call(1000, 1001), 1, "count_range(1000, 1001)")
    with look.asks("a range may be empty"):
        look.equal(look.call(7, 7), 0, "count_range(7, 7)")
        look.equal(look.call(5000, 6000), 0, "count_range(5000, 6000)")
    with look.asks("the server counts: no id travels"):
        look.harness.proxy.reset()
        look.call(1, 1001)
        sent = sum(query.rows for query in look.harness.proxy.traffic.queries)
        if sent > 5:
            look.fail(f"{sent:,} rows were sent")
    with look.asks("ids with holes between them are counted, not computed"):
        with closing(seed.connect_db()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f"DELETE FROM `{look.harness.database}`.domains WHERE id BETWEEN 100 AND 149")
            connection.commit()
        look.equal(look.call(90, 160), 20, "of the ids 90 to 159 without 100 to 149, count_range(90, 160)")


def _checked(checked, parts, rows):
    came = []
    try:
        for part in checked(iter(parts), rows):
            came.append(part)
    except Exception as error:
        return came, type(error).__name__
    return came, None


@exercise("07", title="checked(parts, rows)")
def checked(look):
    """Check checked(parts, rows): hands parts on, and raises ValueError at the end unless they count `rows`."""
    parts = [(3, 20.0, 2.0), (0, 0.0, 0.0), (4, 30.0, 8.0)]
    with look.asks("it is a generator that hands every part on, as it is", must=True):
        look.gives_iterator(parts, 7)
        came, error = look.run(_checked, parts, 7)
        if error:
            look.fail(f"all 7 rows were there, and {error} was raised")
        look.equal([tuple(part) for part in came], parts, "parts of 3, 0 and 4 rows, of 7,")
    with look.asks("rows that are missing are a ValueError, and rows that come twice too", must=True,
                   why="The mean of the others looks nearly right."):  # fmt: skip
        for given, what in ((parts[1:], "3 of 7 rows were missing"), ([*parts, parts[0]], "3 rows came twice"),
                            ([], "no part came at all")):  # fmt: skip
            _, error = look.run(_checked, given, 7)
            if error != "ValueError":
                look.fail(f"{what}, and it raised {error or 'nothing'}")
    with look.asks("it raises at the end: until then each part is handed on"):
        came, _ = look.run(_checked, parts[1:], 7)
        look.equal(len(came), 2, "before the error the number of parts it")
    with look.asks("it takes a part when one is asked for"):
        if (taken := look.pulled(parts, 7, after=1)) > 1:
            look.fail(f"it had taken {taken} parts before the first came out")
    with look.asks("an empty table has no rows, and that is right"):
        look.equal(look.run(_checked, [], 0), ([], None), "no part, of 0 rows,")
    with look.asks("it keeps a total, not the parts"):
        if look.bytes_each(_go_through_checked) > 8:
            look.fail("memory grew with the parts: all of them are kept")


def _go_through_checked(checked, count):
    for _ in checked(((1, 30.0, 0.0) for _ in range(count)), count):
        pass
