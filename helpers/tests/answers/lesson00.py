"""Lesson 00: what learners answer."""

from answers import Turn

WALK = "def for_each(values, do):\n"
COUNT = "def count_upto(max):\n"
ENDLESS = "def count_upto(max=None):\n"
NAMES = "def names_over(limit, people):\n"
AVERAGE = "def average(numbers):\n"
PAIRS = "def pairs(values):\n    iterator = iter(values)\n"
PEOPLE = "def people_over(limit, path):\n"
OPEN = "    with open(path, encoding='utf-8', newline='') as file:\n"

FOR_EACH = Turn(
    "for_each",
    right=[
        WALK + """
    iterator = iter(values)
    while True:
        try:
            value = next(iterator)
        except StopIteration:
            return
        do(value)
""",
        WALK + """
    iterator = iter(values)
    nothing = object()
    while (value := next(iterator, nothing)) is not nothing:
        do(value)
""",
        WALK + """
    it = values.__iter__()
    running = True
    while running:
        try:
            value = it.__next__()
        except StopIteration:
            running = False
        else:
            do(value)
""",
    ],
    wrong=[
        (WALK + "    ...", "not written yet"),
        (WALK + "    for value in values:\n        do(value)", "it has a `for`"),
        (WALK + "    [do(value) for value in values]", "it has a `for`"),
        (WALK + """
    while True:
        try:
            do(next(iter(values)))
        except StopIteration:
            return
""", "called do('a'), do('a'), do('a') … and did not end"),
        (WALK + """
    iterator = iter(values)
    while True:
        do(next(iterator))
""", "it raised StopIteration"),
        (WALK + """
    while True:
        try:
            value = next(values)
        except StopIteration:
            break
        do(value)
""", "TypeError: 'list' object is not an iterator"),
        (WALK + """
    iterator = iter(values)
    while True:
        value = next(iterator, None)
        if value is None:
            return
        do(value)
""", '✘ 0, None and an empty string are values like any other'),
        (WALK + """
    iterator = iter(values)
    while value := next(iterator, None):
        do(value)
""", '✘ 0, None and an empty string are values like any other'),
        (WALK + """
    iterator = iter(values)
    while True:
        try:
            do(next(iterator))
        except StopIteration:
            return
""", "do() raised StopIteration, and for_each ended as if all were well"),
        (WALK + """
    iterator = iter(values)
    while True:
        try:
            do(next(iterator))
        except:
            break
""", "do() raised ValueError, and for_each ended as if all were well"),
        (WALK + """
    index = 0
    while index < len(values):
        do(values[index])
        index += 1
""", "object of type 'generator' has no len()"),
        (WALK + """
    values = list(values)
    while values:
        do(values.pop(0))
""", "['1 made', '2 made', '1 done', '2 done']"),
        (WALK + """
    iterator = iter(values)
    next(iterator, None)
    while True:
        try:
            value = next(iterator)
        except StopIteration:
            return
        do(value)
""", "gave ['b', 'c'], not ['a', 'b', 'c']"),
        (WALK + """
    iterator = iter(values)
    while True:
        try:
            value = next(iterator)
        except StopIteration:
            return
        print(value)
""", "your code printed: a / b / c"),
    ],
)  # fmt: skip

FROM_LIST = Turn(
    "count_upto",
    step=1,
    right=[
        COUNT + "    count = 1\n    while count <= max:\n        yield count\n        count = count + 1",
        COUNT + "    for number in range(1, max + 1):\n        yield number",
        COUNT + "    yield from range(1, max + 1)",
        COUNT + "    return (number for number in range(1, max + 1))",
        COUNT + "    count = 0\n    while count < max:\n        count += 1\n        yield count",
    ],
    wrong=[
        (COUNT + "    ...", "not written yet"),
        (COUNT + "    numbers = []\n    count = 1\n    while count <= max:\n        numbers.append(count)\n"
         "        count = count + 1\n    return numbers", "it gave a list, which next() does not work on"),
        (COUNT + "    return range(1, max + 1)", "it gave a range, which next() does not work on"),
        (COUNT + "    numbers = []\n    count = 1\n    while count <= max:\n        numbers.append(count)\n"
         "        count = count + 1\n    for number in numbers:\n        yield number", "✘ numbers come as you ask for them"),
        (COUNT + "    count = 1\n    while count <= max:\n        yield count", "gave [1, 1, 1,"),
        (COUNT + "    count = 1\n    while count <= max:\n        count = count + 1\n        yield count", "[2, 3, 4, 5, 6]"),
        (COUNT + "    count = 1\n    while count < max:\n        yield count\n        count = count + 1", "gave [1, 2, 3, 4], not"),
        (COUNT + "    count = 1\n    while count <= max:\n        count = count + 1\n    yield count", "gave [6], not"),
        (COUNT + "    count = 1\n    while count <= max:\n        print(count)\n        count = count + 1", "it gave None: is a yield missing?"),
        (COUNT + "    count = 1\n    while count <= max:\n        return count", "it gave a int, which next() does not work on"),
        (COUNT + "    yield range(1, max + 1)", "gave [range(1, 6)], not"),
        (COUNT + "    for number in ():\n        yield number", "gave [], not [1, 2, 3, 4, 5]"),
        ("count = 1\n" + COUNT + "    global count\n    while count <= max:\n        yield count\n        count += 1", "count_upto(1) gave []"),
    ],
)  # fmt: skip

WITHOUT_END = Turn(
    "count_upto",
    step=2,
    right=[
        ENDLESS + "    count = 1\n    while max is None or count <= max:\n        yield count\n        count = count + 1",
        "from itertools import count\n" + ENDLESS + "    yield from count(1) if max is None else range(1, max + 1)",
        "def count_upto(max=float('inf')):\n    count = 1\n    while count <= max:\n        yield count\n        count += 1",
        ENDLESS + "    count = 1\n    while True:\n        if max is not None and count > max:\n            return\n"
        "        yield count\n        count += 1",
    ],
    wrong=[
        (ENDLESS + "    count = 1\n    while count <= max:\n        yield count\n        count = count + 1",
         "'<=' not supported between instances of 'int' and 'NoneType'"),
        (ENDLESS + "    count = 1\n    while not max or count <= max:\n        yield count\n        count = count + 1",
         "✘ up to 1 it gives 1, up to 0 nothing"),
        (ENDLESS + "    count = 1\n    while True:\n        yield count\n        count = count + 1", "✘ it counts from 1 to max"),
        (ENDLESS + "    if max is None:\n        max = 100\n    count = 1\n    while count <= max:\n        yield count\n"
         "        count = count + 1", "asked for 1,000 numbers, gave"),
        (COUNT + "    count = 1\n    while max is None or count <= max:\n        yield count\n        count = count + 1",
         "missing 1 required positional argument: 'max'"),
        (ENDLESS + "    count = 1\n    while max is not None and count <= max:\n        yield count\n        count = count + 1",
         "asked for 1,000 numbers, gave []"),
        (ENDLESS + "    if max is None:\n        return count_upto(10**18)\n    yield from range(1, max + 1)",
         "asked for 1,000 numbers, gave []"),
        (ENDLESS + "    count = 1\n    while max == 0 or max is None or count <= max:\n        yield count\n        count += 1",
         "✘ up to 1 it gives 1, up to 0 nothing"),
        (ENDLESS + "    if max is None:\n        yield 1\n    count = 1\n    while max is None or count <= max:\n        yield count\n"
         "        count += 1", "gave [1, 1, 2,"),
    ],
)  # fmt: skip

NAMES_OVER = Turn(
    "names_over",
    right=[
        NAMES + "    for person in people:\n        if int(person['age']) > limit:\n            yield person['name']",
        NAMES + "    return (person['name'] for person in people if int(person['age']) > limit)",
        NAMES + "    older = filter(lambda person: int(person['age']) > limit, people)\n"
        "    yield from map(lambda person: person['name'], older)",
    ],
    wrong=[
        (NAMES + "    ...", "not written yet"),
        (NAMES + "    for person in people:\n        if person['age'] > limit:\n            yield person['name']",
         'A CSV file holds strings: int(person["age"]).'),
        (NAMES + "    for person in people:\n        if person['age'] > str(limit):\n            yield person['name']",
         "Strings are compared letter by letter"),
        (NAMES + "    for person in people:\n        if int(person['age']) >= limit:\n            yield person['name']",
         "Over 25 means 26 and more."),
        (NAMES + "    for person in people:\n        if int(person['age']) > 25:\n            yield person['name']",
         "names_over(100, people) gave ['Ada', 'Dora', 'Emil'], not ['Dora']"),
        (NAMES + "    for person in people:\n        if int(person['age']) > limit:\n            yield person",
         'The name alone is asked for: person["name"].'),
        (NAMES + "    return [person['name'] for person in people if int(person['age']) > limit]",
         "it gave a list, which next() does not work on"),
        (NAMES + "    people = list(people)\n    for person in people:\n        if int(person['age']) > limit:\n"
         "            yield person['name']", "for its first name, Ada, it had taken 5 people"),
        (NAMES + "    names = []\n    for person in people:\n        if int(person['age']) > limit:\n"
         "            names.append(person['name'])\n    yield names", "gave [['Ada', 'Dora', 'Emil']], not"),
        (NAMES + "    for person in people:\n        if int(person['age']) > limit:\n            print(person['name'])",
         "gave None: is a yield missing?"),
        (NAMES + "    for person in people:\n        if int(person['age']) > limit:\n            return person['name']",
         "gave ['A', 'd', 'a'], not"),
        (NAMES + "    for person in people:\n        if person.age > limit:\n            yield person.name",
         "it raised AttributeError: 'dict' object has no attribute 'age'"),
        (NAMES + "    for n in range(len(people)):\n        if int(people[n]['age']) > limit:\n            yield people[n]['name']",
         "object of type 'generator' has no len()"),
    ],
)  # fmt: skip

ONE_PASS = Turn(
    "average",
    right=[
        AVERAGE + """
    total = count = 0
    for number in numbers:
        total = total + number
        count = count + 1
    return total / count
""",
        AVERAGE + """
    total = 0
    for count, number in enumerate(numbers, start=1):
        total += number
    return total / count
""",
        AVERAGE + """
    mean = 0
    for count, number in enumerate(numbers, start=1):
        mean += (number - mean) / count
    return mean
""",
        "from statistics import fmean\n" + AVERAGE + "    return fmean(numbers)",
    ],
    wrong=[
        (AVERAGE + "    ...", "not written yet"),
        (AVERAGE + "    total = sum(numbers)\n    count = sum(1 for number in numbers)\n    return total / count",
         "the first loop took every number, so the second one counted none"),
        (AVERAGE + "    return sum(numbers) / len(numbers)", "A generator has no len() and no places"),
        (AVERAGE + "    numbers = list(numbers)\n    return sum(numbers) / len(numbers)", "✘ it keeps a total and a count"),
        ("from itertools import tee\n" + AVERAGE + "    one, other = tee(numbers)\n"
         "    return sum(one) / sum(1 for _ in other)", "there is a list, or a tee, in it"),
        (AVERAGE + "    total = count = 0\n    for number in numbers:\n        total += number\n        count += 1\n"
         "    return total // count", "average([1, 2]) gave 1, not 1.5"),
        (AVERAGE + "    total = 0\n    for count, number in enumerate(numbers):\n        total += number\n"
         "    return total / count", "gave 45.0, not 30"),
        (AVERAGE + "    total = count = 0\n    for number in numbers:\n        total += number\n        count += 1\n"
         "    print(total / count)", "your code printed: 30.0"),
        (AVERAGE + "    total = count = 0\n    for number in numbers:\n        total += number\n        count += 1\n"
         "        return total / count", "gave 20.0, not 30"),
        (AVERAGE + "    total = sum(numbers)\n    count = 0\n    for number in numbers:\n        count += 1\n"
         "    return total / count if count else 0", "gave 0, not 2.5"),
        (AVERAGE + "    total = count = 0\n    for number in numbers:\n        total += number\n        count += 1\n"
         "    yield total / count", "not 30"),
    ],
)  # fmt: skip

TWO_BY_TWO = Turn(
    "pairs",
    right=[
        PAIRS + """
    while True:
        try:
            pair = next(iterator), next(iterator)
        except StopIteration:
            return
        yield pair
""",
        PAIRS + """
    for first in iterator:
        for second in iterator:
            yield first, second
            break
""",
        PAIRS + "    yield from zip(iterator, iterator)",
        PAIRS + """
    nothing = object()
    while True:
        first, second = next(iterator, nothing), next(iterator, nothing)
        if second is nothing:
            return
        yield first, second
""",
    ],
    wrong=[
        ("def pairs(values):\n    ...", "not written yet"),
        (PAIRS + "    while True:\n        yield next(iterator), next(iterator)", "RuntimeError: generator raised StopIteration"),
        (PAIRS + "    try:\n        while True:\n            yield next(iterator), next(iterator)\n    except RuntimeError:\n        return",
         "RuntimeError: generator raised StopIteration"),
        (PAIRS + "    while True:\n        try:\n            yield next(iterator), next(iterator)\n        except Exception:\n            return",
         "the values raised ValueError, and pairs just ended"),
        (PAIRS + "    while True:\n        first, second = next(iterator, None), next(iterator, None)\n        if first is None:\n"
         "            return\n        yield first, second", "pairs([1, 2, 3]) gave [(1, 2), (3, None)]"),
        (PAIRS + "    while True:\n        first, second = next(iterator, None), next(iterator, None)\n        if second is None:\n"
         "            return\n        yield first, second", "✘ 0 and None are values like any other"),
        (PAIRS + "    while True:\n        first, second = next(iterator, 0), next(iterator, 0)\n        if not second:\n"
         "            return\n        yield first, second", "✘ 0 and None are values like any other"),
        (PAIRS + "    for first in iterator:\n        yield first, next(iterator)", "✘ a single value at the end is left out"),
        ("def pairs(values):\n    for n in range(0, len(values) - 1, 2):\n        yield values[n], values[n + 1]",
         "object of type 'generator' has no len()"),
        ("def pairs(values):\n    values = list(values)\n    for n in range(0, len(values) - 1, 2):\n"
         "        yield values[n], values[n + 1]", "it had taken 20 values before the first pair came out"),
        ("def pairs(values):\n    yield from zip(values, values)", "gave [(1, 1), (2, 2), (3, 3), (4, 4)]"),
        (PAIRS + "    while True:\n        try:\n            pair = next(iterator), next(iterator)\n        except StopIteration:\n"
         "            continue\n        yield pair", "does your loop ever end?"),
    ],
)  # fmt: skip

FROM_FILE = Turn(
    "people_over",
    before="import csv",
    right=[
        PEOPLE + OPEN + """
        for person in csv.DictReader(file):
            person['age'] = int(person['age'])
            if person['age'] > limit:
                yield person
""",
        PEOPLE + """
    file = open(path, encoding='utf-8', newline='')
    try:
        for person in csv.DictReader(file):
            age = int(person['age'])
            if age > limit:
                yield {**person, 'age': age}
    finally:
        file.close()
""",
        PEOPLE + OPEN + """
        rows = csv.reader(file)
        next(rows)
        for name, email, age in rows:
            if int(age) > limit:
                yield dict(name=name, email=email, age=int(age))
""",
    ],
    wrong=[
        (PEOPLE + "    ...", "not written yet"),
        (PEOPLE + OPEN + "        people = list(csv.DictReader(file))\n    for person in people:\n"
         "        person['age'] = int(person['age'])\n        if person['age'] > limit:\n            yield person",
         "✘ it holds one person at a time"),
        (PEOPLE + OPEN + "        for person in csv.DictReader(file.readlines()):\n"
         "            person['age'] = int(person['age'])\n            if person['age'] > limit:\n                yield person",
         "✘ it holds one person at a time"),
        (PEOPLE + OPEN + "        for person in csv.DictReader(file):\n            person['age'] = int(person['age'])\n"
         "            if person['age'] > 25:\n                yield person", "gave somebody who is 36"),
        (PEOPLE + OPEN + "        for person in csv.DictReader(file):\n            person['age'] = int(person['age'])\n"
         "            if person['age'] >= limit:\n                yield person", "Over 25 means 26 and more."),
        (PEOPLE + OPEN + "        for person in csv.DictReader(file):\n            if int(person['age']) > limit:\n"
         "                yield person", "an age was '36'"),
        (PEOPLE + OPEN + "        for person in csv.DictReader(file):\n            if person['age'] > limit:\n"
         "                yield person", 'A CSV file holds strings: int(person["age"]).'),
        (PEOPLE + OPEN + "        rows = csv.DictReader(file)\n    for person in rows:\n        person['age'] = int(person['age'])\n"
         "        if person['age'] > limit:\n            yield person", "Loop and yield inside it."),
        (PEOPLE + "    file = open(path, encoding='utf-8', newline='')\n    for person in csv.DictReader(file):\n"
         "        person['age'] = int(person['age'])\n        if person['age'] > limit:\n            yield person",
         "at the end, the file was still open"),
        (PEOPLE + "    file = open(path, encoding='utf-8', newline='')\n    for person in csv.DictReader(file):\n"
         "        person['age'] = int(person['age'])\n        if person['age'] > limit:\n            yield person\n    file.close()",
         "after close(), the file was still open"),
        (PEOPLE + OPEN + "        next(file)\n        for line in file:\n            name, email, age = line.split(',')\n"
         "            if int(age) > limit:\n                yield dict(name=name, email=email, age=int(age))",
         "too many values to unpack"),
        (PEOPLE + OPEN + "        next(file)\n        for line in file:\n            name, email, age = line.rsplit(',', 2)\n"
         "            if int(age) > limit:\n                yield dict(name=name, email=email, age=int(age))",
         "The csv module knows that."),
        (PEOPLE + OPEN + "        return [person | {'age': int(person['age'])} for person in csv.DictReader(file)\n"
         "                if int(person['age']) > limit]", "✘ it is a generator"),
        (PEOPLE + OPEN + "        rows = csv.reader(file)\n        next(rows)\n        for row in rows:\n"
         "            if int(row[2]) > limit:\n                yield row", "Each person is to be a dict"),
        (PEOPLE + "    try:\n    " + OPEN + "            for person in csv.DictReader(file):\n"
         "                person['age'] = int(person['age'])\n                if person['age'] > limit:\n                    yield person\n"
         "    except FileNotFoundError:\n        return", "it ended as if the file were empty"),
        (PEOPLE + OPEN + "        for person in csv.DictReader(file):\n            person['age'] = int(person['age'])\n"
         "            if person['age'] > limit:\n                return person", "✘"),
    ],
)  # fmt: skip


def predicted(numbers, ages, generator):
    """The learner's three figures, as they write them."""
    keys = ("sum(list(count_upto(3_000_000)))", "sum(list(ages(3_000_000)))", "sum(ages(3_000_000))")
    lines = [f"    {key!r}: {figure},\n" for key, figure in zip(keys, (numbers, ages, generator), strict=True)]
    given = "def ages(count):\n    return (number % 100 for number in count_upto(count))\n\n\n"
    return f"{given}predicted_mib = {{\n{''.join(lines)}}}"


MEMORY = Turn(
    "predicted_mib",
    right=[
        predicted("3_000_000 * (8 + 32) / 2**20", "3_000_000 * 8 / 2**20", "0"),
        predicted("114", "23", "0.1"),
        predicted("3 * 38", "3 * 7.6", "8 / 2**20"),
        predicted("3_000_000 * 40 / 1e6", "3_000_000 * 8 / 1e6", "1"),  # in MB
    ],
    wrong=[
        (predicted("...", "...", "..."), "not written yet"),
        (predicted("114", "...", "..."), "not written yet"),
        (predicted("3_000_000 * 8 / 2**20", "3_000_000 * 8 / 2**20", "0"), "which is the references alone"),
        (predicted("3_000_000 * 32 / 2**20", "23", "0"), "which is the objects alone"),
        (predicted("114", "114", "0"), "seen: 114, which is an object for each age, which are shared"),
        (predicted("114", "0", "0"), "seen: 0, which is 0 bytes for each number"),
        (predicted("38", "7.6", "0"), "seen: 38, which is 13 bytes for each number"),
        (predicted("114", "23", "23"), "23.0 MiB. How many ages does it keep at once?"),
        (predicted("3_000_000 * 40", "3_000_000 * 8", "0"), "which is a number of bytes, not of MiB"),
        (predicted("3_000_000 * 40 / 2**10", "23", "0"), "which is a number of KiB, not of MiB"),
        (predicted("0.11", "0.022", "0"), "which is a number of GiB, not of MiB"),
        (predicted("'114 MiB'", "'23 MiB'", "'0 MiB'"), "'114 MiB': a number of MiB is asked for"),
        (predicted("114", "-23", "0"), "-23: a number of MiB is asked for"),
        ("predicted_mib = [114, 23, 0]", "not written yet"),
        ("predicted_mib = {'list': 114, 'list of ages': 23, 'ages': 0}", "None: a number of MiB is asked for"),
    ],
)  # fmt: skip

TURNS = [FOR_EACH, FROM_LIST, WITHOUT_END, NAMES_OVER, ONE_PASS, MEMORY, FROM_FILE, TWO_BY_TWO]
