"""The check's side of the process in which a learner's code runs: start it, ask it, stop it when it does not end.

The time limit, the memory limit and the end of the process with all its children keep the notebook's kernel safe from
mistakes. They do not keep anything safe from malice.
"""

import contextlib
import linecache
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from helpers.check.together import go_on

TIME_LIMIT = 20.0  # seconds for one thing asked
GLANCE = 0.05  # seconds between two looks at what the process takes
COMPUTING_LIMIT = 10.0  # seconds of a processor's time for one thing asked: a loop without end reaches it first
MEMORY_LIMIT = 600  # MiB that the learner's process may hold
ADDRESSES = 8 * 2**30  # bytes of addresses, which libraries reserve without using them
RUNNER = Path(__file__).with_name("runner.py")
SLOW = ("distributed",)  # modules that take long to import: the warm process does it while nobody waits for it


def _cells():
    """Return the texts of a notebook's cells by the names that Python gives them."""
    known = ((name, entry) for name, entry in list(linecache.cache.items()) if len(entry) == 4 and entry[1] is None)
    return {name: "".join(lines) for name, (_, _, lines, _) in known if not os.path.exists(name)}


# Starting it ----------------------------------------------------------------------------------------------------------


def _start(descriptor):
    """Start a process for learner's code that talks over a socket's descriptor: fork it from a warm one, or run it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError):  # the warm process was killed: the next check starts a new one
            return _warm.fork(descriptor)
    return subprocess.Popen(
        [sys.executable, str(RUNNER), str(descriptor)], pass_fds=[descriptor], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


class _Warm:
    """The process that has imported what a check needs, and from which learners' processes are forked."""

    def __init__(self):
        self._lock = threading.Lock()
        self._owner = None  # the process (int) that may talk to it: a copy of this one, made by fork, may not

    def ready(self):
        """Start it, unless it is there; do not wait for what it imports."""
        with self._lock:
            if self._owner != os.getpid():
                self._start()

    def fork(self, descriptor):
        """Return a new process that talks over `descriptor`: a _Forked."""
        reading, writing = os.pipe()
        try:
            pid = int(self._ask(b"fork", [descriptor, writing]))
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return _Forked(pid, open(reading, "rb"), self)

    def poll(self, pid):
        """Return the exit status of a forked process, None while it runs."""
        try:
            status = self._ask(b"poll %d" % pid, [])
        except (OSError, ValueError):
            return -signal.SIGKILL
        return None if status == b"None" else int(status)

    def _ask(self, message, descriptors):
        with self._lock:
            if self._owner != os.getpid():
                self._start()
            try:
                socket.send_fds(self._requests, [message], descriptors)
                answer = self._requests.recv(100)
            except OSError:
                answer = b""
            if not answer:
                self._owner = None
                raise OSError("the warm process is gone")
            return answer

    def _start(self):
        self._requests, theirs = socket.socketpair()
        also = [module for module in SLOW if module in sys.modules]  # what this lesson uses, its checks use too
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(RUNNER), "warm", str(theirs.fileno()), *also], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._owner = os.getpid()


class _Forked:
    """A process forked from the warm one, with as much of Popen's ways as is used here."""

    def __init__(self, pid, stdout, warm):
        self.pid, self.stdout, self._warm = pid, stdout, warm
        self._status = None

    def poll(self):
        """Return its exit status, None while it runs."""
        if self._status is None:
            self._status = self._warm.poll(self.pid)
        return self._status

    def wait(self, timeout=10.0):
        """Wait for its end; raise subprocess.TimeoutExpired after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a learner's process", timeout)
            time.sleep(0.002)
        return self._status


_warm = _Warm()


def warm_up():
    """Let the first check find its process warm: call it before something that takes time."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            _warm.ready()


# Using it -------------------------------------------------------------------------------------------------------------


def _runs(pid):
    """Tell whether Linux says of a thread of this process that it runs (R), or waits for the disk (D)."""
    with contextlib.suppress(OSError):  # the process or a thread of it has ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            if (thread / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] in "RD":
                return True
    return False


class Learner:
    """A learner's code in a process of its own. It is started at once, and again after an end that nobody asked for.

    Parameters
    ----------
    path : str
        The unix socket that stands for every server.
    setup : dict
        The first thing to ask for: a do_ function of runner.py that brings in the learner's code.
    folder : str, optional
        The folder of a whole solution, which becomes the working folder.
    computing : float, optional
        Seconds of a processor's time that one thing asked may take; COMPUTING_LIMIT without it.
    """

    def __init__(self, path, setup, folder=None, computing=None):
        self._job = {"path": list(sys.path), "socket": path, "memory": ADDRESSES, "folder": folder, "cells": _cells()}
        self._setup, self._folder = setup, folder
        self._computing = computing or COMPUTING_LIMIT
        self._process = None
        self._threads = None  # of the learner's, that still ran when the last question was answered
        self._last_words = b""
        self.asked = {}  # "asked": what the learner's code asked at the keyboard, if it did
        self._start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def ask(self, do, on_event=None, **task):
        """Ask the process for one thing (a do_ function of runner.py) and return what was observed: a dict.

        Its "error" is None, or a dict: what came out of the learner's code, or with type "Hung", "Memory" or "Died"
        what became of the process.
        """
        loaded = self.load()
        observed = loaded if loaded["error"] else self._exchange({"do": do, **task}, on_event)
        self.asked |= {name: said for name, said in observed["notes"].items() if name == "asked"}
        return observed

    def load(self):
        """Bring in the learner's code, unless it is there; return what was observed then, as ask() does."""
        if self._process is None:
            self._start()
        if self._loaded is None:
            ready = self._wait(None)
            # What it imports may take its time, even where a question may not
            self._loaded = ready if ready["error"] else self._exchange(self._setup, None, COMPUTING_LIMIT)
        return self._loaded

    def at_rest(self):
        """Tell whether nothing runs there between two questions: no thread of the learner's, and no child."""
        with contextlib.suppress(psutil.Error):
            if self._process is not None:  # what an ended one has started may take a moment to end
                return self._threads == 0 and not psutil.Process(self._process.pid).children()
        return False

    def at_work(self):
        """Tell whether a thread there, or of what it has started, runs now or only waits for a processor or the disk.

        So a pause of the learner's code is told from a busy machine. Where there is no /proc, it is False.
        """
        if self._process is None or not os.path.exists("/proc/self/task"):
            return False
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            return any(_runs(each.pid) for each in (process, *process.children(recursive=True)))
        return False

    def has_children(self):
        """Tell whether processes that the learner's code has started are still there."""
        with contextlib.suppress(psutil.Error):  # it has ended, and its children with it
            return bool(psutil.Process(self._process.pid).children())
        return False

    def memory(self):
        """Return what the process holds now, in MiB; 0 where it has ended."""
        return 0.0 if self._process is None else psutil.Process(self._process.pid).memory_info().rss / 2**20

    def _exchange(self, task, on_event, computing=None):
        with contextlib.suppress(OSError):
            self._talk.send(task)
        return self._wait(on_event, computing or self._computing)

    def _wait(self, on_event, computing=COMPUTING_LIMIT):
        waited = 0.0  # seconds that passed here as well: on a busy machine both sides take longer
        enough = self._computed() + computing
        while True:
            go_on()
            try:
                if self._talk.poll(GLANCE):
                    kind, what = self._talk.recv()
                    if kind != "event":
                        self._threads = what and what["threads"]
                        return what or {"error": None}
                    if on_event:
                        on_event(*what)
                    self._talk.send(None)
                    continue
            except (EOFError, OSError):
                return self._ended("Died")
            waited += GLANCE
            if waited >= TIME_LIMIT:
                return self._ended("Hung", f"{TIME_LIMIT:.0f} s")
            if self._computed() > enough:
                return self._ended("Hung", f"{computing:.0f} s of computing")
            with contextlib.suppress(psutil.Error):
                if self.memory() > MEMORY_LIMIT:
                    return self._ended("Memory")

    def _computed(self):
        """Return the seconds of processor time that the process has taken."""
        with contextlib.suppress(psutil.Error):
            return sum(psutil.Process(self._process.pid).cpu_times()[:2])
        return 0.0

    def _ended(self, why, after=""):
        process = self._process
        with contextlib.suppress(subprocess.TimeoutExpired):
            if why == "Died":
                process.wait(10)
        status = process.poll()
        self.end()
        said = self._last_words.decode(errors="replace").strip()
        text = {
            "Hung": f"still running after {after}: does your loop ever end?",
            "Memory": f"it took more than {MEMORY_LIMIT} MiB of memory and was stopped: "
            "a list of everything, or a loop without an end?",
            "Died": f"it ended the whole Python process (status {status})" + (f": {said[-200:]}" if said else ""),
        }[why]
        error = {"type": why, "text": text, "line": None, "chain": [], "where": "call"}
        return {"error": error, "printed": "", "items": [], "count": 0, "notes": {}, "peak": 0.0}

    def _start(self):
        ours, theirs = socket.socketpair()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MYSQL_") and k != "COURSE_DATABASE"}
        environment |= {"TQDM_DISABLE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        if self._folder is None:
            # code may read the credentials of the notebook's environment: the names are there, and not the password
            given = {"MYSQL_HOST": "localhost", "MYSQL_PORT": "3306", "MYSQL_DATABASE": "ALX_prodev"}
            given |= {"MYSQL_PASSWORD": "from-the-environment"}
            environment |= {name: value for name, value in given.items() if name in os.environ}
            environment |= {"MYSQL_UNIX_SOCKET": self._job["socket"], "MYSQL_USER": "learner"}
        with theirs:
            self._process = _start(theirs.fileno())
        self._talk = Connection(ours.detach())
        self._loaded = None
        self._last_words = b""
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()
        with contextlib.suppress(OSError):
            self._talk.send(self._job | {"environment": environment, "here": os.getcwd()})

    def _listen(self, output):
        """Read what the process says past Python's own output, so that it never waits, and keep the end of it."""
        with contextlib.suppress(OSError, ValueError), output:
            while data := output.read1(65536):
                self._last_words = (self._last_words + data)[-2000:]

    def end(self):
        """End the process, and all that it started in its group; a further question starts another one."""
        process, self._process = self._process, None
        if process is None:
            return
        self._talk.close()
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
