"""Processes that get ready and wait for their turn; and the memory of processes, as the system counts it.

That is the high-water mark, what children hold, and who was ended for it.
"""

import contextlib
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

MIB = 2**20
TRIES = 5  # at a look at several processes while none of them starts or ends
SAME = 0.25  # MiB by which a process's share may change during that look
SMAPS = os.path.exists("/proc/self/smaps_rollup")
CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")  # some kernels are made without it


# Processes that wait --------------------------------------------------------------------------------------------------


class Waiting:
    """A Python program that gets ready in a process of its own, and then waits: see wait_for_the_turn().

    Parameters
    ----------
    command : list of str
        The program's file and its arguments.
    given : bytes
        What it can read from its standard input.

    Attributes
    ----------
    status : int or None
        The exit status, when run() has returned.
    killed_before : int
        How often the system had ended a process for its memory before this one was started: see killed_for_memory().
    """

    def __init__(self, command, given):
        self._command, self._given = command, given
        self.status = None

    def __enter__(self):
        self.killed_before, _ = killed_for_memory()
        # Into files: at the end of a pipe we would wait for whatever the program has left running
        self._answer, self._said = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self._ready, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, *self._command, str(theirs)], stdin=subprocess.PIPE, stdout=self._answer,
                stderr=self._said, pass_fds=[theirs],
            )  # fmt: skip
        finally:
            os.close(theirs)
        self._send(self._given)
        return self

    def wait_until_ready(self):
        """Wait until it waits for its turn, or has ended."""
        os.read(self._ready, 1)

    def run(self):
        """Give it its turn and wait for its end; return what it wrote to its output, and to its errors (bytes)."""
        self._send(b"!")
        self._end_input()
        self.status = self._process.wait()
        for file in (self._answer, self._said):
            file.seek(0)
        return self._answer.read(), self._said.read()

    def _send(self, given):
        with contextlib.suppress(BrokenPipeError):  # it has ended, and its status says how
            self._process.stdin.write(given)
            self._process.stdin.flush()

    def _end_input(self):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def __exit__(self, *_):
        self._process.kill()  # where it had no turn, or nobody wants to wait any more
        self._process.wait()
        self._end_input()
        os.close(self._ready)
        self._answer.close()
        self._said.close()


def wait_for_the_turn():
    """In a process that Waiting has started: say that it is ready, and wait until it is to go on."""
    os.close(int(sys.argv.pop()))
    if not sys.stdin.buffer.read(1):
        os._exit(1)  # nobody is there any more


# Their memory ---------------------------------------------------------------------------------------------------------


def reset_high_water_mark():
    """Set the kernel's high-water mark of this process back to now (proc_pid_clear_refs(5)); say if that worked."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:  # not Linux, or a container that does not offer it
        return False
    return high_water_mark() is not None


def high_water_mark(pid="self"):
    """Return the most memory that a process has held, in MiB (VmHWM, proc_pid_status(5)), or None."""
    return _sizes(f"/proc/{pid}/status").get("VmHWM")


def resident(pid="self"):
    """Return the memory that a process holds now, in MiB (VmRSS), or None where Linux does not say."""
    return _sizes(f"/proc/{pid}/status").get("VmRSS")


def _sizes(path):
    """Return the sizes (dict of str to MiB) that a file of /proc has, read at once; {} where there is none."""
    with contextlib.suppress(OSError), open(path) as file:
        lines = [line.split() for line in file if line.endswith(" kB\n")]
        return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines}
    return {}


def _held_and_share(pid):
    """Return what a process holds (RSS) and its proportional share of that, in MiB, as of one moment.

    The share is its own pages, and its part of those that it shares (proc_pid_smaps_rollup(5)); all that it holds where
    Linux does not say. (0, 0) for a process that is gone.
    """
    if SMAPS and (sizes := _sizes(f"/proc/{pid}/smaps_rollup")):
        return sizes["Rss"], sizes["Pss"]
    with contextlib.suppress(psutil.Error):
        held = psutil.Process(None if pid == "self" else pid).memory_info().rss / MIB
        return held, held
    return 0.0, 0.0


def _layout(pid):
    """Return the counters of a process's memory (bytes), which two processes have in common only if they share it."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/statm", "rb") as file:
        return file.read()
    return None


class Family:
    """The processes that this one has started, and those that these have."""

    def __init__(self):
        self._parents = {}  # of each process seen so far: reading them again and again would cost

    def numbers(self):
        """Return their process numbers (set of int)."""
        if CHILDREN:
            return set(self._below("self"))
        try:
            there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        except OSError:  # a system without /proc
            return {process.pid for process in psutil.Process().children(recursive=True)}
        for pid in there - self._parents.keys():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
                self._parents[pid] = int(file.read().rpartition(b")")[2].split()[1])
        self._parents = {pid: parent for pid, parent in self._parents.items() if pid in there}
        return {pid for pid in self._parents if self._descends(pid)}

    def _below(self, pid):
        """Yield the children of each thread of a process, and theirs, from Linux's own lists."""
        with contextlib.suppress(OSError):  # it has ended
            for thread in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    for child in file.read().split():
                        yield int(child)
                        yield from self._below(int(child))

    def _descends(self, pid):
        seen = set()
        while pid in self._parents and pid not in seen:
            seen.add(pid)
            pid = self._parents[pid]
            if pid == os.getpid():
                return True
        return False


class ChildrensMemory:
    """Watch what the processes hold that are started inside the block, from a thread.

    Attributes
    ----------
    samples : list of (float, float, float)
        time.time(); MiB that the children hold together; MiB by which they add to what this process holds, where
        pages that are shared with it count once.
    """

    def __init__(self, interval):
        self._interval, self._done = interval, threading.Event()
        self._highest = {}  # the high-water mark of each child, as it was last seen
        self.samples = []

    def __enter__(self):
        self._family = Family()
        self._before = self._family.numbers()
        _, self._start = self._beyond_own(self._before)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    @property
    def peak(self):
        """The most that the children held together (MiB)."""
        return max((held for _, held, _ in self.samples), default=0.0)

    def added(self, after, until):
        """Return the most MiB that children added in a span of time.time(): by the samples in it, or the one before."""
        inside = [added for when, _, added in self.samples if after < when <= until]
        before = (added for when, _, added in reversed(self.samples) if when <= after)
        return max(inside) if inside else next(before, 0.0)

    def _watch(self):
        while not self._done.wait(self._interval):
            family = self._family.numbers()
            new = {pid for pid in family - self._before if not self._borrows(pid)}
            if new or self.samples:
                sizes, beyond = self._beyond_own((family & self._before) | new)
                held = sum(sizes[pid][1] for pid in new)
                spike = max((self._spike(pid, sizes[pid][0]) for pid in new), default=0.0)
                self.samples.append((time.time(), held + spike, max(0.0, beyond - self._start) + spike))

    @staticmethod
    def _borrows(pid):
        """Whether a child has no memory yet but its parent's: it is about to start a program (vfork(2))."""
        before = _layout("self")
        return before is not None and _layout(pid) in (None, before, _layout("self"))

    def _spike(self, pid, held):
        """Return by how much a child has been above what it holds (MiB), since it was last looked at.

        `held` is what it held a moment ago: more than now where it has just freed memory, and that is counted already;
        less than now where it is about to free what has no place in its addresses any more. That is looked at again.
        """
        sizes = _sizes(f"/proc/{pid}/status")
        high, now = sizes.get("VmHWM"), sizes.get("VmRSS")
        if high is None or high == self._highest.get(pid):
            return 0.0
        if now < held + 1:
            self._highest[pid] = high
        return max(0.0, high - max(held, now))

    @staticmethod
    def _beyond_own(family):
        """Return what each holds and its share of it, and what all hold beyond what this process holds (MiB).

        Shared pages count once. A fork or an end in the middle changes everybody's share: then all is read again.
        """
        least, sizes = math.inf, {}
        for _ in range(TRIES):
            shares = [_held_and_share("self")]
            now = {pid: _held_and_share(pid) for pid in family}
            shares.append(_held_and_share("self"))
            not_own, still_not_own = (share - held for held, share in shares)
            beyond = min(not_own, still_not_own) + sum(share for _, share in now.values())
            if beyond < least:
                least, sizes = beyond, now
            if abs(not_own - still_not_own) < SAME:
                break
        return sizes, least


def killed_for_memory():
    """Return how often the system has ended a process for its memory where this one runs, and the limit there in MiB.

    That is this process's control group (a container's, on Binder). (0, None) where that cannot be read.
    """
    for counter, limit in _of_the_group():
        with contextlib.suppress(OSError, ValueError, KeyError):
            counts = dict(line.split() for line in counter.read_text().splitlines())
            most = limit.read_text().strip()
            return int(counts["oom_kill"]), None if most == "max" or int(most) > 2**60 else int(most) / MIB
    return 0, None


def _of_the_group():
    """The files of this process's control group that count and that limit: version 2, then 1 (cgroups(7))."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        version2, base = not controllers, Path("/sys/fs/cgroup")
        if version2 or "memory" in controllers.split(","):
            for group in (path.lstrip("/"), ""):  # inside a container, its group may be mounted as the first one
                at = base / group if version2 else base / "memory" / group
                yield (at / "memory.events", at / "memory.max") if version2 else (
                    at / "memory.oom_control", at / "memory.limit_in_bytes")  # fmt: skip
