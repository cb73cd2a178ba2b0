"""The lessons: find them, read them, and give the functions that they define to tests, benchmarks and checks.

python -m helpers.notebooks run [LESSON ...]      run top to bottom and store clean outputs; FRESH=1 stores every one
python -m helpers.notebooks clean [LESSON ...]    strip what differs between machines and runs from the stored files
python -m helpers.notebooks clear [LESSON ...]    remove the outputs and fold the solutions
python -m helpers.notebooks minutes [LESSON ...]  print how long each lesson takes, and what the learner does in it
python -m helpers.notebooks copies [LESSON ...]   make learners' copies in my_lessons; what is there is left as it is
python -m helpers.notebooks fresh LESSON ...      make a new copy, and keep the old one beside it
python -m helpers.notebooks links [URL | none]    write the address where the course is published, or take it out
"""

import linecache
import sys
from pathlib import Path
from types import SimpleNamespace

# jsonschema, which nbformat loads, would load a grammar of addresses: two seconds, and no notebook needs it
_grammar = sys.modules.setdefault("rfc3987_syntax", None)
import nbformat  # noqa: E402

if _grammar is None:
    del sys.modules["rfc3987_syntax"]

ROOT = Path(__file__).parents[2]
LESSONS = ROOT / "notebooks"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def find(name):
    """Return the path of a lesson (pathlib.Path) from its number ("02"), its name, or its path."""
    path = Path(name)
    if path.suffix == ".ipynb" and path.exists():
        return path
    found = sorted(LESSONS.glob(f"{path.stem}*.ipynb"))
    if len(found) != 1:
        raise FileNotFoundError(f"{name!r} names {len(found)} notebooks in {LESSONS}: {[p.name for p in found]}")
    return found[0]


def read(path):
    """Return the notebook (nbformat.NotebookNode) that stands at a path."""
    return nbformat.read(path, as_version=4)


def tags(cell):
    """Return the tags of a cell (a set of str)."""
    return set(cell.metadata.get("tags", []))


def exported(name):
    """Run just the cells of a lesson that are tagged `export`, in order; return what they define (a SimpleNamespace).

    This is how tests and benchmarks get the functions that learners see, without a second copy of them.

    >>> list(exported("00").count_upto(3))
    [1, 2, 3]
    """
    path = find(name)
    namespace = {"__name__": path.stem}
    for number, cell in enumerate(read(path).cells):
        if cell.cell_type == "code" and "export" in tags(cell):
            label = f"<{path.name} cell {number}>"
            linecache.cache[label] = (len(cell.source), None, cell.source.splitlines(True), label)  # for tracebacks
            exec(compile(cell.source, label, "exec"), namespace)
    return SimpleNamespace(**{key: value for key, value in namespace.items() if not key.startswith("__")})
