"""The house: each room of helpers imports only those below it, nobody uses another's private names, no hidden ties."""

import ast
import functools
import re
import sys

import nbformat
import pytest
from places import ROOT

# From the bottom up. A room imports rooms that stand before it; a package is one room
ROOMS = [
    "server", "plots", "prefetch", "csv_records", "steps", "brought", "processes", "memory",
    "connection", "users", "seed", "databases",
    "domains", "kills", "notebooks", "site", "check", "bench",
]  # fmt: skip
ALONE = {"server", "plots", "prefetch", "csv_records", "steps", "brought", "processes"}  # stand on nothing of ours
HELPERS = ROOT / "helpers"
FILES = [
    path for path in sorted(HELPERS.rglob("*.py")) if "tests" not in path.parts and path != HELPERS / "__init__.py"
]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def module_of(path):
    """Return a file's name as a module: helpers.check.task0; helpers.check for helpers/check/__init__.py."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


def package_of(module):
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def room_of(module):
    return module.split(".")[1]


def imports(tree, package="", nodes=None):
    """Yield what a program imports of helpers, wherever in it: (module, name or None, the name that it gets here)."""
    for node in nodes or ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "helpers":
                    yield alias.name, None, alias.asname or alias.name
        elif isinstance(node, ast.ImportFrom):
            module = node.module
            if node.level:  # only steps: it can be taken away whole
                module = ".".join(filter(None, (package, node.module)))
            if module.split(".")[0] == "helpers":
                for alias in node.names:
                    here, whole = alias.asname or alias.name, f"{module}.{alias.name}"
                    yield (whole, None, here) if whole in MODULES else (module, alias.name, here)


def private_uses(tree, room=None, package=""):
    """Return the private names of other rooms that a program uses."""
    found, modules = [], {}
    for module, name, here in imports(tree, package):
        if module == "helpers" or room_of(module) == room:
            continue
        if name and name.startswith("_"):
            found.append(f"{module}.{name}")
        elif name is None:
            modules[here] = module
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr):
            owner = ast.unparse(node.value)
            if owner in modules:
                found.append(f"{modules[owner]}.{node.attr}")
    return found


@functools.cache
def trees():
    """Return the programs of all modules, parsed, by the module's name."""
    return {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


def test_every_room_has_its_place():
    assert {room_of(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_no_arrow_goes_back(room):
    below = set() if room in ALONE else set(ROOMS[: ROOMS.index(room)])
    wrong = [
        f"{module} imports {imported}"
        for module, tree in trees().items()
        if room_of(module) == room
        for imported, _, _ in imports(tree, package_of(module))
        if imported != "helpers" and room_of(imported) not in below | {room}
    ]
    assert wrong == []


def test_no_module_comes_back_to_itself():
    arrows = {}
    for module, tree in trees().items():
        at_once = {imported for imported, _, _ in imports(tree, package_of(module), tree.body)}
        others = {i for i, _, _ in imports(tree, package_of(module)) if i in MODULES and room_of(i) != room_of(module)}
        # Within a room, what a function imports when it is called closes no circle
        arrows[module] = (at_once & set(MODULES) | others) - {module}
    while ends := [module for module, imported in arrows.items() if not imported & set(arrows)]:
        for module in ends:
            del arrows[module]
    assert arrows == {}, "these import one another"


@pytest.mark.parametrize("module", MODULES)
def test_no_private_name_of_another_room(module):
    assert private_uses(trees()[module], room_of(module), package_of(module)) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lessons_use_public_names(lesson):
    cells = [cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "code"]
    program = "\n".join(re.sub(r"(?m)^\s*[%!].*$", "", source) for source in cells)
    tree = ast.parse(program)
    assert private_uses(tree) == []
    for module, name, _ in imports(tree):
        assert name is None or name in names_of(module), f"{module} has no {name}"


def names_of(module):
    """Return the names that a module defines or imports at its top."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))) if module in MODULES else ():
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("room", sorted(ALONE | {"memory"}))
def test_no_room_at_the_bottom_names_another_in_a_text(room):
    """sys.modules["helpers.seed"] is a tie that no import shows."""
    for module, tree in trees().items():
        if room_of(module) == room:
            texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            ties = [text for text in texts if re.fullmatch(r"helpers\.\w+(\.\w+)*", text)]
            assert [tie for tie in ties if room_of(tie) != room] == []


def test_the_server_needs_the_standard_library_alone():
    """It is started by its path, where no package may be."""
    tree = ast.parse((HELPERS / "server.py").read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.split(".")[0])
    assert imported <= sys.stdlib_module_names


SMALLEST = {"seed.py": 150}
LONGER = {"helpers.server": 600, "helpers.check.runner": 920}  # whole, for the reasons that they give


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_are_short(module):
    text = MODULES[module].read_text(encoding="utf-8")
    most = LONGER.get(module, SMALLEST.get(MODULES[module].name, 400))
    assert len(text.splitlines()) <= most
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            doc = ast.get_docstring(node, clean=False) or ""
            lines = node.end_lineno - node.lineno + 1 - len(doc.splitlines())
            assert lines <= 50, f"{node.name} has {lines} lines without its docstring"


def test_what_memory_calls_before_a_measurement_is_there():
    """A module that comes with a function may say what loads once; memory.py finds it by this name and no other tie."""
    assert "warm_up_measurement" in names_of("helpers.connection")
    assert '"warm_up_measurement"' in MODULES["helpers.memory"].read_text(encoding="utf-8")


def test_these_tests_see_what_they_look_for():
    tie = "from helpers import seed\nfrom helpers.users import _age\ndef f():\n    import helpers.check.proxy\n"
    tie += "    seed._x"
    assert private_uses(ast.parse(tie)) == ["helpers.users._age", "helpers.seed._x"]
    assert private_uses(ast.parse(tie), "users") == ["helpers.seed._x"]
    assert [module for module, _, _ in imports(ast.parse(tie))] == [
        "helpers.seed",
        "helpers.users",
        "helpers.check.proxy",
    ]
