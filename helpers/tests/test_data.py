"""The thousand people of data/user_data.csv: made by a script, and hard on careless programs."""

import csv
import re
import sys
import unicodedata
from collections import Counter

import pytest
from places import ROOT, run

# data/user_data.csv ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people():
    """The rows of user_data.csv."""
    with open(ROOT / "data/user_data.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_data_is_what_its_script_makes(tmp_path):
    done = run(sys.executable, ROOT / "data/make_user_data.py", tmp_path / "again.csv")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "again.csv").read_bytes() == (ROOT / "data/user_data.csv").read_bytes()


def test_every_field_of_the_data_is_quoted():
    header, *lines = (ROOT / "data/user_data.csv").read_text(encoding="utf-8").splitlines()
    assert header == '"name","email","age"'
    for line in lines:
        assert re.fullmatch(r'"(?:[^"]|"")+","[^"]+","\d+"', line), line


def test_the_ages_tell_over_25_from_25_or_more(people):
    ages = Counter(int(person["age"]) for person in people)
    assert ages.total() == 1000
    assert ages[25] == 10
    assert (min(ages), max(ages)) == (1, 120)


def test_the_emails_differ_and_reach_nobody(people):
    addresses = {person["email"].lower() for person in people}
    assert len(addresses) == len(people)
    assert all(re.fullmatch(r"[a-z0-9.-]+@example\.(com|org|net)", address) for address in addresses)


def test_the_names_hold_what_breaks_careless_programs(people):
    names = [person["name"] for person in people]
    assert any("O'Brien" in name for name in names)
    assert any(name.endswith(", Jr.") for name in names)
    assert any('"' in name for name in names)
    for script in ("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "DEVANAGARI", "HANGUL", "CJK", "HIRAGANA"):
        assert any(unicodedata.name(letter).startswith(script) for letter in set("".join(names))), script
    assert any(max(name) > "\uffff" for name in names), "nothing that needs utf8mb4"
    assert max(map(len, names)) <= 255
