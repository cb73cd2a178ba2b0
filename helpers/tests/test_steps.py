"""The stepper: what it tells of a generator is what the generator prints of itself, and nothing else changes."""

import json
import linecache
import os
import re
import subprocess
import sys
import time
import weakref
from itertools import islice
from pathlib import Path

import nbclient
import nbformat
import pymysql
import pytest
from step_programs import PROGRAMS, prints

from helpers import steps

ROOT = Path(__file__).parents[2]


def made(program, path):
    """Return the generator of a program that stands in a file."""
    path.write_text(program.text)
    linecache.checkcache(str(path))
    names = {}
    exec(compile(program.text, str(path), "exec"), names)
    return names.pop("made")


def count_upto(max):
    count = 1
    while count <= max:
        yield count
        count += 1


def naturals():
    number = 0
    while True:
        yield number
        number += 1


ANSWER = re.compile(r"(?:next|send|throw|close)\(.*\) (gives|raises) (.+?)(?: in the caller)?\.$")


def told(recording):
    """Return what the recording tells, in the form of `prints`."""
    for step in recording.steps:
        who = next((frame for frame in step.frames if frame.number == step.frame), None)
        name = who and who.name.partition(" #")[0]
        if step.kind == "line":
            yield "line", name, step.line, who.variables
        elif step.kind == "yield":
            value = re.match(r".+? yields (.+?)(?: to .+?)?\. It is suspended", step.says)[1]
            yield "yield", name, step.line, value, who.variables
        if answer := ANSWER.search(step.says):
            yield answer[1], answer[2].partition("(")[0] if answer[1] == "raises" else step.holds


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_step_is_what_the_program_itself_prints(name, tmp_path):
    program = PROGRAMS[name]
    recording = steps.record(made(program, tmp_path / "program.py"), ask=program.ask, limit=1000)
    assert list(told(recording)) == prints(program)


def test_at_least_twenty_programs_are_compared():
    assert len(PROGRAMS) >= 20


# It changes nothing ---------------------------------------------------------------------------------------------------


def test_the_body_runs_once_and_goes_on_where_it_was_left():
    ran = []

    def noting():
        for number in range(5):
            ran.append(number)
            yield number

    generator = noting()
    assert steps.record(generator, ask=2).handed == ["0", "1"]
    assert ran == [0, 1]
    assert generator.gi_frame.f_trace is None
    assert list(generator) == [2, 3, 4]
    assert ran == [0, 1, 2, 3, 4]


def test_what_the_recording_has_seen_does_not_live_longer():
    class Row:
        pass

    row = Row()
    gone = weakref.ref(row)

    def one(row):
        yield row
        raise ValueError(row)

    recording = steps.record(one(row))
    del row
    assert gone() is None
    assert len(recording.steps) == 7


def test_the_tracer_that_was_there_is_put_back_also_after_ctrl_c(monkeypatch):
    def tracer(frame, event, arg):
        return None

    def interrupted():
        yield 1
        raise KeyboardInterrupt

    before = sys.gettrace()
    try:
        for generator in (count_upto(2), interrupted()):
            sys.settrace(tracer)
            recording = steps.record(generator)
            assert sys.gettrace() is tracer
            sys.settrace(before)
    finally:
        sys.settrace(before)
    assert recording.interrupted
    with pytest.raises(KeyboardInterrupt):
        steps.show(interrupted())


def test_a_pipeline_shows_all_of_it_before_a_line_has_run():
    def double(rows):
        for row in rows:
            yield 2 * row

    first, *_ = steps.record(double(row for row in count_upto(3))).steps
    assert [(frame.name, frame.state) for frame in first.frames] == [
        ("double", "not started"),
        ("generator expression", "not started"),
        ("count_upto", "not started"),
    ]
    assert first.frames[2].variables == {"max": "3"}
    recording = steps.record(map(str, double(count_upto(2))))
    assert recording.handed == ["'2'", "'4'"]
    assert recording.title == "map over double(rows=generator count_upto)"


def test_between_two_next_the_frame_is_suspended_with_its_variables():
    step = next(step for step in steps.record(count_upto(3)).steps if step.kind == "yield")
    frame = step.frames[0]
    assert (frame.state, frame.variables, step.holds, step.handed) == ("suspended", {"max": "3", "count": "1"}, "1", 1)
    assert linecache.getline(__file__, frame.line).strip() == "yield count"


# What ends, and what does not -----------------------------------------------------------------------------------------


def test_a_generator_without_an_end_is_cut_off_at_the_limit():
    recording = steps.record(naturals(), limit=50)
    assert len(recording.steps) == 51
    assert recording.steps[-1].says.startswith("Cut off after 50 steps. naturals is still suspended at line")


def test_a_body_that_runs_on_without_a_yield_is_stopped():
    cleaned = []

    def stuck():
        number = 0
        try:
            while True:
                number += 1
                if number < 0:
                    yield number
        finally:
            cleaned.append(number)

    recording = steps.record(stuck(), limit=20)
    assert recording.steps[-1].says == "Stopped, as Ctrl-C would: 100,000 more lines ran, and none yielded a value."
    assert len(cleaned) == 1


def test_a_generator_that_ends_within_the_limit_is_not_cut_off():
    complete = steps.record(count_upto(3)).steps
    for limit in range(1, len(complete)):
        cut = steps.record(count_upto(3), limit=limit)
        assert cut.steps[-1].kind == "cut"
        assert [step.says for step in cut.steps[:-2]] == [step.says for step in complete[: limit - 1]]
    assert steps.record(count_upto(3), limit=len(complete)).steps == complete


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (None, "this is None. A function returns None until its body has a `yield`"),
        ([1, 2], "this is a list, not a generator."),
        (count_upto, "count_upto is a function, not a generator yet. Call it: count_upto(...)."),
        (iter([1]), "this is a list_iterator. Only generators stand at a line."),
        (islice(count_upto(0), 0), None),
    ],
)
def test_what_is_no_generator_gets_a_sentence(what, says, capsys):
    steps.show(what)
    if says:
        assert capsys.readouterr().out.startswith(f"Nothing to step through: {says}")


def test_a_generator_that_has_ended_says_so():
    generator = count_upto(0)
    list(generator)
    assert "has ended or was closed. Call count_upto again" in steps.record(generator).text()


@pytest.mark.parametrize("ask", ["next", ["nxt"], [("send",)], [("next", 1)], -1, True, [3]])
def test_an_ask_that_is_none_is_refused(ask):
    with pytest.raises((TypeError, ValueError), match="ask"):
        steps.record(count_upto(3), ask=ask)


# How it is shown ------------------------------------------------------------------------------------------------------

HOSTILE = """
import json, sys
sys.path.insert(0, "helpers")
import steps
class Evil:
    def __repr__(self):
        raise RuntimeError("no repr")
class Plain:
    pass
def evil(text):
    letters = set("abcdef")
    objects = [Plain(), Evil()]
    others = [iter([1]), object()]
    function = lambda: 1
    yield text
recording = steps.record(evil("</script><img src=x onerror=alert(1)><!-- & \\u2028"))
print(json.dumps([recording.text(), recording._repr_html_()]))
"""


def test_text_and_html_are_the_same_in_every_run_and_nothing_of_the_learner_is_html():
    runs = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", HOSTILE]
        runs.add(subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    (run,) = runs
    text, html = json.loads(run)
    assert "0x" not in text
    assert "{'a', 'b', 'c', 'd', 'e', 'f'}" in text
    assert "objects = [Plain object, Evil object (its repr raises RuntimeError)]" in text
    assert "others = [list_iterator, object]" in text
    assert html.count("<script") == html.count("</script>") == 2
    assert "<img" not in html and "<!--" not in html and "\u2028" not in html.partition("application/json")[2]


def test_sizes_and_speed():
    assert len(steps.record(count_upto(3))._repr_html_().encode()) < 60_000
    seconds = []
    for _ in range(3):  # the collection of all that others have left may fall into one of them
        start = time.process_time()
        recording = steps.record(naturals(), limit=1000)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1
    assert len(recording._repr_html_().encode()) < 1_000_000
    assert len(steps.record(flat_down(60), limit=1000)._repr_html_().encode()) < 1_000_000


def flat_down(depth):
    yield depth
    if depth:
        yield from flat_down(depth - 1)


def test_a_large_value_is_not_read_to_the_end():
    def holding():
        rows = list(range(1_000_000))
        text = "x" * 1_000_000
        number = 10**100_000
        yield len(rows) + len(text) + number

    says = steps.record(holding()).text()
    assert "rows = [0, 1, 2, 3, 4, 5, … 1,000,000 items]" in says
    assert "1,000,000 characters" in says
    assert "number = an int of about 100,000 digits" in says


def test_it_works_in_the_cells_of_a_notebook():
    cells = [
        "import os; os.chdir(os.pardir); import sys; sys.path.insert(0, ''); from helpers import steps",
        "def count_upto(max):\n    count = 1\n    while count <= max:\n        yield count\n        count += 1",
        "def double(rows):\n    for row in rows:\n        yield 2 * row",
        "steps.show(double(count_upto(2)))\nprint('after it')",
        "def stub(max):\n    ...\nsteps.show(stub(3))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": ROOT / "helpers"}}).execute()
    (shown, after), (sentence,) = (notebook.cells[place].outputs for place in (3, 4))
    assert after["text"] == "after it\n"
    assert set(shown["data"]) == {"text/plain", "text/html"}
    assert shown["data"]["text/html"].startswith('<div class="generator-steps"')
    text = shown["data"]["text/plain"]
    assert "    3          yield 2 * row\n" in text
    assert "    4          yield count\n" in text
    assert (
        "double yields 4. It is suspended at line 3. next() gives it.  | rows = generator count_upto, row = 2" in text
    )
    assert sentence["data"]["text/plain"].startswith("Nothing to step through: this is None.")


def test_a_cursor_tells_how_many_rows_it_has_fetched(shared):
    def rows(cursor):
        cursor.execute("SELECT * FROM ALX_prodev.user_data")
        for row in cursor:
            yield row[0]

    def fetched(cursor):
        variables = [
            step.frames[0].variables for step in steps.record(rows(cursor), ask=3).steps if step.kind == "yield"
        ]
        return [seen["cursor"].partition(", ")[2] for seen in variables]

    with shared.connect() as connection:
        with connection.cursor(buffered=True) as cursor:
            assert fetched(cursor) == ["all 1,000 rows are on the client"] * 3
        with connection.cursor() as cursor:
            told = [f"{count} fetched so far" for count in ("1 row", "2 rows", "3 rows")]
            assert fetched(cursor) == told
            cursor.fetchall()
    socket = (shared.folder / "socket").read_text()
    with pymysql.connect(unix_socket=socket, user="root") as connection:
        with connection.cursor() as cursor:
            assert fetched(cursor) == ["all 1,000 rows are on the client"] * 3
        with connection.cursor(pymysql.cursors.SSCursor) as cursor:
            assert fetched(cursor) == [""] * 3


def test_steps_stands_on_nothing_of_ours():
    code = "import sys; sys.path.insert(0, 'helpers'); import steps; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"helpers", "mysql", "IPython"} & {*said.split()}
