"""Kill a function's process with signal 9 at a forced point: right before it sends a certain statement or a commit."""

import multiprocessing
import os
import signal
from multiprocessing import forkserver
from pathlib import Path

import cloudpickle

_processes = multiprocessing.get_context("forkserver")  # a copy of a process that has made no thread and no connection
_processes.set_forkserver_preload(["helpers.kills", "helpers.domains"])  # so that a copy takes 10 ms and not 200


def kill_before(statement, time, function):
    """Run function() in a process of its own, and kill it before a cursor sends `statement` for the `time`-th time.

    Parameters
    ----------
    statement : str
        How the statement begins, in capitals or not: "UPDATE checkpoint". "COMMIT" is connection.commit(), too.
    time : int
        1 for the first time.
    function : callable
        Without arguments; those of a notebook and lambdas work too. The process has this one's environment.

    Returns
    -------
    int
        The process's exit status: -9 where it was killed, 0 where it came to its end before.
    """
    job = cloudpickle.dumps(function)
    _start_what_is_copied()
    process = _processes.Process(target=_run, args=(job, statement, time, dict(os.environ)))
    process.start()
    process.join()
    return process.exitcode


def _start_what_is_copied():
    """Start the process that the others are copies of, unless it runs.

    PYTHONPATH tells it where its imports are: in Python 3.11 it does not look at sys.path, and what it does not find it
    leaves out without a word.
    """
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), path)))
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if path is not None:
            os.environ["PYTHONPATH"] = path


def _run(job, statement, time, environment):
    """In the other process: let every cursor count, then do the job."""
    from mysql.connector import connection, connection_cext, cursor, cursor_cext

    os.environ.update(environment)
    left = [time]

    def count(operation):
        if " ".join(operation.split()).upper().startswith(statement.upper()):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    def counting(execute):
        def execute_unless_killed(self, operation, *arguments, **options):
            count(operation)
            return execute(self, operation, *arguments, **options)

        return execute_unless_killed

    def counting_commits(commit):
        def commit_unless_killed(self):
            count("COMMIT")
            return commit(self)

        return commit_unless_killed

    for kind in (cursor_cext.CMySQLCursor, cursor.MySQLCursor):
        kind.execute = counting(kind.execute)
    for kind in (connection_cext.CMySQLConnection, connection.MySQLConnection):
        kind.commit = counting_commits(kind.commit)
    cloudpickle.loads(job)()
