"""What Python runs first in a process that a learner's code under check has started: it is watched as well.

So it is for spawn, forkserver and subprocess; copies that a process makes of itself by fork are watched anyway. Not a
module to import: runner.py puts this folder on the PYTHONPATH of those processes, and the server's socket beside it.
"""

import contextlib
import importlib.util
import os
import sys
from pathlib import Path


def be_watched(server):
    """Send what this process asks of any server to the socket `server`, in surroundings like its parent's."""
    spec = importlib.util.spec_from_file_location("runner", Path(__file__).parents[1] / "runner.py")
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    runner.the_server, runner.connects = server, runner.counter(server)
    with contextlib.suppress(ImportError):  # another Python, without the drivers
        runner.watch(server)
    runner.surround()


# multiprocessing's tracker of shared memory runs nothing of the learner's
if "GENERATORS_CHECK" in os.environ and "multiprocessing.resource_tracker" not in " ".join(sys.orig_argv):
    be_watched(os.environ["GENERATORS_CHECK"])
