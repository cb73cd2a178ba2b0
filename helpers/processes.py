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


def share(pid="self"):
    """Return a process's proportional share of memory in MiB (proc_pid_smaps_rollup(5)): its own pages, and its part of
    those that it shares. What it holds (RSS) where Linux does not say; 0 for a process that is gone."""
    return _held_and_share(pid)[1]


def _held_and_share(pid):
    """Return what a process holds (RSS) and its share of it, in MiB, as of one moment."""
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
        self._highest = {}  # the high-water mark of each child, as it was last seen
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
            new = {pid for pid in family - self._before if not self._borrows(pid)}
            if new or self.samples:
                held, spike = sum(map(share, new)), self._spike(new)
                beyond = self._beyond_own((family & self._before) | new) - self._start
                self.samples.append((time.time(), held + spike, max(0.0, beyond) + spike))

    @staticmethod
    def _borrows(pid):
        """Whether a child has no memory yet but its parent's: it is about to start a program (vfork(2))."""
        before = _layout("self")
        return before is not None and _layout(pid) in (None, before, _layout("self"))

    def _spike(self, new):
        """Return by how much one of them has been above what it holds now, since they were last looked at (MiB)."""
        most = 0.0
        for pid in new:
            sizes = _sizes(f"/proc/{pid}/status")
            high = sizes.get("VmHWM")
            if high is not None and high != self._highest.get(pid):
                self._highest[pid] = high
                most = max(most, high - sizes["VmRSS"])
        return most

    @staticmethod
    def _beyond_own(family):
        """What this process and its family hold together beyond what this one holds (MiB): shared pages count once."""
        held, own_share = _held_and_share("self")
        return own_share + sum(map(share, family)) - held


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
