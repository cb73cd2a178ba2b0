"""What every test and every kernel starts with: no progress bars, and nothing of the learner's own touched."""

import hashlib
import os
import signal
import tempfile


def pytest_configure(config):
    """Set the environment that the tests, the kernels and the processes that they start inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # run in the background (nohup … &): processes inherit that Ctrl-C is ignored, and tests press it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.option.nbval_sanitize_with = os.path.join(os.path.dirname(__file__), "helpers/tests/nbval_sanitize.cfg")
    os.environ["TQDM_DISABLE"] = "1"
    os.environ.pop("MPLBACKEND", None)  # the kernel chooses its own: one set for scripts would leave no plot
    if os.environ.get("MYSQL_HOST") or os.environ.get("MYSQL_UNIX_SOCKET"):
        # somebody's own server: their ALX_prodev stays as it is
        os.environ.setdefault("MYSQL_DATABASE", "course_test")
    # a private server apart from the one that a learner's notebooks use, and from those of other copies and programs:
    # two runs at once would meet each other's databases, and one of them not the server that it is to test
    whose = f"{os.path.dirname(__file__)} {os.environ.get('COURSE_MYSQLD')}"
    name = f"generators-course-tests-{os.getuid()}-{hashlib.sha256(whose.encode()).hexdigest()[:8]}"
    os.environ.setdefault("COURSE_SERVER_DIR", os.path.join(tempfile.gettempdir(), name))
