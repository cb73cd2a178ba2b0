"""Run the lessons and store clean outputs; give the functions that a lesson defines to tests, benchmarks and checks.

python -m helpers.notebooks run [NOTEBOOK ...]    run top to bottom and store the outputs, clean
python -m helpers.notebooks clean [NOTEBOOK ...]  strip what differs between machines and runs from the stored files
python -m helpers.notebooks check [NOTEBOOK ...]  fail where what is stored is not clean, whole and small
python -m helpers.notebooks clear [NOTEBOOK ...]  drop the outputs and fold the solutions: a class's fresh copies
"""

import base64
import linecache
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat

LESSONS = Path(__file__).parent.parent / "notebooks"
DATA = LESSONS.parent / "data"
# The figures that the README shows: of which lesson, the how many-th
PICTURES = {
    "02_stream_users.ipynb": (0, DATA / "list_against_generator.png"),
    "06_hundred_million_domains.ipynb": (-1, DATA / "hundred_million.png"),
}
LARGEST = 500_000  # bytes of a notebook with its outputs
CELL_SECONDS = 300
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_METADATA = ("tags", "slideshow", "jupyter")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def find(name):
    """Return the path of a lesson (pathlib.Path) from its number ("02"), its name, or its path."""
    path = Path(name)
    if path.suffix == ".ipynb" and path.exists():
        return path
    found = sorted(LESSONS.glob(f"{path.stem}*.ipynb"))
    if len(found) != 1:
        raise FileNotFoundError(f"{name!r} names {len(found)} notebooks in {LESSONS}: {[p.name for p in found]}")
    return found[0]


def exported(name):
    """Run just the cells of a lesson that are tagged `export`, in order; return what they define (a SimpleNamespace).

    This is how tests and benchmarks get the functions that learners see, without a second copy of them.
    """
    path = find(name)
    namespace = {"__name__": path.stem}
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type == "code" and "export" in cell.metadata.get("tags", []):
            label = f"<{path.name} cell {number}>"
            linecache.cache[label] = (len(cell.source), None, cell.source.splitlines(True), label)  # for tracebacks
            exec(compile(cell.source, label, "exec"), namespace)
    return SimpleNamespace(**{key: value for key, value in namespace.items() if not key.startswith("__")})


def run(path):
    """Run one notebook from top to bottom, with its own folder as working folder, and store it with clean outputs."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", resources=resources).execute()
    _write(clean(notebook, path.stem), path)
    if path.name in PICTURES:
        _write_picture(notebook, *PICTURES[path.name])


def _write_picture(notebook, place, file):
    """Write a figure of a notebook to the file that the README shows."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    figures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    file.write_bytes(base64.b64decode(figures[place]))


def clean(notebook, stem):
    """Strip from a notebook what says nothing about the lesson: ids, times, kernel versions, widgets' state, paths."""
    notebook.metadata = nbformat.from_dict(KERNEL)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{stem[:2]}-{number:03}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in KEPT_METADATA})
        if cell.cell_type == "code":
            cell.outputs = _clean_outputs(cell.outputs)
    return notebook


def _clean_outputs(outputs):
    kept = _joined([output for output in _joined(outputs) if not _is_what_a_progress_bar_leaves(output)])
    for output in kept:
        if output.output_type == "error":  # the frames name folders of one machine; the last line is what matters
            output.traceback = [ANSI.sub("", f"{output.ename}: {output.evalue}")]
        if "data" in output:
            output.data.pop("application/vnd.jupyter.widget-view+json", None)
    return kept


def _joined(outputs):
    """Join the pieces in which the kernel sends one text: they differ between runs."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def _is_what_a_progress_bar_leaves(output):
    """Tell whether an output is a line written over again and again, with spaces at last."""
    return "\r" in output.get("text", "") and not output.text.rstrip("\r").rpartition("\r")[2].strip()


def clear(notebook):
    """Drop outputs and counts, and fold the solutions."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if "solution" in cell.metadata.get("tags", []):
                cell.metadata.setdefault("jupyter", {})["source_hidden"] = True
    return notebook


def problems(path):
    """Return what is wrong with a stored notebook: a list of str, empty when it is clean, whole and small."""
    found = []
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    if nbformat.writes(clean(nbformat.reads(text, as_version=4), path.stem)) + "\n" != text:
        found.append("is not clean: run `python -m helpers.notebooks clean`")
    if len(text.encode()) > LARGEST:
        found.append(f"is {len(text.encode()):,} bytes; {LARGEST:,} is the most")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("was not run from top to bottom: nbval would not compare it")
    for number, cell in enumerate(notebook.cells):
        outputs = str(cell.get("outputs", ""))
        if "'output_type': 'error'" in outputs and "raises-exception" not in cell.metadata.get("tags", []):
            found.append(f"cell {number} stores an error")
        for folder in {str(Path.home()), str(LESSONS.parent)} - {"/"}:
            if re.search(re.escape(folder) + r"\b", outputs + cell.source):
                found.append(f"cell {number} names a folder of one machine: {folder}")
    return found


def _write(notebook, path):
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def main(arguments):
    """Run one of the commands above; return the exit status."""
    if not arguments or arguments[0] not in ("run", "clean", "check", "clear"):
        print(__doc__, file=sys.stderr)
        return 2
    os.environ["TQDM_DISABLE"] = "1"  # progress bars leave no trace in stored outputs
    command, *names = arguments
    status = 0
    for path in [find(name) for name in names] or sorted(LESSONS.glob("*.ipynb")):
        print(f"{command} {path.name}", flush=True)
        if command == "run":
            run(path)
        elif command == "check":
            for problem in problems(path):
                print(f"  {problem}")
                status = 1
        else:
            notebook = nbformat.read(path, as_version=4)
            _write(clear(notebook) if command == "clear" else clean(notebook, path.stem), path)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
