"""What the pages of the website are made from, and what becomes of them. test_site_browser.py looks at the site."""

import json
import re
import shutil

import nbformat
import pytest
from places import ROOT, run

from helpers import notebooks, site

LESSON = "02_stream_users"
TAKEN = ("README.md", "CITATION.cff", "CHANGELOG.md", "CONTRIBUTING.md", f"notebooks/{LESSON}.ipynb", "data/slide.png")


@pytest.fixture
def project(tmp_path):
    """A small project: one lesson, the pages, and one of the pictures."""
    for name in TAKEN:
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "project" / name)
    return tmp_path / "project"


def staged(project, name=f"notebooks/{LESSON}.ipynb"):
    """Stage a project; return the text of one of its pages."""
    folder = project.parent / "staged"
    shutil.rmtree(folder, ignore_errors=True)
    site.stage(folder, project)
    return (folder / "pages" / name).read_text(encoding="utf-8")


def cells(project):
    """Return the cells of the staged lesson beside those of the lesson itself: (staged, stored)."""
    stored = notebooks.read(project / f"notebooks/{LESSON}.ipynb").cells
    return list(zip(nbformat.reads(staged(project), as_version=4).cells, stored, strict=True))


def test_solutions_and_plumbing_are_folded_and_say_what_they_are(project):
    kinds = {"solution": 0, "source": 0}
    for page, stored in cells(project):
        hidden = stored.metadata.get("jupyter", {}).get("source_hidden")
        solution = "solution" in notebooks.tags(stored)
        if stored.cell_type == "code" and (hidden or solution):
            kind = "solution" if solution else "source"
            assert "hide-input" in page.metadata["tags"]
            assert page.metadata["mystnb"]["code_prompt_show"] == site.FOLDED[kind][0]
            kinds[kind] += 1
        elif stored.cell_type == "code":
            assert "hide-input" not in page.metadata["tags"]
    assert all(kinds.values())


def test_outputs_that_answer_a_prediction_are_folded_and_no_others(project):
    folded, asked = 0, False
    for page, stored in cells(project):
        if stored.cell_type == "markdown":
            asked = "prediction" in notebooks.tags(stored)
        elif stored.outputs:
            assert ("hide-output" in page.metadata["tags"]) == asked
            folded += asked
    assert folded >= 5


def test_figures_are_files_with_the_text_alternatives_of_the_lesson(project):
    text = staged(project)
    assert "data:image" not in text and "image/png" not in text
    files = project.parent / "staged/files/notebooks"
    images = [tag for page, _ in cells(project) for output in page.get("outputs", []) for tag in _images(output)]
    stored = notebooks.store.figures(notebooks.read(project / f"notebooks/{LESSON}.ipynb").cells)
    assert len(images) == len(stored) > 3
    for (alt, name, width, height), figure in zip(images, stored, strict=True):
        assert alt == site.html.escape(figure.alt) and alt
        assert (files / name).read_bytes() == figure.png
        assert int(width) > int(height) > 100


def _images(output):
    page = output.get("data", {}).get("text/html", "")
    return re.findall(r'<img alt="([^"]*)" src="(figures/[^"]*)" width="(\d+)" height="(\d+)" loading="lazy">', page)


def test_a_figure_of_another_library_becomes_a_file_too(tmp_path):
    figure = notebooks.store.figures(notebooks.read(ROOT / f"notebooks/{LESSON}.ipynb").cells)[0]
    png = site.store.base64.b64encode(figure.png).decode()
    output = nbformat.v4.new_output("display_data", {"image/png": png, "text/plain": "<Figure>"})
    output.metadata["image/png"] = {"alt": "The list climbs"}
    cell = nbformat.v4.new_code_cell("plt.show()", id="00-001", outputs=[output])
    page = site.lesson(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A"), cell]), tmp_path)
    assert _images(page.cells[1].outputs[0])[0][:2] == ("The list climbs", "figures/00-001-0.png")
    assert list(page.cells[1].outputs[0].data) == ["text/html"]


def test_a_page_of_drivers_is_taken_where_there_is_one(project):
    assert "\ndata/DRIVERS\n" not in staged(project, "index.md")
    (project / "data/DRIVERS.md").write_text("# Drivers\n\n[how it was made](../data/slide.png)\n")
    assert "\ndata/DRIVERS\n" in staged(project, "index.md")
    assert (project.parent / "staged/pages/data/slide.png").read_bytes() == (ROOT / "data/slide.png").read_bytes()


def test_no_page_asks_another_host_for_a_badge(project):
    notebooks.links.put("https://example.org/ada/course", project)
    assert "badge_logo" in (project / "README.md").read_text(encoding="utf-8")
    assert "badge_logo" not in staged(project, "index.md")
    assert "badge_logo" not in json.loads(staged(project))["cells"][0]["source"]


@pytest.mark.parametrize(
    ("origin", "address"),
    [(None, None), ("/home/ada/course", None), ("git@example.org:ada/course.git", "https://example.org/ada/course")],
)
def test_pages_lead_to_binder_only_where_the_clone_has_an_address(tmp_path, origin, address):
    run("git", "init", "-q", cwd=tmp_path)
    if origin:
        run("git", "remote", "add", "origin", origin, cwd=tmp_path)
    assert site.address(tmp_path) == address


def test_a_screen_reader_speaks_the_signs_of_the_checks():
    text = site.spoken("<title>✔</title><pre>\n  ✔ it yields\n  ✘ it closes\n</pre><p>✘</p>")
    assert text.startswith('<title>✔</title><pre>\n  <span role="img" aria-label="right">✔</span> it yields\n')
    assert text.endswith('  <span role="img" aria-label="to fix">✘</span> it closes\n</pre><p>✘</p>')


def test_the_site_is_made_light(tmp_path):
    (tmp_path / "_static/scripts").mkdir(parents=True)
    (tmp_path / "_static/styles").mkdir()
    page = '<script defer src="_static/scripts/fontawesome.js?digest=1"></script>\n'
    page += '<script src="searchindex.js"></script>'
    page += '<i class="fa-solid fa-sun"></i><img src="a.png"><summary aria-label="Toggle hidden content">Show</summary>'
    page += '<button type="button" class="btn search-button-field" aria-label="Search">Search Ctrl+K</button>'
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "_static/scripts/fontawesome.js").write_text("fa-moon")
    (tmp_path / "_static/scripts/fontawesome.js.map").write_text("")
    (tmp_path / "_static/styles/theme.css").write_text('.fa-sun{--fa:"1"}.fa-moon{--fa:"2"}p{margin:0}')
    site.polish(tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert "fontawesome" not in text and "Toggle" not in text
    assert 'aria-label="Search Ctrl+K"' in text
    assert '<script defer src="searchindex.js">' in text and '<img loading="lazy" src="a.png">' in text
    assert (tmp_path / "_static/styles/theme.css").read_text() == '.fa-sun{--fa:"1"}p{margin:0}'
    assert list(tmp_path.glob("_static/scripts/*")) == []
