"""What every test and every kernel starts with: no progress bars, and nothing of the learner's own touched."""

import os
import signal
import tempfile


def pytest_configure(config):
    """Set the environment that the tests, the kernels and the processes that they start inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # run in the background (nohup … &): processes inherit that Ctrl-C is ignored, and tests press it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["TQDM_DISABLE"] = "1"
    os.environ.pop("MPLBACKEND", None)  # the kernel chooses its own: one set for scripts would leave no plot
    if os.environ.get("MYSQL_HOST") or os.environ.get("MYSQL_UNIX_SOCKET"):
        # somebody's own server: their ALX_prodev stays as it is
        os.environ.setdefault("MYSQL_DATABASE", "course_test")
    # a private server apart from the one that a learner's notebooks use
    folder = os.path.join(tempfile.gettempdir(), f"generators-course-tests-{os.getuid()}")
    os.environ.setdefault("COURSE_SERVER_DIR", folder)
