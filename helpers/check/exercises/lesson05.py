"""Lesson 05: the checks of its functions. The probes below each check run in the learner's process."""

import math
from statistics import fmean

from helpers.check.look import exercise

KEPT_BYTES = 4  # a number that is kept takes at least 8: a reference in a list
AGES = [30, 41, 12, 35, 7, 88, 30]
PARTS = ([30, 41, 12], [35, 7, 88, 30])


def summary_of(values):
    """Return (count, mean, squares) by the definition, in as many passes as it takes."""
    mean = fmean(values) if values else 0.0
    return len(values), mean, sum((value - mean) ** 2 for value in values)


def same(found, wanted):
    """Tell whether numbers are the same but for rounding."""
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(found, wanted, strict=True))


def _three_numbers(look, found, what):
    if found is None:
        look.fail(f"{what} gave None: is a return missing?")
    if not isinstance(found, (tuple, list)) or len(found) != 3:
        look.fail(f"{what} gave {found!r}", why="Three numbers are asked for: count, mean, squares.")


@exercise("05", title="summary(values)")
def summary(look):
    """Check summary(values): (count, mean, squares) of numbers in one pass."""
    with look.asks("it gives count, mean and squares", must=True):
        for values in ([2, 4], AGES):
            _equal_summary(look, values, look.run(_summary_in_one_pass, values))
    with look.asks("one value has no spread, and no values are no error"):
        _equal_summary(look, [7], look.run(_summary_in_one_pass, [7]))
        look.equal(list(look.run(_summary_in_one_pass, [])), [0, 0.0, 0.0], "summary([])")
    with look.asks("it is right for large numbers that differ little",
                   why="Squares of large numbers lose the digits that matter."):  # fmt: skip
        far = [60_000_000_000 + age for age in AGES]
        found, wanted = look.run(_summary_in_one_pass, far), summary_of(AGES)
        if not math.isclose(found[2], wanted[2], rel_tol=1e-3):
            look.fail(f"of ages moved by 60,000,000,000 the squares were {found[2]:,.0f}, not {wanted[2]:,.0f}")
    with look.asks("it keeps three numbers, not the values", why="A list of them all grows with the stream."):
        if look.bytes_each(lambda summary, count: summary(iter(range(count)))) > KEPT_BYTES:
            look.fail("memory grew with the values: all of them are kept")


def _summary_in_one_pass(summary, values):
    return summary(value for value in values)


def _equal_summary(look, values, found):
    what = f"summary({values})"
    _three_numbers(look, found, what)
    wanted = summary_of(values)
    for name, one, other in zip(("count", "mean", "squares"), found, wanted, strict=True):
        if not same([one], [other]):
            by_hand = f": {' + '.join(f'({v} - {wanted[1]:g})²' for v in values)}" if len(values) == 2 else ""
            look.fail(f"{what} gave {name} {one:g}, not {other:g}{by_hand if name == 'squares' else ''}")


@exercise("05", title="merge(one, other)")
def merge(look):
    """Check merge(one, other): the summary of two parts, from their summaries."""
    with look.asks("the merged count is that of both parts", must=True):
        found = _merged(look, *PARTS)
        if not same(found[:1], [7]):
            look.fail(f"parts of 3 and 4 values gave a count of {found[0]}")
    with look.asks("the merged mean is that of all values"):
        for parts in (PARTS, ([1], [2, 3, 4, 5, 6])):
            found, wanted = _merged(look, *parts), summary_of(parts[0] + parts[1])
            if not same(found[1:2], wanted[1:2]):
                half = (fmean(parts[0]) + fmean(parts[1])) / 2
                why = "The mean of two means is right for parts of one size only." if same([found[1]], [half]) else ""
                look.fail(f"{parts[0]} and {parts[1]} gave a mean of {found[1]:g}, not {wanted[1]:g}", why=why)
    with look.asks("the merged squares are those of all values"):
        for parts in (PARTS, ([1, 1, 1], [9, 9])):
            found, wanted = _merged(look, *parts), summary_of(parts[0] + parts[1])
            if not same(found[2:], wanted[2:]):
                look.fail(f"{parts[0]} and {parts[1]} gave squares of {found[2]:g}, not {wanted[2]:g}",
                          why="Two parts that lie apart spread more than each of them: far counts too.")  # fmt: skip
    with look.asks("a part may be empty, or both", why="A part of the table may hold no user."):
        for parts in ((PARTS[0], []), ([], PARTS[0]), ([], [])):
            found, wanted = _merged(look, *parts), summary_of(parts[0] + parts[1])
            if not same(found, wanted):
                look.fail(f"{parts[0]} and {parts[1]} gave {tuple(found)}, not {wanted}")


def _merged(look, first, second):
    found = look.call(summary_of(first), summary_of(second))
    _three_numbers(look, found, f"merging the summaries of {first} and {second}")
    return found


@exercise("05", title="running_average(ages)")
def running_average(look):
    """Check running_average(ages): yields the average so far after each age."""
    with look.asks("it gives the average so far, after each age", must=True):
        look.equal(look.run(_averages, [20, 40, 30, 50]), [20, 30, 30, 35], "running_average([20, 40, 30, 50])")
        look.equal(look.run(_averages, [1, 2]), [1, 1.5], "running_average([1, 2])")
    with look.asks("no ages give no average, and no error"):
        look.equal(look.run(_averages, []), [], "running_average([])")
    with look.asks("it takes an age when an average is asked for", why="So it works on a stream without an end."):
        if (taken := look.pulled(AGES, after=1)) > 1:
            look.fail(f"it had taken {taken} ages before the first average came out")
    with look.asks("it keeps a total and a count, not the ages", why="A list of them all grows with the stream."):
        if look.bytes_each(_go_through) > KEPT_BYTES:
            look.fail("memory grew with the ages: all of them are kept")


def _averages(running_average, ages):
    from itertools import islice

    made = running_average(age for age in ages)
    return None if made is None else list(islice(made, 20))


def _go_through(running_average, count):
    for _ in running_average(iter(range(count))):
        pass


ONE, OTHER = {20: (2, 24.5, 0.5), 30: (1, 31.0, 0.0)}, {0: (2, 3.5, 24.5), 20: (3, 26.0, 14.0)}


@exercise("05", title="merge_decades(one, other)")
def merge_decades(look):
    """Check merge_decades(one, other): {decade: summary} of two parts, from those of each part."""
    with look.asks("it gives a dict with the decades of both parts", must=True):
        found = _decades_merged(look, ONE, OTHER)
        if {*found} != {0, 20, 30}:
            look.fail(f"of decades 20, 30 and 0, 20 it has {', '.join(map(str, sorted(found)))}")
    with look.asks("a decade of one part only keeps its summary"):
        for decade, wanted in ((30, ONE[30]), (0, OTHER[0])):
            _equal_decade(look, found, decade, wanted)
    with look.asks("a decade of both parts has the summary of both together", why="That is what merge is for."):
        _equal_decade(look, found, 20, summary_of([24, 25, 24, 25, 29]))
    with look.asks("a part may be empty, or both"):
        for parts in (({}, OTHER), (ONE, {}), ({}, {})):
            found = _decades_merged(look, *parts)
            if {*found} != {*parts[0], *parts[1]}:
                look.fail(f"{parts[0]} and {parts[1]} gave {found}")
    with look.asks("the two dicts that it is given stay as they are",
                   why="Whoever passed them may go on with them, and merge them again."):  # fmt: skip
        if not look.run(_decades_untouched, ONE, OTHER):
            look.fail("one of them has changed")


def _decades_merged(look, one, other):
    found = look.call(dict(one), dict(other))
    if found is None:
        look.fail("it gave None: is a return missing?")
    if not isinstance(found, dict):
        look.fail(f"it gave a {type(found).__name__}: {found!r}"[:90])
    return found


def _decades_untouched(merge_decades, one, other):
    given = dict(one), dict(other)
    merge_decades(*given)
    return given == (one, other)


def _equal_decade(look, found, decade, wanted):
    _three_numbers(look, found[decade], f"decade {decade}")
    if not same(found[decade], wanted):
        look.fail(f"decade {decade} has {tuple(found[decade])}, not {wanted}")


DECADES = [25, 24, 31, 7, 29, 100, 20, 0]
BY_DECADE = {0: 3.5, 20: 24.5, 30: 31, 100: 100}


@exercise("05", title="average_by_decade(ages)")
def average_by_decade(look):
    """Check average_by_decade(ages): a dict of decade to average age, in one pass."""
    with look.asks("it gives a dict with the decades that occur", must=True):
        found = look.run(_decades, DECADES)
        if found is None:
            look.fail("it gave None: is a return missing?")
        if not isinstance(found, dict):
            look.fail(f"it gave a {type(found).__name__}: {found!r}"[:90])
        if {*found} != {*BY_DECADE}:
            look.fail(f"of {DECADES} the keys were {sorted(found)}, not {sorted(BY_DECADE)}",
                      why="The decade of an age is age // 10 * 10.")  # fmt: skip
    with look.asks("each average is that of the ages in its decade"):
        for decade, wanted in BY_DECADE.items():
            if not isinstance(found[decade], (int, float)) or not same([found[decade]], [wanted]):
                ages = [age for age in DECADES if age // 10 * 10 == decade]
                look.fail(f"of {ages} the average was {found[decade]!r}, not {wanted:g}")
    with look.asks("no ages give an empty dict"):
        look.equal(look.run(_decades, []), {}, "average_by_decade([])")
    with look.asks("it keeps totals and counts, not the ages", why="Lists of them all grow with the stream."):
        if look.bytes_each(_many_ages) > KEPT_BYTES:
            look.fail("memory grew with the ages: all of them are kept")


def _decades(average_by_decade, ages):
    found = average_by_decade(age for age in ages)
    return dict(found) if isinstance(found, dict) else found


def _many_ages(average_by_decade, count):
    average_by_decade(number % 120 for number in range(count))
