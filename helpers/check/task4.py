"""Task 4: what is asked of stream_user_ages() and calculate_average_age()."""

import re

from helpers.check import outages, rules
from helpers.check.harness import MANY, PEOPLE
from helpers.check.words import difference, number, shortened, shown, told

AGES = [person[3] for person in PEOPLE]
AVERAGE = sum(AGES) / len(AGES)
BYTES_A_ROW = 4  # half of a list's reference to one age
BY_ZERO = ("ZeroDivisionError", "DivisionByZero", "DivisionUndefined", "InvalidOperation")

# stream_user_ages -----------------------------------------------------------------------------------------------------


def stream_user_ages(look):
    """Look at stream_user_ages()."""
    asked = "it gives every age, as a number"
    observed, left = rules.streamed(look, asked, limit=3 * len(PEOPLE) + 10)
    queries = observed["passed"].selects
    every_age(look, observed, asked)
    rules.anew(look, observed, thing="age")
    if observed["ended"]:
        rules.edges(look, "an empty table gives no age, one row gives one")
    slow = not few_queries(look, queries)
    rules.memory(look, things="ages", limit=100 if slow else MANY + 10)
    if look.from_step(2):
        rules.closing(look, left)
    if look.from_step(3):
        outages.errors(look, "stream", things="ages")
        if not slow:
            rules.ordered(look, queries, 14)


def every_age(look, observed, asked):
    """Look at the ages that came."""
    ages = observed["items"]
    strange = next((age for age in ages if isinstance(age, (tuple, list, dict, str)) or age is None), None)
    if strange is not None or None in ages:
        look.bad(asked, f"an age was {shown(strange)}", why="sum() and / need numbers.")
    elif not observed["ended"]:
        what = f"it had given {observed['count']} ages out of {len(AGES)}, and went on"
        look.bad(asked, what, why="The loop never ends.")
    elif look.step and (other := next((age for age in ages if type(age) is not int), None)) is not None:
        look.bad(asked, f"an age was {shown(other)}", why="An int is asked for: int(age). Its totals are exact.")
    elif fault := difference(map(number, ages), AGES, "ages"):
        look.bad(asked, fault, why="The average is over all users.")
    else:
        look.good(asked)


def few_queries(look, queries):
    """Look at how many queries the ages took; tell whether they are few."""
    asked = "it reads the table with few queries"
    if len(queries) >= len(PEOPLE):
        look.bad(asked, f"{len(AGES)} ages took {len(queries)} queries", 23)
        return False
    look.good(asked)
    return True


# calculate_average_age ------------------------------------------------------------------------------------------------


def calculate_average_age(look):
    """Look at calculate_average_age(). In a lesson it prints and returns the average; Task 4 asks for one of them."""
    asked = "the average that it prints or returns is right"
    observed = look.observe_call("people")
    rules.first_run(look, observed, asked)
    left, queries = look.harness.still_open(observed), observed["passed"].selects
    the_average(look, observed, asked)
    if look.step:
        printed_and_returned(look, observed)
    if look.from_step(2):
        empty_table(look)
    asked = "it averages what your generator gives"
    by_server = next((q for q in queries if re.search(r"\b(AVG|SUM) ?\(", q.bare)), None)
    if by_server:
        look.bad(asked, f"the server was sent: {shortened(by_server.text, 120)}",
                 why="Task 4 is to do without the server's AVG. Lesson 05 says when to use it.")  # fmt: skip
    else:
        look.good(asked)
    if not look.from_step(3):
        no_list(look)
        return
    slow = len(queries) >= len(PEOPLE)
    if slow:
        few_queries(look, queries)
    rules.ends(look, left)
    if not slow:
        outages.errors(look, "call", things="ages")
        no_list(look)


def the_average(look, observed, asked):
    """Look at the average that was said."""
    said = average_said(observed)
    if said is None:
        look.bad(asked, f"it printed {shown(observed['printed'])} and returned {shown(observed.get('value'))}",
                 why="Task 4 asks for \"Average age of users: …\".")  # fmt: skip
    elif abs(said - AVERAGE) > 0.06:
        cut = ": what follows the decimal point is gone" if said == int(AVERAGE) else ""
        years = f"{sum(AGES)} years of {len(AGES)} users make {AVERAGE:.2f}"
        look.bad(asked, f"it said {said:g}, where {years}{cut}", 24)
    else:
        look.good(asked)


def printed_and_returned(look, observed):
    """Look at how the average is given, as the lesson asks for it."""
    asked = 'it prints "Average age of users: …"'
    if re.search(r"Average age of users: *-?\d", observed["printed"]):
        look.good(asked)
    else:
        look.bad(asked, f"it printed {shown(observed['printed'])}", why="That is the line that Task 4 asks for.")
    asked = "it returns the average"
    try:
        right = abs(float(number(observed.get("value"))) - AVERAGE) <= 0.06
    except (TypeError, ValueError):
        right = False
    if right:
        look.good(asked)
    else:
        look.bad(asked, f"it returned {returned(observed)}, where {AVERAGE:.2f} is right",
                 why="Code can go on with what is returned, and not with what is printed.")  # fmt: skip


def returned(observed):
    """Show what a function returned."""
    value = observed.get("value")
    return value[2] if isinstance(value, tuple) and value[:1] == ("object",) else shown(value)


def refuses_nothing(look):
    """An average of nothing is a ValueError, as the lesson asks for it."""
    asked = "an empty table is a ValueError"
    empty = look.observe_call("none")
    error = empty["error"]
    if not error:
        look.bad(asked, f"on an empty table it returned {returned(empty)}",
                 why="Nothing has no average, and what is returned travels on as if it were one.")  # fmt: skip
    elif "builtins.ValueError" not in error["chain"][0]:
        look.bad(asked, f"on an empty table {told(error)}", 10 if error["type"] in BY_ZERO else None,
                 why="" if error["type"] in BY_ZERO else "A ValueError is asked for.",
                 more="the prediction above: what three ways give for an empty table")  # fmt: skip
    else:
        look.good(asked)


def empty_table(look):
    """An empty table is told of, and divides nothing by zero."""
    if look.step:
        refuses_nothing(look)
        return
    asked = "on an empty table it does not divide by zero"
    empty = look.observe_call("none")
    if empty["error"] and empty["error"]["type"] in BY_ZERO:
        look.bad(asked, f"on an empty table {told(empty['error'])}", 10)
    else:
        look.good(asked)
        if not empty["error"] and average_said(empty) == 0:
            look.note("on an empty table it says 0: there is no average then, and 0 looks like one")


def no_list(look):
    """Memory does not grow with the table: half of the rows take as much as all of them."""
    asked = "it holds a total and a count, not the ages"

    def with_numbers(function, count):
        names = getattr(function, "__globals__", {})
        streams = [name for name, value in names.items() if getattr(value, "__name__", "") == "stream_user_ages"]
        if not streams:
            return None
        before = {name: names[name] for name in streams}
        names.update(dict.fromkeys(streams, lambda: (n % 100 for n in range(count))))
        import tracemalloc

        tracemalloc.start()
        try:
            function()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            names.update(before)

    peaks, _ = look.run(lambda f, peak: [peak(f, n) for n in (100, 1000, 21_000)], with_numbers, errors=True)
    if peaks and None not in peaks:  # with a generator of the check's in the place of stream_user_ages
        if (peaks[2] - peaks[1]) / 20_000 > BYTES_A_ROW:
            look.bad(asked, "memory grew with the number of ages that stream_user_ages gave it",
                     why="A list of all ages grows with the table. A running total and a count do not.")  # fmt: skip
        else:
            look.good(asked)
        return
    whole = look.observe_call("many", trace=True)
    look.harness.execute("DELETE FROM user_data WHERE age > 50")
    half = look.watched("call", trace=True)
    if whole["error"] or half["error"]:
        look.bad(asked, f"on {MANY:,} rows {told(whole['error'] or half['error'])}",
                 why="It must work on a large table as on a small one.")  # fmt: skip
    elif (whole["traced"] - half["traced"]) / (MANY / 2) > BYTES_A_ROW:
        look.bad(asked, f"memory grew with the table: {MANY:,} rows took more than {MANY // 2:,}",
                 why="A list of all ages grows with the table. A running total and a count do not.")  # fmt: skip
    else:
        look.good(asked)


def average_said(observed):
    """Return the average (float) of the line that was printed about it, or that was returned; None without one."""
    printed = observed["printed"]
    lines = [re.findall(r"-?\d+(?:\.\d+)?", line) for line in printed.splitlines() if "average" in line.lower()]
    if any(lines):
        found = next(found for found in reversed(lines) if found)
        return min(map(float, found), key=lambda said: abs(said - AVERAGE))  # the number of users may stand beside it
    try:
        return float(number(observed.get("value")))
    except (TypeError, ValueError):
        found = re.findall(r"-?\d+(?:\.\d+)?", printed)
        return float(found[-1]) if found else None
