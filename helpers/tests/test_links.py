"""The course's address stands in every place that names one, or in none."""

import re
import shutil

import pytest

from helpers import notebooks
from helpers.notebooks import copies, links, minutes

ROOT = notebooks.ROOT
PLACES = ["README.md", "CITATION.cff", *sorted(f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb"))]
ADDRESS = "https://github.com/ada/course"


@pytest.fixture
def course(tmp_path):
    """A copy of the files that hold an address, none in them."""
    (tmp_path / "notebooks").mkdir()
    for place in PLACES:
        shutil.copy(ROOT / place, tmp_path / place)
    links.put(None, tmp_path)
    return tmp_path


def texts(folder):
    return {place: (folder / place).read_text(encoding="utf-8") for place in PLACES}


def addresses(text):
    """The repositories that a text names as the course's, on its host or on Binder."""
    found = re.findall(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)", text)
    found += re.findall(r"https://github\.com/([\w.-]+/[\w.-]+)/actions", text)
    return {f"https://github.com/{name}" for name in found} | set(re.findall(r'^repository-code: "(.*)"', text, re.M))


def test_every_place_names_the_same_address_or_none():
    named = {place: addresses(text) for place, text in texts(ROOT).items()}
    assert set(map(frozenset, named.values())) in ({frozenset()}, {frozenset(set().union(*named.values()))}), named
    assert len(set().union(*named.values())) <= 1, named


def test_links_are_written_everywhere_once_changed_and_taken_out(course):
    without = texts(course)
    for address in (ADDRESS, ADDRESS, "https://github.com/grace/generators"):
        links.put(address, course)
        for place, text in texts(course).items():
            assert addresses(text) == {address}, place
    links.put(None, course)
    assert texts(course) == without


def test_a_lessons_badge_opens_the_learners_copy_of_that_lesson(course):
    links.put(ADDRESS, course)
    for place in PLACES[2:]:
        first = notebooks.read(course / place).cells[0].source.splitlines()
        assert first[2].endswith(f"/v2/gh/ada/course/HEAD?urlpath=lab/tree/my_lessons/{place[10:]})"), first[2]
        assert first[0].startswith("# ") and first[1] == first[3] == "" and first[4]


def test_a_badge_makes_no_copy_old_and_no_lesson_longer(course):
    def told():
        lessons = [course / place for place in PLACES[2:]]
        return [(copies.fingerprint(notebooks.read(path)), minutes.of(path)) for path in lessons]

    before = told()
    links.put(ADDRESS, course)
    assert told() == before


def test_a_repository_elsewhere_than_github_has_its_binder_link_too(course):
    links.put("https://gitlab.com/ada/course", course)
    for place in PLACES[2:]:
        assert "mybinder.org/v2/git/https%3A%2F%2Fgitlab.com%2Fada%2Fcourse/HEAD" in texts(course)[place]


@pytest.mark.parametrize(
    "url",
    ["git@github.com:ada/course.git", "https://github.com/ada/course.git", "ssh://git@github.com/ada/course"]
    + ["https://token@github.com/ada/course/", "ssh://git@github.com:22/ada/course.git", ADDRESS],
)
def test_an_address_is_read_however_git_names_it(url):
    assert links.web_address(url) == ADDRESS


@pytest.mark.parametrize("url", ["/srv/git/course", "../course", "course", "", "https://github.com/", "file:///x/y"])
def test_what_is_no_address_on_the_web_is_refused(url):
    with pytest.raises(ValueError, match="make links URL="):
        links.web_address(url)
