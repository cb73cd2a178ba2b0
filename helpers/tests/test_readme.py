"""The README is short, and what it names is there."""

import re

from places import ROOT, make_targets

from helpers import notebooks

README = (ROOT / "README.md").read_text(encoding="utf-8")
SCREEN = 45  # lines of text on a screen


# README.md ------------------------------------------------------------------------------------------------------------


def test_the_readme_is_no_longer_than_three_screens():
    lines = [line for line in README.splitlines() if line.strip()]
    assert len(lines) <= 3 * SCREEN


def test_the_readme_speaks_to_learners_then_teachers_then_maintainers():
    assert re.findall(r"^## (.*)", README, re.M) == ["Learn", "Teach", "Maintain"]


def test_what_the_readme_names_is_there():
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"(?:`|^    |&& )make ([a-z]+)", README, re.M):
        assert target in make_targets(), target
    for name in re.findall(r"`([\w/]+\.(?:py|yml|toml|txt|sh))`", README):
        assert (ROOT / name).exists() or (ROOT / "helpers" / name).exists(), name


def test_the_readme_has_a_row_for_every_lesson_in_both_tables():
    numbers = sorted(path.name[:2] for path in notebooks.LESSONS.glob("*.ipynb"))
    assert re.findall(r"^\| \[(\d\d) .*?\| \d+ \+ \d+ \|", README, re.M) == numbers
    assert re.findall(r"^\| (\d\d) \| \d+ \| .+ \| .+\? \| .+ \|$", README, re.M) == numbers
