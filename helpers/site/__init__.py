"""The website of the lessons, made from the notebooks and the outputs that they store; nothing is run.

python -m helpers.site [FOLDER]      stage the pages, have Sphinx make the site, and make it light (make site)

MyST-NB reads notebooks as they are stored. The theme is PyData's: its own tests look at it with axe-core, its menus
work with the keyboard and are dialogs on a phone, it is light or dark as the reader's system is, and it loads nothing
from other hosts. But it brings 1.6 MB of icons as a script, which a slow line waits for; `polish` takes its font.
"""

import html
import re
import struct
from pathlib import Path

import nbformat

from helpers.notebooks import ROOT, links, read, store, tags

BUILT = ROOT / ".venv" / "site"
PAGES = ("README.md", "data/DRIVERS.md", "CHANGELOG.md", "CONTRIBUTING.md")  # beside the lessons; those that exist
FIGURES = "figures"  # the folder of a lesson's figures, beside its page
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")
FOLDED = {  # what is folded, and the labels of its fold
    "solution": ("Show the solution", "Hide the solution"),
    "source": ("Show the code", "Hide the code"),
    "answer": ("Show what it printed", "Hide what it printed"),
}


def address(root=ROOT):
    """Return the https address of the repository that the clone comes from (a str), or None if there is none."""
    try:
        return links.web_address(links.origin(root) or "")
    except ValueError:  # a folder of this machine is not an address that others can open
        return None


def stage(folder, root=ROOT):
    """Write what Sphinx reads into an empty folder: the pages, the lessons, and the files that they link to."""
    lessons = sorted(root.glob("notebooks/*.ipynb"))
    for path in lessons:
        put(folder / "pages", path.relative_to(root), nbformat.writes(lesson(read(path), folder / "files/notebooks")))
    pages = [name for name in PAGES if (root / name).exists()]
    for name in pages:
        text = links.README_LINE.sub("", (root / name).read_text(encoding="utf-8")).replace("](README.md", "](index.md")
        first = name == "README.md"
        text += contents(lessons, pages[1:]) if first else ""
        put(folder / "pages", "index.md" if first else name, text)
    for page in sorted(folder.glob("pages/**/*.*")):
        _copy_linked(page, folder / "pages", root)


def put(folder, name, text):
    """Write a text into a folder under a name that may hold folders."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def contents(lessons, pages):
    """Return the contents of the site in MyST: the lessons with their numbers, then the other pages."""
    titled = [f"{path.stem[:2]} {title(path)} <notebooks/{path.stem}>" for path in lessons]
    others = [str(Path(page).with_suffix("")) for page in pages]
    return "".join(
        f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(entries) + "\n```\n"
        for caption, entries in (("Lessons", titled), ("More", others))
        if entries
    )


def title(path):
    """Return a lesson's title (a str), without the hash."""
    return read(path).cells[0].source.partition("\n")[0].removeprefix("# ")


def _copy_linked(page, folder, root):
    """Copy the files that a page links to and that are no pages themselves; they become downloads and images."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        wanted = (page.parent / target).resolve()
        if not wanted.exists() and wanted.is_relative_to(folder):
            name = wanted.relative_to(folder)
            wanted.parent.mkdir(parents=True, exist_ok=True)
            if (root / name).is_file():
                wanted.write_bytes((root / name).read_bytes())


# A lesson -------------------------------------------------------------------------------------------------------------


def lesson(notebook, folder):
    """Turn a lesson into the notebook that its page is made from, and write its figures into folder/figures.

    Solutions, plumbing, and outputs that would answer a prediction are folded. Figures become files with text
    alternatives, so that the text shows before they have loaded.
    """
    notebook.cells[0].source = links.without_badge(notebook.cells[0].source)
    answers = False  # do the outputs of this cell answer a prediction?
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            answers = "prediction" in tags(cell)
        elif cell.cell_type == "code":
            fold(cell, answers)
            cell.outputs = [_output(output, cell.id, number, folder) for number, output in enumerate(cell.outputs)]
    return notebook


def fold(cell, answers):
    """Tag a code cell for MyST-NB: what of it is folded, and what the fold says."""
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
    kind = "solution" if "solution" in tags(cell) else "source" if hidden else "answer"
    cell.metadata = nbformat.from_dict({"tags": ["hide-input"] if kind != "answer" else []})
    if answers and cell.outputs:
        cell.metadata["tags"] = ["hide-output"] if kind == "answer" else ["hide-input", "hide-output"]
    show, hide = FOLDED[kind]
    cell.metadata["mystnb"] = {"code_prompt_show": show, "code_prompt_hide": hide}


def _output(output, cell, number, folder):
    """Return an output; a figure in it becomes a file."""
    page = output.get("data", {}).get("text/html")
    for figure in store.figures([{"outputs": [output]}]):
        name = f"{FIGURES}/{cell}-{number}.png"
        (folder / FIGURES).mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(figure.png)
        page = image(name, figure)
    if page:
        output.data = nbformat.from_dict({"text/html": re.sub(r"(?s)<style scoped>.*?</style>", "", page)})
    return output


def image(name, figure):
    """Return a figure as HTML, with its text alternative and its size in pixels.

    >>> image("a.png", store.Figure(bytes(16) + bytes([0, 0, 2, 0, 0, 0, 1, 0]), 'a "flat" line'))
    '<img alt="a &quot;flat&quot; line" src="a.png" width="512" height="256" loading="lazy">'
    """
    width, height = struct.unpack(">II", figure.png[16:24])
    return f'<img alt="{html.escape(figure.alt)}" src="{name}" width="{width}" height="{height}" loading="lazy">'


# What Sphinx has made -------------------------------------------------------------------------------------------------


def polish(folder):
    """Make a built site lighter, and fix what axe-core finds: only icons that are used, and text that need not wait."""
    used = set()
    for page in folder.glob("**/*.html"):
        text = spoken(named(lighter(page.read_text(encoding="utf-8"))))
        page.write_text(text, encoding="utf-8")
        used |= icons(text)
    for script in folder.glob("_static/scripts/*.js"):
        used |= icons(script.read_text(encoding="utf-8")) if "fontawesome" not in script.name else set()
    for sheet in folder.glob("_static/styles/*.css"):
        sheet.write_text(without_icons(sheet.read_text(encoding="utf-8"), used), encoding="utf-8")
    unused = ("_static/**/*.map", "_static/scripts/fontawesome.js*", "_static/*.html")
    for file in {file for pattern in unused for file in folder.glob(pattern)}:
        file.unlink()


def lighter(text):
    """Return a page without the icons' script, whose search loads after the text and pictures when they are seen."""
    text = re.sub(r'\s*<script[^>]*src="[^"]*fontawesome\.js[^"]*"></script>', "", text)
    text = re.sub(r'<script (src="[^"]*(?:searchtools|language_data|searchindex)\.js)', r"<script defer \1", text)
    return re.sub(r"<img (?![^>]*loading=)", '<img loading="lazy" ', text)


def named(text):
    """Return a page whose folds and buttons are named after what they show, and whose tables have no empty headers.

    >>> named('<th class="blank">&nbsp;</th><th>rows</th>')
    '<td class="blank">&nbsp;</td><th>rows</th>'
    """
    text = text.replace(' aria-label="Toggle hidden content"', "")
    text = re.sub(r'(<button[^>]* class="btn search-button-field[^>]*aria-label="Search)"', r'\1 Ctrl+K"', text)
    return re.sub(r"<th([^>]*)>((?:\s|&nbsp;|<p></p>)*)</th>", r"<td\1>\2</td>", text)


SPOKEN = {"✔": "right", "✘": "to fix"}  # the signs of helpers.check


def spoken(text):
    """Return a page in whose outputs a screen reader speaks the signs of the checks as words.

    >>> spoken("<pre>  ✔ it yields</pre>")
    '<pre>  <span role="img" aria-label="right">✔</span> it yields</pre>'
    """

    def word(sign):
        return f'<span role="img" aria-label="{SPOKEN[sign[0]]}">{sign[0]}</span>'

    return re.sub(r"<pre.*?</pre>", lambda output: re.sub("|".join(SPOKEN), word, output[0]), text, flags=re.DOTALL)


def icons(text):
    """Return the names of the icons that a text names (a set of str)."""
    return set(re.findall(r"\bfa-([a-z-]+)\b", text))


def without_icons(sheet, used):
    """Return a style sheet without the rules of icons that are not used.

    >>> without_icons('.fa-a{--fa:"1"}.fa-b,.fa-c{--fa:"2"}.d{e:f}', {"c"})
    '.fa-b,.fa-c{--fa:"2"}.d{e:f}'
    """
    rule = r'((?:\.fa-[\w-]+,?)+)\{--fa:"[^"]*"\}'
    return re.sub(rule, lambda found: found[0] if icons(found[1]) & used else "", sheet)
