"""Memory figures that can be trusted: the kernel agrees, the order does not matter, and nothing else is touched."""

import atexit
import dataclasses
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

import matplotlib.pyplot as plt
import psutil
import pytest
from places import run, wait_until

from helpers import memory, plots

MIB = 2**20


def kernels_peak():
    """Return the most memory that this process has held, in MiB, as the system counts it."""
    try:
        with open("/proc/self/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) / 1024
    except FileNotFoundError:  # macOS, in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def hold(mib):
    """Return a function that fills so much memory and gives the system's own figure."""

    def fill():
        data = bytearray(mib * MIB)
        data[::4096] = b"x" * len(data[::4096])
        return kernels_peak()

    return fill


def fill_for_an_instant():
    bytearray(64 * MIB)[::4096]
    data = b"x" * (64 * MIB)
    del data
    time.sleep(0.2)


# The figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mib", [16, 256])
def test_the_peak_is_the_kernels_own(mib):
    measured = memory.measure(hold(mib), results=True)
    assert measured.baseline + measured.peak == pytest.approx(measured.result, rel=0.03)
    assert measured.peak == pytest.approx(mib, abs=1 + 0.03 * mib)


def test_a_peak_between_two_samples_is_seen():
    assert memory.measure(fill_for_an_instant).peak > 62  # of 64: the baseline may be a page or two too high


def test_what_comes_first_makes_no_difference():
    def as_list():
        return len([str(n) for n in range(400_000)])

    def as_generator():
        return sum(1 for _ in (str(n) for n in range(400_000)))

    versions = {"list": as_list, "generator": as_generator}
    one = memory.compare(versions)
    other = memory.compare(dict(reversed(versions.items())))
    assert list(other) == ["generator", "list"]
    assert one["list"].peak == pytest.approx(other["list"].peak, rel=0.1)
    assert one["generator"].peak == pytest.approx(other["generator"].peak, abs=1)  # MiB: ten percent of little is noise
    assert one["list"].peak > 10 * one["generator"].peak


def test_a_full_kernel_does_not_count():
    ballast = bytearray(300 * MIB)
    ballast[::4096] = b"x" * len(ballast[::4096])
    measured = memory.measure(hold(8))
    assert measured.baseline < 300
    assert measured.peak == pytest.approx(8, abs=1.5)


def test_what_a_function_prints_or_returns_costs_nothing():
    def talk():
        for _ in range(1000):
            print("x" * 50_000)
        os.write(1, b"not by Python")
        return bytearray(8 * MIB)

    measured = memory.measure(talk)
    assert measured.peak < 16
    assert measured.result is None
    assert memory.measure(talk, results=True).result == bytearray(8 * MIB)


def test_a_function_runs_once_however_short_it_is(tmp_path):
    def note():
        with open(tmp_path / "calls", "a") as file:
            file.write("x")

    measured = memory.measure(note, rows=10)
    assert (tmp_path / "calls").read_text() == "x"
    assert measured.samples
    assert measured.rate == pytest.approx(10 / measured.seconds)


# What comes back ------------------------------------------------------------------------------------------------------


class OwnError(Exception):
    """An error of the caller's own."""


def error_of(function):
    with pytest.raises(BaseException) as caught:
        memory.measure(function)
    return caught.value


def test_the_processors_seconds_do_not_count_what_is_waited_for():
    waits = memory.measure(lambda: time.sleep(0.5))
    assert waits.seconds >= 0.5 and waits.cpu < 0.25
    works = memory.measure(lambda: sum(range(5_000_000)))
    assert 0 < works.cpu < works.seconds + 0.1  # the two clocks are not one


def test_an_error_comes_back_as_itself_with_where_it_was_raised():
    def fail_in_there():
        raise OwnError("no rows", 7)

    error = error_of(fail_in_there)
    assert type(error) is OwnError
    assert error.args == ("no rows", 7)
    assert "in fail_in_there" in str(error.__cause__)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_what_ends_a_program_comes_back_too(error):
    def end():
        raise error

    assert repr(error_of(end)) == repr(error)


def test_an_error_that_cannot_travel_comes_back_as_text():
    def fail():
        raise OwnError(lambda: (yield), sys.stdin, open(os.devnull))  # noqa: SIM115 (an open file does not travel)

    assert isinstance(error_of(fail), RuntimeError)
    assert str(error_of(fail)).startswith("OwnError: ")


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (lambda: os._exit(3), "ended with status 3 and no answer"),
        (
            lambda: os.kill(os.getpid(), signal.SIGKILL),
            "status -9 and no answer (-9 often means that the system had no",
        ),
    ],
    ids=["exit", "kill -9"],
)
def test_a_process_that_vanishes_is_an_error(end, says):
    error = error_of(end)
    assert isinstance(error, RuntimeError)
    assert says in str(error)


def test_a_function_that_raises_kills_nothing(tmp_path):
    """memory_profiler itself kills every child of a process whose function raises."""

    def start_and_fail():
        started = subprocess.Popen(["sleep", "300"])
        (tmp_path / "pid").write_text(str(started.pid))
        raise OwnError

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as mine:
        assert isinstance(error_of(start_and_fail), OwnError)
        assert mine.poll() is None
        mine.communicate(b"\n")
    started = psutil.Process(int((tmp_path / "pid").read_text()))
    assert started.status() != psutil.STATUS_ZOMBIE
    started.kill()


def test_what_a_function_leaves_for_the_end_of_its_process_is_done(tmp_path):
    def write_later():
        atexit.register((tmp_path / "at its end").write_text, "written")
        threading.Timer(0.3, (tmp_path / "by a thread").write_text, ["written"]).start()

    memory.measure(write_later)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "at its end": "written", "by a thread": "written"}  # fmt: skip


def test_functions_of_a_notebook_travel():
    notebook = {"__name__": "__main__"}
    exec("STEP = 2\ndef count(n):\n    return sum(range(0, n, STEP))\ncounted = lambda: count(10)", notebook)
    assert memory.measure(notebook["counted"], results=True).result == 20


# Processes that wait --------------------------------------------------------------------------------------------------


def others_work():
    """Return the processor seconds of the other measured process in 0.3 s, from inside one."""
    (other,) = (p for p in psutil.Process().parent().children() if p.pid != os.getpid() and measures(p))
    before = other.cpu_times()
    time.sleep(0.3)
    now = other.cpu_times()
    return now.user + now.system - before.user - before.system


def measures(process):
    """Whether a process is one in which functions are measured."""
    return memory.__file__ in process.cmdline()


def test_the_next_process_does_nothing_while_one_is_measured():
    assert memory.compare({"first": others_work, "second": hold(1)}, results=True)["first"].result < 0.05


def test_a_function_that_comes_after_a_failure_does_not_run(tmp_path):
    def fail():
        raise OwnError

    with pytest.raises(OwnError):
        memory.compare({"fails": fail, "second": (tmp_path / "ran").touch})
    assert not (tmp_path / "ran").exists()
    assert not any(map(measures, psutil.Process().children()))


WITHOUT_PARENT = """
import os, signal, sys
from pathlib import Path
import psutil
from helpers import memory

ran, others = map(Path, sys.argv[1:])

def end_the_parent():
    parent = psutil.Process().parent()
    measured = [child for child in parent.children() if memory.__file__ in child.cmdline()]  # 3.14: a tracker, too
    others.write_text(" ".join(str(child.pid) for child in measured))
    parent.kill()

memory.compare({"first": end_the_parent, "second": ran.touch})
"""


def test_a_function_does_not_run_for_somebody_who_is_gone(tmp_path):
    ran, others = tmp_path / "ran", tmp_path / "others"
    assert run(sys.executable, "-c", WITHOUT_PARENT, ran, others).returncode == -signal.SIGKILL
    pids = [int(pid) for pid in others.read_text().split()]
    assert len(pids) == 2
    wait_until(lambda: not any(map(psutil.pid_exists, pids)), "the measured processes have ended")
    assert not ran.exists()


# Comparisons ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both():
    return memory.compare({"list: all": hold(32), "generator": hold(1), "other": hold(2)}, rows=100, title="See this")


def test_the_table_has_a_row_for_each(both):
    assert list(both.table.index) == ["list: all", "generator", "other"]
    assert list(both.table.columns) == ["peak MiB", "seconds", "rows/s"]
    assert both.table.loc["list: all", "peak MiB"] == both["list: all"].peak
    assert "rows/s" not in memory.Comparison({"one": memory.Measurement(1, 1, 1, 1, [], 1)}).table
    assert "list: all" in both._repr_html_()


def test_the_plot_has_the_courses_colours_and_a_label_for_each_line(both):
    ax = both.plot()
    lines = [line for line in ax.get_lines() if line.get_marker() == "None"]
    assert [line.get_color() for line in lines] == [plots.LIST, plots.GENERATOR, plots.OTHERS[0]]
    assert {text.get_text() for text in ax.texts} == {f"{name}: {m.peak:,.1f} MiB" for name, m in both.items()}
    assert ax.get_title(loc="left") == "See this"
    assert ax.get_xlabel() == "seconds"
    assert ax.get_ylabel() == "memory above the start (MiB)"
    plt.close(ax.figure)


def test_repeats_keep_the_run_with_the_median_time(tmp_path, monkeypatch):
    tries = tmp_path / "tries"

    def counted():
        with open(tries, "a") as file:
            file.write("x")
        return len(tries.read_text())

    measure, seconds = memory.measure, iter([1.0, 0.3, 0.1])
    monkeypatch.setattr(
        memory, "measure", lambda *given, **how: dataclasses.replace(measure(*given, **how), seconds=next(seconds))
    )
    kept = memory.compare({"one": counted}, repeats=3, results=True)
    assert tries.read_text() == "xxx"
    assert (kept["one"].result, kept["one"].seconds) == (2, 0.3)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (({},), ValueError, "at least one version"),
        (({"one": hold(1)}, None, None, 0), ValueError, "at least one version and one repeat"),
        (({"one": 5},), TypeError, "version 'one' is not a function: 5"),
    ],
)
def test_compare_refuses_what_it_cannot_measure(arguments, error, says):
    with pytest.raises(error, match=re.escape(says)):
        memory.compare(*arguments)
