"""The website in Chromium: every page at three widths, light and dark; its links, its search, its weight.

make browser TEST="-k site"                    builds the site once and runs these tests
SCREENSHOTS=/some/folder make browser          keeps a picture of each page
"""

import functools
import gzip
import http.server
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urldefrag

import pytest
from bs4 import BeautifulSoup
from test_browser import PATIENCE, chromium, faults  # noqa: F401 (a fixture)

from helpers import notebooks

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SCREENSHOTS = os.environ.get("SCREENSHOTS")
WIDTHS = (360, 768, 1280)
THEMES = ("light", "dark")
LINE = {"latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8, "offline": False}
TEXT_SECONDS = 3
LOOKED_AT = (360, 1280)  # by axe-core: menus are dialogs in the one, and columns in the other
# Pictures that are missing or say nothing
PICTURES = "() => [...document.images].filter(i => !i.naturalWidth || !i.alt.trim()).map(i => i.outerHTML)"
# What unfolds fades in: half-way its contrast is too low
AT_ONCE = "*, ::before, ::after { animation: none !important; transition: none !important }"
# How far the page sticks out to the right, in pixels
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Pages(http.server.SimpleHTTPRequestHandler):
    """The site as GitHub Pages serves it: text is compressed where the browser takes it so."""

    def log_message(self, *_):
        pass

    def send_head(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if path.suffix not in {".html", ".css", ".js"} or not path.exists():
            return super().send_head()
        data = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a site that was made for these tests."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run([sys.executable, "-m", "helpers.site", str(folder)], cwd=notebooks.ROOT, check=True)
    return folder / "html"


@pytest.fixture(scope="module")
def address(built):
    """The address of the site, below a folder, as it stands on GitHub Pages."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Pages, directory=built))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def pages(built):
    """The pages of the site: their names (str)."""
    names = sorted(str(path.relative_to(built)) for path in built.glob("**/*.html") if "_static" not in path.parts)
    assert len(names) >= len(list(notebooks.LESSONS.glob("*.ipynb"))) + 2
    return names


class Reader:
    """A browser's window that keeps what goes wrong in it, and what it asks other hosts for."""

    def __init__(self, chromium, address, width, theme):  # noqa: F811
        self.context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page, self.address, self.wrong = self.context.new_page(), address, []
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("console", self._told)
        self.page.on("request", self._asked)
        self.page.on("response", lambda r: self.wrong.append(f"{r.status}: {r.url}") if r.status >= 400 else None)

    def _told(self, message):
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")

    def _asked(self, request):
        if not request.url.startswith((self.address, "data:")):
            self.wrong.append(f"another host: {request.url}")

    def open(self, name):
        self.page.goto(self.address + name)
        self.page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
        self.page.wait_for_load_state("networkidle")
        self.page.add_style_tag(content=AT_ONCE)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_whole_and_axe_finds_nothing(chromium, address, pages, width, theme):  # noqa: F811
    reader = Reader(chromium, address, width, theme)
    page, found = reader.page, {}
    for name in pages:
        reader.open(name)
        if SCREENSHOTS:
            page.screenshot(path=f"{SCREENSHOTS}/site-{Path(name).stem}-{width}-{theme}.png")
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        wrong = ["wider than the screen"] if page.evaluate(WIDE) > 0 else []
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        wrong += ["wider than the screen when it is unfolded"] if page.evaluate(WIDE) > 0 else []
        wrong += page.evaluate(PICTURES)
        if width in LOOKED_AT:
            wrong += faults(page)
        found |= {name: wrong} if wrong else {}
    assert found == {}
    assert reader.wrong == []
    reader.context.close()


def test_every_link_within_the_site_leads_somewhere(built, pages):
    read = {name: BeautifulSoup((built / name).read_text(encoding="utf-8"), "html.parser") for name in pages}
    wrong, followed = [], 0
    for name, page in read.items():
        for target in (tag.get("href") or tag.get("src") for tag in page.find_all(["a", "link", "script", "img"])):
            if not target or re.match(r"\w+:", target):
                continue
            path, part = urldefrag(target.partition("?")[0])
            file = (built / name).parent / path if path else built / name
            followed += 1
            leads_to = read.get(os.path.relpath(file, built))
            if not file.is_file() or (part and leads_to is not None and not leads_to.find(id=part)):
                wrong.append((name, target))
    assert wrong == []
    assert followed > 500


def test_a_reader_goes_from_page_to_page_and_finds_a_word(chromium, address, pages):  # noqa: F811
    reader = Reader(chromium, address, 360, "light")
    reader.open("index.html")
    page, visited = reader.page, 1
    while (onward := page.locator("a.right-next")).count():
        with page.expect_navigation():
            onward.click()
        visited += 1
    assert visited == len(pages) - 1, "all but the page of search results"
    page.get_by_role("button", name="Search").filter(visible=True).click()
    page.get_by_role("searchbox").fill("checkpoint")
    page.keyboard.press("Enter")
    results = page.locator("ul.search li a")
    results.first.wait_for()
    assert any("06_hundred_million" in link.get_attribute("href") for link in results.all())
    results.first.click()
    page.wait_for_load_state()
    assert "checkpoint" in page.locator("article").inner_text().lower()
    page.get_by_role("button", name="Site navigation").click()
    page.get_by_role("link", name="02 Stream users").click()
    assert page.url.startswith(f"{address}notebooks/02_stream_users.html")
    assert reader.wrong == []
    reader.context.close()


def test_answers_are_folded_and_the_stepper_steps(chromium, address):  # noqa: F811
    reader = Reader(chromium, address, 1280, "light")
    reader.open("notebooks/02_stream_users.html")
    page = reader.page
    assert page.locator("article details[open]").count() == 0
    predictions = page.locator("article p", has_text="Predict:")
    assert predictions.count() > 3
    for text in ("Show the solution", "Show what it printed"):
        fold = page.locator("details", has_text=text).first
        assert not fold.locator("pre").first.is_visible()
        fold.locator("summary").click()
        assert fold.locator("pre").first.is_visible()
    stepper = page.locator(".generator-steps").first
    stepper.get_by_role("button", name="Forward").click()
    assert stepper.get_by_role("status").inner_text().startswith("Step 1 of")
    reader.context.close()


@pytest.mark.parametrize("which", ["first", "heaviest"])
def test_the_text_of_a_page_is_there_soon_over_a_slow_line(chromium, address, built, pages, which):  # noqa: F811
    name = "index.html" if which == "first" else max(pages, key=lambda page: (built / page).stat().st_size)
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", LINE)
    page.goto(address + name, wait_until="load")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    # The text waits for the page itself and for what blocks its drawing: how fast this machine is does not count
    at, needed, of_all = page.evaluate(
        """() => {
        const at = performance.getEntriesByName('first-contentful-paint')[0].startTime;
        const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
        const sum = list => list.reduce((bytes, entry) => bytes + entry.transferSize, 0);
        const waits = entry => entry.entryType === 'navigation' || entry.renderBlockingStatus === 'blocking';
        return [at, sum(all.filter(waits)), sum(all)];
    }"""
    )
    print(f"{name}: text after {at / 1000:.2f} s and {needed:,} bytes; {of_all:,} bytes to the end")
    assert needed > 10_000
    assert needed / LINE["downloadThroughput"] + 3 * LINE["latency"] / 1000 < TEXT_SECONDS
    context.close()
