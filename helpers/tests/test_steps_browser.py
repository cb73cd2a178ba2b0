"""The stepper in Chromium: on a page, in JupyterLab and in a slide, by click, keyboard and screen reader.

SCREENSHOTS=/some/folder keeps pictures.
"""

import os

import nbconvert
import nbformat
import pytest
from test_browser import PATIENCE, READY, change_theme, chromium, faults, lab, open_slides, page  # noqa: F401

from helpers import steps

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SCREENSHOTS = os.environ.get("SCREENSHOTS")
STEPPER = ".generator-steps"
STYLES = {"light": "", "dark": "body { background: #111; color: #eee; color-scheme: dark }"}
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Steps</title>
<meta name="viewport" content="width=device-width"><style>{style}</style></head>
<body><main><h1>Steps</h1>{steppers}<p tabindex="0" id="outside">outside</p></main></body></html>"""


def count_upto(max):
    count = 1
    while count <= max:
        yield count
        count += 1


def even(rows):
    for row in rows:
        if row % 2 == 0:
            yield row


def squares(rows):
    for row in rows:
        yield row * row


def hostile(text):
    letters = {"</script>": "<img src=x onerror='window.hacked = true'>"}
    yield text + "".join(letters)


@pytest.fixture
def errors(page):  # noqa: F811
    """Errors of JavaScript in the page; JupyterLab's own requests that fail are none of the stepper's."""
    found = []

    def told(message):
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            found.append(message.text)

    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", told)
    return found


def open_page(page, tmp_path, *recordings, style="light"):  # noqa: F811
    file = tmp_path / "page.html"
    steppers = "".join(recording._repr_html_() for recording in recordings)
    file.write_text(PAGE.format(style=STYLES[style], steppers=steppers), encoding="utf-8")
    page.goto(file.as_uri())


def picture(page, name):  # noqa: F811
    if SCREENSHOTS:
        page.screenshot(path=f"{SCREENSHOTS}/steps-{name}.png")


class Stepper:
    """One stepper of a page, as a person meets it."""

    def __init__(self, scope, nth=0):
        self.root = scope.locator(".generator-steps").nth(nth)

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def says(self):
        return self.root.get_by_role("status").text_content()

    def shows(self):
        """Return for each generator its state and its variables."""
        cards = self.root.locator(".card:not(.caller)")
        return [
            (card.get_attribute("aria-label"), dict(row.inner_text().split("\t") for row in card.locator("tr").all()))
            for card in cards.all()
        ]

    def step(self):
        return int(self.root.get_by_role("slider").input_value())


def test_forward_and_back_show_what_was_recorded(page, errors, tmp_path):  # noqa: F811
    recording = steps.record(squares(even(count_upto(4))))
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    open_page(page, tmp_path, recording)
    stepper = Stepper(page)
    seen = []
    for number, step in enumerate(recording.steps):
        assert stepper.says() == f"Step {number} of {len(recording.steps) - 1}. {step.says}"
        shown = stepper.shows()
        assert {label.partition(",")[0]: variables for label, variables in shown} == {
            frame.name: frame.variables for frame in step.frames
        }
        seen.append(shown)
        if number + 1 < len(recording.steps):
            stepper.press("Forward")
    for shown in reversed(seen):
        assert stepper.shows() == shown
        if stepper.step():
            stepper.press("Back")
    assert stepper.root.get_by_role("button", name="Back").is_disabled()
    assert requests == [page.url], "it asks for nothing from anywhere"
    assert errors == []


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("width", [360, 1280])
def test_every_step_fits_and_axe_finds_nothing(page, errors, tmp_path, width, style):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 740})
    pipeline = steps.record(squares(even(count_upto(4))))
    open_page(page, tmp_path, steps.record(count_upto(3)), pipeline, steps.record(None), style=style)
    first, second = Stepper(page), Stepper(page, 1)
    assert faults(page, STEPPER) == []
    for _ in pipeline.steps[1:]:
        second.press("Forward")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    second.press("First step")
    for number in range(18):
        second.press("Forward")
        if number < 5:
            first.press("Forward")
    assert faults(page, STEPPER) == []
    picture(page, f"page-{width}-{style}")
    second.root.get_by_text("All steps as text").click()
    assert second.root.locator("pre").inner_text().startswith("squares(rows=generator even), step by step")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults(page, STEPPER) == []
    assert errors == []


def test_the_keys_work_where_the_focus_is_and_nowhere_else(page, errors, tmp_path):  # noqa: F811
    recording = steps.record(count_upto(2))
    last = len(recording.steps) - 1
    open_page(page, tmp_path, recording, steps.record(count_upto(3)))
    page.evaluate("window.heard = []; document.addEventListener('keydown', e => heard.push(e.key))")
    stepper, other = Stepper(page), Stepper(page, 1)
    page.locator("#outside").focus()
    page.keyboard.press("ArrowRight")
    assert (stepper.step(), other.step()) == (0, 0)
    for name in ("Forward", "Step"):  # a button, and the slider
        stepper.root.get_by_label(name, exact=True).focus()
        for key, at in (("End", last), ("ArrowLeft", last - 1), ("Home", 0), ("ArrowRight", 1), ("ArrowLeft", 0)):
            page.keyboard.press(key)
            assert stepper.step() == at
            assert stepper.says().startswith(f"Step {at} of {last}.")
    stepper.root.get_by_label("Forward", exact=True).focus()
    for key in (" ", "Enter"):
        page.keyboard.press(key)
    assert stepper.step() == 2
    assert other.step() == 0
    assert page.evaluate("heard") == ["ArrowRight"], "a slide would hear keys that were meant for the stepper"
    page.keyboard.press("PageDown")
    assert page.evaluate("heard.at(-1)") == "PageDown"
    assert errors == []


def test_the_tab_key_reaches_every_control_and_leaves_again(page, errors, tmp_path):  # noqa: F811
    open_page(page, tmp_path, steps.record(count_upto(2)))
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
            const inner = document.activeElement.shadowRoot?.activeElement || document.activeElement;
            return inner.getAttribute('aria-label') || inner.id || inner.textContent;
        }"""
            )
        )
    assert reached[:7] == ["First step", "Back", "Forward", "Last step", "Play", "Step", "All steps as text"]
    assert reached[7] == "outside"


def test_play_goes_on_by_itself_and_pauses(page, errors, tmp_path):  # noqa: F811
    page.clock.install()
    open_page(page, tmp_path, steps.record(count_upto(2)))
    stepper = Stepper(page)
    stepper.press("Play")
    page.clock.run_for(3700)
    assert stepper.step() == 3
    stepper.press("Pause")
    page.clock.run_for(5000)
    assert stepper.step() == 3
    stepper.press("Play")
    page.clock.run_for(60_000)
    assert stepper.root.get_by_role("button", name="Play").count() == 1, "at the end it waits to be played again"
    stepper.press("Play")
    assert stepper.step() == 0
    assert errors == []


def test_a_finger_is_enough(chromium, tmp_path):  # noqa: F811
    context = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE * 1000)
    touched = context.new_page()
    open_page(touched, tmp_path, steps.record(count_upto(3)))
    stepper = Stepper(touched)
    button = stepper.root.get_by_role("button", name="Forward")
    button.tap()
    button.tap()
    assert stepper.step() == 2
    assert all(side >= 44 for side in (button.bounding_box()["width"], button.bounding_box()["height"]))
    context.close()


def test_what_a_learner_writes_stays_text(page, errors, tmp_path):  # noqa: F811
    open_page(page, tmp_path, steps.record(hostile("</pre><b>&amp;")))
    stepper = Stepper(page)
    stepper.press("Last step")
    stepper.press("Back")
    stepper.press("Back")
    assert page.evaluate("window.hacked") is None
    assert stepper.root.locator("img, b").count() == 0
    assert "</pre><b>&amp;" in stepper.says()
    assert errors == []


# In JupyterLab --------------------------------------------------------------------------------------------------------

CELLS = [
    "import os; os.chdir(os.pardir); import sys; sys.path.insert(0, ''); from helpers import steps",
    "def count_upto(max):\n    count = 1\n    while count <= max:\n        yield count\n        count += 1",
    "steps.show(count_upto(3))",
]


def notebook(**outputs):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}  # without it Lab asks which
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    for place, source in enumerate(CELLS):
        made.cells.append(nbformat.v4.new_code_cell(source))
        made.cells[-1].metadata["slideshow"] = {"slide_type": "slide"}
        made.cells[-1].outputs = outputs.get(f"cell{place}", [])
    made.cells.append(nbformat.v4.new_markdown_cell("# The end", metadata={"slideshow": {"slide_type": "slide"}}))
    return made


def store(page, lab, name, made):  # noqa: F811
    """Write a notebook into Lab's folder as its own pages do: nobody has run it, so nobody trusts it."""
    page.goto(f"{lab}lab/tree/README.md?reset")
    put = """async ([path, content]) => {
        const headers = {'X-XSRFToken': document.cookie.match(/_xsrf=([^;]*)/)[1]};
        const body = JSON.stringify({type: 'notebook', content});
        return (await fetch(path, {method: 'PUT', body, headers})).status;
    }"""
    assert page.evaluate(put, [f"{lab}api/contents/notebooks/{name}.ipynb", made]) == 201


def open_notebook(page, lab, name):  # noqa: F811
    page.goto(f"{lab}lab/tree/notebooks/{name}.ipynb?reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=PATIENCE * 1000)
    page.evaluate(READY)


def test_in_jupyterlab_light_and_dark(page, lab, errors):  # noqa: F811
    store(page, lab, "stepped", notebook())
    open_notebook(page, lab, "stepped")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    stepper = Stepper(page.locator(".jp-NotebookPanel"))
    stepper.root.get_by_role("status").wait_for(timeout=PATIENCE * 1000)
    errors.clear()  # JupyterLab's own, before anything of ours is there
    for theme in STYLES:
        change_theme(page, theme)
        stepper.press("First step")
        for _ in range(5):
            stepper.press("Forward")
        assert "count_upto yields 1. It is suspended at line 4. next() gives it." in stepper.says()
        assert stepper.shows() == [("count_upto, suspended at line 4", {"max": "3", "count": "1"})]
        for key, at in (("ArrowRight", 6), ("ArrowLeft", 5), ("End", 19), ("Home", 0), ("d", 0), ("d", 0), (" ", 1)):
            page.keyboard.press(key)
            assert stepper.step() == at
        assert page.locator(".jp-NotebookPanel .jp-Cell").count() == len(CELLS) + 1, "d d has removed a cell"
        assert faults(page, STEPPER) == []
        picture(page, f"lab-{theme}")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    assert errors == []


def test_a_notebook_that_is_not_trusted_shows_the_text(page, lab):  # noqa: F811
    recording = steps.record(count_upto(3))
    data = {"text/html": recording._repr_html_(), "text/plain": recording.text()}
    store(page, lab, "stranger", notebook(cell2=[nbformat.v4.new_output("display_data", data)]))
    open_notebook(page, lab, "stranger")
    output = page.locator(".jp-OutputArea-output")
    output.get_by_text("count_upto(max=3), step by step").wait_for(timeout=PATIENCE * 1000)
    assert output.inner_text().rstrip() == recording.text()
    picture(page, "not-trusted")


def test_in_a_slide_the_keys_are_the_slides_until_the_focus_is_inside(page, lab, errors):  # noqa: F811
    store(page, lab, "talk", notebook())
    open_notebook(page, lab, "talk")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(500)
    open_slides(page, lab, "talk")
    errors.clear()
    slide = "() => document.querySelector('.slides > section.present > section.present').id"
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
    here = page.evaluate(slide)
    stepper = Stepper(page.locator("section.present > section.present"))
    stepper.root.get_by_role("status").wait_for(timeout=PATIENCE * 1000)
    stepper.press("Forward")
    for key, at in (("ArrowRight", 2), (" ", 3), ("ArrowLeft", 2), ("End", 19), ("Home", 0), ("ArrowRight", 1)):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        assert stepper.step() == at
        assert page.evaluate(slide) == here
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    picture(page, "slide")
    assert faults(page, "section.present > section.present .generator-steps") == []
    page.mouse.click(5, 5)
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert page.evaluate(slide) != here
    assert errors == []


def test_in_an_html_export(page, errors, tmp_path):  # noqa: F811
    recording = steps.record(count_upto(3))
    data = {"text/html": recording._repr_html_(), "text/plain": recording.text()}
    exporter = nbconvert.HTMLExporter()
    for theme in STYLES:
        exporter.theme = theme
        html, _ = exporter.from_notebook_node(notebook(cell2=[nbformat.v4.new_output("display_data", data)]))
        (tmp_path / "export.html").write_text(html, encoding="utf-8")
        page.route("http*://**", lambda route: route.abort())  # MathJax and the like: there is no network
        page.goto((tmp_path / "export.html").as_uri())
        stepper = Stepper(page)
        stepper.press("Last step")
        assert "next() raises StopIteration." in stepper.says()
        assert faults(page, STEPPER) == []
        picture(page, f"export-{theme}")
