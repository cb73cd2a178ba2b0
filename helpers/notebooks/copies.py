"""Learners' copies of the lessons: in my_lessons, which git ignores, with the answers taken out.

A copy holds no outputs (a stored one would give away what the learner is to predict) but those of cells tagged
`question`, and its solutions are folded. It is the learner's: no command writes over it, `git pull` does not touch it,
and where the lesson has changed since, we say so.
"""

import hashlib
import shutil
import time
from itertools import chain, count

from helpers.notebooks import LESSONS, ROOT, read, tags
from helpers.notebooks.links import without_badge
from helpers.notebooks.store import clear, write

COPIES = ROOT / "my_lessons"
LOOK = "rise.css"  # how slides look: RISE reads it from the notebook's folder


def make(paths, folder=COPIES):
    """Make the copies that are missing, and say which of the others are older than their lesson."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(LESSONS / LOOK, folder / LOOK)
    for path in paths:
        copy = folder / path.name
        if not copy.exists():
            write(learners(read(path)), copy)
        elif problem := _what_is_wrong(path, copy):
            print(
                f"{copy.name}: {problem}. `make fresh LESSON={path.stem[:2]}` gives you the lesson as it is now "
                "and keeps your copy beside it."
            )


def learners(notebook):
    """Turn a lesson into what a learner opens: no answers, and a note of the lesson that it was made from."""
    made_from = fingerprint(notebook)
    questions = [(cell, cell.outputs) for cell in notebook.cells if "question" in tags(cell)]
    clear(notebook)
    for cell, outputs in questions:
        cell.outputs = outputs
        for output in outputs:
            if "execution_count" in output:
                output.execution_count = None
    notebook.metadata["generators_course"] = {"made_from": made_from}
    return notebook


def fingerprint(notebook):
    """Return what tells whether a lesson's text or code has changed (a str); its Binder badge is no part of it."""
    sources = [(cell.cell_type, without_badge(cell.source)) for cell in notebook.cells]
    return hashlib.sha256(repr(sources).encode()).hexdigest()[:16]


def _what_is_wrong(path, copy):
    try:
        made_from = read(copy).metadata.get("generators_course", {}).get("made_from")
    except Exception as error:  # whatever an editor or a merge has left there
        return f"cannot be read as a notebook ({type(error).__name__})"
    if made_from and made_from != fingerprint(read(path)):
        return "the lesson has changed since you started it"
    return None


def renew(path, folder=COPIES):
    """Make a new copy of a lesson; keep the one that is there beside it, under a name with the time."""
    copy = folder / path.name
    if copy.exists():
        when = time.strftime("%Y-%m-%d_%H%M%S")
        names = (folder / f"{path.stem}_kept_{when}{more}.ipynb" for more in chain([""], map("_{}".format, count(2))))
        kept = next(name for name in names if not name.exists())
        copy.rename(kept)
        print(f"Your copy is now {kept.name}.")
    make([path], folder)
    print(f"{copy.name} is the lesson as it is now.")
