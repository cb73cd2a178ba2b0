"""What the commands of helpers.notebooks do to notebooks: outputs kept, minutes computed, learners' copies made."""

import base64
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import notebooks
from helpers.notebooks import copies, minutes, store

LESSONS = sorted(notebooks.LESSONS.glob("*.ipynb"))
IGNORED = {"tags": ["nbval-ignore-output"]}


def code(source, *tags, output=None, hidden=False):
    metadata = {"tags": list(tags)} | ({"jupyter": {"source_hidden": True}} if hidden else {})
    outputs = [new_output("stream", name="stdout", text=output)] if output else []
    return new_code_cell(source, metadata=metadata, outputs=outputs, execution_count=1 if output else None)


def printed(notebook):
    return [cell.outputs[0].text for cell in notebook.cells if cell.get("outputs")]


def test_what_takes_seconds_to_load_is_not_loaded_and_not_kept_away():
    program = "import sys; from helpers.notebooks import store; print(sys.modules.get('rfc3987_syntax', 'not there'))"
    ran = subprocess.run([sys.executable, "-c", program], cwd=notebooks.ROOT, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("not there\n", "")


# Outputs that stay as they are ----------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path):
    """A repository with one notebook whose second and fourth outputs differ from run to run."""
    clock = "from time import perf_counter_ns\nprint(perf_counter_ns())"
    cells = [code("steady = 1"), code(clock, *IGNORED["tags"]), code("print(steady)"), code(clock, *IGNORED["tags"])]
    path = tmp_path / "00_clock.ipynb"
    store.write(new_notebook(cells=cells), path)
    store.run(path)
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return path


def change(path, number, source):
    notebook = notebooks.read(path)
    notebook.cells[number].source = source
    store.write(notebook, path)


def test_a_run_without_a_change_leaves_the_file_as_it_is(repository):
    before = repository.read_bytes()
    store.run(repository)
    assert repository.read_bytes() == before


def test_what_stands_below_a_change_is_stored_anew(repository):
    before = printed(notebooks.read(repository))
    change(repository, 2, "print(steady + 1)")
    store.run(repository)
    after = printed(notebooks.read(repository))
    assert after[0] == before[0], "nothing above it has changed"
    assert after[1] == "2\n", "compared outputs are those of this run"
    assert after[2] != before[2]


def test_every_output_is_stored_anew_where_that_is_asked_for_or_nothing_is_committed(repository, tmp_path):
    before = printed(notebooks.read(repository))
    store.run(repository, fresh=True)
    after = printed(notebooks.read(repository))
    assert before[0] != after[0] and before[2] != after[2]
    shutil.rmtree(tmp_path / ".git")
    store.run(repository)
    assert printed(notebooks.read(repository))[0] != after[0]


def test_clean_keeps_what_folds_a_part_and_drops_what_an_editor_adds():
    heading = new_markdown_cell("### More", metadata={"jp-MarkdownHeadingCollapsed": True, "editable": True})
    (cell,) = store.clean(new_notebook(cells=[heading]), "00_x").cells
    assert cell.metadata == {"jp-MarkdownHeadingCollapsed": True}


def test_figures_are_found_with_their_words():
    picture = base64.b64encode(b"a picture").decode()
    shown = new_output("display_data", {"text/html": f'<img alt="1 &lt; 2" src="data:image/png;base64,{picture}">'})
    bare = new_output("display_data", {"image/png": picture})
    found = store.figures([new_code_cell("", outputs=[shown]), new_code_cell("", outputs=[bare])])
    assert found == [store.Figure(b"a picture", "1 < 2"), store.Figure(b"a picture", "")]


# Minutes --------------------------------------------------------------------------------------------------------------


def lesson():
    folds = "One\n<details><summary>A) no</summary>\n\nnot counted\n</details>"
    title = "# Count\n\n**Time:** 1 minutes\n\n**Dig deeper:** 1 minutes\n\n" + "word " * 231
    return new_notebook(
        cells=[
            new_markdown_cell(title),
            new_markdown_cell(folds),
            code("\n\n".join(["a = 1"] * 30)),
            code("folded = 1\n" * 60, hidden=True),
            new_markdown_cell("", metadata={"tags": ["prediction"]}),
            code("def count():\n    ...", "your-turn"),
            code("check.count(count)", "check"),
            code("# The lesson's version\ndef count():\n    yield 1\n    yield 2", "solution", hidden=True),
            code("...", "exercise"),
            code("check.it(it)", "exercise", "check"),
            code("# Solution\nit = 1", "solution", hidden=True),
            new_markdown_cell("## Dig deeper"),
            code("b = 2\n" * 150),
        ]
    )


def test_a_lessons_form_is_counted():
    main, more = (minutes.form(part(lesson().cells)) for part in (minutes.core, minutes.deeper))
    assert main.words == 242, "the numbers count as words, # and what is folded do not"
    assert main.lines == 30 + 2 + 1 + 1 + 1
    assert (main.predictions, main.turns, main.exercises, main.first, main.written) == (1, 1, 1, 5, 3)
    assert main.minutes == 20, "2 for the words, 2.3 for the code, 1.5, 4 and 6, rounded up to 5"
    assert more.minutes == 15


def test_clean_writes_the_minutes_into_the_first_cell():
    first = store.clean(lesson(), "00_x").cells[0].source
    assert "**Time:** 20 minutes" in first and "**Dig deeper:** 15 minutes" in first


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("# Two words", 2), ("[a link](https://example.org/a/b)", 2), ("a | b\n--- | ---", 2)]
    + [("<details><summary>A) x</summary>1 2</details> end", 3), ("[![a badge](b.svg)](https://c.org) one", 1)],
)
def test_words_are_those_that_a_reader_sees(text, count):
    assert minutes.words(text) == count


def test_the_table_has_a_row_for_each_lesson():
    header, line, *rows = minutes.table(LESSONS).splitlines()
    assert [row.split("|")[1].strip() for row in rows] == [path.stem for path in LESSONS]
    assert {text.count("|") for text in (header, line, *rows)} == {header.count("|")}


# Learners' copies -----------------------------------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path):
    """A lesson with a question, a prediction, and a solution."""
    path = tmp_path / "00_lesson.ipynb"
    cells = [
        code("print('question')", "question", output="question\n"),
        code("print('answer')", output="answer\n"),
        code("# Solution\n1 + 1", "solution", output="2\n"),
    ]
    store.write(new_notebook(cells=cells), path)
    return path


def test_a_copy_holds_the_question_and_no_answer(source, tmp_path):
    copies.make([source], tmp_path / "mine")
    copy = notebooks.read(tmp_path / "mine" / source.name)
    assert printed(copy) == ["question\n"]
    assert [cell.execution_count for cell in copy.cells] == [None] * 3
    assert copy.cells[2].metadata.jupyter.source_hidden
    assert [cell.source for cell in copy.cells] == [cell.source for cell in notebooks.read(source).cells]
    assert (tmp_path / "mine/rise.css").read_bytes() == (notebooks.LESSONS / "rise.css").read_bytes()


def test_a_learners_work_is_never_written_over(source, tmp_path, capsys):
    copy = tmp_path / "mine" / source.name
    copies.make([source], copy.parent)
    change(copy, 1, "print('my work')")
    before = copy.read_bytes()
    copies.make([source], copy.parent)
    assert capsys.readouterr().out == ""
    change(source, 1, "print('another answer')")
    copies.make([source], copy.parent)
    assert copy.read_bytes() == before
    said = capsys.readouterr().out
    assert said.startswith("00_lesson.ipynb: the lesson has changed since you started it. `make fresh LESSON=00` gives")


def test_outputs_stored_anew_do_not_make_a_copy_old(source, tmp_path, capsys):
    copies.make([source], tmp_path / "mine")
    notebook = notebooks.read(source)
    notebook.cells[0].outputs[0].text = "another figure\n"
    store.write(notebook, source)
    copies.make([source], tmp_path / "mine")
    assert capsys.readouterr().out == ""


def test_a_copy_that_cannot_be_read_is_left_and_said(source, tmp_path, capsys):
    copy = tmp_path / "mine" / source.name
    copies.make([source], copy.parent)
    copy.write_text("<<<<<<< HEAD")
    copies.make([source], copy.parent)
    assert copy.read_text() == "<<<<<<< HEAD"
    assert "cannot be read as a notebook" in capsys.readouterr().out


def test_a_fresh_copy_keeps_the_old_one_however_often(source, tmp_path, monkeypatch):
    monkeypatch.setattr(copies.time, "strftime", lambda form: "now")
    folder = tmp_path / "mine"
    copies.make([source], folder)
    fresh = (folder / source.name).read_bytes()
    for number in range(3):
        change(folder / source.name, 1, f"print({number})")
        copies.renew(source, folder)
        assert (folder / source.name).read_bytes() == fresh
    kept = {path.name: notebooks.read(path).cells[1].source for path in folder.glob("*kept*")}
    names = ["00_lesson_kept_now.ipynb", "00_lesson_kept_now_2.ipynb", "00_lesson_kept_now_3.ipynb"]
    assert kept == {name: f"print({number})" for number, name in enumerate(names)}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_output_of_a_lesson_shows_in_its_copy_but_the_question(path):
    for cell in copies.learners(notebooks.read(path)).cells:
        assert not cell.get("outputs") or "question" in notebooks.tags(cell), cell.source
        assert "solution" not in notebooks.tags(cell) or cell.metadata.jupyter.source_hidden


def test_git_and_ruff_leave_the_copies_alone_and_make_clean_does_too():
    ignored = (notebooks.ROOT / ".gitignore").read_text().splitlines()
    assert f"/{copies.COPIES.name}/" in ignored
    assert f'extend-exclude = ["{copies.COPIES.name}"]' in (notebooks.ROOT / "pyproject.toml").read_text()
    said = subprocess.run(["make", "-n", "clean"], cwd=notebooks.ROOT, capture_output=True, text=True).stdout
    assert "rm -rf" in said and copies.COPIES.name not in said


def test_a_copied_notebook_is_valid(tmp_path):
    copies.make(LESSONS, tmp_path)
    for path in LESSONS:
        nbformat.validate(notebooks.read(tmp_path / path.name))
