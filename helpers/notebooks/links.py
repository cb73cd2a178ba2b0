"""Where the course is published: its address in the lessons, the README and CITATION.cff, written or taken out.

A clone knows its own address, and a course that nobody has published yet has none. So no file holds one until `make
links` writes it, from `git remote get-url origin` or from URL=…; URL=none takes all of them out again.
"""

import re
import subprocess
from urllib.parse import quote

from helpers.notebooks import ROOT, read
from helpers.notebooks.store import write

BADGE = "https://mybinder.org/badge_logo.svg"
LESSON_LINE = re.compile(r"^\[!\[Open this lesson on Binder\]\(.*\)\n\n?", re.M)
README_LINE = re.compile(r"^\[!\[(?:tests|Open the course on Binder)\]\(.*\)\n\n", re.M)
CITATION_LINE = re.compile(r"^repository-code: .*\n", re.M)


def origin(root=ROOT):
    """Return the address of the clone's origin (a str), or None where it has none."""
    asked = subprocess.run(["git", "remote", "get-url", "origin"], cwd=root, capture_output=True, text=True)
    return asked.stdout.strip() or None


def web_address(url):
    """Return the https address of a repository, whatever way git names it; raise ValueError where it is no address.

    >>> web_address("git@github.com:ada/course.git")
    'https://github.com/ada/course'
    """
    parts = r"(?:https?://|ssh://|git@)(?:[^@/]*@)?(?P<host>[\w.-]+)(?::\d+(?=/))?[:/](?P<name>.+?)(?:\.git)?/?"
    found = re.fullmatch(parts, url.strip())
    if not found or "/" not in found["name"]:
        raise ValueError(
            f"{url!r} is not the address of a repository on the web. Give one: "
            "make links URL=https://github.com/OWNER/NAME, or URL=none to take the links out"
        )
    return f"https://{found['host']}/{found['name']}"


def binder(address, lesson):
    """Return the address that opens a learner's copy of a lesson ("02_stream_users.ipynb") on Binder."""
    host, _, name = address.removeprefix("https://").partition("/")
    where = f"gh/{name}" if host == "github.com" else f"git/{quote(address, safe='')}"
    return f"https://mybinder.org/v2/{where}/HEAD?urlpath=lab/tree/my_lessons/{lesson}"


def put(address, root=ROOT):
    """Write an address into every place that names one, or take it out of them where it is None."""
    lessons = sorted(root.glob("notebooks/*.ipynb"))
    for path in lessons:
        notebook = read(path)
        title = without_badge(notebook.cells[0].source)
        if address:
            line = f"[![Open this lesson on Binder]({BADGE})]({binder(address, path.name)})"
            first, _, rest = title.partition("\n")
            title = f"{first}\n\n{line}\n{rest}"
        if title != notebook.cells[0].source:
            notebook.cells[0].source = title
            write(notebook, path)
    badges = "" if not address else f"{_badges(address, lessons[0].name)}\n\n"
    _replace(root / "README.md", README_LINE, r"\A(# .*\n\n)", badges)
    citation = f'repository-code: "{address}"\n' if address else ""
    _replace(root / "CITATION.cff", CITATION_LINE, r"(?m)^(license: .*\n)", citation)


def without_badge(text):
    """Return a lesson's first cell without its Binder badge."""
    return LESSON_LINE.sub("", text)


def _badges(address, lesson):
    binder_badge = f"[![Open the course on Binder]({BADGE})]({binder(address, lesson)})"
    if not address.startswith("https://github.com/"):
        return binder_badge
    workflow = f"{address}/actions/workflows/test.yml"
    return f"[![tests]({workflow}/badge.svg)]({workflow}) {binder_badge}"


def _replace(path, line, after, text):
    """Take a line out of a file, and put `text` behind what the pattern `after` matches, where there is some."""
    old = path.read_text(encoding="utf-8")
    new = line.sub("", old)
    if text:
        new = re.sub(after, lambda found: found[1] + text, new, count=1)
    if new != old:
        path.write_text(new, encoding="utf-8")
