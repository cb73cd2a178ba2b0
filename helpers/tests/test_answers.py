"""Each check of a lesson lets right answers pass, however they are written, and tells what is wrong with wrong ones."""

import linecache

import pytest
from answers import execute, namespace, tables

from helpers import check

TABLES = tables()
ANSWERS = [
    pytest.param(lesson, position, name, id=f"{lesson}-{position + 1}-{name}")
    for lesson, turns in TABLES.items()
    for position, turn in enumerate(turns)
    for name in turn.answers
]


@pytest.mark.parametrize(("lesson", "position", "name"), ANSWERS)
def test_an_answer(lesson, position, name):
    turn = TABLES[lesson][position]
    source, wanted = turn.answers[name]
    label = f"<answer {name}>"
    names = namespace(lesson, turn, position)
    try:
        execute(source, names, label)
        report = getattr(check, turn.check)(names[turn.name or turn.check], step=turn.step)
    finally:
        linecache.cache.pop(label, None)
    said = " ".join(str(report).split())
    assert not report.unchecked, said
    if wanted is None:
        assert report, str(report)
    else:
        assert not report, f"a wrong answer passed:\n{source}"
        assert " ".join(wanted.split()) in said, str(report)


@pytest.mark.parametrize("lesson", TABLES)
def test_each_turn_has_three_right_and_six_wrong_answers(lesson):
    few = {turn.check: (len(turn.right), len(turn.wrong)) for turn in TABLES[lesson]}
    few = {name: counts for name, counts in few.items() if counts[0] < 3 or counts[1] < 6}
    assert not few
