"""Twenty generator programs, and what each prints of itself: the truth that the stepper is compared with.

A program is stepped through as it stands here. Its twin is the same program with a print of the line and the variables
before each statement that runs, and of each value that it hands out, put in by `Prints`, without the stepper.
"""

import ast
import dataclasses
import sys


@dataclasses.dataclass
class Program:
    text: str  # defines functions, and `made`, the generator to ask
    ask: object = None


PROGRAMS = {
    "a while loop": Program("""
def count_upto(max):
    count = 1
    while count <= max:
        yield count
        count += 1

made = count_upto(3)
"""),
    "a for loop over a list that grows": Program("""
def growing(letters):
    seen = []
    for letter in letters:
        seen.append(letter)
        yield seen
    return len(seen)

made = growing("abc")
"""),
    "nothing handed out": Program("""
def empty(rows):
    for row in rows:
        if row > 10:
            yield row

made = empty([1, 2])
"""),
    "statements of several lines": Program("""
def summary(rows):
    doubled = [
        2 * row
        for row in rows
    ]
    yield doubled
    total = sum([
        row
        for row in rows
    ])
    yield dict(
        total=total,
        rows=len(
            rows
        ),
    )

made = summary([1, 2, 3])
"""),
    "yield from a generator that returns": Program("""
def total(numbers):
    result = 0
    for number in numbers:
        result += number
        yield number
    return result

def with_total(numbers):
    result = yield from total(numbers)
    yield f"total {result}"

made = with_total([4, 5])
"""),
    "yield from two lists": Program("""
def chained(first, second):
    yield from first
    yield from second

made = chained([1, 2], "a")
"""),
    "a recursion": Program("""
def walk(tree):
    if tree is None:
        return
    left, value, right = tree
    yield from walk(left)
    yield value
    yield from walk(right)

made = walk(((None, 1, None), 2, (None, 3, None)))
"""),
    "a recursion in a for loop": Program("""
def flat(items):
    for item in items:
        if isinstance(item, list):
            for inner in flat(item):
                yield inner
        else:
            yield item

made = flat([1, [2, [3]], 4])
"""),
    "a pipeline of three": Program("""
def numbers(last):
    for number in range(last):
        yield number

def even(rows):
    for row in rows:
        if row % 2 == 0:
            yield row

def squares(rows):
    for row in rows:
        square = row * row
        yield square

made = squares(even(numbers(5)))
"""),
    "a generator read by next()": Program("""
def letters():
    yield "a"
    yield "b"

def pairs():
    source = letters()
    try:
        while True:
            pair = next(source), next(source)
            yield pair
    except StopIteration:
        yield "the end"

made = pairs()
"""),
    "send": Program(
        """
def averager():
    total = count = 0
    average = None
    while True:
        value = yield average
        total += value
        count += 1
        average = total / count

made = averager()
""",
        ["next", ("send", 10), ("send", 20), "close", "next"],
    ),
    "send through yield from": Program(
        """
def echo():
    heard = yield "ready"
    while heard != "stop":
        heard = yield heard
    return "stopped"

def outer():
    result = yield from echo()
    yield result

made = outer()
""",
        ["next", ("send", 1), ("send", "stop"), "next"],
    ),
    "throw, caught": Program(
        """
def patient():
    caught = []
    while True:
        try:
            yield len(caught)
        except ValueError as error:
            caught.append(str(error))

made = patient()
""",
        ["next", ("throw", ValueError("one")), "next", ("throw", KeyError("two")), "next"],
    ),
    "throw through yield from": Program(
        """
def inner():
    try:
        yield 1
    except ValueError:
        yield "caught"

def outer():
    yield from inner()
    yield "after"

made = outer()
""",
        ["next", ("throw", ValueError("x")), "next", "next"],
    ),
    "close and finally": Program(
        """
def reader(rows):
    opened = True
    try:
        for row in rows:
            yield row
    finally:
        opened = False

made = reader([1, 2, 3])
""",
        ["next", "close", "close", "next"],
    ),
    "close refused": Program(
        """
def stubborn():
    try:
        yield 1
    except GeneratorExit:
        refused = True
        yield 2

made = stubborn()
""",
        ["next", "close"],
    ),
    "an exception in the midst": Program("""
def ages(rows):
    for row in rows:
        try:
            age = int(row)
        finally:
            done = row
        yield age

made = ages(["1", "x", "3"])
"""),
    "an inner exception that the outer one catches": Program("""
def faulty():
    yield 1
    raise ValueError("lost")

def careful():
    try:
        for value in faulty():
            yield value
    except ValueError as error:
        message = str(error)
        yield message

made = careful()
"""),
    "without an end": Program(
        """
def naturals():
    number = 0
    while True:
        yield number
        number += 1

made = naturals()
""",
        4,
    ),
    "an inner generator left early": Program("""
def source():
    try:
        yield 1
        yield 2
    finally:
        cleaned = True

def first_only():
    for value in source():
        yield value
        break
    yield "after"

made = first_only()
"""),
    "StopIteration that leaves the body": Program("""
def unsafe(rows):
    rows = iter(rows)
    while True:
        row = next(rows)
        yield row

made = unsafe([1])
"""),
    "a closure": Program("""
def make(step):
    total = 0
    def steps():
        nonlocal total
        while total < 3 * step:
            total += step
            yield total
    return steps()

made = make(2)
"""),
}


class Prints(ast.NodeTransformer):
    """Puts the prints into a program: `_say(line)` before what runs, `_out(line, value)` around what is handed out."""

    def visit_FunctionDef(self, node):
        is_generator = any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in _own(node))
        node.body = self._block(node.body) if is_generator else [self.visit(inner) for inner in node.body]
        return node

    def _block(self, statements, above=0):
        block = []
        for node in statements:
            line = node.lineno
            if isinstance(node, ast.While):
                node.test = _call("_say", line, self.visit(node.test))
            elif isinstance(node, ast.For):
                node.iter = _call("_each", line, self.visit(node.iter))
            elif line > above and not isinstance(node, ast.Nonlocal):
                block.append(ast.Expr(_call("_say", line)))
            for field in ("body", "orelse", "finalbody"):
                if getattr(node, field, None) and not isinstance(node, ast.FunctionDef):
                    setattr(node, field, self._block(getattr(node, field), line))
            for handler in getattr(node, "handlers", []):
                handler.type = _call("_say", handler.lineno, handler.type)
                handler.body = self._block(handler.body)
            if not hasattr(node, "body"):
                node = self.generic_visit(node)
            block.append(node)
        return block

    def visit_Yield(self, node):
        node.value = _call("_out", node.lineno, self.visit(node.value))
        return node


def _own(function):
    for node in function.body:
        yield from (inner for inner in ast.walk(node) if not isinstance(node, ast.FunctionDef))


def _call(name, line, *arguments):
    return ast.Call(ast.Name(name, ast.Load()), [ast.Constant(line), *arguments], [])


def shown(value):
    """Return a value as the stepper shows one that is short."""
    if hasattr(value, "gi_code"):
        return f"generator {value.__name__}"
    return type(value).__name__ if hasattr(value, "__next__") else repr(value)


def prints(program):
    """Run the program's twin; return what it printed: ("line", function, line, variables) and ("yield", value)."""
    printed = []

    def variables(frame):
        return {name: shown(value) for name, value in frame.f_locals.items() if name[0] != "."}

    def note(frame, line):
        printed.append(("line", frame.f_code.co_name, line, variables(frame)))

    def say(line, value=None):
        note(sys._getframe(1), line)
        return value

    def out(line, value):
        frame = sys._getframe(1)
        printed.append(("yield", frame.f_code.co_name, line, shown(value), variables(frame)))
        return value

    class Each:
        def __init__(self, line, items):
            self.line, self.items, self.frame = line, iter(items), sys._getframe(1)
            self.first = True
            note(self.frame, line)

        def __iter__(self):
            return self

        def __next__(self):
            if not self.first:
                note(self.frame, self.line)
            self.first = False
            try:
                return next(self.items)
            except StopIteration:
                self.items = self.frame = None  # a `for` lets go of what has ended
                raise

    names = {"_say": say, "_out": out, "_each": Each}
    tree = ast.fix_missing_locations(Prints().visit(ast.parse(program.text)))
    exec(compile(tree, "twin", "exec"), names)
    made = names.pop("made")
    asks = program.ask if isinstance(program.ask, list) else ["next"] * (program.ask or 100)
    for ask in asks:
        what, *values = (ask,) if isinstance(ask, str) else ask
        try:
            answer = getattr(made, "__next__" if what == "next" else what)(*values)
        except Exception as error:
            printed.append(("raises", type(error).__name__))
            if not isinstance(program.ask, list):
                break
        else:
            if what != "close":
                printed.append(("gives", shown(answer)))
    return list(printed)
