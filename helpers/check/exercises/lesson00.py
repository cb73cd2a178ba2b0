"""Lesson 00: the checks of its functions. The probes below each check run in the learner's process."""

from helpers.check.look import exercise

KEPT_BYTES = 4  # a number that is kept takes at least 8: a reference in a list


@exercise("00")
def for_each(look):
    """Check for_each(values, do): calls do(value) for each value, without `for`."""
    asked = "it calls do(value) for each value, in order"
    with look.asks(asked, why="That is what a for loop does.", must=True):
        _equal_calls(look, ["a", "b", "c"], 'for_each("abc", do)')
    with look.asks("nothing is called where there are no values", why="A loop over an empty list is no error."):
        _equal_calls(look, [], "for_each([], do)")
    with look.asks("0, None and an empty string are values like any other",
                   why="Only StopIteration says that nothing is left."):  # fmt: skip
        _equal_calls(look, [0, None, "", 5], 'for_each([0, None, "", 5], do)')
    with look.asks("it takes a value only when the one before is done", why="Keeping all values takes memory for all."):
        look.equal(look.run(_order), ["1 made", "1 done", "2 made", "2 done"], "the order for two values")
    with look.asks("an error in do() comes out, as out of a for loop"):
        _errors_come_out(look)
    with look.asks("there is no `for` in it", why="You are the for loop: iter(), next() and while."):
        if look.run(_loops):
            look.fail("it has a `for`, and leaves the work to it")


def _equal_calls(look, values, what):
    found, endless = look.run(_calls, values)
    if endless:
        look.fail(f"{what} called do({found[0]!r}), do({found[1]!r}), do({found[2]!r}) … and did not end",
                  why="Each iter() starts at the first value. Call it once, before the loop.")  # fmt: skip
    look.equal(found, values, f"with {what}, do")


def _calls(for_each, values):
    class Enough(BaseException):
        pass

    seen = []

    def do(value):
        seen.append(value)
        if len(seen) > 20:
            raise Enough

    try:
        for_each(values, do)
    except Enough:
        return seen, True
    return seen, False


def _order(for_each):
    log = []

    def values():
        for number in (1, 2):
            log.append(f"{number} made")
            yield number

    for_each(values(), lambda number: log.append(f"{number} done"))
    return log


def _errors_come_out(look):
    for kind, why in {
        "ValueError": "Only StopIteration is to be caught: name it in the except.",
        "StopIteration": "Only next() belongs in the try. Then do() is outside it.",
    }.items():
        found = look.run(_what_comes_out, kind)
        if found != kind:
            ended = f"raised {found}" if found else "ended as if all were well"
            look.fail(f"do() raised {kind}, and for_each {ended}", why=why)


def _what_comes_out(for_each, kind):
    import builtins

    def do(value):
        raise getattr(builtins, kind)("of do()")

    try:
        for_each([1, 2, 3], do)
    except Exception as error:
        return type(error).__name__
    return None


def _loops(function):
    import dis

    def codes(code):
        yield code
        for constant in code.co_consts:
            if hasattr(constant, "co_code"):
                yield from codes(constant)

    return any(step.opname == "FOR_ITER" for code in codes(function.__code__) for step in dis.get_instructions(code))


@exercise("00", title="count_upto(max)")
def count_upto(look):
    """Check count_upto(max): yields 1, 2, … max.

    Steps: 1 the numbers, one by one; 2 also, without max, no end. Without: what its signature promises.
    """
    with look.asks("it counts from 1 to max", must=True, why="1 is the first number and max the last one."):
        if not look.run(_can_be_looped_over):
            look.gives_iterator(5)
        look.equal(look.items(5, most=20), [1, 2, 3, 4, 5], "count_upto(5)")
    with look.asks("up to 1 it gives 1, up to 0 nothing", why="Limits are where loops go wrong."):
        look.equal(look.items(1, most=20), [1], "count_upto(1)")
        look.equal(look.items(0, most=20), [], "count_upto(0)")
    asked = "it gives something that next() works on"
    with look.asks(asked, why="A list or a range keeps no place. A yield waits where it is."):
        look.gives_iterator(5)
    with look.asks("each call counts anew", why="Two loops must not share one count."):
        look.equal(look.items(5, most=20), [1, 2, 3, 4, 5], "another count_upto(5)")
    asked = "numbers come as you ask for them, and memory stays flat"
    with look.asks(asked, why="A generator makes a number when next() asks for it; a list must hold them all."):
        if look.bytes_each(_go_through) > KEPT_BYTES:
            look.fail("memory grew with max: all the numbers are kept")
    if look.step == 2 or look.step is None and look.run(_has_a_default):
        with look.asks("count_upto(), without max, has no end", why="Without max, there is nothing to compare with."):
            look.equal(look.items(most=1000), list(range(1, 1001)), "count_upto(), asked for 1,000 numbers,")


def _go_through(count_upto, count):
    for _ in count_upto(count):
        pass


def _can_be_looped_over(count_upto):
    return hasattr(count_upto(5), "__iter__")


def _has_a_default(count_upto):
    import inspect

    try:
        inspect.signature(count_upto).bind()
    except (TypeError, ValueError):
        return False
    return True


PEOPLE = [("Ada", "36"), ("Ben", "25"), ("Cleo", "9"), ("Dora", "101"), ("Emil", "26")]
ROWS = [{"name": name, "email": f"{name.lower()}@example.com", "age": age} for name, age in PEOPLE]


@exercise("00")
def names_over(look):
    """Check names_over(limit, people): yields the names of people older than limit."""
    with look.asks("it gives the names of those over the limit", must=True):
        _names(look, 25, ["Ada", "Dora", "Emil"])
    with look.asks("it works for another limit", why="limit is what the caller gives."):
        _names(look, 100, ["Dora"])
        _names(look, 101, [])
    with look.asks("it is a generator", why="A list holds all names before the first one is used."):
        look.gives_iterator(25, ROWS)
    with look.asks("it takes a person only when a name is asked for", why="The rest may never be wanted."):
        taken = look.run(_people_taken, ROWS)
        if taken > 1:
            look.fail(f"for its first name, Ada, it had taken {taken} people; Ada is the first")


def _names(look, limit, wanted):
    found, error = look.run(_names_or_error, limit, ROWS)
    what = f"names_over({limit}, people)"
    if error == "TypeError: '>' not supported between instances of 'str' and 'int'":
        look.fail(f"it raised {error}", why='A CSV file holds strings: int(person["age"]).')
    if error:
        look.fail(f"it raised {error}")
    if found is None:
        look.fail(f"{what} gave None: is a yield missing?")
    if found == ROWS[:1] or found and isinstance(found[0], dict):
        look.fail(f"{what} gave {found[0]!r}", why='The name alone is asked for: person["name"].')
    if "Ben" in found and "Ben" not in wanted and limit == 25:
        look.fail(f"{what} gave Ben, who is 25", why="Over 25 means 26 and more.")
    if "Cleo" in found or limit == 25 and "Dora" not in found and "Emil" in found:
        look.fail(f"{what} gave {found}. Cleo is 9, Dora 101",
                  why='Strings are compared letter by letter: "9" > "25". Compare int(person["age"]).')  # fmt: skip
    look.equal(found, wanted, what)


def _names_or_error(names_over, limit, rows):
    made = names_over(limit, (dict(row) for row in rows))
    if made is None:
        return None, None
    try:
        return list(made), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _people_taken(names_over, rows):
    taken = []
    names = names_over(25, (taken.append(1) or row for row in rows))
    next(iter(names))
    return len(taken)


@exercise("00")
def average(look):
    """Check average(numbers): the average of anything that can be gone through once."""
    with look.asks("it averages a list", must=True):
        look.equal(look.run(lambda average: average([20, 30, 40])), 30, "average([20, 30, 40])")
        look.equal(look.run(lambda average: average([1, 2])), 1.5, "average([1, 2])")
    asked = "it averages a generator"
    with look.asks(asked, why="A generator can be gone through once: then it is exhausted.", must=True):
        found, error = look.run(lambda average: average(n for n in (1, 2, 3, 4)), errors=True)
        if error == "ZeroDivisionError":
            look.fail("it divided by zero: the first loop took every number, so the second one counted none")
        if error == "TypeError":
            look.fail("it raised TypeError", why="A generator has no len() and no places. Count in your loop.")
        if error:
            look.fail(f"it raised {error}")
        look.equal(found, 2.5, "the average of a generator of 1, 2, 3, 4")
    with look.asks("it keeps a total and a count, not the numbers", why="A list of them all grows with the stream."):
        if look.bytes_each(lambda average, count: average(iter(range(count)))) > KEPT_BYTES:
            look.fail("memory grew with the numbers: there is a list, or a tee, in it")


@exercise("00")
def pairs(look):
    """Check pairs(values): yields the values two by two; a single one at the end is left out."""
    asked, why = "it gives the values two by two, and then ends", "The caller cannot tell the end from a fault."
    with look.asks(asked, why=why, must=True):
        _pairs(look, [1, 2, 3, 4], [(1, 2), (3, 4)])
        look.equal(look.run(_pairs_of_a_list), [(1, 2), (3, 4)], "pairs([1, 2, 3, 4])")
    with look.asks("a single value at the end is left out"):
        _pairs(look, [1, 2, 3], [(1, 2)])
        _pairs(look, [1], [])
        _pairs(look, [], [])
    with look.asks("0 and None are values like any other", why="Only StopIteration says that nothing is left."):
        _pairs(look, [0, None, None, 0], [(0, None), (None, 0)])
    with look.asks("it takes two values when a pair is asked for", why="A list of all values needs memory for all."):
        taken = look.pulled(list(range(20)), after=1)
        if taken > 3:
            look.fail(f"it had taken {taken} values before the first pair came out")
    with look.asks("an error in the values comes out", why="Catch StopIteration alone."):
        found = look.run(_pairs_of_a_source_that_fails)
        if found != "ValueError":
            look.fail("the values raised ValueError, and pairs " + (f"raised {found}" if found else "just ended"))


def _pairs(look, values, wanted):
    found, error = look.run(_pairs_of, values)
    if error:
        look.fail(f"pairs({values}) raised {error}")
    look.equal(found, wanted, f"pairs({values})")


def _pairs_of(pairs, values):
    from itertools import islice

    try:
        made = pairs(value for value in values)
        if made is None:
            return None, None
        return [tuple(pair) if isinstance(pair, list) else pair for pair in islice(made, 20)], None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _pairs_of_a_list(pairs):
    return [tuple(pair) for pair in pairs([1, 2, 3, 4])]


def _pairs_of_a_source_that_fails(pairs):
    def values():
        yield from (1, 2, 3)
        raise ValueError("of the values")

    try:
        list(pairs(values()))
    except Exception as error:
        return type(error).__name__
    return None


FILE = 'name,email,age\n"Lovelace, Ada",ada@example.com,36\nBen,ben@example.com,25\nCleo,cleo@example.com,101\n'
ADA = {"name": "Lovelace, Ada", "email": "ada@example.com", "age": 36}
CLEO = {"name": "Cleo", "email": "cleo@example.com", "age": 101}
A_PERSON = 40  # bytes: far below a dict of three, far above what a reader holds


@exercise("00")
def people_over(look):
    """Check people_over(limit, path): yields the people of a CSV file who are older than limit."""
    with look.asks("it gives those over the limit, each as a dict, the age an int", must=True):
        _people(look, 25, [ADA, CLEO])
    with look.asks("it works for another limit", why="limit is what the caller gives."):
        _people(look, 36, [CLEO])
    with look.asks("it is a generator", why="A list holds all people before the first one is used."):
        if not look.run(_is_iterator, FILE):
            look.fail("it gave something that next() does not work on")
    with look.asks("it holds one person at a time", why="A file may be larger than memory."):
        if look.bytes_each(_many_people) > A_PERSON:
            look.fail("memory grew with the file: is there a list of its people or lines in it?")
    with look.asks("its file is closed at the end, and when somebody closes it early", why="with open(…) does that."):
        for how in ("at the end", "after close()"):
            if not look.run(_closes, FILE, how):
                look.fail(f"{how}, the file was still open")
    with look.asks("a file that is not there is an error", why="No people and no file are not the same."):
        _, error = look.run(lambda people_over: list(people_over(25, "/no/such/file.csv")), errors=True)
        if error != "FileNotFoundError":
            look.fail(f"it raised {error}" if error else "it ended as if the file were empty")


def _people(look, limit, wanted):
    found, error = look.run(_people_of, FILE, limit)
    what = f"people_over({limit}, path)"
    if error and "closed file" in error:
        look.fail(f"it raised {error}", why="The file is closed when the with ends. Loop and yield inside it.")
    if error and "'str' and 'int'" in error:
        look.fail(f"it raised {error}", why='A CSV file holds strings: int(person["age"]).')
    if error:
        look.fail(f"it raised {error}")
    if found and not all(isinstance(person, dict) for person in found):
        look.fail(f"{what} gave {found[0]!r}", why="Each person is to be a dict: csv.DictReader makes them.")
    if found and any(type(person.get("age")) is not int for person in found):
        look.fail(f"an age was {found[0].get('age')!r}", why="Later code compares and adds ages: make it an int.")
    if found and limit in [person["age"] for person in found]:
        look.fail(f"{what} gave somebody who is {limit}", why=f"Over {limit} means {limit + 1} and more.")
    if found and any("Lovelace" in person["name"] and person["name"] != ADA["name"] for person in found):
        look.fail(f"a name was {found[0]['name']!r}, not {ADA['name']!r}",
                  why="A comma may stand inside a quoted name. The csv module knows that.")  # fmt: skip
    look.equal(found, wanted, what)


def _file(lines):
    """A context: the path (str) of a new file with these lines, which is removed at the end."""
    import contextlib
    import os
    import tempfile

    @contextlib.contextmanager
    def made():
        descriptor, path = tempfile.mkstemp(suffix=".csv")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
            yield path
        finally:
            os.remove(path)

    return made()


def _people_of(people_over, text, limit):
    with _file(text) as path:
        try:
            made = people_over(limit, path)
            return (None, None) if made is None else (list(made), None)
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"


def _is_iterator(people_over, text):
    with _file(text) as path:
        return hasattr(people_over(25, path), "__next__")


def _many_people(people_over, count):
    with _file(f"Ada,ada{n}@example.com,36\n" if n else "name,email,age\n" for n in range(count + 1)) as path:
        for _ in people_over(25, path):
            pass


def _closes(people_over, text, how):
    import builtins
    import io

    opened, real = [], io.open

    def recorded(*arguments, **options):
        opened.append(real(*arguments, **options))
        return opened[-1]

    with _file(text) as path:
        builtins.open = io.open = recorded
        try:
            made = people_over(25, path)
            if how == "at the end":
                list(made)
            else:
                next(made)
                made.close()
            return all(file.closed for file in opened)
        finally:
            builtins.open = io.open = real
            for file in opened:
                file.close()
