"""Every lesson as a learner meets it: opened in JupyterLab in the system's Chromium, all cells run, and looked at.

    make browser                                   runs these tests
    SCREENSHOTS=/some/folder make browser          keeps pictures of each lesson, screen by screen, light and dark
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from helpers import notebooks

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
LESSONS = sorted(path.stem for path in notebooks.LESSONS.glob("*.ipynb"))
SCREENSHOTS = os.environ.get("SCREENSHOTS")
PATIENCE = 60  # seconds until a page that does not open is given up
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
# What sticks out of the notebook to the right, among what is on the screen: it would have to be scrolled sideways
WIDE = """() => {
    const right = document.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect().right;
    const parts = '.jp-RenderedHTMLCommon table, .jp-OutputArea-output img, .jp-OutputArea pre';
    return [...document.querySelectorAll(parts)]
        .filter(e => e.getBoundingClientRect().right > right)
        .map(e => e.outerHTML.slice(0, 300));
}"""


def answers(address):
    try:
        return urllib.request.urlopen(address + "api").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the project (Lab saves what it runs); gives its address."""
    copy = tmp_path_factory.mktemp("lab") / "course"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*"), symlinks=True)
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
        while not answers(address):
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
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    yield context.new_page()
    context.close()


def open_lesson(page, lab, lesson):
    page.goto(f"{lab}lab/tree/notebooks/{lesson}.ipynb?reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=PATIENCE * 1000)
    page.evaluate(READY)


def screens(page):
    """Scroll through the open notebook, a screen at a time; yield the number of each screen."""
    outer = page.locator(".jp-WindowedPanel-outer").first
    outer.evaluate("e => e.scrollTo(0, 0)")
    for number in range(200):
        page.wait_for_timeout(150)  # the notebook draws the cells that have come into view
        yield number
        if outer.evaluate("e => e.scrollTop + e.clientHeight >= e.scrollHeight - 2"):
            return
        outer.evaluate("e => e.scrollBy(0, e.clientHeight * 0.9)")


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs_in_lab(page, lab, lesson):
    """Run all cells: no error that is not meant, a figure, and nothing that has to be scrolled sideways."""
    open_lesson(page, lab, lesson)
    # returns when the last cell is done
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    cells = page.evaluate(CELLS)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    for cell in code:
        if "raises-exception" not in cell["metadata"].get("tags", []):
            assert [o["evalue"] for o in cell["outputs"] if o["output_type"] == "error"] == [], cell["source"]
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell["outputs"])
    wide = set()
    for theme in ("JupyterLab Light", "JupyterLab Dark") if SCREENSHOTS else ("JupyterLab Light",):
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        for number in screens(page):
            wide |= set(page.evaluate(WIDE))
            if SCREENSHOTS:
                page.screenshot(path=f"{SCREENSHOTS}/{lesson}-{theme.split()[1].lower()}-{number:02}.png")
    assert wide == set()
