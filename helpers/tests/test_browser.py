"""Every lesson as people meet it in the system's Chromium: all cells run in JupyterLab, and its slides walked through.

make browser                                   runs these tests
SCREENSHOTS=/some/folder make browser          keeps pictures: each lesson screen by screen, light and dark; slides
PICTURES=data make browser TEST="-k readme"    makes the README's pictures of JupyterLab and of a slide again
"""

import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from itertools import pairwise
from pathlib import Path

import answers
import pytest
from PIL import Image

from helpers import notebooks
from helpers.notebooks import minutes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
TAGS = ("question", "prediction")
LESSONS = sorted(path.stem for path in notebooks.LESSONS.glob("*.ipynb"))
SCREENSHOTS = os.environ.get("SCREENSHOTS")
AXE = ROOT / ".venv" / "node_modules" / "axe-core" / "axe.min.js"  # from helpers/setup.sh browser
LAYOUT = 4  # seconds until a slide that does not fit will not, and one that does not go on is the last
PATIENCE = 240  # seconds until a page or a lesson that does not come to its end is given up, on the busiest machine
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"

READY = """async () => {
    await window.jupyterapp.restored;
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
}"""
CELLS = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
    return [...Array(cells.length).keys()].map(i => cells.get(i).toJSON());
}"""
ALL_RUN = f"() => ({CELLS})().every(cell => cell.cell_type != 'code' || cell.execution_count)"
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
COMMAND = "command => window.jupyterapp.commands.execute(command)"
WEARS = "theme => document.body.dataset.jpThemeName === theme"  # says so when the theme's CSS is there
# Leaves the open notebook alone and whole in the page, which then scrolls: axe-core measures no contrast of what is
# beyond the edge of a part that scrolls, and none at all in a page whose body is 0 pixels high, as JupyterLab's is.
ALONE = """() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.notebookConfig = {...notebook.notebookConfig, windowingMode: 'none'};
    const whole = document.querySelector('.jp-NotebookPanel .jp-WindowedPanel-viewport');
    for (let part = whole.parentElement; part !== document.documentElement; part = part.parentElement) {
        [...part.children].forEach(child => child.classList.toggle('aside', !child.contains(whole)));
        part.classList.add('around');
    }
}"""
ALONE_STYLE = """
    .around { position: static !important; height: auto !important }
    .around { overflow: visible !important; contain: none !important }
    .aside, #jupyterlab-splash { display: none !important }
    .jp-WindowedPanel-viewport { position: static !important; min-height: 0 !important }"""
# All cells are in the page, and the texts among them are drawn
WHOLE = f"""() => document.querySelectorAll('.jp-NotebookPanel .jp-Cell').length === ({CELLS})().length
    && [...document.querySelectorAll('.jp-MarkdownCell')].every(e => e.querySelector('.jp-RenderedMarkdown > *'))"""
# How many rules axe-core found kept, and those broken: which, how badly, where first, how often
FAULTS = """([part, without]) => axe.run({include: [[part]], exclude: without.map(part => [part])},
    {resultTypes: ['violations']}).then(result => [result.passes.length,
    result.violations.map(v => [v.id, v.impact, v.nodes[0].html.slice(0, 200), v.nodes.length])])"""
# What the course writes in a lesson that is open in JupyterLab. All else is JupyterLab's own, the same in any notebook:
# prompts and editors, the colours of tracebacks and of code in a text, and that links have no line under them.
OURS = ".jp-NotebookPanel :is(.jp-RenderedMarkdown, .jp-OutputArea-output)"
LABS_PARTS = (".jp-RenderedMarkdown pre", "[data-mime-type='application/vnd.jupyter.stderr'] pre")
LABS_RULES = ("link-in-text-block",)
# The notebook has drawn the cells that have come into view: nothing has changed for a while
DRAWN = """async () => {
    const viewport = document.querySelector('.jp-WindowedPanel-outer');
    for (let before, same = 0; same < 3;) {
        await new Promise(drawn => setTimeout(drawn, 100));
        const now = viewport.innerHTML.length;
        same = now === before ? same + 1 : 0;
        before = now;
    }
}"""
# What sticks out of the notebook to the right, among what is in the page: it would have to be scrolled sideways
WIDE = """() => {
    const right = document.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect().right;
    const parts = '.jp-RenderedHTMLCommon table, .jp-OutputArea-output img, .jp-OutputArea pre';
    return [...document.querySelectorAll(parts)]
        .filter(e => e.getBoundingClientRect().right > right)
        .map(e => e.outerHTML.slice(0, 300));
}"""

# The slide that is shown: its id, its fragments shown and all of them, its last words, and what of it cannot be seen
SLIDE = """() => {
    const slide = document.querySelector('.slides > section.present > section.present');
    const screen = {left: 0, top: 0, right: innerWidth, bottom: innerHeight};
    const outside = e => {
        const box = e.getBoundingClientRect();
        return box.left < screen.left - 1 || box.top < screen.top - 1
            || box.right > screen.right + 1 || box.bottom > screen.bottom + 1;
    };
    const cells = [...slide.querySelectorAll('.jp-Cell:not(.reveal-skip)')];
    const parts = '.cm-scroller, .jp-OutputArea-output, .jp-RenderedHTMLCommon, pre, table, img';
    const cut = cells.filter(outside);
    for (const part of cells.flatMap(cell => [...cell.querySelectorAll(parts)])) {
        const shown = part.getClientRects().length > 0;
        if (shown && (outside(part) || part.scrollWidth > part.clientWidth + 1 && part.clientWidth)) cut.push(part);
    }
    if (slide.scrollHeight > slide.clientHeight + 1) cut.push(slide);
    return {
        id: slide.id,
        shown: slide.querySelectorAll('.fragment.visible').length,
        fragments: slide.querySelectorAll('.fragment').length,
        last: cells.at(-1).innerText.trim(),
        text: cells.at(-1).classList.contains('jp-MarkdownCell'),
        cut: cut.map(e => e.className + ': ' + e.innerText.slice(0, 80)),
    };
}"""


def is_up(address):
    try:
        return urllib.request.urlopen(address + "api").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the project (Lab saves what it runs); gives its address."""
    copy = tmp_path_factory.mktemp("lab") / "course"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "my_lessons"), symlinks=True)
    subprocess.run([sys.executable, "-m", "helpers.notebooks", "copies"], cwd=copy, check=True)
    log = open(copy / "lab.log", "w+")  # noqa: SIM115 (closed below)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command += ["--IdentityProvider.token=", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    process = subprocess.Popen(command, cwd=copy, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_up(address):
            assert process.poll() is None and time.monotonic() < deadline, (copy / "lab.log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)
        log.close()


@pytest.fixture(scope="module")
def chromium():
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    from playwright.sync_api import sync_playwright  # here: `make test` collects this file, and does not install it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(PATIENCE * 1000)
    yield context.new_page()
    context.close()


def open_lesson(page, lab, lesson, folder="my_lessons"):
    """Open a learner's copy of a lesson; with folder="notebooks", the lesson itself with its stored outputs."""
    page.goto(f"{lab}lab/tree/{folder}/{lesson}.ipynb?reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=PATIENCE * 1000)
    page.evaluate(READY)


def change_theme(page, theme):
    """Change JupyterLab's theme ("light" or "dark"), and wait until the page wears it."""
    page.evaluate(THEME, f"JupyterLab {theme.title()}")
    page.wait_for_function(WEARS, arg=f"JupyterLab {theme.title()}", timeout=PATIENCE * 1000)


def faults(page, part="html", without=()):
    """Return what axe-core finds wrong in that part of the page: lists of the rule, how bad, where first, how often."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    kept, broken = page.evaluate(FAULTS, [part, without])
    assert kept > 10, "axe-core has looked at nothing"
    return broken


def unfold(page):
    """Lay the open lesson out as one long page, with all that is folded open but the cells' sources."""
    page.evaluate(ALONE)
    page.add_style_tag(content=ALONE_STYLE)
    page.evaluate(COMMAND, "notebook:expand-all-headings")
    page.wait_for_function(WHOLE, timeout=PATIENCE * 1000)
    page.evaluate(DRAWN)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")


def serious_faults(page):
    """Return what axe-core finds badly wrong in what is ours of the unfolded lesson, in light and in dark."""
    found = []
    for theme in ("light", "dark"):
        change_theme(page, theme)
        page.evaluate(DRAWN)
        found += [(theme, *fault) for fault in faults(page, OURS, LABS_PARTS) if fault[0] not in LABS_RULES]
    return [fault for fault in found if fault[2] in ("serious", "critical")]


def screens(page):
    """Scroll through the open notebook, a screen at a time; yield the number of each screen."""
    outer = page.locator(".jp-WindowedPanel-outer").first
    outer.evaluate("e => e.scrollTo(0, 0)")
    for number in range(200):
        page.evaluate(DRAWN)
        yield number
        if outer.evaluate("e => e.scrollTop + e.clientHeight >= e.scrollHeight - 2"):
            return
        outer.evaluate("e => e.scrollBy(0, e.clientHeight * 0.9)")


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs_in_lab(page, lab, lesson):
    """Run all cells: no error that is not meant, nothing to scroll sideways, and nothing serious for axe-core."""
    open_lesson(page, lab, lesson)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells').catch(() => {})")
    page.wait_for_function(ALL_RUN, timeout=PATIENCE * 1000)  # an error that is meant ends the command early
    cells = page.evaluate(CELLS)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    for cell in code:
        if "raises-exception" not in cell["metadata"].get("tags", []):
            assert [o["evalue"] for o in cell["outputs"] if o["output_type"] == "error"] == [], cell["source"]
    assert any("<img alt=" in str(output.get("data")) for cell in code for output in cell["outputs"])
    for theme in ("light", "dark") if SCREENSHOTS else ():
        change_theme(page, theme)
        for number in screens(page):
            page.screenshot(path=f"{SCREENSHOTS}/{lesson}-{theme}-{number:02}.png")
    unfold(page)
    assert page.evaluate(WIDE) == []
    printed = "".join(output.get("text", "") for cell in code for output in cell["outputs"])
    assert "✔" in printed and "✘" in printed
    assert serious_faults(page) == []
    for part in ("img[alt]", "table", "details"):  # a plot, a table and a prediction were among it
        assert page.locator(f":is(.jp-RenderedMarkdown, .jp-OutputArea-output) {part}").count(), part


# By axe-core's rule, what breaks it
BREAKS = {"image-alt": '<img src="plot.png">', "color-contrast": '<p style="color: #999; background: #aaa">pale</p>'}


def test_faults_of_ours_are_found_and_labs_own_are_left_out(page, lab):
    open_lesson(page, lab, LESSONS[0])
    unfold(page)
    plant = "(place, html) => place.insertAdjacentHTML('beforeend', html)"
    for part in (".jp-InputArea-editor", ".jp-RenderedMarkdown pre", ".jp-RenderedMarkdown", ".jp-OutputArea-output"):
        page.locator(f".jp-NotebookPanel {part}").last.evaluate(plant, "".join(BREAKS.values()))
    found = {(theme, rule, times) for theme, rule, _, _, times in serious_faults(page)}
    assert found == {(theme, rule, 2) for theme in ("light", "dark") for rule in BREAKS}
    assert page.evaluate(WIDE) == []
    page.locator(".jp-RenderedMarkdown").last.evaluate(plant, '<table style="width: 2000px"></table>')
    assert len(page.evaluate(WIDE)) == 1


# Outputs on the screen, by the number of their cell
SHOWN = """() => [...document.querySelectorAll('.jp-NotebookPanel .jp-CodeCell')]
    .filter(cell => cell.querySelector('.jp-OutputArea-output'))
    .map(cell => Number(cell.dataset.windowedListIndex))"""
ACTIVATE = """number => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = number;
    return notebook.scrollToItem(number, 'center');
}"""


def run_cell(page, number, typed=None):
    """Run one cell, with `typed` in the place of what stands in it; return what it prints."""
    page.evaluate(ACTIVATE, number)
    if typed:
        page.evaluate(COMMAND, "notebook:enter-edit-mode")
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(typed)
        page.evaluate(COMMAND, "notebook:enter-command-mode")
    page.evaluate(COMMAND, "notebook:run-cell")
    cell = page.evaluate(CELLS)[number]
    assert not typed or cell["source"] == typed
    return "".join(output.get("text", "") for output in cell["outputs"])


def all_shown(page):
    """Scroll through the open notebook; return the numbers of the cells whose outputs are on some screen."""
    return {number for _ in screens(page) for number in page.evaluate(SHOWN)}


@pytest.mark.parametrize("lesson", LESSONS[:1])
def test_an_answer_is_seen_after_run_and_not_before(page, lab, lesson):
    open_lesson(page, lab, lesson)
    cells = page.evaluate(CELLS)
    of = {tag: {n for n, cell in enumerate(cells) if tag in cell["metadata"].get("tags", [])} for tag in TAGS}
    assert all_shown(page) == of["question"]
    page.evaluate(COMMAND, "notebook:run-all-cells")
    code = [number for number, cell in enumerate(cells) if cell["cell_type"] == "code"]
    core = next(number for number, cell in enumerate(cells) if cell["source"].startswith(minutes.DEEPER))
    for prediction in sorted(of["prediction"] & {*range(core)}):
        answer = next(number for number in code if number > prediction)
        page.evaluate(ACTIVATE, answer)
        cell = page.locator(f'.jp-CodeCell[data-windowed-list-index="{answer}"]')
        cell.locator(".jp-OutputArea-output").first.wait_for(timeout=PATIENCE * 1000)


def test_what_a_learner_types_turns_the_cross_of_the_check_into_a_tick(page, lab):
    """In lesson 00, whose checks need no server: the first cell of the learner's, as it stands and then filled."""
    open_lesson(page, lab, LESSONS[0])
    cells = page.evaluate(CELLS)
    turn = next(n for n, cell in enumerate(cells) if "your-turn" in cell["metadata"].get("tags", []))
    for number in range(turn):
        if cells[number]["cell_type"] == "code" and "question" not in cells[number]["metadata"].get("tags", []):
            run_cell(page, number)
    run_cell(page, turn)
    assert "All is well" not in run_cell(page, turn + 1)
    run_cell(page, turn, textwrap.dedent(answers.tables()["00"][0].right[0]).strip())
    said = run_cell(page, turn + 1)
    assert "✔" in said and "All is well" in said


def talk(page):
    """Go through the open slides with the space bar, as a speaker does; yield what each step shows (see SLIDE)."""
    from playwright.sync_api import TimeoutError as TooLong

    while True:
        with contextlib.suppress(TooLong):  # reveal.js lays the slide out, and the fonts come: then it fits, or never
            page.wait_for_function(f"() => ({SLIDE})().cut.length === 0", timeout=LAYOUT * 1000)
        step = page.evaluate(SLIDE)
        yield step
        page.keyboard.press("Space")
        try:
            page.wait_for_function(f"before => (step => before != step.id + step.shown)(({SLIDE})())",
                                   arg=f"{step['id']}{step['shown']}", timeout=LAYOUT * 1000)  # fmt: skip
        except TooLong:  # it was the last one
            return


def open_slides(page, lab, lesson):
    page.goto(f"{lab}rise/notebooks/{lesson}.ipynb")
    page.wait_for_selector(".reveal.ready section.present section.present .jp-Cell", timeout=PATIENCE * 1000)
    page.add_style_tag(content="* { transition: none !important }")
    page.wait_for_load_state("networkidle")  # rise.css and the fonts are there


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_is_a_talk_of_ten_to_twenty_slides_that_fit_the_screen(page, lab, lesson):
    open_slides(page, lab, lesson)
    slides, cut = {}, {}
    for step in talk(page):
        slides[step["id"]] = step
        if step["cut"]:
            cut[step["id"], step["shown"]] = step["cut"]
        if SCREENSHOTS and step["shown"] == step["fragments"]:
            page.screenshot(path=f"{SCREENSHOTS}/{lesson}-slide-{len(slides):02}.png")
    assert cut == {}
    assert 10 <= len(slides) <= 20
    assert all(step["shown"] == step["fragments"] for step in slides.values())
    assert "Key points" in [*slides.values()][-1]["last"]
    for slide, following in pairwise(slides.values()):
        goes_on = slide["id"].rpartition("-")[0] == following["id"].rpartition("-")[0]  # the one below it
        announces = slide["text"] and slide["last"].endswith(":")
        assert goes_on or not announces, "it says that something comes, and nothing does"


def test_a_slide_that_does_not_fit_is_found(page, lab):
    open_slides(page, lab, LESSONS[0])
    assert page.evaluate(SLIDE)["cut"] == []
    for too_large in ("padding-top: 800px", "padding-top: 0; min-width: 1400px"):
        page.add_style_tag(content=f".reveal .jp-Cell .jp-RenderedHTMLCommon {{ {too_large} }}")
        assert page.evaluate(SLIDE)["cut"], too_large


def test_code_runs_live_in_a_slide_opened_with_the_button_of_lab(page, lab):
    open_lesson(page, lab, LESSONS[0])
    page.click('.jp-NotebookPanel-toolbar [data-command="RISE:preview"]')
    page.wait_for_selector("iframe", timeout=PATIENCE * 1000)
    slides = page.frame_locator("iframe")
    slides.locator(".reveal.ready section.present section.present .jp-Cell").first.wait_for(timeout=PATIENCE * 1000)
    for _ in ("the next slide", "its first code cell"):
        slides.locator("body").press("Space")
    cell = slides.locator("section.present > section.present .jp-CodeCell:not(.reveal-skip)").first
    cell.locator(".cm-content").click(timeout=PATIENCE * 1000)
    page.keyboard.press("Control+a")
    page.keyboard.type('print("live:", 6 * 7)')
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-OutputArea-output", has_text="live: 42").wait_for(timeout=PATIENCE * 1000)


def keep_small(picture, file):
    """Store a picture that the browser took, in 256 colours and three quarters of its size."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image = image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.LANCZOS)
    image.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(file, optimize=True)


def test_the_readmes_pictures_of_lab_and_a_slide_are_small_and_show_the_first_plot(page, lab, tmp_path):
    folder = Path(os.environ.get("PICTURES") or tmp_path)
    open_lesson(page, lab, "02_stream_users", "notebooks")
    change_theme(page, "dark")
    page.evaluate("() => window.jupyterapp.commands.execute('toc:show-panel')")
    figure = page.locator(".jp-OutputArea-output img").first
    for _ in screens(page):
        if figure.count():
            break
    figure.evaluate("e => e.scrollIntoView({block: 'center'})")
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    keep_small(page.screenshot(), folder / "lab_dark.png")
    open_slides(page, lab, "02_stream_users")
    figure = page.locator("section.present > section.present .jp-CodeCell:not(.reveal-skip) img")
    for step in talk(page):
        if figure.count() and step["shown"] == step["fragments"]:  # with the sentence about it
            break
    assert figure.is_visible()
    page.wait_for_timeout(500)
    keep_small(page.screenshot(), folder / "slide.png")
    for name in ("lab_dark.png", "slide.png"):
        assert (folder / name).stat().st_size < 100_000
        assert f"](data/{name})" in (ROOT / "README.md").read_text(encoding="utf-8")
