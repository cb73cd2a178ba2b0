"""Run the lessons, store their outputs clean, and say where what is stored is not."""

import base64
import html
import re
import subprocess
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import nbformat

from helpers.notebooks import KERNEL, ROOT, minutes, read, tags

# The figures that the README shows: of which lesson, what the text alternative says (a regular expression), which file
PICTURES = {
    "02_stream_users.ipynb": ("^The list holds", ROOT / "data/list_against_generator.png"),
    "06_hundred_million_domains.ipynb": ("[Kk]ill", ROOT / "data/hundred_million.png"),
}
LARGEST = 500_000  # bytes of a notebook with its outputs
CELL_SECONDS = 300
KEPT_METADATA = ("tags", "slideshow", "jupyter", "jp-MarkdownHeadingCollapsed")
# As helpers.plots writes it
IMAGE = re.compile(r'<img alt="(?P<alt>[^"]*)" src="data:image/png;base64,(?P<png>[^"]*)"')
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def run(path, fresh=False):
    """Run one notebook from top to bottom, with its own folder as working folder, and store it with clean outputs.

    Outputs tagged `nbval-ignore-output` differ from run to run and nobody compares them. Where no code up to such a
    cell has changed since the last commit, the committed output stays, so that git gets no new figure for nothing.
    `fresh` stores the new ones all the same.
    """
    from nbclient import NotebookClient

    notebook = read(path)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", resources=resources).execute()
    clean(notebook, path.stem)
    if not fresh and (committed := _committed(path)):
        keep_outputs(notebook, clean(committed, path.stem))
    write(notebook, path)
    if path.name in PICTURES:
        PICTURES[path.name][1].write_bytes(picture(notebook, path.name).png)


def picture(notebook, name):
    """Return the Figure of a lesson that the README shows; raise LookupError where no figure says what it should."""
    wanted, _ = PICTURES[name]
    for figure in figures(notebook.cells):
        if re.search(wanted, figure.alt):
            return figure
    raise LookupError(f"{name}: no figure for the README, whose text alternative would match {wanted!r}. See PICTURES.")


def _committed(path):
    """Return the notebook that the last commit holds at a path, or None where there is no git or no such file."""
    try:
        shown = subprocess.run(["git", "show", f"HEAD:./{path.name}"], cwd=path.parent, capture_output=True)
    except FileNotFoundError:
        return None
    return nbformat.reads(shown.stdout.decode(), as_version=4) if shown.returncode == 0 else None


def keep_outputs(notebook, before):
    """Put the outputs of an earlier notebook back where nobody compares them and no code up to them has changed."""
    pairs = zip(_code(notebook.cells), _code(before.cells), strict=False)
    for cell, was in takewhile(lambda pair: pair[0].source == pair[1].source, pairs):
        if "nbval-ignore-output" in tags(cell) and was.outputs:
            cell.outputs = was.outputs


def _code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


@dataclass(frozen=True)
class Figure:
    """A figure among stored outputs."""

    png: bytes
    alt: str  # its text alternative; empty where there is none


def figures(cells):
    """Return the figures that some cells have stored (a list of Figure), in order.

    helpers.plots shows a figure as an HTML image with its text alternative; other libraries send a bare PNG.
    """
    found = []
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        data = output.get("data", {})
        if image := IMAGE.search(data.get("text/html", "")):
            found.append(Figure(base64.b64decode(image["png"]), html.unescape(image["alt"])))
        elif "image/png" in data:
            alt = output.metadata.get("image/png", {}).get("alt", "")
            found.append(Figure(base64.b64decode(data["image/png"]), alt))
    return found


def clean(notebook, stem):
    """Strip from a notebook what says nothing about the lesson: ids, times, kernel versions, widgets, paths.

    The minutes that its first cell states become those that are computed.
    """
    notebook.metadata = nbformat.from_dict(KERNEL)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{stem[:2]}-{number:03}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in KEPT_METADATA})
        if cell.cell_type == "code":
            cell.outputs = _clean_outputs(cell.outputs)
    minutes.state(notebook.cells)
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
            if "solution" in tags(cell):
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
    code = _code(notebook.cells)
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("was not run from top to bottom: nbval would not compare it")
    for number, cell in enumerate(notebook.cells):
        outputs = str(cell.get("outputs", ""))
        if "'output_type': 'error'" in outputs and "raises-exception" not in tags(cell):
            found.append(f"cell {number} stores an error")
        for folder in {str(Path.home()), str(ROOT)} - {"/"}:
            if re.search(re.escape(folder) + r"\b", outputs + cell.source):
                found.append(f"cell {number} names a folder of one machine: {folder}")
    return found


def write(notebook, path):
    """Write a notebook, checked, to a path."""
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
