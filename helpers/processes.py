"""Memory of processes as the system counts it: the high-water mark, what children hold, and who was ended for it."""

import contextlib
import os
import threading
import time
from pathlib import Path

import psutil

MIB = 2**20
SMAPS = os.path.exists("/proc/self/smaps_rollup")


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
    return _from_status(pid, "VmHWM")


def resident(pid="self"):
    """Return the memory that a process holds now, in MiB (VmRSS), or None where Linux does not say."""
    return _from_status(pid, "VmRSS")


def _from_status(pid, name):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:
        return next((int(line.split()[1]) / 1024 for line in file if line.startswith(f"{name}:")), None)
    return None


def share(pid="self"):
    """Return a process's proportional share of memory in MiB (proc_pid_smaps_rollup(5)): its own pages, and its part of
    those that it shares. What it holds (RSS) where Linux does not say; 0 for a process that is gone."""
    with contextlib.suppress(OSError):
        if SMAPS:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                return next((int(line.split()[1]) / 1024 for line in file if line.startswith("Pss:")), 0.0)
    with contextlib.suppress(psutil.Error):
        return psutil.Process(None if pid == "self" else pid).memory_info().rss / MIB
    return 0.0


class Family:
    """The processes that this one has started, and those that these have."""

    def __init__(self):
        self._parents = {}  # of each process seen so far: reading them again and again would cost

    def numbers(self):
        """Return their process numbers (set of int)."""
        try:
            there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        except OSError:  # a system without /proc
            return {process.pid for process in psutil.Process().children(recursive=True)}
        for pid in there - self._parents.keys():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
                self._parents[pid] = int(file.read().rpartition(b")")[2].split()[1])
        self._parents = {pid: parent for pid, parent in self._parents.items() if pid in there}
        return {pid for pid in self._parents if self._descends(pid)}

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
        self.samples = []

    def __enter__(self):
        self._family = Family()
        self._before = self._family.numbers()
        self._start = self._beyond_own(self._before)
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

    def added(self, at):
        """Return the MiB that children added at this time.time(), by the last sample before it."""
        return next((added for when, _, added in reversed(self.samples) if when <= at), 0.0)

    def _watch(self):
        while not self._done.wait(self._interval):
            family = self._family.numbers()
            new = family - self._before
            if new or self.samples:
                held = sum(map(share, new))
                self.samples.append((time.time(), held, max(0.0, self._beyond_own(family) - self._start)))

    @staticmethod
    def _beyond_own(family):
        """What this process and its family hold together beyond what this one holds (MiB): shared pages count once."""
        return share() + sum(map(share, family)) - (resident() or share())


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
