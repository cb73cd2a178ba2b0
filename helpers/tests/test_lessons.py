"""What every lesson must have: its parts, its tags, clean outputs, and the functions that it promises."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cloudpickle
import nbformat
import pytest

from helpers import databases, memory, notebooks
from helpers.bench.comparison import Imported, lesson
from helpers.notebooks import store

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # for the processes that measure

LESSONS = sorted(notebooks.LESSONS.glob("*.ipynb"))
PARTS = [
    "## The plot first",
    "## Predict",
    "## Run",
    "## Investigate",
    "## What goes wrong",
    "## Exercises",
    "## Key points",
]
PROMISED = {
    "00_iterators_and_generators": ["count_upto"],
    "01_seed_the_database": [],
    "02_stream_users": ["stream_users"],
    "03_batch_processing": ["stream_users_in_batches", "batch_processing"],
    "04_lazy_pagination": ["paginate_users", "lazy_pagination", "lazy_paginate"],
    "05_stream_ages": ["stream_user_ages", "calculate_average_age"],
    "06_hundred_million_domains": ["ResultGenerator"],
    "07_beyond_one_machine": [],
}
TAGS = {"export", "exercise", "solution", "raises-exception", "nbval-ignore-output"}


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


def markdown(cells):
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def without_code(text):
    """Markdown without its fenced blocks, in which a # is no heading."""
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def test_lessons_are_the_ones_of_the_course():
    assert {path.stem for path in LESSONS} <= PROMISED.keys()
    assert [path.stem for path in LESSONS] == list(PROMISED)[: len(LESSONS)]


def test_stored_notebook_is_clean_whole_and_small(path):
    assert store.problems(path) == []


def test_lesson_has_its_eight_parts_in_order(cells):
    text = "\n".join(map(without_code, markdown(cells)))
    headings = re.findall(r"^#{1,2} .*", text, flags=re.M)
    assert headings[0].startswith("# ") and sum(h.startswith("# ") for h in headings) == 1
    found = [heading for heading in dict.fromkeys(headings) if heading in PARTS]
    assert found == PARTS


def test_headings_go_down_one_level_at_a_time(cells):
    levels = [len(h) for h in re.findall(r"^(#+) ", "\n".join(map(without_code, markdown(cells))), flags=re.M)]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_first_cell_says_what_for_whom_and_how_long(path, cells):
    title = cells[0].source
    assert re.search(r"\*\*Time:\*\* \d+ min reading, \d+ min doing", title)
    assert "**You need:**" in title
    assert f"urlpath=lab/tree/notebooks/{path.name})" in title  # the Binder badge opens this lesson
    objectives = re.findall(r"^- ", title, flags=re.M)
    key_points = re.findall(r"^- ", cells[-1].source, flags=re.M)
    assert 3 <= len(objectives) <= 4
    assert len(key_points) == len(objectives)


def test_first_code_cell_finds_the_helpers(cells):
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert first.source.startswith('import sys\n\nsys.path.insert(0, "..")')
    assert "export" in tags(first)
    assert "from helpers import " in first.source


def test_tags_are_those_of_the_course(cells):
    assert {tag for cell in cells for tag in tags(cell)} <= TAGS


def test_there_are_exercises_each_with_a_solution_that_is_folded(cells):
    solutions = [cell for cell in cells if "solution" in tags(cell)]
    assert 2 <= len(solutions) <= 3
    assert all(cell.source.startswith("# Solution") for cell in solutions)
    assert all(cell.metadata.jupyter.source_hidden for cell in solutions)
    text = "\n".join(markdown(cells))
    assert text.count("<summary>Hint</summary>") == len(solutions)
    assert sum("exercise" in tags(cell) for cell in cells) >= len(solutions)


def test_there_are_predictions_with_answers(cells):
    text = "\n".join(markdown(cells))
    assert text.count("<summary>Answer</summary>") >= 2


def test_no_cell_is_longer_than_a_screen(cells):
    assert [n for n, cell in enumerate(cells) if len(cell.source.splitlines()) > 40] == []


def test_figures_are_followed_by_words(cells):
    for cell, after in zip(cells, cells[1:], strict=False):
        if store.figures([cell]):
            assert after.cell_type == "markdown" and not after.source.startswith("#"), cell.source


def test_what_differs_between_runs_is_asserted_elsewhere(cells):
    code = [cell for cell in cells if cell.cell_type == "code"]
    ignored = [cell for cell in code if "nbval-ignore-output" in tags(cell)]
    asserting = [cell for cell in code if "assert " in cell.source and "nbval-ignore-output" not in tags(cell)]
    assert not ignored or asserting
    # an output that nobody compares must not hide in a cell that is not said to be one
    for cell in code:
        if store.figures([cell]):
            assert any("assert " in later.source for later in code[code.index(cell) :])


def test_tables_have_headers(cells):
    for text in markdown(cells):
        lines = text.splitlines()
        for before, line in zip([""] + lines, lines, strict=False):
            if line.startswith("|") and not before.startswith("|"):
                after = lines[lines.index(line) + 1]
                assert re.fullmatch(r"\|?[\s:|-]+\|?", after), text


def test_links_lead_somewhere_and_say_where(path, cells):
    for text in markdown(cells):
        for words, target in re.findall(r"(?<!!)\[([^\]]*)\]\(([^)]+)\)", without_code(text)):
            assert words.strip() and words.strip().lower() not in ("here", "link", "this"), target
            if not re.match(r"https?://|#", target):
                assert (path.parent / target.split("#")[0]).exists(), target


def test_exported_cells_alone_define_what_the_lesson_promises(path):
    namespace = notebooks.exported(path.stem)
    for name in PROMISED[path.stem]:
        assert callable(getattr(namespace, name)), name


def test_outputs_hold_no_warning(cells):
    """What a learner sees on the standard error stream of a stored lesson would be a warning or a traceback."""
    for cell in cells:
        assert [o.text for o in cell.get("outputs", []) if o.get("name") == "stderr"] == []


@pytest.mark.parametrize(("stored", "status"), [("2\n", 0), ("3\n", 1)])
def test_output_changed_by_hand_is_found(tmp_path, stored, status):
    """Strict nbval, with this project's settings, compares each cell that has run."""
    output = nbformat.v4.new_output("stream", name="stdout", text=stored)
    cell = nbformat.v4.new_code_cell("print(1 + 1)", execution_count=1, outputs=[output])
    changed = tmp_path / "changed.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=notebooks.KERNEL), changed)
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(Path(__file__).parents[2])]
    command += ["-c", str(Path(__file__).parents[2] / "pyproject.toml"), "--nbval", str(changed)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == status, run.stdout + run.stderr


def test_problems_are_found(tmp_path):
    """The check of stored notebooks can fail: a lesson that was not run, has a time stamp, or names a folder."""
    good = json.loads(LESSONS[0].read_text(encoding="utf-8"))
    code = next(cell for cell in good["cells"] if cell["cell_type"] == "code")
    code["execution_count"] = None
    code["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [f"{Path.home()}/notes.txt\n"]}]
    bad = tmp_path / LESSONS[0].name
    bad.write_text(json.dumps(good), encoding="utf-8")
    found = "\n".join(store.problems(bad))
    assert "not clean" in found and "not run from top to bottom" in found and "folder of one machine" in found


# What takes longer (make torture) -------------------------------------------------------------------------------------

GENERATORS = {
    "02 stream_users": lambda: sum(1 for _ in lesson("02").stream_users()),
    "03 stream_users_in_batches": lambda: sum(map(len, lesson("03").stream_users_in_batches(1_000))),
    "03 batch_processing": lambda: lesson("03").batch_processing(1_000),
    "04 lazy_pagination": lambda: sum(map(len, lesson("04").lazy_pagination(5_000))),
    "04 lazy_pagination_by_key": lambda: sum(map(len, lesson("04").lazy_pagination_by_key(1_000))),
    "05 stream_user_ages": lambda: sum(1 for _ in lesson("05").stream_user_ages()),
    "05 calculate_average_age": lambda: lesson("05").calculate_average_age(),
    "05 mean_and_deviation": lambda: lesson("05").mean_and_deviation(lesson("05").stream_user_ages()),
    "07 stream_user_ages": lambda: lesson("07").summary(lesson("07").stream_user_ages()),
}


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_takes_as_much_memory_for_two_million_rows_as_for_a_hundred_thousand(name, tally, capsys):
    peaks = {}
    work = Imported(GENERATORS[name], lessons=[name[:2]])
    with tally(f"memory of {name}: 2,000,000 rows as 100,000") as row, row.one_try():
        for rows in (100_000, 2_000_000):
            with databases.at_scale(rows):
                peaks[rows] = sorted(memory.measure(work).peak for _ in range(3))[1]
        few, many = peaks.values()
        with capsys.disabled():
            print(f"\n{name}: {few:.2f} MiB for 100,000 rows, {many:.2f} MiB for 2,000,000", end="")
        assert many <= 8 and many <= 1.2 * few
