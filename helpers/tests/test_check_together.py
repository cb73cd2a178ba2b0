"""Checks side by side: reports in the tasks' order, the same as one by one, and Ctrl-C that leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest
from places import ROOT
from test_check_folder import RIGHT, WRONG, written

from helpers.check import folder, together
from helpers.check.report import Report

HANGS = "import threading\n\n\ndef stream_users():\n    threading.Event().wait()\n    yield\n"


def test_as_many_at_once_as_asked_and_no_more():
    busy, most, seen = threading.Semaphore(2), [], threading.Barrier(2)

    def one(number):
        assert busy.acquire(blocking=False)
        seen.wait()  # two are here
        most.append(number)
        busy.release()

    with together.side_by_side(2) as submit:
        for each in [submit(one, number) for number in range(6)]:
            each.result()
    assert sorted(most) == [*range(6)]


def test_an_error_stops_what_has_begun_and_what_has_not():
    begun, ended, never = threading.Event(), [], []

    def endless():
        begun.set()
        try:
            while True:
                together.go_on()
        finally:
            ended.append("tidied up")

    with pytest.raises(ZeroDivisionError), together.side_by_side(1) as submit:
        submit(endless)
        submit(never.append, 1)
        begun.wait()
        raise ZeroDivisionError
    assert ended == ["tidied up"]
    assert not never


def test_an_inner_block_stops_with_the_outer_one_and_not_the_other_way_round():
    inside = threading.Event()

    def outer():
        with together.side_by_side(1) as submit:
            submit(inner).result()

    def inner():
        inside.set()
        while True:
            together.go_on()

    with pytest.raises(KeyboardInterrupt), together.side_by_side(1) as submit:
        stopped = submit(outer)
        inside.wait()
        raise KeyboardInterrupt
    assert isinstance(stopped.exception(), together.Stopped)
    with together.side_by_side(1):
        with pytest.raises(KeyError), together.side_by_side(1):
            raise KeyError
        together.go_on()


def test_reports_come_in_the_order_of_the_tasks_whichever_is_there_first(tmp_path, monkeypatch):
    last_is_there = threading.Event()

    def one(folder_, file, function, first):
        if function is folder.FUNCTIONS[-1]:
            last_is_there.set()
        last_is_there.wait()
        return Report(function.name, called=function.name)

    monkeypatch.setattr(folder, "one", one)
    said = []
    result = folder.solution(written(tmp_path / "it", RIGHT), said.append, at_once=len(folder.FUNCTIONS))
    assert said == result.reports
    assert [report.title for report in said] == [function.name for function in folder.FUNCTIONS]


def test_what_is_reported_does_not_depend_on_what_runs_beside_it(tmp_path):
    solution = written(tmp_path / "wrong", WRONG)
    with folder.private_server():
        alone, beside = (folder.solution(solution, at_once=count).as_dict() for count in (1, folder.AT_ONCE))
    assert alone == beside


def test_ctrl_c_ends_a_check_at_once_and_leaves_nothing_behind(tmp_path, temporary):
    solution = written(tmp_path / "hangs", RIGHT | {"0-stream_users.py": HANGS})
    running = subprocess.Popen(
        [sys.executable, "-m", "helpers.check", str(solution)], cwd=ROOT, env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout.readline().startswith("Task 0, seed.py")  # the first report is there, the second never comes
    running.send_signal(signal.SIGINT)
    said, complained = running.communicate()
    assert running.returncode == 130, complained
    assert complained == "Stopped.\n"
    assert "Task 1" not in said
    assert not [*temporary.glob("gc-*")]
    left = [each for each in psutil.process_iter(["cwd"]) if str(temporary) in (each.info["cwd"] or "")]
    assert not psutil.wait_procs(left, timeout=60)[1]  # the server's supervisor has let go of its lock, and ends
