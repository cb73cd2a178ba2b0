"""What can be read in source without running it: passwords, values in SQL, pages without an order, other databases."""

import ast
import re
import threading
from dataclasses import dataclass, field

SECRET = re.compile(r"pass(wor)?d?$|passw|pwd|secret", re.IGNORECASE)
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")  # the name of one in the environment
IN_URL = re.compile(r"\w+://[^\s/:@{}]*:([^\s/@{}]+)@")
PLACEHOLDER = re.compile(
    r"<.*>|\[.*\]|\{.*\}|[x*.•]+|(.*[\W_])?your([\W_].*|pass.*|pwd.*|db.*)?|.*place_?holder.*|change[\W_]?(me|it|this).*|"
    r"(.*[\W_])?pass(word)?[\W_]?here|(enter|insert|put|set|add)[\W_].*|todo.*", re.IGNORECASE,
)  # fmt: skip
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|DROP|CREATE)\b", re.IGNORECASE)
OTHERS = {  # modules for other databases
    "psycopg2": "PostgreSQL", "psycopg": "PostgreSQL", "asyncpg": "PostgreSQL", "pg8000": "PostgreSQL",
    "sqlite3": "SQLite", "aiosqlite": "SQLite", "pymongo": "MongoDB", "cx_Oracle": "Oracle", "oracledb": "Oracle",
    "pyodbc": "ODBC",
}  # fmt: skip
PYTHON_2 = re.compile(r"^\s*(print\s+[\"'\w]|except\s+[\w.]+\s*,\s*\w+\s*:|exec\s+[\"'])", re.MULTILINE)
# Python 3.11 counts the depth of ast.parse for all threads in one place: two at a time end in a SystemError
# (https://github.com/python/cpython/issues/106905)
PARSING = threading.Lock()


def parsed(source):
    """Return the syntax tree of Python source, None where it has none."""
    try:
        with PARSING:
            return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


# Passwords ------------------------------------------------------------------------------------------------------------


def password_line(source, used=()):
    """Return the number of the line (int) of Python source that has a password in it, or None.

    used: passwords with which connections were made.
    """
    return next((line for line, text in secrets(source, used) if not PLACEHOLDER.fullmatch(text)), None)


def placeholder_line(source):
    """Return the number of the line (int) that has a placeholder for a password, as "your_password", and its text."""
    return next(((line, text) for line, text in secrets(source) if PLACEHOLDER.fullmatch(text)), None)


def secrets(source, used=()):
    """Yield (line, text) for what stands in Python source as a password does."""
    tree = parsed(source)
    if tree is None:  # as in Python 2
        for number, line in enumerate(source.splitlines(), 1):
            if found := re.search(r"\b\w*(?:passwo?r?d?|pwd|secret)\w*[\"']?\s*[=:]\s*[\"']([^\"']+)[\"']", line, re.I):
                yield number, found[1]
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in used:
                yield node.lineno, node.value
            elif found := IN_URL.search(node.value):
                yield node.lineno, found[1]
        for name, value in named_values(node):
            given = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
            if given and SECRET.search(name) and not VARIABLE.fullmatch(given):
                yield value.lineno, given


def named_values(node):
    """Yield the (name, value) pairs of a node: keyword arguments, dict items, assignments, defaults."""
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, (ast.Name, ast.Attribute)) and node.value is not None:
                yield target.id if isinstance(target, ast.Name) else target.attr, node.value
    elif isinstance(node, ast.arguments):
        spec = [*node.posonlyargs, *node.args]
        yield from ((arg.arg, value) for arg, value in zip(spec[::-1], node.defaults[::-1], strict=False))
        yield from ((arg.arg, value) for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value)
    elif isinstance(node, ast.Call) and len(node.args) == 2 and isinstance(node.args[0], ast.Constant):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in ("get", "getenv", "setdefault", "config", "env"):
            yield str(node.args[0].value), node.args[1]


# SQL ------------------------------------------------------------------------------------------------------------------


@dataclass
class Statement:
    """A statement of SQL in the source: its text, with ? for what is written into it."""

    line: int
    text: str
    written_in: bool = False  # whether values are written into it, by an f-string, %, + or format


def statements(source, function=None):
    """Return the statements of SQL (a list of Statement) in Python source, or in one function and what it calls."""
    tree = parsed(source)
    if tree is None:
        return []
    found, inner = [], set()
    for root in parts_of(tree, function):
        for node in ast.walk(root):
            if node in inner:
                continue
            text, values = text_of(node)
            if text is not None and SQL.match(text):
                found.append(Statement(node.lineno, " ".join(text.split()), values))
                inner.update(ast.walk(node))
    return found


def parts_of(tree, function):
    """Return the parts of a tree to read: the function of this name and those that it calls, or all of it."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, kinds)}
    if function is None or function not in functions:
        return [tree]
    found, waiting = {}, [function]
    while waiting:
        name = waiting.pop()
        if name in functions and name not in found:
            found[name] = functions[name]
            waiting += [node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
    return [*found.values()]


def text_of(node):
    """Return the text that an expression makes, with ? for values, and whether there are any; None if it is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value, False
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "?" for part in node.values]
        return "".join(map(str, parts)), any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        left, values = text_of(node.left)
        if left is None:
            return None, False
        if isinstance(node.op, ast.Mod):
            return left, True
        right, more = text_of(node.right)
        return left + ("?" if right is None else right), values or more or right is None
    is_format = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    if is_format:
        text, _ = text_of(node.func.value)
        return (None, False) if text is None else (re.sub(r"\{[^}]*\}", "?", text), True)
    return None, False


def with_values(statement):
    """Tell whether values are written into a Statement where they could be given apart."""
    inside = re.search(r"\b(LIMIT|OFFSET|WHERE|VALUES|SET|IN)\b.*(\?|%[sd(])", statement.text, re.IGNORECASE)
    return statement.written_in and inside is not None


def without_order(statement):
    """Tell whether a Statement cuts pages out of a table without an order."""
    text = statement.text.upper()
    return bool(re.search(r"\bLIMIT\b.*(\bOFFSET\b|,)", text)) and "ORDER BY" not in text


# Imports --------------------------------------------------------------------------------------------------------------


@dataclass
class Imports:
    """What a source imports: the modules that it uses, and those that it does not."""

    used: dict = field(default_factory=dict)  # top-level name of the module -> line
    unused: dict = field(default_factory=dict)


def imports(source):
    """Return the Imports of Python source."""
    tree = parsed(source)
    found = Imports()
    if tree is None:
        for number, line in enumerate(source.splitlines(), 1):
            if match := re.match(r"\s*(?:import|from)\s+(\w+)", line):
                found.used.setdefault(match[1], number)
        return found
    guarded = {node for outer in ast.walk(tree) if isinstance(outer, ast.Try) for node in ast.walk(outer)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                kind = found.used if bound in names or node in guarded else found.unused
                kind.setdefault(alias.name.partition(".")[0], node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.used.setdefault(node.module.partition(".")[0], node.lineno)
    for name in found.used:
        found.unused.pop(name, None)
    return found


def other_database(source):
    """Return the (module, database, line) of another database that a source is made for, None where it is MySQL's."""
    found = imports(source).used
    mysql = {"mysql", "pymysql", "MySQLdb", "mariadb", "sqlalchemy", "aiomysql"} & found.keys()
    other = next((name for name in OTHERS if name in found), None)
    return None if mysql or other is None else (other, OTHERS[other], found[other])


def is_python_2(source):
    """Tell whether a source that does not parse was written for Python 2."""
    return parsed(source) is None and bool(PYTHON_2.search(source))


def uses(source, function):
    """Return the names (set of str) that a function of a source uses, and those that the functions it calls use."""
    tree = parsed(source)
    if tree is None:
        return set()
    parts = parts_of(tree, function)
    return {node.id for part in parts if part is not tree for node in ast.walk(part) if isinstance(node, ast.Name)}
