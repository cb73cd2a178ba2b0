"""Where a generator stands: the lines of its function, the statement that a line belongs to, and what bytecode says."""

import ast
import dis
import linecache

_YIELD, _RESUME = dis.opmap["YIELD_VALUE"], dis.opmap["RESUME"]
_RETURNS = {dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap}
# An iterator that ends tells a `for` or `yield from` by StopIteration: no exception of the program
_ITERATES = {dis.opmap[name] for name in ("FOR_ITER", "SEND", "END_SEND") if name in dis.opmap}


class Source:
    """The lines of the function (or generator expression) that runs `code`.

    first : int
        The number of its first line in its file or cell.
    lines : list of str
        Its text, without the indentation that all of it has; empty where no text is known.
    ends : dict of int
        The last line of each statement that takes more than one.
    """

    def __init__(self, code):
        self.code, self.bytecode = code, code.co_code
        numbers = [line for _, _, line in code.co_lines() if line]
        self.first, last = min([code.co_firstlineno, *numbers]), max([code.co_firstlineno, *numbers])
        self.expression = code.co_name == "<genexpr>"
        self.ends, self._starts, self._loops = {}, {}, set()
        text = linecache.getlines(code.co_filename)
        node = None if self.expression else _function(text, code)
        if self.expression:
            self._starts = dict.fromkeys(range(self.first, last + 1), self.first)
            self.ends = {self.first: last} if last > self.first else {}
        elif node:
            last = node.end_lineno
            self._learn(node.body)
        lines = [line.rstrip("\n") for line in text[self.first - 1 : last]]
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        self.lines = [line[indent:] for line in lines]

    def _learn(self, statements):
        """Note for each line the first line of its statement; of `if`, `for` and so on that of the head alone."""
        for node in statements:
            inner = [
                part for field in ("body", "handlers", "orelse", "finalbody", "cases") for part in _part(node, field)
            ]
            line = _line(node)
            if inner and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if _line(inner[0]) == line:
                    self._loops.add(line)
                self._statement(line, max(_line(inner[0]) - 1, line))
                self._learn(inner)
            elif line not in self._loops:
                self._statement(line, node.end_lineno)

    def _statement(self, first, last):
        for line in range(first, last + 1):
            self._starts.setdefault(line, first)
        if last > first:
            self.ends[first] = last

    def start(self, line):
        """Return the first line of the statement that `line` belongs to."""
        return self._starts.get(line, line)

    def repeats(self, line):
        """Tell whether the statement at `line` can come twice in a row: a whole loop in one line."""
        return line in self._loops

    def text(self, line):
        """Return the text of `line`, without its indentation; empty where it is not known."""
        index = line - self.first
        return self.lines[index].strip() if 0 <= index < len(self.lines) else ""

    # What the bytecode says. From Python 3.13 on, a frame that yields points at the instruction after it

    def yields(self, frame):
        """Tell how the frame stands: at a `yield` ("yield"), in a `yield from` ("from"), or elsewhere (None)."""
        code, at = self.bytecode, self._at(frame)
        if at >= 0 and code[at] == _YIELD:
            at += 2
        if at < 2 or at >= len(code) or code[at] != _RESUME or code[at - 2] != _YIELD:
            return None
        return "from" if code[at + 1] & 3 == 2 else "yield"

    def delegates(self, frame):
        """Tell whether the frame waits in a `yield from`, for the generator that it gave its place to."""
        return self.yields(frame) == "from" or self.bytecode[self._at(frame)] == dis.opmap["SEND"]

    def returns(self, frame):
        """Tell whether the frame is at a `return` (there is one at the end of every function)."""
        return self.bytecode[self._at(frame)] in _RETURNS

    def iterates(self, frame):
        """Tell whether the frame is just asking an iterator for its next value: `for` or `yield from`."""
        return self.bytecode[self._at(frame)] in _ITERATES

    def _at(self, frame):
        """Return where the frame's instruction starts: some Pythons point at the cache behind it."""
        at = max(frame.f_lasti, 0)
        while at and self.bytecode[at] == dis.opmap["CACHE"]:
            at -= 2
        return at


def _line(node):
    return node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno


def _part(node, field):
    part = getattr(node, field, [])
    return part if isinstance(part, list) else []


def _function(text, code):
    """Return the syntax tree of the function that runs `code`, or None where its text is not known."""
    try:
        tree = ast.parse("".join(text))
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
    return None
