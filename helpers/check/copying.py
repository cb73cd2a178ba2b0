"""The copy of a solution's folder in which a learner's code runs. Nothing in it leads out of it."""

import contextlib
import os
import re
import shutil
import stat
from pathlib import Path

from helpers.check.project import is_left_out
from helpers.check.words import shown

KINDS = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


def copied(folder, to):
    """Copy a solution's folder to `to` (a pathlib.Path without links, not there yet).

    Symbolic links stay links, and only those that lead to something in the copy: no link brings another learner's, or
    the teacher's, files into it.

    Returns
    -------
    dict
        What was left out, by its path in the folder (str): a sentence (str) that says why. Folders that are not part of
        a solution (virtual environments, .git) are left out without a word.
    """
    without = {}

    def left_out(base, names):
        paths = [Path(base, name) for name in names]
        for path in paths:
            if kind := _special(path):
                name = shown(str(path.relative_to(folder)))
                without[str(path.relative_to(folder))] = f"{name} is a {kind}: a check copies only files and folders."
        return {path.name for path in paths if _special(path) or is_left_out(path)}

    with contextlib.suppress(shutil.Error):  # what may not be read: all else is copied
        shutil.copytree(folder, to, symlinks=True, ignore=left_out)
    for link in [*_links(to)]:
        if not stays_in(link, to):
            without[str(link.relative_to(to))] = told_of_link(link, to)
            link.parent.chmod(0o700)
            link.unlink()
    return without


def _special(path):
    """Return what kind of thing a path is that is no file, folder or link; None for those."""
    with contextlib.suppress(OSError):  # it is gone
        return KINDS.get(stat.S_IFMT(path.lstat().st_mode))


def _links(folder):
    for base, folders, names in os.walk(folder):
        yield from (path for name in (*folders, *names) if (path := Path(base, name)).is_symlink())


def stays_in(link, folder):
    """Tell whether a link leads to something inside a folder, whose own path has no links."""
    with contextlib.suppress(OSError, RuntimeError):  # it leads to nothing, or to itself
        return link.resolve(strict=True).is_relative_to(folder)
    return False


def told_of_link(link, folder):
    """Say why a link in a folder is not followed (str)."""
    name, target = shown(str(link.relative_to(folder))), shown(os.readlink(link))
    return (
        f"{name} is a link to {target}. A check follows only relative links inside the folder: hand in what it names."
    )


def needed(without, text):
    """Return the sentences about those things left out (a dict of copied()) that a text names."""
    names = {path: Path(path).stem if path.endswith(".py") else Path(path).name for path in without}
    return [why for path, why in without.items() if re.search(rf"(?<!\w){re.escape(names[path])}(?!\w)", text)]
