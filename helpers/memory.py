"""Run functions in fresh Python processes, and show the memory and the time that they take.

memory_profiler does the sampling. What this file adds makes its figures comparable:

- A process keeps memory that Python has freed, so whichever function runs second looks better or worse than it is.
  Here each one has a process of its own, started from nothing. A comparison starts two at a time, side by side, and
  the first of them runs its function when the other one is ready too, and waits.
- Memory is counted from a baseline: the process after its imports, before the function. A module that
  comes with the function may define warm_up_measurement(), called before that: what loads once is no version's cost.
- Data that a function brings along from where it was made (a list from an earlier cell) were there before the
  baseline. They are counted as its memory, and the table says how many MiB they are. So is what the processes hold that
  it starts.
- Short peaks fall between two samples. On Linux the kernel's own high-water mark (VmHWM in /proc/self/status, set back
  at the baseline) gives the peak; elsewhere the highest sample does.
"""

import atexit
import contextlib
import gc
import html
import importlib
import math
import os
import signal
import statistics
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from itertools import islice, pairwise

import cloudpickle

INTERVAL = 0.01  # seconds between samples
MIB = 2**20
LITTLE = 0.5  # MiB of data that come with a function and are not worth a word
AT_ONCE = 2  # processes that a comparison starts side by side: more would take the memory of a small machine
UNEVEN = 10  # MiB by which the processes may differ before the call without a word


# What lessons call ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measurement:
    """What one function did in its own process."""

    peak: float  # MiB above the baseline, at most
    seconds: float  # from call to return
    baseline: float  # MiB of the process before the call
    sampled_peak: float  # MiB above the baseline in the highest sample
    samples: list = field(repr=False)  # (seconds since the call, MiB above the baseline)
    cpu: float  # seconds that the processor worked for it: what else runs on the machine does not count
    brought: float = 0.0  # MiB of data that came with the function; the peak and the samples count them
    children: float = 0.0  # MiB that the processes which it started held together, at most; the peak counts them
    rows: int | None = None  # what the function worked through, where the caller said so
    result: object = field(default=None, repr=False)  # what it returned, where asked for

    @property
    def rate(self):
        """Rows a second, or None where the number of rows was not given."""
        return self.rows / self.seconds if self.rows else None


class Comparison(dict):
    """Measurements by name. As the last line of a cell it shows a figure and a table."""

    def __init__(self, measurements, title=None):
        super().__init__(measurements)
        self.title = title

    @property
    def table(self):
        """A pandas DataFrame: a row for each name; peak MiB, seconds, and rows/s where rows were given."""
        import pandas as pd

        columns = {
            "peak MiB": {name: m.peak for name, m in self.items()},
            "seconds": {name: m.seconds for name, m in self.items()},
        }
        if any(m.rows for m in self.values()):
            columns["rows/s"] = {name: m.rate for name, m in self.items()}
        return pd.DataFrame(columns)

    def plot(self):
        """Draw memory above the baseline against time, a line for each name, peaks marked; return matplotlib Axes."""
        from helpers import plots

        ax = plots.axes(self.title or "Memory while each version runs", "seconds", "memory above the start (MiB)")
        others = iter(plots.OTHERS * len(self))
        ends = []
        for name, m in self.items():
            kind = name.split()[0].strip(":,").lower() if name else ""
            colour = {"list": plots.LIST, "generator": plots.GENERATOR}.get(kind) or next(others)
            times, levels = zip(*m.samples, strict=True)
            ax.plot(times, levels, color=colour)
            at = times[levels.index(max(levels))]
            ax.plot([at], [m.peak], "o", color=colour)
            ends.append((at, m.peak, f"{name}: {m.peak:,.1f} MiB", colour))
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]), top=max(ax.get_ylim()[1], 10))  # what is small should look small
        ax.set_xlim(left=0)
        plots.label_ends(ax, ends)
        return ax

    @property
    def notes(self):
        """What a reader of the figures must know (list of str): data that came along, other processes, other starts."""
        told = []
        for name, m in self.items():
            if m.brought:
                told.append(
                    f"{name}: {m.brought:,.1f} MiB were made before, outside the function. They are counted, and the "
                    "line starts there."
                )
            if m.children:
                told.append(
                    f"{name}: the processes that it started held up to {m.children:,.1f} MiB. They are counted."
                )
        starts = {name: m.baseline - m.brought for name, m in self.items()}
        if starts and max(starts.values()) - min(starts.values()) > UNEVEN:
            each = ", ".join(f"{name} {start:,.0f} MiB" for name, start in starts.items())
            told.append(f"The processes were of different sizes before the call, and that is not counted: {each}.")
        return told

    def _repr_html_(self):
        formats = {"peak MiB": "{:,.1f}".format, "seconds": "{:,.2f}".format, "rows/s": "{:,.0f}".format}
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return self.table.to_html(formatters=formats, border=0) + notes

    def _ipython_display_(self):
        import matplotlib.pyplot as plt
        from IPython.display import HTML, display

        figure = self.plot().figure
        display(figure)
        plt.close(figure)
        display(HTML(self._repr_html_()))


def compare(versions, rows=None, title=None, repeats=1, results=False):
    """Measure each function in fresh processes of its own, one after the other.

    Parameters
    ----------
    versions : dict of str to callable
        Functions without arguments, by the name to show. Those of a notebook and lambdas work too. A name that begins
        with "list" or "generator" gets that colour in the plot.
    rows : int, optional
        How many rows each works through, for rows/s.
    title : str, optional
        The figure's title: what to see in it.
    repeats : int
        How often each is measured, in turns; the run with the median time is kept.
    results : bool
        Whether what each returns comes back (it must be picklable), as `.result`.

    Returns
    -------
    Comparison
        A dict of name to Measurement that shows itself as a figure and a table.

    Raises
    ------
    Exception
        Whatever a function raises, as itself.
    ValueError, TypeError
        No versions, something that cannot be called, or repeats below 1.

    Examples
    --------
    >>> numbers = range(10**6)
    >>> both = compare({"list": lambda: sum([n for n in numbers]), "generator": lambda: sum(n for n in numbers)})
    >>> both["list"].peak > 10 * both["generator"].peak
    True
    """
    from tqdm import tqdm

    if not versions or repeats < 1:
        raise ValueError(f"compare needs at least one version and one repeat, not {versions!r} and {repeats!r}")
    for name, function in versions.items():
        if not callable(function):
            raise TypeError(f"version {name!r} is not a function: {function!r}. Give the function itself, or a lambda.")
    runs = {name: [] for name in versions}
    bar = tqdm(total=len(versions) * repeats, desc="Measuring", unit="run", leave=False, delay=2, miniters=0)
    turns = iter([*versions] * repeats)
    with bar as progress, _clock_of(progress):
        while names := list(islice(turns, AT_ONCE)):
            with contextlib.ExitStack() as stack:
                started = [stack.enter_context(_started(versions[name], results)) for name in names]
                for process in started:
                    process.wait_until_ready()
                for name, process in zip(names, started, strict=True):
                    runs[name].append(measure(versions[name], rows, results, process))
                    progress.update()
    middle = {name: sorted(found, key=lambda m: m.seconds)[(len(found) - 1) // 2] for name, found in runs.items()}
    return Comparison(middle, title)


@contextlib.contextmanager
def _clock_of(progress):
    """Let the clock of a progress bar go on in between its steps, which may take long."""
    done = threading.Event()

    def tick():
        while not done.wait(0.5):
            progress.update(0)  # shows the bar, once its delay is over

    ticking = threading.Thread(target=tick, daemon=True)
    if not progress.disable:
        ticking.start()
    try:
        yield
    finally:
        done.set()
        if not progress.disable:
            ticking.join()


def measure(function, rows=None, results=False, process=None):
    """Measure one function without arguments in a fresh process; return a Measurement.

    `process` is the one that compare() has started for the function. Raises what the function raises, as itself, with
    the other process's traceback as its cause; RuntimeError if the process ended without an answer, as when the system
    kills it for its memory.
    """
    with contextlib.ExitStack() as stack:
        process = process or stack.enter_context(_started(function, results))
        answer, said = process.run()
    if not answer:
        raise _no_answer(process, said.decode(errors="replace").strip())
    answer = cloudpickle.loads(answer)
    if "error" in answer:
        error, text = answer["error"]
        raise error from _InTheMeasuredProcess(text)
    result = answer.pop("result", None)
    return Measurement(rows=rows, result=cloudpickle.loads(result) if result else None, **answer)


def _started(function, results):
    """Return a process (a processes.Waiting) that has the function, and waits for its turn to run it."""
    from helpers import brought, processes

    try:
        pickled = brought.pickled_by_value(function)
    except Exception as error:
        what = brought.culprit(function) or f"something that cannot be copied ({error})"
        raise TypeError(f"The function uses {what}, from outside it. Make it inside the function.") from None
    return processes.Waiting([os.path.abspath(__file__)], cloudpickle.dumps((sys.path, results, pickled)))


def _no_answer(process, said):
    """Return the error for a process that has ended without an answer."""
    from helpers import processes

    status, (killed, limit) = process.status, processes.killed_for_memory()
    if status == -signal.SIGKILL and killed > process.killed_before:
        most = f" The limit here is {limit:,.0f} MiB." if limit else ""
        return MemoryError(f"The system ended the measured process: it took more memory than there is.{most}")
    why = " (-9 often means that the system had no memory left)" if status == -signal.SIGKILL else ""
    what = f":\n{said[-2000:]}" if said else ""
    return RuntimeError(f"The measured process ended with status {status} and no answer{why}{what}")


class _InTheMeasuredProcess(Exception):
    """Carries the traceback of the other process, as the cause of the error that came from there."""

    def __str__(self):
        return "\n" + self.args[0]


# In the fresh process -------------------------------------------------------------------------------------------------


def _main():
    answers, answered = os.fdopen(os.dup(1), "wb"), []
    # At its very end, after all that others ask for then: to take the modules apart takes up to half a second
    atexit.register(lambda: os._exit(0) if answered else None)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what the function prints must not cost anything
    sys.path[:], results, function = cloudpickle.load(sys.stdin.buffer)
    with contextlib.suppress(ImportError):
        importlib.import_module("helpers")  # loads the driver before anything that the function imports (see there)
    try:
        answer = _measure_here(cloudpickle.loads(function), results)
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: they are the function's answer
        text = "".join(traceback.format_exception(error))
        try:
            answer = {"error": (error, text)}
            cloudpickle.loads(cloudpickle.dumps(answer))
        except Exception:  # an error that does not travel
            answer = {"error": (RuntimeError(f"{type(error).__name__}: {error}"), text)}
    answers.write(cloudpickle.dumps(answer))
    answers.close()
    answered.append(True)


def _measure_here(function, results):
    with _without_ipython():
        from memory_profiler import memory_usage

    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # a notebook's own folder is not it
    from helpers import brought, processes

    sys.path.pop()
    brought.put_into_main(function)
    came_along = size if (size := brought.size(function) / MIB) > LITTLE else 0.0
    clock = {}

    def timed():
        clock["start"], clock["counter"], worked = time.time(), time.perf_counter(), time.process_time()
        try:
            with processes.ChildrensMemory(INTERVAL) as clock["children"]:
                clock["counter"], worked = time.perf_counter(), time.process_time()
                try:
                    clock["result"] = function()
                finally:
                    clock["seconds"] = time.perf_counter() - clock["counter"]
                    clock["cpu"] = time.process_time() - worked
        except BaseException as error:  # memory_usage must not see it: it would kill every child of this process
            clock["error"] = error

    _warm_up()
    processes.wait_for_the_turn()
    marked = processes.reset_high_water_mark()
    baseline = statistics.median(memory_usage(-1, interval=0.001, timeout=0.005))
    # max_iterations: memory_usage would run the function again until it has enough samples
    samples = memory_usage((timed, (), {}), interval=INTERVAL, max_iterations=1, timestamps=True)
    high = processes.high_water_mark() if marked else None
    if "error" in clock:
        raise clock["error"]
    above, children = came_along - baseline, clock["children"]
    sampled = _with_children(samples, children, above, clock["start"])
    sampled_peak = max(level for _, level in sampled)
    answer = {
        "peak": sampled_peak if high is None else max(high + above, sampled_peak if children.samples else 0.0),
        "seconds": clock["seconds"],
        "cpu": clock["cpu"],
        "baseline": baseline,
        "sampled_peak": sampled_peak,
        "samples": sampled,
        "brought": came_along,
        "children": children.peak,
    }
    if results:
        answer["result"] = cloudpickle.dumps(clock["result"])
    return answer


def _with_children(samples, children, above, start):
    """Return (seconds since the start, MiB above the baseline) for each sample, what children held till then in it."""
    times = [at for _, at in samples]
    spans = pairwise([-math.inf, *times[:-1], math.inf])  # a child's short peak may come between two samples
    return [
        (max(0.0, at - start), level + above + children.added(*span))
        for (level, at), span in zip(samples, spans, strict=True)
    ]


@contextlib.contextmanager
def _without_ipython():
    """Inside the block, IPython cannot be imported: memory_profiler would load all of it, for a magic of its own."""
    there = sys.modules.setdefault("IPython", None)
    try:
        yield
    finally:
        if there is None:
            del sys.modules["IPython"]


def _warm_up():
    """Let the modules that came with the function load what they load once; then collect the garbage."""
    for module in list(sys.modules.values()):
        if warm_up := getattr(module, "__dict__", {}).get("warm_up_measurement"):
            warm_up()
    gc.collect()


if __name__ == "__main__":
    _main()
