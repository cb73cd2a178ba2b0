"""python -m helpers.check --class and check.classroom: a class checked side by side, stopped, and run again."""

import contextlib
import csv
import html
import signal
import subprocess
import sys
import textwrap
import threading

import nbformat
import pytest
from answers import tables
from places import ROOT

from helpers import check, notebooks
from helpers.check import __main__ as command
from helpers.check import handed_in, whole_class

HUNG = "def for_each(values, do):\n    count = 0\n    while True:\n        count += 1"
FULL = "def for_each(values, do):\n    kept = []\n    while True:\n        kept.append(bytearray(2**20))"
SEED = {"seed.py": "import mysql.connector\n\n\ndef connect_db():\n    return 1 / 0\n"}


def hand_in(folder, *answers):
    """Write a copy of lesson 00 with these answers in the first cells that are the learner's, the others gone."""
    notebook = nbformat.read(notebooks.find("00"), as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    for number, turn in enumerate(handed_in.turns("00")):
        if number < len(answers):
            cells[turn.cell].source = answers[number]
        else:
            notebook.cells.remove(cells[turn.cell])
    folder.mkdir(exist_ok=True)
    path = folder / "00_iterators_and_generators.ipynb"
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def klass(tmp_path_factory):
    """The folder of a class: one who wrote every answer, and others who did not."""
    folder = tmp_path_factory.mktemp("class")
    hand_in(folder / "ada", *(turn.right[0] for turn in tables()["00"]))
    hand_in(folder / "bo", HUNG)
    hand_in(folder / "chen", FULL)
    hand_in(folder / "dina", "def for_each(values, do):\n    do(1 +")
    hand_in(folder / "=1+1<b>", "raise SystemExit('work beside the function is left out')", "x = 1")
    (folder / "empty\x1b[31m").mkdir()
    (folder / "fatou").mkdir()
    for name, source in SEED.items():
        (folder / "fatou" / name).write_text(source)
    (folder / ".git").mkdir()
    return folder


@pytest.fixture(scope="module")
def answers(klass):
    return whole_class.check_class(klass)


def test_every_learner_has_a_row_and_hidden_folders_have_none(answers):
    assert [*answers] == ["=1+1<b>", "ada", "bo", "chen", "dina", "empty\x1b[31m", "fatou"]


def test_right_answers_of_a_notebook_are_all_well(answers):
    assert set(answers["ada"]["marks"].values()) == {"✔"}
    assert len(answers["ada"]["marks"]) == len(tables()["00"])
    assert not answers["ada"]["problem"]


def test_of_whom_nothing_could_be_checked_the_first_reason_is_told(checking_server, tmp_path):
    source = "import psycopg2\n\n\ndef connect_db():\n    return psycopg2.connect(dbname='x')\n"
    (tmp_path / "seed.py").write_text(source)
    answer = whole_class.check_one(tmp_path)
    assert set(answer["marks"].values()) == {"–"} and answer["mistakes"] == [40]
    assert answer["problem"].startswith("Task 0: made for PostgreSQL (psycopg2, seed.py line 1)")
    assert f"  learner: {answer['problem']}" in whole_class.text({"learner": answer})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("predicted_mib = {'sum(ages(3_000_000))': ...}", "not written yet"),
        ("predicted_mib = {'sum(ages(3_000_000))': 1 / 0}", "ZeroDivisionError"),
        (
            "predicted_mib = {'sum(ages(3_000_000))': 3_000_000 * 8 / 2**20}",
            "22.9 MiB. How many ages does it keep at once?",
        ),
        ("expected = 3", "the cell defines no predicted_mib"),
    ],
    ids=["open", "raises", "wrong", "another-name"],
)
def test_a_value_that_is_handed_in_is_made_in_a_learners_process(tmp_path, source, told):
    (number,) = (number for number, turn in enumerate(handed_in.turns("00")) if turn.check == "predicted_mib")
    hand_in(tmp_path / "ada", *["x = 1"] * number, source)
    (path,) = (tmp_path / "ada").iterdir()
    report = [*handed_in.reports(path)][number]
    assert not report
    assert told in str(report)


@pytest.mark.parametrize(
    ("name", "mark", "told"),
    [
        ("bo", "✘", ""),
        ("chen", "✘", ""),
        ("dina", "–", "it is not valid Python"),
        ("=1+1<b>", "–", "the cell defines no for_each"),
    ],
    ids=["hangs", "fills-memory", "syntax-error", "no-function"],
)
def test_what_is_wrong_with_one_answer_ends_nothing(answers, name, mark, told):
    assert answers[name]["marks"]["Lesson 00: for_each"] == mark
    assert told in answers[name]["details"]["Lesson 00: for_each"]
    assert answers[name]["details"]["Lesson 00: pairs"] == "the cell is missing"  # the rest was looked at


def test_who_has_handed_in_nothing_is_said_with_the_reason(answers):
    assert "has none of the project's files" in answers["empty\x1b[31m"]["problem"]
    assert answers["fatou"]["marks"]["Task 0"] == "✘"


def test_the_text_shows_marks_reasons_and_no_control_characters(answers):
    text = whole_class.text(answers)
    assert "\x1b" not in text
    assert "empty\\x1b[31m: has none of the project's files" in text
    (row,) = [line for line in text.splitlines() if line.startswith("ada ")]
    assert row.endswith("✔" * len(tables()["00"]))


def test_a_teacher_is_told_how_to_see_one_learners_report(klass, answers, capsys, monkeypatch):
    monkeypatch.setattr(whole_class, "check_one", None)  # nothing is left to check
    assert command.main(["--class", str(klass)]) == 2
    said = capsys.readouterr().out
    assert said.startswith(whole_class.text(answers))
    assert said.endswith(f"\nA learner's whole report: python -m helpers.check {klass / 'fatou'}\n")
    assert whole_class.next_step({"ada": answers["ada"]}, klass) == ""


def test_the_commonest_mistakes_come_first_with_how_many_have_each():
    answers = {str(n): {"marks": {}, "problem": "", "mistakes": found} for n, found in enumerate([[3, 1], [3], [7]])}
    assert whole_class.mistakes(answers) == [(3, 2), (1, 1), (7, 1)]
    assert "  2 of 3  3: " in whole_class.text(answers)


def test_the_grade_book_has_words_and_no_formulas(answers, tmp_path):
    file = tmp_path / "grades.csv"
    whole_class.write_csv(answers, file)
    with open(file, newline="", encoding="utf-8-sig") as opened:
        rows = {row["learner"]: row for row in csv.DictReader(opened)}
    assert [*rows][:2] == ["'=1+1<b>", "ada"]
    assert rows["ada"]["Lesson 00: for_each"] == "well"
    assert rows["ada"]["well"] == str(len(tables()["00"]))
    assert rows["bo"]["Lesson 00: for_each"] == "to fix"


def test_the_data_frame_shows_itself_in_words_and_escapes_names(klass, answers, monkeypatch):
    monkeypatch.setattr(whole_class, "check_one", None)  # nothing is left to check
    frame = check.classroom(klass)
    assert frame.loc["ada", "Lesson 00: for_each"] == "✔ well"
    shown = frame._repr_html_()
    assert html.escape("=1+1<b>") in shown
    assert "<b>" not in shown
    assert "✘ to fix" in shown
    assert "background-color" in shown
    assert type(frame.head(1)) is type(frame)


def test_what_is_unchanged_is_not_checked_twice_and_what_changed_is(klass, answers, monkeypatch):
    checked = []
    real = whole_class.check_one
    monkeypatch.setattr(whole_class, "check_one", lambda path: checked.append(path.name) or real(path))
    assert whole_class.check_class(klass) == answers
    assert not checked
    hand_in(klass / "dina", tables()["00"][0].right[1])
    again = whole_class.check_class(klass)
    assert checked == ["dina"]
    assert again["dina"]["marks"]["Lesson 00: for_each"] == "✔"


def test_a_stopped_run_loses_nothing_and_checks_nothing_twice(tmp_path, monkeypatch):
    for name in "abcde":
        hand_in(tmp_path / name)
    checked, gate = [], threading.Semaphore()

    def check_one(path):
        gate.acquire()  # one at a time: the next when the last one is kept
        checked.append(path.name)
        return {"marks": {"Task 0": "✔"}, "details": {}, "mistakes": [], "problem": "", "again": False}

    def stop_after_two(name, _):
        gate.release()
        if name == "b":
            raise KeyboardInterrupt

    monkeypatch.setattr(whole_class, "check_one", check_one)
    with pytest.raises(KeyboardInterrupt):
        whole_class.check_class(tmp_path, stop_after_two, at_once=1)
    before = len(checked)
    assert checked[:2] == ["a", "b"]
    done = whole_class.check_class(tmp_path, lambda *_: gate.release(), at_once=1)
    assert [*done] == [*"abcde"]
    assert {"a", "b"}.isdisjoint(checked[before:])
    assert set(checked) == {*"abcde"}


KILLED = """
    import contextlib, os, signal, sys
    from pathlib import Path
    from helpers.check import whole_class

    def replace(self, target):
        if len(whole_class.json.loads(self.read_text())) == 3 and "half" in sys.argv:
            os.kill(os.getpid(), signal.SIGKILL)
        replaced(self, target)
        if len(whole_class.json.loads(Path(target).read_text())) == 2 and "half" not in sys.argv:
            os.kill(os.getpid(), signal.SIGKILL)

    replaced, Path.replace = Path.replace, replace
    whole_class.solutions.private_server = contextlib.nullcontext  # lesson 00 needs none
    whole_class.check_class(sys.argv[1], at_once=1)
"""


@pytest.mark.parametrize("when", ["between", "half"])
def test_a_run_that_is_killed_loses_nothing_and_checks_nothing_twice(tmp_path, monkeypatch, when):
    """Killed when two answers are kept, or while the third is written: as a power cut, with nothing tidied up."""
    for name in "abcd":
        hand_in(tmp_path / name, tables()["00"][0].right[0] if name in "ac" else HUNG.replace("while True", "if True"))
    program = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), when]
    killed = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    half_written = [*tmp_path.glob(f"{whole_class.KEPT}.*")]
    assert len(half_written) == (when == "half")
    checked = []
    real = whole_class.check_one
    monkeypatch.setattr(whole_class, "check_one", lambda path: checked.append(path.name) or real(path))
    monkeypatch.setattr(whole_class.solutions, "private_server", contextlib.nullcontext)
    answers = whole_class.check_class(tmp_path, at_once=1)
    assert checked == ["c", "d"]
    assert [*answers] == [*"abcd"]
    assert [answers[name]["marks"]["Lesson 00: for_each"] for name in "abcd"] == ["✔", "✘", "✔", "✘"]
    assert answers["a"] == answers["c"] and answers["b"] == answers["d"]
    assert not [*tmp_path.glob(f"{whole_class.KEPT}.*")]


def test_a_class_folder_that_cannot_be_written_is_said_before_anything_is_checked(tmp_path, monkeypatch, capsys):
    hand_in(tmp_path / "a")
    (tmp_path / whole_class.KEPT).mkdir()  # root may write anywhere
    monkeypatch.setattr(whole_class, "check_one", None)
    assert command.main(["--class", str(tmp_path)]) == 2
    assert whole_class.KEPT in capsys.readouterr().err


def test_an_answer_that_another_run_may_better_is_asked_again(tmp_path, monkeypatch):
    hand_in(tmp_path / "a")
    checked = []

    def check_one(path):
        checked.append(path.name)
        return {"marks": {}, "details": {}, "mistakes": [], "problem": "no server", "again": True}

    monkeypatch.setattr(whole_class, "check_one", check_one)
    for _ in range(2):
        whole_class.check_class(tmp_path)
    assert checked == ["a", "a"]


def test_a_folder_that_is_none_is_said_in_one_line(tmp_path, capsys):
    assert command.main(["--class", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.strip().endswith("is not a folder")
    (tmp_path / "notes.txt").write_text("nothing to check")
    assert command.main(["--class", str(tmp_path)]) == 2
    assert "contains no learners' folders and no notebooks" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--csv", "x.csv"], ["--class", "--json"]], ids=["csv-alone", "class-as-json"])
def test_options_that_do_not_go_together_are_refused(words, tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main([*words, str(tmp_path)])
    assert "--csv belongs to --class" in capsys.readouterr().err
