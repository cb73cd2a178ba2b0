"""Lessons that learners hand in: what is defined in their "your turn" and exercise cells, through the lesson's checks.

Nothing of a learner's notebook runs in this process. Its cells travel as text, and become functions in the process that
the check starts for learners' code, behind the lesson's own `export` cells.
"""

import ast
import linecache
import re
from dataclasses import dataclass
from pathlib import Path

from helpers import check, notebooks
from helpers.brought import pickled_by_value
from helpers.check.look import COMPUTING, quietly
from helpers.check.process import Learner
from helpers.check.report import Report
from helpers.check.words import told

THEIRS = {"your-turn", "exercise"}
CALL = re.compile(r"\bcheck\.(?P<check>\w+)\((?P<name>\w+)(?:,\s*step=(?P<step>\d+))?\)")


@dataclass(frozen=True)
class Turn:
    """One cell of a lesson that is the learner's: which it is, and how the cell under it checks what it defines."""

    cell: str  # the cell's id, the same in the lesson and in its copies
    check: str
    name: str
    step: int | None
    above: tuple  # the lesson's imports, and the sources of its export cells above

    @property
    def title(self):
        """What a table calls it (str)."""
        return self.check + (f", step {self.step}" if self.step else "")


def turns(lesson):
    """Return the Turns of a lesson ("02" or a path), in order; [] for one that has none."""
    cells = notebooks.read(notebooks.find(lesson)).cells
    imports = "\n".join(_imports(cell.source) for cell in cells if cell.cell_type == "code")
    found, above, waiting = [], [imports], None
    for cell in cells:
        tags = notebooks.tags(cell)
        if cell.cell_type != "code":
            continue
        if THEIRS & tags:
            waiting = cell.id
        elif "check" in tags and waiting and (call := CALL.search(cell.source)):
            step = call["step"] and int(call["step"])
            found.append(Turn(waiting, call["check"], call["name"], step, tuple(above)))
            waiting = None
        elif "export" in tags:
            above.append(cell.source)
    return found


def _imports(source):
    """Return the imports of a cell (str): a learner who runs the lesson has them all."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # %magic, or a cell that shows one
        return ""
    return "\n".join(ast.unparse(line) for line in tree.body if isinstance(line, (ast.Import, ast.ImportFrom)))


def lesson_of(path):
    """Return the number of the lesson ("02") that a notebook is a copy of, by its cells' ids; None if of none."""
    try:
        cells = notebooks.read(path).cells
    except Exception:  # whatever was handed in under that name
        return None
    ids = [cell.get("id", "") for cell in cells]
    numbers = {name.partition("-")[0] for name in ids if re.fullmatch(r"\d\d-\d{3}", name)}
    return numbers.pop() if len(numbers) == 1 else None


def reports(path):
    """Check a notebook that a learner hands in; yield a Report for each of the lesson's turns.

    Raises ValueError where the file is not a copy of a lesson.
    """
    lesson = lesson_of(path)
    if lesson is None:
        raise ValueError(f"{Path(path).name} is not a copy of a lesson")
    sources = {cell.get("id"): cell.source for cell in notebooks.read(path).cells}
    for turn in turns(lesson):
        yield _report(turn, lesson, sources.get(turn.cell))


def _report(turn, lesson, source):
    title = f"Lesson {lesson}: {turn.title}"
    if source is None:
        return Report(title, lesson, problem="the cell is missing")
    ask = getattr(check, turn.check)
    try:
        given = _value(source, turn) if getattr(ask, "of_value", False) else FromCell(source, turn)
    except (SyntaxError, ValueError) as error:
        return Report(title, lesson, problem=f"it is not valid Python: {error}")
    except LookupError:
        return Report(title, lesson, problem=f"the cell defines no {turn.name}")
    except RuntimeError as error:
        return Report(title, lesson, problem=f"the cell {error}")
    with quietly():
        report = ask(given, step=turn.step)
    report.title = title
    return report


def _value(source, turn):
    """Return the value that a cell gives to a name, made in a learner's process; ... where a part of it is open.

    Raises as FromCell, and RuntimeError where the cell fails.
    """
    assigned = [
        node for node in ast.walk(_definitions(source)) if isinstance(node, ast.Assign) and turn.name in _names(node)
    ]
    if not assigned:
        raise LookupError(turn.name)
    if any(isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(assigned[-1].value)):
        return ...
    setup = {"do": "load", "pickled": pickled_by_value({turn.name: FromCell(source, turn, function=False)})}
    with Learner("", setup, computing=COMPUTING) as learner:
        observed = learner.ask("run", name=turn.name, pickled=pickled_by_value((lambda value: value, ())))
    if observed["error"]:
        raise RuntimeError(told(observed["error"]))
    return observed["value"]


def _names(assignment):
    return {target.id for target in assignment.targets if isinstance(target, ast.Name)}


class FromCell:
    """Stands for what a cell defines; pickled, it becomes that where it arrives. `function`: whether it is one.

    Raises SyntaxError or ValueError where the cell is not valid Python, LookupError where it defines no such function.
    """

    def __init__(self, source, turn, function=True):
        self.__name__, self._source, self._above = turn.name, source, turn.above
        if not function:
            return
        whole = compile(_definitions(source), f"<{turn.cell}>", "exec")
        found = [code for code in whole.co_consts if getattr(code, "co_name", None) == turn.name]
        if not found:
            raise LookupError(turn.name)
        self.__code__ = found[-1]  # so that a stub is seen as one

    def __call__(self, *_, **__):
        raise TypeError("a learner's function is not called in the teacher's process")

    def __reduce__(self):
        return define, (self._above, self._source, self.__name__)


def _definitions(source):
    """Return a cell's imports, assignments and definitions as code: what it does besides is left out."""
    tree = ast.parse(source)
    kept = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    tree.body = [statement for statement in tree.body if isinstance(statement, kept)]
    return tree


def define(above, source, name):
    """Run cells in the learner's process; return the function `name` that the last one defines."""
    names = {"__name__": "handed_in"}
    trees = [*map(ast.parse, above), _definitions(source)]
    used = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for number, (text, tree) in enumerate(zip([*above, source], trees, strict=True), start=1):
        label = "<your cell>" if text is source else f"<cell {number}>"
        linecache.cache[label] = (len(text), None, text.splitlines(True), label)
        tree.body = [statement for statement in tree.body if _is_needed(statement, used)]
        exec(compile(tree, label, "exec"), names)
    return names[name]


def _is_needed(statement, used):
    """Whether a statement is more than an import that nothing uses: a lesson's plots and checks take long to import."""
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return True
    return any((alias.asname or alias.name).partition(".")[0] in used for alias in statement.names)
