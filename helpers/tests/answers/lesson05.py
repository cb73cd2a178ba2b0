"""Lesson 05: what learners answer."""

from answers import Turn

STREAM = "def stream_user_ages():\n"
CURSOR = "    with streaming(AGES) as cursor:\n"
AVERAGE = "def calculate_average_age():\n"
LOOP = "    total = count = 0\n    for age in stream_user_ages():\n        total += age\n        count += 1\n"
EMPTY = "    if not count:\n        raise ValueError('no users, no average')\n"
PRINT = "    print(f'Average age of users: {average}')\n"
SUMMARY = "def summary(values):\n    count, mean, squares = 0, 0.0, 0.0\n"
MERGE = "def merge(one, other):\n    n, a, s = one\n    m, b, t = other\n"
RUNNING = "def running_average(ages):\n"
DECADE = "def average_by_decade(ages):\n"
DECADES = "def merge_decades(one, other):\n"

EACH_AGE = Turn(
    "stream_user_ages",
    step=1,
    right=[
        STREAM + CURSOR + "        for (age,) in cursor:\n            yield int(age)",
        STREAM + CURSOR + "        while rows := cursor.fetchmany(1000):\n            for row in rows:\n                yield int(row[0])",
        STREAM + CURSOR + "        while (row := cursor.fetchone()) is not None:\n            yield int(row[0])",
        STREAM + CURSOR + "        yield from (int(age) for age, in cursor)",
        """
from contextlib import closing
from helpers.seed import connect_to_prodev

def stream_user_ages():
    with closing(connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT age FROM user_data")
        for row in cursor:
            yield int(row["age"])
""",
    ],
    wrong=[
        (STREAM + "    ...", "not written yet"),
        (STREAM + CURSOR + "        for row in cursor.fetchall():\n            yield row", "an age was (Decimal('"),
        (STREAM + CURSOR + "        for row in cursor:\n            yield row", "an age was (Decimal('"),
        (STREAM + CURSOR + "        for (age,) in cursor:\n            yield age", "an age was Decimal('"),
        (STREAM + CURSOR + "        for (age,) in cursor:\n            yield float(age)", "an age was "),
        (STREAM + CURSOR + "        for (age,) in cursor.fetchall():\n            yield int(age)", "had come from the server before your first one came out"),
        (STREAM + CURSOR + "        ages = [int(age) for (age,) in cursor]\n    for age in ages:\n        yield age",
         "had come from the server before your first one came out"),
        (STREAM + CURSOR + "        return [int(age) for (age,) in cursor]", "had come from the server before your first one came out"),
        (STREAM + CURSOR + "        return (int(age) for (age,) in cursor)", "its connection was closed before the first next()"),
        (STREAM + CURSOR + "        for (age,) in cursor:\n            return int(age)", "it gave a value of type int"),
        (STREAM + CURSOR + "        yield int(cursor.fetchone()[0])", "✘ it gives every age"),
        (STREAM + CURSOR + "        for row in cursor:\n            yield row['age']", "it raised TypeError"),
        (STREAM + CURSOR + "        for (age,) in cursor:\n            print(int(age))", "it gave None"),
        (STREAM + """    offset = 0
    while rows := databases.ask("SELECT age FROM user_data ORDER BY user_id LIMIT 1 OFFSET %s", offset):
        yield int(rows[0][0])
        offset += 1
""", "ages took"),
    ],
)  # fmt: skip

TOTAL_AND_COUNT = Turn(
    "calculate_average_age",
    step=1,
    right=[
        AVERAGE + LOOP + "    average = total / count\n" + PRINT + "    return average",
        AVERAGE + "    total = 0\n    for count, age in enumerate(stream_user_ages(), start=1):\n        total += age\n"
        "    print('Average age of users:', total / count)\n    return total / count",
        AVERAGE + "    average = fmean(stream_user_ages())\n" + PRINT + "    return average",
        AVERAGE + LOOP + "    if count == 0:\n        raise ValueError('no users')\n    average = round(total / count, 2)\n" + PRINT
        + "    return average",
    ],
    wrong=[
        (AVERAGE + "    ...", "not written yet"),
        (AVERAGE + LOOP + "    average = total // count\n" + PRINT + "    return average", "what follows the decimal point is gone"),
        (AVERAGE + "    total = 0\n    for number, age in enumerate(stream_user_ages()):\n        total += age\n"
         "    average = total / number\n" + PRINT + "    return average", "it said"),
        (AVERAGE + "    ages = stream_user_ages()\n    average = sum(ages) / sum(1 for age in ages)\n" + PRINT + "    return average",
         "ZeroDivisionError"),
        (AVERAGE + "    ages = list(stream_user_ages())\n    average = sum(ages) / len(ages)\n" + PRINT + "    return average",
         "✘ it holds a total and a count, not the ages"),
        (AVERAGE + "    average = float(databases.ask('SELECT AVG(age) FROM user_data')[0][0])\n" + PRINT + "    return average",
         "the server was sent: SELECT AVG(age) FROM user_data"),
        (AVERAGE + LOOP + "    average = total / count\n" + PRINT, "✘ it returns the average"),
        (AVERAGE + LOOP + "    return total / count", "✘ it prints"),
        (AVERAGE + LOOP + "    average = total / count\n    print(average)\n    return average", "✘ it prints"),
        (AVERAGE + "    ages = stream_user_ages()\n    average = sum(ages) / len(ages)\n" + PRINT + "    return average", "has no len()"),
        (AVERAGE + "    total = count = 0\n    for age in stream_user_ages():\n        total += age\n        count += 1\n"
         "        average = total / count\n        print(f'Average age of users: {average}')\n        return average", "it said"),
        (AVERAGE + LOOP.replace("        count += 1\n", "    count += 1\n") + "    average = total / count\n" + PRINT + "    return average",
         "it said"),
    ],
)  # fmt: skip

NOTHING = Turn(
    "calculate_average_age",
    step=2,
    right=[
        AVERAGE + LOOP + EMPTY + "    average = total / count\n" + PRINT + "    return average",
        AVERAGE + LOOP + "    try:\n        average = total / count\n    except ZeroDivisionError:\n"
        "        raise ValueError('the table is empty') from None\n" + PRINT + "    return average",
        AVERAGE + "    count = total = 0\n    for count, age in enumerate(stream_user_ages(), start=1):\n        total += age\n"
        "    if count == 0:\n        raise ValueError('the table is empty')\n    average = total / count\n" + PRINT + "    return average",
        AVERAGE + "    average = fmean(stream_user_ages())\n" + PRINT + "    return average",  # StatisticsError is a ValueError
    ],
    wrong=[
        (AVERAGE + LOOP + "    average = total / count\n" + PRINT + "    return average", "it raised ZeroDivisionError"),
        (AVERAGE + LOOP + "    average = total / count if count else 0\n" + PRINT + "    return average", "it returned 0"),
        (AVERAGE + LOOP + "    if not count:\n        return None\n    average = total / count\n" + PRINT + "    return average",
         "it returned None"),
        (AVERAGE + LOOP + "    if not count:\n        print('no users')\n        return\n    average = total / count\n" + PRINT
         + "    return average", "it returned None"),
        (AVERAGE + LOOP + "    average = total / count if count else float('nan')\n" + PRINT + "    return average", "it returned nan"),
        (AVERAGE + LOOP + "    if not count:\n        return ValueError('no users')\n    average = total / count\n" + PRINT
         + "    return average", "it returned ValueError"),
        (AVERAGE + LOOP + "    if not total:\n        raise ZeroDivisionError('no users')\n    average = total / count\n" + PRINT
         + "    return average", "it raised ZeroDivisionError"),
        (AVERAGE + LOOP + "    try:\n        average = total / count\n    except ZeroDivisionError:\n        average = 0\n" + PRINT
         + "    return average", "it returned 0"),
        (AVERAGE + "    ages = list(stream_user_ages())\n    if not ages:\n        raise ValueError('no users')\n"
         "    average = sum(ages) / len(ages)\n" + PRINT + "    return average", "✘ it holds a total and a count, not the ages"),
        (AVERAGE + LOOP + "    assert count, 'no users'\n    average = total / count\n" + PRINT + "    return average",
         "it raised AssertionError"),
    ],
)  # fmt: skip

WELFORD = Turn(
    "summary",
    right=[
        SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        mean += off / count\n"
        "        squares += off * (value - mean)\n    return count, mean, squares",
        SUMMARY + "    for count, value in enumerate(values, start=1):\n        before = mean\n        mean = before + (value - before) / count\n"
        "        squares = squares + (value - before) * (value - mean)\n    return count, mean, squares",
        SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        mean += off / count\n"
        "        squares += off * off * (count - 1) / count\n    return count, mean, squares",
    ],
    wrong=[
        ("def summary(values):\n    ...", "not written yet"),
        (SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        mean += off / count\n"
         "        squares += off * off\n    return count, mean, squares", "gave squares 8, not 2: (2 - 3)² + (4 - 3)²"),
        (SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        mean += off / count\n"
         "        squares += 0  # write this line\n    return count, mean, squares", "gave squares 0, not 2: (2 - 3)² + (4 - 3)²"),
        (SUMMARY + "    for value in values:\n        count += 1\n        mean += (value - mean) / count\n"
         "        squares += (value - mean) ** 2\n    return count, mean, squares", "gave squares 1, not 2"),
        (SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        squares += off * (value - mean)\n"
         "        mean += off / count\n    return count, mean, squares", "gave squares 8"),
        (SUMMARY + "    values = list(values)\n    count = len(values)\n    mean = sum(values) / count\n"
         "    return count, mean, sum((value - mean) ** 2 for value in values)", "ZeroDivisionError"),
        (SUMMARY + "    values = list(values)\n    count = len(values)\n    mean = sum(values) / count if count else 0.0\n"
         "    return count, mean, sum((value - mean) ** 2 for value in values)", "✘ it keeps three numbers, not the values"),
        (SUMMARY + "    total = 0\n    for value in values:\n        count += 1\n        total += value\n        squares += value * value\n"
         "    if not count:\n        return 0, 0.0, 0.0\n    return count, total / count, squares - total * total / count",
         "✘ it is right for large numbers that differ little"),
        (SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        mean += off / count\n"
         "        squares += off * (value - mean)\n    return count, mean, (squares / count) ** 0.5 if count else 0.0", "gave squares 1, not 2"),
        (SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        mean += off / count\n"
         "        squares += off * (value - mean)\n    return mean, squares", "Three numbers are asked for"),
        (SUMMARY + "    for value in values:\n        count += 1\n        off = value - mean\n        mean += off / count\n"
         "        squares += off * (value - mean)\n    print(count, mean, squares)", "gave None: is a return missing?"),
    ],
)  # fmt: skip

MERGED = Turn(
    "merge",
    right=[
        MERGE + "    count = n + m\n    if not count:\n        return 0, 0.0, 0.0\n    far = b - a\n"
        "    return count, a + far * m / count, s + t + far**2 * n * m / count",
        MERGE + "    if not n:\n        return other\n    if not m:\n        return one\n"
        "    mean = (n * a + m * b) / (n + m)\n    return n + m, mean, s + t + (b - a) ** 2 * n * m / (n + m)",
        MERGE + "    count = n + m\n    mean = (n * a + m * b) / (count or 1)\n"
        "    squares = s + n * (a - mean) ** 2 + t + m * (b - mean) ** 2\n    return count, mean, squares",
    ],
    wrong=[
        ("def merge(one, other):\n    ...", "not written yet"),
        (MERGE + "    return n + m, (a + b) / 2, s + t", "The mean of two means is right for parts of one size only."),
        (MERGE + "    count = n + m\n    if not count:\n        return 0, 0.0, 0.0\n    return count, (n * a + m * b) / count, s + t",
         "✘ the merged squares are those of all values"),
        (MERGE + "    count = n + m\n    far = b - a\n    return count, a + far * m / count, s + t + far**2 * n * m / count",
         "ZeroDivisionError"),
        (MERGE + "    count = n + m\n    if not count:\n        return 0, 0.0, 0.0\n    far = b - a\n"
         "    return count, a + far * n / count, s + t + far**2 * n * m / count", "✘ the merged mean is that of all values"),
        (MERGE + "    count = n + m\n    if not count:\n        return 0, 0.0, 0.0\n    far = b - a\n"
         "    return count, a + far * m / count, s + t + far * n * m / count", "✘ the merged squares are those of all values"),
        (MERGE + "    return n, a, s", "gave a count of 3"),
        ("def merge(one, other):\n    return tuple(x + y for x, y in zip(one, other))", "✘ the merged mean is that of all values"),
        ("def merge(one, other):\n    return tuple(one) + tuple(other)", "Three numbers are asked for"),
        (MERGE + "    if not n or not m:\n        return 0, 0.0, 0.0\n    count = n + m\n    far = b - a\n"
         "    return count, a + far * m / count, s + t + far**2 * n * m / count", "✘ a part may be empty, or both"),
        (MERGE + "    count = n + m\n    far = b - a\n    mean = a + far * m / count if count else 0.0\n    print(count, mean)",
         "gave None: is a return missing?"),
    ],
)  # fmt: skip

AFTER_EACH = Turn(
    "running_average",
    right=[
        RUNNING + "    total = count = 0\n    for age in ages:\n        total += age\n        count += 1\n        yield total / count",
        RUNNING + "    mean = 0\n    for count, age in enumerate(ages, start=1):\n        mean += (age - mean) / count\n        yield mean",
        "from itertools import accumulate\n" + RUNNING
        + "    return (total / count for count, total in enumerate(accumulate(ages), start=1))",
    ],
    wrong=[
        (RUNNING + "    ...", "not written yet"),
        (RUNNING + "    seen = []\n    for age in ages:\n        seen.append(age)\n    yield fmean(seen)", "gave [35.0], not [20, 30, 30, 35]"),
        (RUNNING + "    seen = []\n    for age in ages:\n        seen.append(age)\n        yield fmean(seen)",
         "✘ it keeps a total and a count, not the ages"),
        (RUNNING + "    total = count = 0\n    for age in ages:\n        total += age\n        count += 1\n    yield total / count",
         "gave [35.0], not [20, 30, 30, 35]"),
        (RUNNING + "    total = count = 0\n    for age in ages:\n        total += age\n        count += 1\n        return total / count", "it raised TypeError"),
        (RUNNING + "    total = count = 0\n    for age in ages:\n        yield total / count\n        total += age\n        count += 1",
         "ZeroDivisionError"),
        (RUNNING + "    total = count = 0\n    for age in ages:\n        total += age\n        count += 1\n        yield total // count",
         "running_average([1, 2]) gave"),
        (RUNNING + "    total = 0\n    for count, age in enumerate(ages):\n        total += age\n        yield total / count", "ZeroDivisionError"),
        (RUNNING + "    ages = list(ages)\n    for n in range(1, len(ages) + 1):\n        yield sum(ages[:n]) / n",
         "it had taken 7 ages before the first average came out"),
        (RUNNING + "    averages = []\n    total = count = 0\n    for age in ages:\n        total += age\n        count += 1\n"
         "        averages.append(total / count)\n    return averages", "it had taken 7 ages before the first average came out"),
        (RUNNING + "    mean = 0\n    for age in ages:\n        mean = (mean + age) / 2\n        yield mean", "gave [10.0, 25.0, 27.5, 38.75], not"),
    ],
)  # fmt: skip

BY_DECADE = Turn(
    "merge_decades",
    right=[
        DECADES + "    nothing = (0, 0.0, 0.0)\n"
        "    return {decade: merge(one.get(decade, nothing), other.get(decade, nothing)) for decade in {*one, *other}}",
        DECADES + "    both = dict(one)\n    for decade, part in other.items():\n"
        "        both[decade] = merge(both[decade], part) if decade in both else part\n    return both",
        DECADES + "    both = {}\n    for part in (one, other):\n        for decade in sorted(part):\n"
        "            both[decade] = merge(both.get(decade, (0, 0, 0)), part[decade])\n    return both",
    ],
    wrong=[
        (DECADES + "    ...", "not written yet"),
        (DECADES + "    return {**one, **other}", "decade 20 has (3, 26.0, 14.0), not (5, 25.4,"),
        (DECADES + "    return {decade: merge(part, other.get(decade, (0, 0.0, 0.0))) for decade, part in one.items()}",
         "of decades 20, 30 and 0, 20 it has 20, 30"),
        (DECADES + "    return {decade: merge(one[decade], other[decade]) for decade in one.keys() & other.keys()}",
         "of decades 20, 30 and 0, 20 it has 20"),
        (DECADES + "    return {decade: merge(one[decade], other[decade]) for decade in {*one, *other}}", "it raised KeyError"),
        (DECADES + "    for decade, part in other.items():\n        one[decade] = merge(one.get(decade, (0, 0.0, 0.0)), part)\n    return one",
         "one of them has changed"),
        (DECADES + "    both = dict(one)\n    for decade, part in other.items():\n"
         "        both[decade] = tuple(map(sum, zip(both.get(decade, (0, 0, 0)), part)))\n    return both", "decade 20 has (5, 50.5, 14.5), not"),
        (DECADES + "    nothing = (0, 0.0, 0.0)\n"
         "    print({decade: merge(one.get(decade, nothing), other.get(decade, nothing)) for decade in {*one, *other}})",
         "it gave None: is a return missing?"),
        (DECADES + "    nothing = (0, 0.0, 0.0)\n"
         "    return [merge(one.get(decade, nothing), other.get(decade, nothing)) for decade in {*one, *other}]", "it gave a list"),
    ],
)  # fmt: skip

BY_GROUP = Turn(
    "average_by_decade",
    right=[
        DECADE + "    totals, counts = {}, {}\n    for age in ages:\n        decade = age // 10 * 10\n"
        "        totals[decade] = totals.get(decade, 0) + age\n        counts[decade] = counts.get(decade, 0) + 1\n"
        "    return {decade: totals[decade] / counts[decade] for decade in totals}",
        "from collections import defaultdict\n" + DECADE + "    groups = defaultdict(lambda: [0, 0])\n    for age in ages:\n"
        "        group = groups[age - age % 10]\n        group[0] += age\n        group[1] += 1\n"
        "    return {decade: total / count for decade, (total, count) in groups.items()}",
        DECADE + "    counts, means = {}, {}\n    for age in ages:\n        decade = 10 * (age // 10)\n"
        "        counts[decade] = counts.get(decade, 0) + 1\n        before = means.get(decade, 0)\n"
        "        means[decade] = before + (age - before) / counts[decade]\n    return means",
        "from collections import Counter\n" + DECADE + "    counts = Counter(ages)\n    found = {}\n"
        "    for decade in {age // 10 * 10 for age in counts}:\n        own = [age for age in counts if age // 10 * 10 == decade]\n"
        "        found[decade] = sum(age * counts[age] for age in own) / sum(counts[age] for age in own)\n    return found",
    ],
    wrong=[
        (DECADE + "    ...", "not written yet"),
        (DECADE + "    groups = {}\n    for age in ages:\n        groups.setdefault(age // 10 * 10, []).append(age)\n"
         "    return {decade: sum(own) / len(own) for decade, own in groups.items()}", "✘ it keeps totals and counts, not the ages"),
        (DECADE + "    totals, counts = {}, {}\n    for age in ages:\n        decade = age // 10\n"
         "        totals[decade] = totals.get(decade, 0) + age\n        counts[decade] = counts.get(decade, 0) + 1\n"
         "    return {decade: totals[decade] / counts[decade] for decade in totals}", "The decade of an age is age // 10 * 10."),
        (DECADE + "    totals, counts = {}, {}\n    for age in ages:\n        decade = age % 10\n"
         "        totals[decade] = totals.get(decade, 0) + age\n        counts[decade] = counts.get(decade, 0) + 1\n"
         "    return {decade: totals[decade] / counts[decade] for decade in totals}", "The decade of an age is age // 10 * 10."),
        (DECADE + "    totals, counts = {}, {}\n    for age in ages:\n        decade = age // 10 * 10\n"
         "        totals[decade] = totals.get(decade, 0) + age\n        counts[decade] = counts.get(decade, 0) + 1\n"
         "    return {decade: totals[decade] // counts[decade] for decade in totals}", "✘ each average is that of the ages in its decade"),
        (DECADE + "    totals = {}\n    for age in ages:\n        decade = age // 10 * 10\n"
         "        totals[decade] = totals.get(decade, 0) + age\n    return totals", "✘ each average is that of the ages in its decade"),
        (DECADE + "    totals, counts = {}, {}\n    for age in ages:\n        decade = age // 10 * 10\n        totals[decade] = age\n"
         "        counts[decade] = 1\n    return {decade: totals[decade] / counts[decade] for decade in totals}",
         "✘ each average is that of the ages in its decade"),
        (DECADE + "    totals = {}\n    for age in ages:\n        totals[age // 10 * 10] += age\n    return totals", "it raised KeyError"),
        (DECADE + "    from itertools import groupby\n"
         "    return {decade: fmean(own) for decade, own in groupby(ages, lambda age: age // 10 * 10)}",
         "✘ each average is that of the ages in its decade"),
        (DECADE + "    found = {}\n    for decade in range(0, 130, 10):\n        own = [age for age in ages if age // 10 * 10 == decade]\n"
         "        if own:\n            found[decade] = fmean(own)\n    return found", "the keys were [0]"),
        (DECADE + "    totals, counts = {}, {}\n    for age in ages:\n        decade = age // 10 * 10\n"
         "        totals[decade] = totals.get(decade, 0) + age\n        counts[decade] = counts.get(decade, 0) + 1\n"
         "    for decade in totals:\n        yield decade, totals[decade] / counts[decade]", "it gave a"),
        (DECADE + "    totals, counts = {}, {}\n    for age in ages:\n        decade = age // 10 * 10\n"
         "        totals[decade] = totals.get(decade, 0) + age\n        counts[decade] = counts.get(decade, 0) + 1\n"
         "    print({decade: totals[decade] / counts[decade] for decade in totals})", "gave None: is a return missing?"),
    ],
)  # fmt: skip

TURNS = [EACH_AGE, TOTAL_AND_COUNT, NOTHING, WELFORD, MERGED, AFTER_EACH, BY_DECADE, BY_GROUP]
