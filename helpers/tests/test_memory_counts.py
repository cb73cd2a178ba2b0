"""memory.compare counts what a function brings along and what its processes hold, and says so; or it refuses."""

import contextlib
import functools
import itertools
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from places import run, wait_until

from helpers import brought, memory, processes

COUNT = 500_000
NUMBERS = "numbers = [float(n) for n in range(COUNT)]\n"
MIB_OF_NUMBERS = COUNT * (8 + 32) / 2**20  # a reference of 8 bytes, and a float of 24, which Python rounds up to 32


def cells(source):
    """Run cells of a notebook; return the function `counted` that they define."""
    notebook = {"__name__": "__main__", "COUNT": COUNT, "np": np, "pd": pd}
    exec(NUMBERS + source, notebook)
    return notebook["counted"]


EARLIER = {
    "a list": ("counted = lambda: sum(numbers)", MIB_OF_NUMBERS),
    "a list in a function of it": ("def total():\n    return sum(numbers)\ncounted = lambda: total()", MIB_OF_NUMBERS),
    "a dict": ("table = dict(enumerate(numbers))\ncounted = lambda: len(table)", None),
    "nested": ("rows = {'all': [(numbers,)]}\ncounted = lambda: len(rows)", MIB_OF_NUMBERS),
    "an attribute": (
        "class Box: pass\nbox = Box()\nbox.held = numbers\ncounted = lambda: len(box.held)", MIB_OF_NUMBERS),
    "an attribute of a class": ("class Box:\n    held = numbers\ncounted = lambda: len(Box.held)", MIB_OF_NUMBERS),
    "a closure": ("def make(held):\n    return lambda: sum(held)\ncounted = make(numbers)", MIB_OF_NUMBERS),
    "a default argument": ("def counted(held=numbers):\n    return sum(held)", MIB_OF_NUMBERS),
    "a numpy array": ("array = np.array(numbers)\ncounted = lambda: array.sum()", COUNT * 8 / 2**20),
    "a view of one": ("array = np.array(numbers)[::2]\ncounted = lambda: array.sum()", None),
    "a DataFrame": ("frame = pd.DataFrame({'a': numbers})\ncounted = lambda: len(frame)", COUNT * 8 / 2**20),
    "a str": ("text = 'x' * (20 * 2**20)\ncounted = lambda: len(text)", 20),
}  # fmt: skip


@pytest.mark.parametrize("name", EARLIER)
def test_data_from_an_earlier_cell_are_counted_and_said(name):
    source, mib = EARLIER[name]
    compared = memory.compare({"mine": cells(source)})
    measured = compared["mine"]
    assert measured.brought > 1
    if mib is not None:
        assert measured.brought == pytest.approx(mib, rel=0.05)
    assert measured.peak >= measured.brought
    assert measured.samples[0][1] > 0.9 * measured.brought  # the line starts there
    assert any("were made before, outside the function" in note for note in compared.notes)
    assert "were made before" in compared._repr_html_()


OF_A_FILE = {
    "its data": ("import {name}\ncounted = lambda: sum({name}.numbers)", 1),
    "a function of it": ("from {name} import total\ncounted = lambda: total()", 1),
    "a class of it": ("import {name}\ncounted = lambda: len({name}.Box.held)", 1),
    "its data by another name": ("from {name} import numbers as data\ncounted = lambda: sum(data)", 1),
    "what does not use its data": ("import {name}\ncounted = lambda: {name}.none()", 0),
}


@pytest.mark.parametrize("name", OF_A_FILE)
def test_data_of_a_file_that_a_notebook_imports_are_counted(name, tmp_path, monkeypatch):
    module = f"data_{name.replace(' ', '_')}"
    source = f"COUNT = {COUNT}\n{NUMBERS}class Box:\n    held = numbers\n"
    source += "def total():\n    return sum(numbers)\ndef none():\n    return 0\n"
    (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    code, times = OF_A_FILE[name]
    measured = memory.measure(cells(code.format(name=module)))
    assert measured.brought == pytest.approx(times * MIB_OF_NUMBERS, rel=0.05)


def test_an_honest_pair_gets_no_word():
    compared = memory.compare(
        {"list": lambda: sum(list(range(COUNT))), "generator": lambda: sum(itertools.islice(itertools.count(), COUNT))}
    )
    assert compared.notes == []
    assert compared["list"].brought == compared["generator"].brought == 0
    assert compared["list"].peak > 10 * compared["generator"].peak


def test_the_walk_leaves_the_measured_process_as_it_was():
    light, heavy = memory.measure(lambda: None), memory.measure(cells("counted = lambda: len(numbers)"))
    assert heavy.baseline - light.baseline < 1.6 * MIB_OF_NUMBERS


# Processes ------------------------------------------------------------------------------------------------------------

HOLD = "import sys, time; held = bytearray(64 * 2**20); print(1, flush=True); sys.stdin.read()"


def most_of(program):
    """Run a Python program that says 1 and waits, until it has been looked at; return its high-water mark (MiB)."""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        most = processes.high_water_mark(child.pid)
        until_seen()
        child.communicate(b"")
    return most


def hold_in_a_subprocess():
    return most_of(HOLD)


def hold_in_forks():
    """Two forked processes, each with 32 MiB of its own; return what they alone hold."""
    context = multiprocessing.get_context("fork")
    ready, done = context.Semaphore(0), context.Event()

    def child():
        held = bytearray(32 * 2**20)
        ready.release()
        done.wait()
        del held

    children = [context.Process(target=child) for _ in range(2)]
    for each in children:
        each.start()
    for _ in children:
        ready.acquire()
    until_seen()
    own = sum(psutil.Process(each.pid).memory_full_info().uss for each in children) / 2**20
    done.set()
    for each in children:
        each.join()
    return own


def until_seen():
    """Wait until the thread that watches the children has looked at them."""
    (watch,) = [t for t in threading.enumerate() if getattr(t, "_target", None) and t._target.__name__ == "_watch"]
    samples = watch._target.__self__.samples
    before = len(samples)
    while len(samples) < before + 3:
        time.sleep(0.01)


POOL = """
def work(number):
    held = bytearray(48 * 2**20)
    ready.release()
    done.wait()
    return psutil.Process().memory_full_info().uss / 2**20

def counted():
    global ready, done
    context = multiprocessing.get_context("fork")
    ready, done = context.Semaphore(0), context.Event()
    with context.Pool(2) as pool:
        mapped = pool.map_async(work, range(2), chunksize=1)
        for _ in range(2):
            ready.acquire()
        until_seen()
        done.set()
        return sum(mapped.get())
"""


def hold_in_a_pool():
    """Return a notebook's function: two workers of a pool, each with 48 MiB; it returns what they alone hold."""
    notebook = {"__name__": "__main__", "multiprocessing": multiprocessing, "psutil": psutil, "until_seen": until_seen}
    exec(POOL, notebook)
    return notebook["counted"]


def spike_in_a_subprocess():
    """A process that has held 96 MiB, and holds little when somebody looks."""
    return most_of("import sys; held = bytearray(96 * 2**20); del held; print(1, flush=True); sys.stdin.read()")


@pytest.mark.parametrize(
    "function",
    [hold_in_a_subprocess, spike_in_a_subprocess, hold_in_forks, hold_in_a_pool()],
    ids=["a subprocess", "a short peak in one", "two forks", "a pool"],
)
def test_memory_of_processes_that_the_function_starts_is_counted(function):
    measured = memory.measure(function, results=True)
    assert measured.peak == pytest.approx(measured.result, rel=0.10)
    assert measured.children > 60
    assert "the processes that it started held up to" in memory.Comparison({"mine": measured}).notes[0]


def test_a_family_is_the_same_from_its_lists_and_from_all_processes(monkeypatch):
    """One child is started in another thread, and starts one of its own."""
    program = "import subprocess, sys; child = subprocess.Popen(['cat']); print(child.pid, flush=True); child.wait()"
    started = []

    def start():
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started.append(subprocess.Popen([sys.executable, "-c", program], **pipes))
        grandchild.append(int(started[0].stdout.readline()))
        ended.wait()

    grandchild, ended = [], threading.Event()
    thread = threading.Thread(target=start)
    thread.start()
    wait_until(lambda: grandchild, "the child has started one of its own")
    try:
        by_lists = processes.Family().numbers()
        monkeypatch.setattr(processes, "CHILDREN", False)
        assert {started[0].pid, *grandchild} <= by_lists == processes.Family().numbers()
    finally:
        ended.set()
        thread.join()
        started[0].communicate()


def test_a_short_peak_of_a_child_between_two_samples_counts():
    children = processes.ChildrensMemory(interval=1)
    children.samples = [(1.0, 9.0, 5.0), (2.0, 99.0, 95.0), (2.5, 9.0, 4.0)]
    spans = {(-math.inf, 0.5): 0.0, (-math.inf, 1.5): 5.0, (1.5, 3.0): 95.0, (2.2, 2.4): 95.0, (3.0, math.inf): 4.0}
    assert {span: children.added(*span) for span in spans} == spans


def test_a_cached_function_of_a_notebook_is_measured():
    notebook = {"__name__": "__main__", "functools": functools}
    exec("@functools.cache\ndef double(n):\n    return 2 * n\ncounted = lambda: double(21)", notebook)
    assert memory.measure(notebook["counted"], results=True).result == 42


def test_programs_that_a_function_starts_count_for_themselves_alone():
    """Between vfork() and exec() a child has all that its parent holds, and nothing of its own."""

    def start_many():
        held = bytearray(64 * 2**20)
        for _ in range(100):
            subprocess.run(["true"], check=True)
        return len(held)

    measured = memory.measure(start_many)
    assert measured.peak == pytest.approx(64, rel=0.10)


def test_versions_that_start_from_different_processes_are_told():
    notebook = {"__name__": "__main__"}
    exec("import bokeh.plotting as library\ncounted = lambda: library.figure", notebook)
    compared = memory.compare({"library": notebook["counted"], "none": lambda: None})
    assert any(note.startswith("The processes were of different sizes") for note in compared.notes)


# What cannot be brought along, and the system's end ---------------------------------------------------------------


def _generator():
    yield 1


@pytest.mark.parametrize(
    ("thing", "kind"),
    [
        (_generator(), "a generator"),
        (threading.Lock(), "a lock"),
        (open(os.devnull, "rb"), "an open file"),  # noqa: SIM115
        ([_generator()], "an object of type list that holds one"),
    ],
    ids=["generator", "lock", "file", "list-of-generators"],
)
@pytest.mark.parametrize("way", ["closure", "default", "partial"])
def test_what_cannot_travel_is_named_in_one_sentence(thing, kind, way):
    def default(ready=thing):
        return ready

    functions = {"closure": lambda: thing, "default": default, "partial": functools.partial(len, thing)}
    with pytest.raises(TypeError) as raised:
        memory.compare({"mine": functions[way]})
    assert f", {kind}, from outside it. Make it inside the function." in str(raised.value)
    assert "pickle" not in str(raised.value)


HELD = {
    "in a function of an earlier cell": ("def total():\n    return sum(ready)\ncounted = lambda: total()", "ready"),
    "as an attribute": ("box = Box()\nbox.rows = ready\ncounted = lambda: box", "box.rows"),
    "as an attribute of a class": ("Box.rows = ready\ncounted = lambda: Box", "Box.rows"),
    "in an object whose method it is": ("box = Box()\nbox.rows = ready\ncounted = box.method", "self.rows"),
    "in an object that is called": ("counted = Box()\ncounted.rows = ready", "self.rows"),
}


@pytest.mark.parametrize("way", HELD)
def test_what_cannot_travel_is_named_where_it_is_held(way):
    source, name = HELD[way]
    notebook = {"__name__": "__main__"}
    box = "class Box:\n    def method(self): pass\n    def __call__(self): pass\n"
    exec(box + "ready = (n for n in range(3))\n" + source, notebook)
    with pytest.raises(TypeError) as raised:
        memory.compare({"mine": notebook["counted"]})
    says = f"The function uses `{name}`, a generator, from outside it. Make it inside the function."
    assert str(raised.value) == says


@pytest.mark.parametrize("way", ["cursor", "connection"])
def test_a_cursor_and_a_connection_are_named(connection, way):
    ready = connection if way == "connection" else connection.cursor()
    with pytest.raises(TypeError, match=f"`ready`, a {way}, from outside it"):
        memory.measure(lambda: ready)


def test_a_process_ended_for_its_memory_is_named_with_the_limit(monkeypatch, tmp_path):
    counter, limit = tmp_path / "memory.events", tmp_path / "memory.max"
    counter.write_text("low 0\noom_kill 4\n")
    limit.write_text(f"{512 * 2**20}\n")
    monkeypatch.setattr(processes, "_of_the_group", lambda: [(counter, limit)])

    def end():
        counter.write_text("low 0\noom_kill 5\n")
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(MemoryError, match="it took more memory than there is. The limit here is 512 MiB"):
        memory.measure(end)
    with pytest.raises(RuntimeError, match="status -9 and no answer"):
        memory.measure(lambda: os.kill(os.getpid(), signal.SIGKILL))


@contextlib.contextmanager
def memory_group(mib):
    """Make a control group (cgroups(7)) that may hold so many MiB; give its folder, or None where none may be made."""
    for base, limit in (("", "memory.max"), ("memory", "memory.limit_in_bytes")):  # version 2, then 1
        group = Path("/sys/fs/cgroup", base, f"course-{os.getpid()}")
        with contextlib.suppress(OSError):
            group.mkdir()
            if (group / limit).exists() and (group / limit).write_text(str(mib * 2**20)):
                break
            group.rmdir()
    else:
        yield None
        return
    try:
        yield group
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group's processes have ended")
        group.rmdir()


FILL = """
import sys
if len(sys.argv) > 1:
    with open(sys.argv[1] + "/cgroup.procs", "w") as group:
        group.write("0")
from helpers import memory
try:
    memory.compare({"mine": lambda: len(bytearray(512 * 2**20))})
except MemoryError as error:
    print(error)
"""


def test_a_real_limit_of_memory_is_named():
    with memory_group(256) as group:
        said = run(sys.executable, "-c", FILL, *([group] if group else []), stderr=subprocess.DEVNULL).stdout
    right = "The system ended the measured process: it took more memory than there is. The limit here is 256 MiB.\n"
    assert said == (right if group else "")


def test_the_group_s_files_are_those_of_this_system():
    killed, limit = processes.killed_for_memory()
    assert killed >= 0
    assert limit is None or limit > 0


def test_the_size_of_a_function_that_brings_nothing_is_nothing():
    assert brought.size(lambda: None) < 10_000
