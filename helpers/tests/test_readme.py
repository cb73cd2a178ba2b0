"""The README, CONTRIBUTING.md and what stands beside them: short, and what they name is there."""

import re

import pytest
import yaml
from places import PROJECT, ROOT, make_targets

from helpers import notebooks

README = (ROOT / "README.md").read_text(encoding="utf-8")
SCREEN = 45  # lines of text on a screen
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github").rglob("*.md"))
ROOMS = ["", "helpers", "helpers/check", "helpers/tests"]  # where a file may be that is named without its folder


def test_the_readme_is_no_longer_than_three_screens():
    lines = [line for line in README.splitlines() if line.strip()]
    assert len(lines) <= 3 * SCREEN


def test_the_readme_speaks_to_learners_then_teachers_then_maintainers():
    assert re.findall(r"^## (.*)", README, re.M) == ["Learn", "Teach", "Maintain"]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", text):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"(?:`|^    |&& )make ([a-z]+)", text, re.M):
        assert target in make_targets(), target
    for name in re.findall(r"`([\w./]+\.(?:py|yml|toml|txt|sh|css|cff|md)|[\w.]+/[\w./]*)`", text):
        assert any((ROOT / room / name.replace("NN", "00")).exists() for room in ROOMS), name


def test_contributing_names_every_test_file_or_one_that_its_name_begins_with():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+)\.py`", text)
    assert len(set(named)) > 20
    files = {path.stem for path in (ROOT / "helpers/tests").glob("test_*.py")}
    apart = {"test_browser", "test_class", "test_docstrings", "test_progress", "test_torture"}
    assert {name for name in files - apart if not name.startswith(tuple(named))} == set()


def test_the_citation_and_the_changelog_are_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors", "type"} <= citation.keys()
    latest = re.search(r"^## (\S+) - ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[1]
    assert latest == PROJECT["version"]


def test_the_templates_of_issues_say_what_they_are_for():
    found = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.md"))
    assert len(found) == 3
    for path in found:
        _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
        assert {"name", "about"} <= yaml.safe_load(front).keys() and body.strip()


def test_the_readme_has_a_row_for_every_lesson_in_both_tables():
    numbers = sorted(path.name[:2] for path in notebooks.LESSONS.glob("*.ipynb"))
    assert re.findall(r"^\| \[(\d\d) .*?\| \d+ \+ \d+ \|", README, re.M) == numbers
    assert re.findall(r"^\| (\d\d) \| \d+ \| .+ \| .+\? \| .+ \|$", README, re.M) == numbers
