"""A private MySQL or MariaDB server for people who have none: it starts when it is needed and ends when it is not.

`ensure()` is the one call that others need. How it works:

- A small process, the supervisor, starts the server and watches it. It is a child of no other process, so a kernel that
  restarts, or a profiler that ends its children, does not take the server down.
- Each process that uses the server holds a shared lock on the file `users.lock` as long as it lives. The system
  releases it when the process ends, however it ends. When the supervisor gets that lock for itself, no user is left,
  and it stops the server.
- The server listens on a unix socket in a folder that only its owner can enter, and on no TCP port. That folder is the
  protection: the account has no password because nobody else can reach it.

Only the standard library is imported: the supervisor lives as long as the class does and should be small.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: ensure() says what to do
    fcntl = None

NAME = "generators-course"
IDLE_SECONDS = 3.0  # how long the server waits for a next user: long enough to run two commands one after the other
START_SECONDS = 120.0  # how long a start may take: a slow disk, or the recovery after a crash
STOP_SECONDS = 60.0  # how long the server may take to write its pages before it is killed
DISK_MIB = 300  # what a new data folder takes, with room for the lessons' tables
SOCKET_BYTES = 103  # the longest path of a unix socket on macOS; Linux allows 107

INSTALL = """No MySQL or MariaDB server program was found. Install one with the line for your system:
  conda:         conda install -c conda-forge mysql-server
  Debian/Ubuntu: sudo apt-get install --no-install-recommends mariadb-server-core mariadb-client-core
  macOS:         brew install mariadb
or set MYSQL_HOST, MYSQL_USER and MYSQL_PASSWORD to use a server that you have."""


class ServerError(RuntimeError):
    """The private server could not be found, started or reached; the message says why and what to do."""


# What the notebooks call ----------------------------------------------------------------------------------------------

_held = {}  # folder -> open file: this process's shared lock on users.lock, held until the process ends


def ensure():
    """Start the private server unless it runs already, and keep it running as long as this process lives.

    Returns
    -------
    dict
        Arguments for `mysql.connector.connect`: `unix_socket` (str, a path) and `user` (str). The account has every
        right on this server, which holds nothing but the course's data, and no password.

    Raises
    ------
    ServerError
        No server program, a folder that is not safe to use, or a server that does not start (with the end of its log).
    """
    if fcntl is None:
        raise ServerError("The private server needs Linux or macOS. On Windows, open the course in WSL or on Binder.")
    folder = home()
    if folder not in _held or not _same(_held[folder], folder / "users.lock"):  # it was removed: hold the new one
        # NFS lends a shared lock only on a file that can be read
        users = open(folder / "users.lock", "a+")  # noqa: SIM115 (stays open: the lock ends with it)
        fcntl.flock(users, fcntl.LOCK_SH)  # waits here while a server that is stopping ends
        _held[folder] = users
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if _locked(folder / "supervisor.lock"):
            with contextlib.suppress(FileNotFoundError):  # written when the server is ready
                return {"unix_socket": (folder / "socket").read_text(), "user": "root"}
        else:
            _spawn_supervisor(folder)
        time.sleep(0.05)
    raise ServerError(
        f"The private server did not get ready within {START_SECONDS:.0f} s. Its log: {folder / 'error.log'}"
    )


def home():
    """Return the folder (pathlib.Path) of the private server: its data, locks and log. It is made if it is missing.

    COURSE_SERVER_DIR names it; else it stands in the user's cache folder, or, where that cannot be written (a
    read-only home, a server program that AppArmor keeps out of it), in the system's temporary folder.

    Raises
    ------
    ServerError
        The folder cannot be made or written, belongs to somebody else, is a symbolic link, or holds other files.
    """
    if chosen := os.environ.get("COURSE_SERVER_DIR"):
        folders = [Path(os.path.expanduser(chosen)).absolute()]
    else:
        cache = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
        cache = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or cache)  # keeps its ~ where there is no home
        folders = [Path(cache, NAME)] if os.path.isabs(cache) and not _confined() else []
        folders.append(_temporary_folder() / f"{NAME}-{os.getuid()}")
    for folder in folders:
        try:
            return _private_folder(folder)
        except OSError as error:
            problem = f"The private server cannot use the folder {folder}: {error}. Name another in COURSE_SERVER_DIR."
    raise ServerError(problem)


def discard():
    """End the private server at once and remove its folder with all that it holds: it was made for one use."""
    folder = home()
    while _locked(folder / "supervisor.lock"):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / "supervisor.pid").read_text()), signal.SIGTERM)
            pid = int((folder / "server.pid").read_text())
            if str(folder) in _command_line(pid):
                os.kill(pid, signal.SIGKILL)  # it would write its pages first, and they go with it
        time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)


def find_program():
    """Return the path (str) of a server program: `mariadbd` or `mysqld`.

    COURSE_MYSQLD names one; else PATH, the conda environment, the system's folders and Homebrew's are searched.

    Raises
    ------
    ServerError
        None is there; the message has the line that installs one.
    """
    chosen = os.environ.get("COURSE_MYSQLD")
    if chosen:
        program = shutil.which(chosen)
        if program is None:
            raise ServerError(
                f"COURSE_MYSQLD={chosen!r} is not a program that can be run. Correct it, or unset it to "
                "search automatically."
            )
        return program
    folders = os.environ.get("PATH", "").split(os.pathsep)
    folders += [f"{p}/bin" for p in (os.environ.get("CONDA_PREFIX"), sys.prefix) if p]
    folders += ["/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/usr/local/mysql/bin"]
    for brew in ("/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"):
        folders += [f"{brew}/bin", f"{brew}/opt/mariadb/bin", f"{brew}/opt/mysql/bin"]
    for folder in folders:
        for name in ("mariadbd", "mysqld"):
            if program := shutil.which(name, path=folder or "."):
                return program
    raise ServerError(INSTALL)


# What AppArmor has on Linux: its switch, and its profiles
APPARMOR = "/sys/module/apparmor/parameters/enabled", "/etc/apparmor.d"


def _confined():
    """Tell whether AppArmor keeps the server program out of home folders, as Ubuntu's profile of mysqld does.

    That profile lets it write in the temporary folders (abstractions/user-tmp).
    """
    enabled, profiles = map(Path, APPARMOR)
    try:
        name = os.path.realpath(find_program()).strip("/").replace("/", ".")
        text = re.sub(r"#.*", "", (profiles / name).read_text())  # what MariaDB brings is nothing but comments
        in_force = enabled.read_text().startswith("Y") and not os.path.lexists(profiles / "disable" / name)
    except (OSError, ServerError):
        return False
    return in_force and "{" in text and "complain" not in text


# Folders that are safe to use -----------------------------------------------------------------------------------------


def _private_folder(path):
    """Make `path` as a folder for this user alone, or check that it is one; refuse a symbolic link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ServerError(
            f"{path} is not a folder of yours (it is a link, a file, or somebody else's), so the private server does "
            "not use it. Remove it, or name another folder in COURSE_SERVER_DIR or TMPDIR."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        if any(path.iterdir()) and not (path / "users.lock").exists():  # a home, or /tmp for root
            raise ServerError(
                f"{path} holds other files, and the private server would close it to everybody else. Name an empty "
                "folder, or one that does not exist yet, in COURSE_SERVER_DIR."
            )
        path.chmod(0o700)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written")
    return path


def _temporary_folder():
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise ServerError(
            f"The private server needs a temporary folder that it can write. {error}. Set TMPDIR."
        ) from None


def _socket_path(folder):
    """Choose the socket's path: short, in a private folder of its own, and another one for every server folder."""
    name = f"gc-{os.getuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]}"
    base = _temporary_folder()
    if len(os.fsencode(base / name / "s")) > SOCKET_BYTES:
        base = Path("/tmp")
    return _private_folder(base / name) / "s"


# Locks and the supervisor's start -------------------------------------------------------------------------------------


def _locked(path):
    """Tell whether some process holds the lock on the file `path` for itself."""
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _same(file, path):
    """Tell whether the open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except OSError:
        return False


def _spawn_supervisor(folder):
    """Start a supervisor that outlives this process and wait for its word; raise ServerError if it has failed."""
    command = [sys.executable, os.path.abspath(__file__), "supervise", str(folder)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=folder,
    )
    with process.stdout, _shown() as goes_on:
        while not select.select([process.stdout], [], [], 0.25)[0]:
            goes_on()
        word = process.stdout.readline()  # ends with the supervisor at the latest
    process.wait()
    answer = (
        json.loads(word) if word else {"error": "The private server's supervisor ended before the server was ready."}
    )
    if "error" in answer:
        raise ServerError(answer["error"])


@contextlib.contextmanager
def _shown():
    """Yield a function to call now and then: after a second it shows that the start goes on; then it is wiped away."""
    began, said = time.monotonic(), []

    def goes_on():
        seconds = time.monotonic() - began
        if seconds > 1 and not os.environ.get("TQDM_DISABLE"):  # the switch of all the other bars
            said.append(f"\rStarting the private server, which takes longest the first time: {seconds:.0f} s")
            print(said[-1], end="", file=sys.stderr, flush=True)

    try:
        yield goes_on
    finally:
        if said:
            print("\r" + " " * len(said[-1]) + "\r", end="", file=sys.stderr, flush=True)


# The supervisor -------------------------------------------------------------------------------------------------------


def _supervise(folder):
    """Be the supervisor: start the server, report that it is ready, and stop it when its last user is gone."""
    if os.fork():
        os._exit(0)  # the parent ends: the supervisor is a child of no other process
    os.umask(0o077)
    # Looked at where it is safe to end: an exit raised inside subprocess can leave its lock held for ever
    told_to_end = []
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.append(True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(folder / "supervisor.lock", "a") as lock:
        if not _take(lock, seconds=1):
            _say({"taken": True})  # another supervisor is at work; the caller waits for its server
            return
        (folder / "socket").unlink(missing_ok=True)
        (folder / "supervisor.pid").write_text(str(os.getpid()))
        server = None
        try:
            server, path = _start_server(folder, told_to_end)
            (folder / "socket").write_text(str(path))
            _say({"ready": True})
            _wait_until_unused(folder, lock, server, path, told_to_end)
        except ServerError as error:
            _say({"error": str(error)})
        except OSError as error:
            _say({"error": f"The private server could not start: {error}. Its folder is {folder}."})
        finally:
            mine = _same(
                lock, folder / "supervisor.lock"
            )  # else the folder was removed, and may be another supervisor's now
            if mine:
                (folder / "socket").unlink(missing_ok=True)
            if server is not None:
                if not mine:
                    server.kill()  # its folder was removed; as it stopped, it would remove its successor's socket
                _stop(server)
                if mine:
                    shutil.rmtree(path.parent, ignore_errors=True)


def _take(lock, seconds):
    """Try for some seconds to lock the open file `lock` for this process alone: others look at it for an instant."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)


def _say(answer):
    """Answer the process that started this supervisor, once; it may be gone, and nobody listens afterwards."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(answer).encode() + b"\n")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)


def _start_server(folder, told_to_end):
    program = find_program()
    version = subprocess.run([program, "--no-defaults", "--version"], capture_output=True, text=True).stdout
    number = re.search(r"(\d+\.\d+)\.\d+", version)
    if number is None:
        raise ServerError(
            f"{program} --version says nothing that a MySQL or MariaDB server would say: {version.strip()!r}"
        )
    mariadb = "mariadb" in version.lower()
    data = folder / f"{'mariadb' if mariadb else 'mysql'}-{number[1]}"
    log = folder / "error.log"
    log.unlink(missing_ok=True)
    _end_leftover(folder, data)
    if not (data / "mysql").is_dir():  # where the server's own tables are: without it, the rest is of no use
        _remove(folder, data)
        _make_data_folder(program, mariadb, folder, data, log)
    (folder / "tmp").mkdir(exist_ok=True)
    path = _socket_path(folder)
    path.unlink(missing_ok=True)
    # A MySQL that was killed leaves this file with its process number: the next does not start where another process
    # has that number now, after a restart of the machine for one
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    command = [
        program, "--no-defaults", *_as_root(),
        f"--datadir={data}", f"--socket={path}", f"--pid-file={folder / 'server.pid'}", f"--log-error={log}",
        f"--tmpdir={folder / 'tmp'}", "--skip-networking", "--skip-log-bin", "--performance-schema=OFF",
        "--secure-file-priv=", "--character-set-server=utf8mb4",
        f"--innodb-buffer-pool-size={os.environ.get('COURSE_BUFFER_POOL', '128M')}",
        *([] if mariadb else ["--mysqlx=OFF"]),
    ]  # fmt: skip
    with open(folder / "server.out", "wb") as out:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder, preexec_fn=_die_with_supervisor
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _greets(path):
            if told_to_end:
                sys.exit(0)
            if server.poll() is not None:
                raise ServerError(_failure(program, "ended while it started", log, folder / "server.out"))
            if time.monotonic() > deadline:
                raise ServerError(_failure(program, f"was not ready after {START_SECONDS:.0f} s", log))
            time.sleep(0.02)
    except BaseException:
        _stop(server)
        raise
    return server, path


def _make_data_folder(program, mariadb, folder, data, log):
    """Make the server's data folder under another name, and rename it when it is whole: no half-made one is used."""
    free = shutil.disk_usage(folder).free / 2**20
    if free < DISK_MIB:
        raise ServerError(
            f"The private server needs {DISK_MIB} MiB of disk for its data and {folder} has {free:.0f} MiB left. "
            "Free some, or name a folder on another disk in COURSE_SERVER_DIR."
        )
    for old in folder.glob("new-*"):
        shutil.rmtree(old, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=folder))
    if mariadb:
        names = ("mariadb-install-db", "mysql_install_db")
        beside = [Path(program).parent, Path(program).parent.parent / "bin", Path(program).parent.parent / "scripts"]
        path = os.pathsep.join([*map(str, beside), os.environ.get("PATH", ""), "/usr/bin"])
        installer = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
        if installer is None:
            raise ServerError(f"mariadb-install-db, which comes with {program}, was not found. {INSTALL}")
        command = [
            installer, "--no-defaults", *_as_root(), f"--datadir={new}", "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]  # fmt: skip
    else:
        command = [program, "--no-defaults", *_as_root(), "--initialize-insecure", f"--datadir={new}"]
    # A MariaDB that starts removes the temporary tables that stand in its temporary folder, whoever owns them: in the
    # system's folder, two that are made at the same moment would spoil each other
    (folder / "tmp").mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(folder / "tmp")}
    with open(log, "wb") as out:
        status = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder, env=environment,
            preexec_fn=_die_with_supervisor,
        ).returncode  # fmt: skip
    if status:
        shutil.rmtree(new, ignore_errors=True)
        raise ServerError(_failure(command[0], f"could not make the data folder (exit status {status})", log))
    new.rename(data)


def _remove(folder, data):
    """Remove a data folder, or at least move it away: a server that has not ended yet may still make files in it."""
    shutil.rmtree(data, ignore_errors=True)
    if data.exists():
        data.rename(tempfile.mkdtemp(prefix="new-", dir=folder))  # goes with the half-made ones


def _as_root():
    """MySQL and MariaDB refuse to run as root unless they are told to."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _die_with_supervisor():
    """In the server's process, before it starts: ask Linux to end it should its supervisor be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _end_leftover(folder, data):
    """End the server of a supervisor that was killed, if it still runs: two must not share one data folder."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((folder / "server.pid").read_text())
        deadline = time.monotonic() + STOP_SECONDS
        while str(data) in _command_line(pid):
            os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
            time.sleep(0.2)


def _command_line(pid):
    with contextlib.suppress(OSError):  # Linux; a small system may have no ps
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout


def _greets(path):
    """Tell whether a server at the socket `path` greets a client, as the protocol has it do first."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            return len(client.recv(5)) == 5
        except OSError:
            return False


def _wait_until_unused(folder, lock, server, path, told_to_end):
    """Return when told to, the server has died, its files are gone, or nobody has held users.lock for a while."""
    with open(folder / "users.lock", "a") as users:
        idle_since = None
        while not told_to_end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(0.25)
                return
            if not (path.exists() and _same(users, folder / "users.lock") and _same(lock, folder / "supervisor.lock")):
                return
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                idle_since = None
                continue
            idle_since = idle_since or time.monotonic()
            if time.monotonic() - idle_since >= IDLE_SECONDS:
                # Whoever comes now waits for this lock, and so for the end of the server
                (folder / "socket").unlink(missing_ok=True)
                _stop(server)
                return
            fcntl.flock(users, fcntl.LOCK_UN)


def _stop(server):
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _failure(program, what, *logs):
    """Write the error of a server that failed: what it did, and the telling end of its log."""
    lines = []
    for log in logs:
        with contextlib.suppress(OSError):
            lines += log.read_text(errors="replace").splitlines()
    telling = [line for line in lines if re.search(r"error|fail|denied|no space|errno", line, re.I)] or lines
    return f"{program} {what}. Its log, {logs[0]}, says:\n" + "\n".join(f"  {line}" for line in telling[-6:])


# From a terminal ------------------------------------------------------------------------------------------------------


def main(arguments):
    """Run `python -m helpers.server find|status|hold|stop`; return the exit status."""
    if len(arguments) == 2 and arguments[0] == "supervise":
        _supervise(Path(arguments[1]))
        return 0
    if len(arguments) != 1 or arguments[0] not in ("find", "status", "hold", "stop"):
        print("usage: python -m helpers.server find|status|hold|stop", file=sys.stderr)
        return 2
    try:
        if arguments[0] == "find":
            print(find_program())
        elif arguments[0] == "hold":
            with contextlib.suppress(KeyboardInterrupt):
                path = ensure()["unix_socket"]
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it waits for us if it comes before we wait
                print(f"The private server listens on {path}; Ctrl-C lets it go.", flush=True)
                signal.sigwait({signal.SIGINT})
        else:
            folder = home()
            running = _locked(folder / "supervisor.lock")
            if arguments[0] == "stop" and running:
                os.kill(int((folder / "supervisor.pid").read_text()), signal.SIGTERM)
                while _locked(folder / "supervisor.lock"):
                    time.sleep(0.05)
                running = False
            print(f"The private server in {folder} is {'running' if running else 'not running'}.")
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
