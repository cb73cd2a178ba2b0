"""What every lesson must have: its parts, its tags, clean outputs, and the functions that it promises."""

import ast
import builtins
import functools
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import cloudpickle
import nbformat
import pytest
from cell_names import names

from helpers import databases, memory, notebooks
from helpers.bench.comparison import Imported, lesson
from helpers.notebooks import minutes, store

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # for the processes that measure

read = functools.cache(notebooks.read)  # nobody changes what it gives
LESSONS = sorted(notebooks.LESSONS.glob("*.ipynb"))
SECOND = [path for path in LESSONS if any("your-turn" in notebooks.tags(c) for c in read(path).cells)]
PARTS = ["## What goes wrong", "## Exercises", "## Key points", "## Words", "## Dig deeper"]
PROMISED = {
    "00_iterators_and_generators": ["count_upto"],
    "01_seed_the_database": [],
    "02_stream_users": ["stream_users", "stream_users_fast"],
    "03_batch_processing": ["stream_users_in_batches", "batch_processing"],
    "04_lazy_pagination": ["paginate_users", "lazy_pagination", "lazy_paginate"],
    "05_stream_ages": ["stream_user_ages", "calculate_average_age"],
    "06_hundred_million_domains": ["ResultGenerator"],
    "07_beyond_one_machine": [],
}
TAGS = {"export", "exercise", "solution", "raises-exception", "nbval-ignore-output"}
TAGS |= {"prediction", "your-turn", "check", "question"}


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return read(path).cells


def markdown(cells):
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def headings(cells):
    """The headings of a lesson's text, each with its #s."""
    return re.findall(r"^#+ .*", "\n".join(map(without_code, markdown(cells))), flags=re.M)


def without_code(text):
    """Markdown without its fenced blocks, in which a # is no heading."""
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def test_lessons_are_the_ones_of_the_course():
    assert {path.stem for path in LESSONS} <= PROMISED.keys()
    assert SECOND == LESSONS, "in each the learner writes"
    assert [path.stem for path in LESSONS] == list(PROMISED)[: len(LESSONS)]


def test_stored_notebook_is_clean_whole_and_small(path):
    assert store.problems(path) == []


def test_headings_go_down_one_level_at_a_time(cells):
    levels = [len(h) for h in re.findall(r"^(#+) ", "\n".join(map(without_code, markdown(cells))), flags=re.M)]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_first_code_cell_finds_the_helpers(cells):
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert first.source.startswith('import sys\n\nsys.path.insert(0, "..")')
    assert "export" in notebooks.tags(first)
    assert "from helpers import " in first.source


def test_tags_are_those_of_the_course(cells):
    assert {tag for cell in cells for tag in notebooks.tags(cell)} <= TAGS


def test_no_cell_is_longer_than_a_screen(cells):
    assert [n for n, cell in enumerate(cells) if len(cell.source.splitlines()) > 40] == []


def test_figures_are_followed_by_words(cells):
    for cell, after in zip(cells, cells[1:], strict=False):
        if store.figures([cell]):
            assert after.cell_type == "markdown" and not after.source.startswith("#"), cell.source


def test_what_differs_between_runs_is_asserted_elsewhere(cells):
    code = [cell for cell in cells if cell.cell_type == "code"]
    ignored = [cell for cell in code if "nbval-ignore-output" in notebooks.tags(cell)]
    assert not ignored or any("assert " in cell.source for cell in code if cell not in ignored)
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


# The form of a lesson in which the learner writes ---------------------------------------------------------------------


@pytest.fixture(params=SECOND, ids=lambda path: path.stem)
def lesson_path(request):
    return request.param


@pytest.fixture
def all_cells(lesson_path):
    return read(lesson_path).cells


@pytest.fixture
def core(all_cells):
    return minutes.core(all_cells)


def test_the_parts_stand_in_order(all_cells):
    found = headings(all_cells)
    assert found[0].startswith("# ") and sum(h.startswith("# ") for h in found) == 1
    assert [heading for heading in found if heading in PARTS] == PARTS


def test_the_first_cell_says_what_for_whom_and_how_long(lesson_path, core):
    title = core[0].source
    main, more = minutes.of(lesson_path)
    assert f"**Time:** {main.minutes} minutes" in title and main.minutes <= 60
    assert f"**Dig deeper:** {more.minutes} minutes" in title
    assert "**You need:**" in title
    assert 3 <= len(re.findall(r"^- ", title, flags=re.M)) <= 4, "what you will be able to do"


def test_the_readme_states_the_same_minutes(lesson_path):
    main, more = minutes.of(lesson_path)
    readme = (notebooks.ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| \[{lesson_path.stem[:2]} [^|]*\| {main.minutes} \+ {more.minutes} \|", readme, re.M)
    assert re.search(rf"^\| {lesson_path.stem[:2]} \| {main.minutes} \|", readme, re.M)


def test_the_learner_writes_early_and_often(core):
    turns = [number for number, cell in enumerate(core) if "your-turn" in notebooks.tags(cell)]
    assert len(turns) >= 5
    assert turns[0] < 12
    assert minutes.form(core).exercises >= 2


def test_each_cell_of_the_learners_has_a_check_and_a_folded_solution(all_cells):
    for number, cell in enumerate(all_cells):
        if not minutes.is_the_learners(cell):
            continue
        assert "check" in notebooks.tags(all_cells[number + 1]), f"cell {number + 1}: a check right under {cell.source}"
        below = itertools.takewhile(lambda c: not minutes.is_the_learners(c), all_cells[number + 1 :])
        solution = next((c for c in below if "solution" in notebooks.tags(c)), None)
        assert solution, f"no solution of cell {number}: {cell.source}"
        assert solution.source.startswith("# ") and solution.metadata.jupyter.source_hidden, solution.source


def test_each_choice_of_a_prediction_is_a_fold_that_says_why(core):
    predictions = [cell.source for cell in core if "prediction" in notebooks.tags(cell)]
    assert len(predictions) >= 3
    for text in predictions:
        assert "**Predict:**" in text
        letters = re.findall(r"<details><summary><b>([A-Z])\)</b> \S.*</summary>", text)
        assert letters == [*"ABCDEFGH"][: len(letters)] and len(letters) >= 2, text
        folds = re.findall(r"(?s)</summary>\n\n(.*?)\n</details>", text)
        assert len(folds) == text.count("<details>") == len(letters), text
        assert all(len(fold.split()) >= 4 for fold in folds), "each choice says why it is right or wrong"
    assert "<summary>Answer</summary>" not in "".join(markdown(core))


def test_key_points_match_the_objectives_and_words_are_explained(core):
    parts = re.split(r"^## ", "\n".join(markdown(core)), flags=re.M)
    of = {part.partition("\n")[0]: part for part in parts}
    assert len(re.findall(r"^- ", of["Key points"], flags=re.M)) == len(re.findall(r"^- ", parts[0], flags=re.M))
    assert 2 <= len(re.findall(r"^- \*\*", of["Words"], flags=re.M)) <= 8


def test_the_lessons_before_and_after_are_linked(lesson_path, core):
    place = LESSONS.index(lesson_path)
    text = "\n".join(markdown(core)[-3:])
    for other in LESSONS[max(0, place - 1) : place] + LESSONS[place + 1 : place + 2]:
        assert f"]({other.name})" in text, other.name


def test_dig_deeper_is_folded_part_by_part_and_not_in_the_slides(all_cells):
    first, *rest = minutes.deeper(all_cells)
    parts = minutes.deeper_parts(all_cells)
    assert sum(map(len, parts)) == len(rest), "what is no part of a heading of the third level is not folded"
    for heading, *_ in parts:
        assert heading.metadata.get("jp-MarkdownHeadingCollapsed") is True, heading.source
        assert re.match(r"### .* \(\d+ minutes\)$", heading.source.partition("\n")[0]), heading.source
    assert {cell.metadata.slideshow.slide_type for cell in (first, *rest)} == {"skip"}


def test_the_core_has_ten_to_twenty_slides(core):
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in core]
    assert None not in kinds, "each cell says whether it is shown"
    assert 10 <= sum(kind in ("slide", "subslide") for kind in kinds) <= 20


def test_no_code_of_the_core_is_longer_than_thirty_lines(core):
    assert [n for n, cell in enumerate(core) if len(minutes.visible_lines(cell)) > 30] == []


def test_every_figure_says_in_words_what_it_shows(all_cells):
    found = store.figures(all_cells)
    assert found
    assert [figure.alt for figure in found if len(figure.alt.split()) < 5] == []


@pytest.mark.parametrize("name", sorted({path.name for path in SECOND} & store.PICTURES.keys()))
def test_the_readme_shows_the_figure_that_the_lesson_stores(name):
    _, file = store.PICTURES[name]
    assert store.picture(read(notebooks.LESSONS / name), name).png == file.read_bytes()


# The parts of "Dig deeper" run after the core alone ------------------------------------------------------------------

GIVEN = {*dir(builtins), "display", "get_ipython"}  # by Python and by the notebook
BUILDS_ON = r'After "(.+?)" above[.,:]'  # so begins a part that takes names from another one


def code_names(cells):
    return [names(cell.source) for cell in cells if cell.cell_type == "code"]


def not_alone(cells):
    """Say what a part of "Dig deeper" misses after the core alone, and what of the core another part changes for it."""
    core_names = set().union(GIVEN, *(bound | imported for bound, imported, _ in code_names(minutes.core(cells))))
    gives, needs, makes, said = {}, {}, {}, []
    for heading, *rest in minutes.deeper_parts(cells):
        title, _, text = heading.source.removeprefix("### ").partition("\n")
        title = re.sub(r" \(\d+ minutes\)$", "", title)
        before = re.match(BUILDS_ON, text.strip())
        if before and before[1] not in gives:
            said.append(f'{title}: no part above is called "{before[1]}"')
        known = set(gives.get(before[1], ())) if before else set()
        needs[title], makes[title] = set(), set()
        for cell in rest:
            for bound, imported, taken in code_names([cell]):
                known |= bound | imported
                makes[title] |= bound
                needs[title] |= core_names & taken - known
                said += [f"{title}: {name} in {cell.source}" for name in sorted(taken - known - core_names)]
        gives[title] = known
    for title, other in itertools.permutations(needs, 2):
        said += [f"{title}: {other} binds {name} anew" for name in sorted(needs[title] & makes[other])]
    return said


def test_each_part_of_dig_deeper_runs_after_the_core_alone(all_cells):
    assert not_alone(all_cells) == []


def test_a_part_that_does_not_stand_alone_is_found():
    def markdown_cell(text):
        return nbformat.v4.new_markdown_cell(text)

    def code_cell(text):
        return nbformat.v4.new_code_cell(text)

    core = [code_cell("import os\n\ndef stream(): ..."), markdown_cell("## Dig deeper")]
    first = [markdown_cell("### One (5 minutes)"), code_cell("def f(x):\n    return [os.sep + x for _ in stream()]")]
    second = [markdown_cell("### Two (5 minutes)\n\nAfter all."), code_cell("f(max(1, 2))")]
    assert not_alone([*core, *first]) == []
    assert [text.partition(" in ")[0] for text in not_alone([*core, *first, *second])] == ["Two: f"]
    assert not_alone([*core, *first, markdown_cell('### Two (5 minutes)\n\nAfter "One" above.'), second[1]]) == []
    assert not_alone([*core, *second[:1], code_cell("def stream(): ..."), *first]) == ["One: Two binds stream anew"]
    assert not_alone([*core, *first, markdown_cell('### Two (5 minutes)\n\nAfter "Six" above.')]) != []


# What one lesson promises ---------------------------------------------------------------------------------------------


def test_lesson_01_shows_each_function_and_constant_of_seed_whole():
    """Its cells print them from the file: a change of seed.py asks for `make outputs LESSON=01`."""
    cells = notebooks.read(LESSONS[1]).cells
    outputs = [output.text for cell in cells for output in cell.get("outputs", []) if "text" in output]
    source = (notebooks.ROOT / "helpers" / "seed.py").read_text(encoding="utf-8")
    nodes = [node for node in ast.parse(source).body if isinstance(node, (ast.Assign, ast.FunctionDef))]
    assert len(nodes) >= 8
    for node in nodes:
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        whole = "\n".join(source.splitlines()[first - 1 : node.end_lineno])
        assert any(whole in output for output in outputs), whole


# The checks of lessons can fail ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_output_changed_by_hand_is_found(tmp_path):
    """Strict nbval, with this project's settings, compares each cell that has run."""
    for name, stored in (("as_it_was", "2\n"), ("changed", "3\n")):
        output = nbformat.v4.new_output("stream", name="stdout", text=stored)
        cell = nbformat.v4.new_code_cell("print(1 + 1)", execution_count=1, outputs=[output])
        notebook = nbformat.v4.new_notebook(cells=[cell], metadata=notebooks.KERNEL)
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(notebooks.ROOT)]
    command += ["-c", str(notebooks.ROOT / "pyproject.toml"), "--nbval", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert "FAILED" in run.stdout and "changed.ipynb::Cell 0" in run.stdout, run.stdout + run.stderr
    assert "1 failed, 1 passed" in run.stdout


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
    "02 stream_users_fast": lambda: sum(1 for _ in lesson("02").stream_users_fast()),
    "03 stream_users_in_batches": lambda: sum(map(len, lesson("03").stream_users_in_batches(1_000))),
    "03 batch_processing": lambda: lesson("03").batch_processing(1_000),
    "04 lazy_pagination": lambda: sum(map(len, lesson("04").lazy_pagination(5_000))),
    "04 lazy_pagination_by_key": lambda: sum(map(len, lesson("04").lazy_pagination_by_key(1_000))),
    "05 stream_user_ages": lambda: sum(1 for _ in lesson("05").stream_user_ages()),
    "05 calculate_average_age": lambda: lesson("05").calculate_average_age(),
    "05 summary": lambda: lesson("05").summary(lesson("05").stream_user_ages()),
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
        assert many <= 8 and many <= max(1.2 * few, few + 1)  # MiB: of a few tenths, a page more is no growth
