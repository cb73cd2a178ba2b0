"""Lesson 00: what learners answer."""

from answers import Turn

TURNS = [
    Turn(
        "count_upto",
        right=[
            "def count_upto(max):\n    for number in range(1, max + 1):\n        yield number",
            "def count_upto(max):\n    count = 1\n    while count <= max:\n        yield count\n        count += 1",
            "def count_upto(max):\n    yield from range(1, max + 1)",
        ],
        wrong=[
            ("def count_upto(max): ...", "not written yet"),
            ("def count_upto(max):\n    return range(1, max + 1)", "it gave a range, which next() does not work on"),
            ("def count_upto(max):\n    return list(range(1, max + 1))", "it gave a list, which next() does not work on"),
            ("def count_upto(max):\n    for number in ():\n        yield number", "count_upto(5) gave [], not"),
            ("def count_upto(max):\n    yield range(1, max + 1)", "count_upto(5) gave [range(1, 6)], not"),
            ("def count_upto(max):\n    for number in range(max):\n        yield number", "[0, 1, 2, 3, 4], not [1, 2,"),
            ("def count_upto(max):\n    for number in range(1, max + 1):\n        number", "it gave None: is a yield missing?"),
            ("def count_upto(max):\n    while True:\n        pass\n    yield", "s of computing: does your loop ever end?"),
        ],
    ),
    Turn(
        "average",
        right=[
            """
            def average(numbers):
                total = count = 0
                for number in numbers:
                    total += number
                    count += 1
                return total / count
            """,
            """
            def average(numbers):
                total = 0
                for count, number in enumerate(numbers, start=1):
                    total += number
                return total / count
            """,
            """
            def average(numbers):
                mean = 0
                for count, number in enumerate(numbers, start=1):
                    mean += (number - mean) / count
                return mean
            """,
        ],
        wrong=[
            ("def average(numbers): ...", "not written yet"),
            ("def average(numbers):\n    return sum(numbers) / sum(1 for n in numbers)", "ZeroDivisionError"),
            ("def average(numbers):\n    return sum(numbers) / len(numbers)", "has no len()"),
            ("def average(numbers):\n    numbers = list(numbers)\n    return sum(numbers) / len(numbers)", "is there a list"),
            ("def average(numbers):\n    print(sum(numbers))", "your code printed: 90"),
            ("def average(numbers):\n    total = count = 0\n    for number in numbers:\n        total += number\n"
             "        count += 1\n    return total // count", "gave 2, not 2.5"),
        ],
    ),
]  # fmt: skip
