"""The private server: it starts itself, it is one, it ends when nobody is left, and it lets nobody else in."""

import contextlib
import itertools
import os
import re
import shutil
import signal
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from places import FAILS, PEOPLE, ROOT, as_stranger, wait_until

from helpers import server

CONNECTED = "from helpers import seed; print(seed.connect_db().is_connected(), flush=True)"


def script(path, text):
    """Write a program, for a server that is not what it should be."""
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


# It starts, once ------------------------------------------------------------------------------------------------------


def test_eight_processes_that_start_at_once_where_no_server_was_get_one_server(place):
    eight = [place.start(CONNECTED + "; input()") for _ in range(8)]
    assert [process.stdout.readline() for process in eight] == ["True\n"] * 8
    assert len(place.servers()) == 1
    wait_until(lambda: len(place.supervisors()) == 1, "those that came too late have not ended")


def test_a_process_that_ends_leaves_the_server_to_the_others(warm):
    first, second = warm.use(), warm.use()
    third = warm.start(f"import helpers.seed; print('imported', flush=True); input(); {CONNECTED}")
    assert third.stdout.readline() == "imported\n"  # to start takes longer than the server may wait for its next user
    (before,) = warm.servers()
    first.kill()
    first.wait()
    second.stdin.close()
    with warm.connect() as connection:
        assert connection.is_connected()
    print(file=third.stdin, flush=True)
    assert third.stdout.readline() == "True\n"
    assert warm.servers() == [before]


def test_the_server_is_no_child_of_the_process_that_started_it(warm):
    user = warm.use()
    assert psutil.Process(user.pid).children(recursive=True) == []
    (running,) = warm.servers()
    assert user.pid not in {parent.pid for parent in running.parents()}
    assert os.getsid(running.pid) != os.getsid(user.pid)


def test_a_process_made_by_fork_keeps_the_server_too(warm):
    fork = "import os\nif os.fork():\n    os._exit(0)\nprint('child', flush=True)"
    parent = warm.use(then=fork)
    parent.wait()
    assert parent.stdout.readline() == "child\n"
    assert warm.used()


# It ends --------------------------------------------------------------------------------------------------------------


def test_the_server_ends_after_its_last_user_also_when_that_was_killed(warm):
    ends, is_killed = warm.use(), warm.use()
    (running,) = warm.servers()
    socket = Path((warm.folder / "socket").read_text())
    ends.stdin.close()
    ends.wait()
    assert running.is_running()
    is_killed.kill()
    is_killed.wait()
    wait_until(warm.gone, "nobody is left and the server still runs")
    assert not (warm.folder / "socket").exists()
    assert not socket.parent.exists()


def test_stop_ends_the_server_and_the_next_connection_starts_another(warm):
    user = warm.use(then="sys.stdin.readline()\nwith seed.connect_db() as c: print(c.is_connected(), flush=True)")
    (before,) = warm.servers()
    command = "import sys\nfrom helpers import server\nsys.exit(server.main(sys.argv[1:]))"
    assert warm.run(command, "status").endswith("is running.")
    assert warm.run(command, "stop").endswith("is not running.")
    wait_until(warm.gone, "a server or its supervisor is left")
    assert warm.run(command, "status").endswith("is not running.")
    print(file=user.stdin, flush=True)
    assert user.stdout.readline() == "True\n"
    assert warm.servers() != [before]


def test_hold_keeps_the_server_until_it_is_interrupted(warm):
    holder = warm.start("import sys\nfrom helpers import server\nsys.exit(server.main(['hold']))")
    assert "listens on" in holder.stdout.readline()
    holder.send_signal(signal.SIGINT)
    assert holder.wait() == 0
    wait_until(lambda: not warm.used(), "nobody holds it, and it counts as used")


# It comes back --------------------------------------------------------------------------------------------------------


def test_a_server_that_was_killed_is_started_again_by_the_next_connection(warm):
    code = "for line in sys.stdin:\n    with seed.connect_db() as c: print(c.is_connected(), flush=True)"
    user = warm.use(then=code)
    for _ in range(3):
        (running,) = warm.servers()
        running.kill()
        running.wait()
        print(file=user.stdin, flush=True)
        assert user.stdout.readline() == "True\n", user.stderr.read()
    assert warm.run(PEOPLE) == "1000"


def test_a_supervisor_that_was_killed_takes_its_server_along_and_the_next_connection_starts_both(warm):
    code = "for line in sys.stdin:\n    with seed.connect_db() as c: print(c.is_connected(), flush=True)"
    user = warm.use(then=code)
    for _ in range(2):
        (supervisor,) = warm.supervisors()
        supervisor.kill()
        supervisor.wait()
        print(file=user.stdin, flush=True)
        assert user.stdout.readline() == "True\n", user.stderr.read()
        assert len(warm.servers()) == 1
    assert warm.run(PEOPLE) == "1000"


def test_a_supervisor_killed_while_nobody_is_left_leaves_no_server(warm):
    user = warm.use()
    (supervisor,) = warm.supervisors()
    user.kill()
    supervisor.kill()
    wait_until(warm.gone, "the supervisor was killed and its server still runs")


TERMINATED_INSIDE_SUBPROCESS = """
import os, signal, subprocess, sys
from pathlib import Path
from helpers import server

class Lock:
    def __init__(self, lock):
        self.lock = lock
    def acquire(self, *arguments):
        taken = self.lock.acquire(*arguments)
        if taken:
            open("term-sent", "w").close()
            os.kill(os.getpid(), signal.SIGTERM)
        return taken
    def release(self):
        self.lock.release()
    def __enter__(self):
        return self.acquire()
    def __exit__(self, *error):
        self.release()

class Popen(subprocess.Popen):
    def __init__(self, command, **options):
        super().__init__(command, **options)
        if any(word.startswith("--socket=") for word in command):
            self._waitpid_lock = Lock(self._waitpid_lock)

os.chdir(sys.argv[2])
server.subprocess.Popen = Popen
server._supervise(Path(sys.argv[2]))
"""


def test_a_supervisor_told_to_end_while_it_looks_after_its_server_ends_with_it(warm):
    """subprocess has a lock; a handler of SIGTERM that raised just after it was taken left it taken for ever."""
    warm.run(TERMINATED_INSIDE_SUBPROCESS, "supervise", warm.folder)
    assert (warm.folder / "term-sent").exists()
    wait_until(warm.gone, "the supervisor was told to end")
    assert warm.run(PEOPLE) == "1000"


def test_a_start_that_is_killed_is_begun_anew(place):
    place.start("from helpers import server; server.ensure()")
    wait_until(lambda: list(place.folder.glob("new-*/*")), "no data folder is being made")

    def killed():  # what a script has started between the look and the kill is met the next time
        place.kill(place.supervisors() + place.servers())
        return place.gone()

    wait_until(killed, "kill -9 and it still runs")
    assert place.run(CONNECTED) == "True"
    assert list(place.folder.glob("new-*")) == []


def test_a_data_folder_left_half_made_is_made_anew(warm):
    shutil.rmtree(warm.data() / "mysql")
    (warm.data() / "ibdata1").write_bytes(b"half")
    shutil.copytree(warm.data(), warm.folder / "new-half")
    assert warm.run(CONNECTED) == "True"
    assert not (warm.folder / "new-half").exists()


def test_what_a_crash_leaves_behind_is_in_nobodys_way(warm):
    """A stale socket, stale lock files, and a process number that somebody else has now."""
    with warm.start("import sys; sys.stdin.read()") as innocent:
        (warm.folder / "socket").write_text("/nowhere/s")
        path = server._socket_path(warm.folder)
        path.touch()
        path.with_name(path.name + ".lock").write_text(f"{innocent.pid}\n")  # what MySQL puts beside its socket
        for name in ("supervisor.pid", "server.pid"):
            (warm.folder / name).write_text(str(innocent.pid))
        for name in ("supervisor.lock", "users.lock"):
            (warm.folder / name).write_text("stale")
        (warm.data() / "localhost.pid").write_text(str(innocent.pid))
        assert warm.run(PEOPLE) == "1000"
        assert innocent.poll() is None
        innocent.stdin.close()


def test_a_socket_folder_swept_away_under_the_server_is_made_again(warm):
    user = warm.use(then="sys.stdin.readline()\nwith seed.connect_db() as c: print(c.is_connected(), flush=True)")
    socket = Path((warm.folder / "socket").read_text())
    shutil.rmtree(socket.parent)
    print(file=user.stdin, flush=True)
    assert user.stdout.readline() == "True\n", user.stderr.read()


def test_a_server_folder_removed_under_the_server_is_made_again_and_kept(warm):
    code = "for line in sys.stdin:\n    with seed.connect_db() as c: print(c.is_connected(), flush=True)"
    user = warm.use(then=code)

    def removed():  # not always at once: a MySQL may make a redo file between the look into its folder and the removal
        shutil.rmtree(warm.folder, ignore_errors=True)
        return not warm.folder.exists()

    wait_until(removed, "the folder is still there")
    print(file=user.stdin, flush=True)
    assert user.stdout.readline() == "True\n", user.stderr.read()
    assert warm.used()
    wait_until(lambda: len(warm.servers()) == 1, "the old server is of no use and still runs")


def test_a_removal_that_leaves_a_rest_is_in_nobodys_way(warm):
    """As `rm -r` does where a MySQL makes redo files meanwhile; here files are made all the time."""
    user = warm.use(then="sys.stdin.readline()\nwith seed.connect_db() as c: print(c.is_connected(), flush=True)")
    (old,) = warm.servers()
    data = warm.data()
    rest = data / "rest"
    rest.mkdir()
    inside = os.open(rest, os.O_RDONLY)
    for path in (*data.iterdir(), *warm.folder.iterdir()):
        if path not in (data, rest):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    answered = threading.Event()

    def make_files():
        for number in itertools.count():
            if answered.is_set():
                return
            with contextlib.suppress(FileNotFoundError):  # the folder has been removed
                os.close(os.open(str(number % 50), os.O_CREAT | os.O_WRONLY, dir_fd=inside))

    with ThreadPoolExecutor() as pool:
        making = pool.submit(make_files)
        try:
            print(file=user.stdin, flush=True)
            assert user.stdout.readline() == "True\n", user.stderr.read()
        finally:
            answered.set()
        making.result()
    os.close(inside)
    wait_until(lambda: not old.is_running(), "the old server is of no use and still runs")
    assert len(warm.servers()) == 1


def test_a_data_folder_is_made_with_a_temporary_folder_of_its_own(place):
    user = place.start("from helpers import server; server.ensure()")

    def temporary_folders():
        found = set()
        for process in place.servers():
            with contextlib.suppress(psutil.Error):  # it has ended since
                found.add(process.environ().get("TMPDIR"))
        return found - {None}

    assert wait_until(temporary_folders, "nobody makes a data folder") == {str(place.folder / "tmp")}
    assert user.wait() == 0


# Nobody else gets in --------------------------------------------------------------------------------------------------


def test_no_tcp_port_is_open(shared):
    (running,) = shared.servers()
    connections = running.net_connections("all")
    assert {c.laddr for c in connections if c.family == server.socket.AF_UNIX and c.status == "NONE"} >= {
        (shared.folder / "socket").read_text()
    }
    assert [c for c in connections if c.family != server.socket.AF_UNIX] == []
    with shared.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW VARIABLES LIKE 'skip_networking'")
        assert cursor.fetchone() == ("skip_networking", "ON")


def test_only_the_owner_can_enter_the_folders(shared):
    for folder in (shared.folder, Path((shared.folder / "socket").read_text()).parent):
        found = folder.lstat()
        assert (stat.S_ISDIR(found.st_mode), stat.S_IMODE(found.st_mode), found.st_uid) == (True, 0o700, os.getuid())


def test_another_user_can_neither_connect_nor_list_nor_read(shared):
    path = (shared.folder / "socket").read_text()
    code = """
folder, path = sys.argv[1:]
def connect(): socket.socket(socket.AF_UNIX).connect(path)
def list_data(): os.listdir(folder)
def list_socket(): os.listdir(os.path.dirname(path))
def read(): open(os.path.join(folder, "error.log")).read()
for attempt in (connect, list_data, list_socket, read):
    try:
        attempt()
        print(attempt.__name__, "worked")
    except OSError as error:
        print(attempt.__name__, type(error).__name__)
"""
    said = as_stranger(code, shared.folder, path)
    if said is not None:  # only root can become somebody else; for the others, the modes above must do
        assert said == "".join(f"{n} PermissionError\n" for n in ("connect", "list_data", "list_socket", "read"))


def test_a_folder_that_is_open_to_others_is_closed(warm):
    warm.folder.chmod(0o755)
    assert warm.run(CONNECTED) == "True"
    assert stat.S_IMODE(warm.folder.stat().st_mode) == 0o700


def test_a_link_in_the_place_of_the_folder_is_refused(place, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    place.folder.symlink_to(tmp_path / "elsewhere")
    assert f"{place.folder} is not a folder of yours" in place.run(FAILS)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("planted", ["a link to a folder", "a link to nowhere", "a file"])
def test_what_is_planted_in_the_place_of_the_sockets_folder_is_refused(warm, temporary, monkeypatch, planted):
    monkeypatch.setattr(server.tempfile, "tempdir", str(temporary))
    name = server._socket_path(warm.folder).parent
    name.rmdir()
    (temporary / "elsewhere").mkdir()
    if planted == "a file":
        name.touch()
    else:
        name.symlink_to(temporary / "elsewhere" if planted == "a link to a folder" else "/nowhere")
    assert f"{name} is not a folder of yours" in warm.run(FAILS, TMPDIR=str(temporary))
    wait_until(warm.gone, "a server or its supervisor is left")
    assert list((temporary / "elsewhere").iterdir()) == []
    name.unlink()
    assert warm.run(CONNECTED, TMPDIR=str(temporary)) == "True"


# From a terminal ------------------------------------------------------------------------------------------------------


def test_find_prints_the_program(capsys):
    assert server.main(["find"]) == 0
    assert capsys.readouterr().out == server.find_program() + "\n"


@pytest.mark.parametrize("arguments", [[], ["restart"], ["stop", "now"]])
def test_other_words_get_the_usage(arguments, capsys):
    assert server.main(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m helpers.server find|status|hold|stop\n"


def test_the_server_needs_only_the_standard_library():
    """The supervisor lives as long as the class does: it should be small."""
    names = re.findall(r"^(?:import|from) (\w+)", (ROOT / "helpers/server.py").read_text(), re.M)
    assert set(names) <= set(sys.stdlib_module_names)
