"""The process in which a learner's code runs: made for one check, told over a socket what to do, and ended after it.

Not a module to import: process.py runs this file. On Linux it runs it once, with `warm`: that process imports what a
check needs, and each check gets a copy of it by fork, which takes 5 ms in place of 300. It holds the learner's code at
arm's length, so that nothing it does (print, hang, fork, exit, change directory) reaches the notebook. It is no
sandbox: code that means harm can do what its user can do.
"""

import contextlib
import dis
import gc
import importlib
import importlib.util
import io
import linecache
import mmap
import os
import re
import select
import signal
import socket
import sys
import threading
import traceback
import tracemalloc
import types
from multiprocessing.connection import Connection

USER = ("user_id", "name", "email", "age")  # what an object has that stands for a user
KEPT = 3000  # items sent back to the check
OUR_THREADS = 2  # the one that serves, and the one that ends with the check
PRINTED = 2_000_000  # characters kept of what the learner's code prints

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

this_process = os.getpid()
the_server = ""  # the socket that stands for it
held = []  # every connection that the learner's code opens: see watch
pools = []  # the pools that it makes: they keep their connections open
connects = None  # how often it connected (8 bytes), in memory that its child processes share: see counter
notes = {}  # what the drivers were asked for


def main():
    """Run as one learner's process, or, with `warm`, be the process that those are forked from."""
    if sys.argv[1] == "warm":
        with socket.socket(fileno=int(sys.argv[2])) as requests:
            sys.path.insert(0, os.path.dirname(OURS.rstrip(os.sep)))
            _warm_up("mysql.connector.pooling", "mysql.connector.aio", "pymysql.cursors", "cloudpickle",
                     "importlib.util", "decimal", "helpers.seed")  # fmt: skip
            talk = _fork_on_request(requests, sys.argv[3:])
    else:
        talk = int(sys.argv[1])
    serve(Connection(talk))


def _warm_up(*modules):
    """Import what checks need."""
    for module in modules:
        with contextlib.suppress(Exception):  # said when the learner's code imports it
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what was imported stays: later collections need not look at it


def _fork_on_request(requests, also):
    """Fork for each request that comes with two descriptors; return the first of them in the new process.

    The other request, "poll PID", is answered with the status of a forked process (see Popen.returncode), or "None".
    When the first one has ended, the modules of `also` are imported, too.
    """
    while True:
        message, descriptors, *_ = socket.recv_fds(requests, 1000, 2)
        if not message:
            os._exit(0)  # the check's process is gone
        if message.startswith(b"poll "):
            pid, status = os.waitpid(int(message[5:]), os.WNOHANG)
            requests.sendall(str(os.waitstatus_to_exitcode(status) if pid else None).encode())
            while pid and also:
                _warm_up(also.pop())
            continue
        talk, output = descriptors
        pid = os.fork()
        if not pid:
            os.setsid()
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            global this_process
            this_process = os.getpid()
            return talk
        os.close(talk)
        os.close(output)
        requests.sendall(str(pid).encode())


def serve(answers):
    """Do what the check asks for, until it hangs up."""
    threading.Thread(target=_end_with_the_check, args=(answers.fileno(),), daemon=True).start()
    job = answers.recv()
    sys.path[:] = job["path"]
    sys.dont_write_bytecode = True
    os.environ.clear()
    os.environ.update(job["environment"])
    with contextlib.suppress(OSError):
        os.chdir(job["folder"] or job["here"])
    _limit_memory(job["memory"])
    global the_server, connects
    the_server, connects = job["socket"], counter(job["socket"])
    watch(job["socket"])
    for name, text in job["cells"].items():  # for the lines in tracebacks
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    if job["folder"]:
        _settle(job["folder"])
    gc.freeze()
    try:
        answers.send(("ready", None))
        while True:
            task = answers.recv()
            _forget()
            notes.clear()
            connects[:] = bytes(8)
            result = globals()["do_" + task.pop("do")](lambda *event: _tell(answers, event), **task)
            _leave_if_forked()
            result["threads"] = threading.active_count() - OUR_THREADS
            result["notes"] = dict(notes) | {"pooled": bool(pools) or "sqlalchemy.pool" in sys.modules,
                                             "connects": int.from_bytes(connects[:], "big")}  # fmt: skip
            answers.send(("done", result))
    except (EOFError, OSError):
        os._exit(0)  # the check is over


def counter(server):
    """Return 8 bytes that all processes of a check share: they are in a file beside the server's socket."""
    if not server:
        return mmap.mmap(-1, 8)
    with open(os.path.join(os.path.dirname(server), "connects"), "a+b") as file:
        file.truncate(8)
        return mmap.mmap(file.fileno(), 8)


def _end_with_the_check(descriptor):
    """End this process and its group when the check's side is gone (its kernel was killed), whatever code runs here."""
    watch = select.poll()
    watch.register(descriptor, 0)  # that the other side hung up is told unasked
    watch.poll()
    os.killpg(0, signal.SIGKILL)


def _leave_if_forked():
    """End this process if it is a copy: the learner's code forked and came back twice. Only one talks to the check."""
    if os.getpid() != this_process:
        os._exit(0)


def _tell(answers, event):
    """Tell the check of something, and wait for its leave to go on."""
    _leave_if_forked()
    answers.send(("event", event))
    answers.recv()


# What the check asks for ----------------------------------------------------------------------------------------------

things = {}  # the learner's functions by name


def do_load(tell, pickled):
    """Take over functions that were pickled by the check: a dict by name."""
    import cloudpickle

    with _watching() as observed:
        things.update(cloudpickle.loads(pickled))
    return observed


# What is in the code of a stub: it loads a constant or NotImplementedError, and returns or raises it
OF_A_STUB = {
    "RESUME", "NOP", "CACHE", "PUSH_NULL", "PRECALL", "CALL", "POP_TOP", "LOAD_CONST", "LOAD_GLOBAL",
    "LOAD_COMMON_CONSTANT", "RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS",
    "RETURN_GENERATOR", "CALL_INTRINSIC_1", "RERAISE",  # an async def has these
}  # fmt: skip


def is_stub(function):
    """Tell whether a function's body is nothing but `...`, `pass`, a docstring or `raise NotImplementedError`."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    constants = {c for c in code.co_consts if not isinstance(c, str)}
    does = {step.opname for step in dis.get_instructions(code)}
    return {*code.co_names} <= {"NotImplementedError"} and constants <= {None, Ellipsis} and does <= OF_A_STUB


def do_import(tell, module, names, unused=(), users=None):
    """Import a module of the folder.

    names: for each thing wanted, the names it may go by. unused: modules that are imported and never used: where one
    is not installed, an empty one stands for it. users: for each thing wanted, a function that it must use, by which
    it is found under any name.
    """
    with _watching() as observed:
        observed.update(names=[], stubs=[], called={})
        found = _imported(module, unused)
        for wanted, others in names.items():
            name, value = _function_of(found, (wanted, *others))
            if value is None and wanted in (users or {}):
                name, value = _user_of(found, users[wanted])
            if value is not None:
                things[wanted] = value
                observed["names"].append(wanted)
                observed["called"][wanted] = name
                if is_stub(value):
                    observed["stubs"].append(wanted)
    return observed


def _imported(module, unused):
    for _ in range(len(unused) + 1):
        try:
            found = importlib.import_module(module)
            return sys.modules.get(module, found)  # a module may put something else in its place
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in unused:
                raise
            sys.modules[missing] = types.ModuleType(missing)
            notes.setdefault("stood_in", []).append(missing)
    raise ModuleNotFoundError(module)


def _function_of(module, names):
    """Return the first thing of a module that has one of the names, as (name, value); underscores and case are free."""
    plain_names = [re.sub("_", "", name).lower() for name in names]
    if callable(module):
        return getattr(module, "__name__", names[0]), module
    for name in names:
        if getattr(module, name, None) is not None:
            return name, getattr(module, name)
    for name, value in vars(module).items():
        if callable(value) and re.sub("_", "", name).lower() in plain_names:
            return name, value
    return None, None


def _user_of(module, used):
    """Return the function of a module that uses the function called `used`, as (name, function)."""
    found = {}
    for name, value in list(vars(module).items()):
        code = getattr(value, "__code__", None)
        if code is not None and name != used and used in code.co_names and value.__module__ == module.__name__:
            found[name] = value
    best = sorted(found, key=lambda name: ("average" not in name.lower(), "avg" not in name.lower(), name != "main"))
    return (best[0], found[best[0]]) if best else (None, None)


def do_run(tell, name, pickled):
    """Run a probe of the check's with a function: probe(function, *arguments)."""
    import cloudpickle

    with _watching() as observed:
        probe, arguments = cloudpickle.loads(pickled)
        observed["value"] = plain(probe(things[name], *arguments))
    return observed


def do_call(tell, name, arguments=(), trace=False):
    """Call a function; with `trace`, also measure the most memory (bytes) that its Python objects took."""
    with _watching() as observed:
        if trace:
            tracemalloc.start()
        try:
            result = things[name](*arguments)
        finally:
            observed["traced"] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        observed["made"] = type(result).__name__
        observed["iterator"] = hasattr(result, "__next__")
        observed["printed_before"] = sys.stdout.buffer.text()
        if observed["iterator"]:
            observed["items"] = [plain(item) for item in _first(result, KEPT)]
        else:
            observed["value"] = plain(result)
    return observed


def _first(iterator, count):
    for _, item in zip(range(count), iterator, strict=False):
        yield item


def do_stream(tell, name, arguments=(), limit=None, stop=None, how="close", keep=KEPT, steps=0):
    """Go through what a function gives.

    limit: the most items to take: the loop may never end. stop: the item after which to leave, and how: "close" (break,
    then close the generator) or "raise" (an exception of the consumer's). steps: how many of the first items to tell.
    """
    with _watching() as observed:
        observed.update(items=[], count=0, users=0, ended=False, changed=None)
        references = []
        stream = things[name](*arguments)
        observed["made"] = type(stream).__name__
        tell("made", 0, threading.active_count() - OUR_THREADS)
        if not hasattr(stream, "__iter__"):
            observed["value"] = plain(stream)
            return observed
        iterator = iter(stream)
        observed["where"] = "iterate"
        try:
            for item in iterator:
                observed["count"] += 1
                observed["users"] += len(item) if isinstance(item, list) else 1
                if observed["count"] <= keep:
                    observed["items"].append(plain(item))
                    references.append(item)
                if observed["count"] <= steps:
                    tell("item", observed["count"], threading.active_count() - OUR_THREADS)
                del item
                if stop and observed["count"] == stop and how == "raise":
                    raise _OfTheConsumer
                if observed["count"] in (stop, limit):
                    break
            else:
                observed["ended"] = True
        except _OfTheConsumer:
            pass
        observed["where"] = "close"
        with _noting_what_is_read("read_after_stop") if stop else contextlib.nullcontext():
            if not observed["ended"]:
                for each in (iterator, stream):
                    if hasattr(each, "close"):
                        each.close()
            del iterator, stream  # a generator that is forgotten is closed
            gc.collect()
        kept = zip(references, observed["items"], strict=True)
        # the first item that is not any more what it was when it came
        observed["changed"] = next((n for n, (item, was) in enumerate(kept) if plain(item) != was), None)
        del references, kept
    return observed


def do_seed(tell, path, only=None, given="path", skip=()):
    """Run Task 0 as its own main program does, or `only` one of its functions, on the CSV file at `path`.

    given: what insert_data gets: "path", or what else it may be made for (see _data). skip: functions that are missing,
    without which it can be run.
    """
    with _watching() as observed:
        observed["stage"] = "connect_db"
        if only is None and not {"connect_db", "create_database"} & {*skip}:
            tell("stage", "connect_db")
            connection = _connection(observed, "connect_db")
            if connection is None:
                return observed
            _stage(tell, observed, "create_database", connection)
            _close(connection)
        observed["stage"] = "connect_to_prodev"
        tell("stage", "connect_to_prodev")
        connection = _connection(observed, "connect_to_prodev")
        if connection is None:
            return observed
        if only is None and "create_table" not in skip:
            _stage(tell, observed, "create_table", connection)
        if "insert_data" not in skip:
            arguments = _data(connection, path, given)
            observed["value"] = plain(_stage(tell, observed, "insert_data", *arguments))
            if given == "cursor":
                connection.commit()
        with contextlib.suppress(Exception):  # the learner's code may have closed it
            connection.close()
    return observed


def _connection(observed, name):
    """Call a function that makes a connection; note where it gives None or something else."""
    connection = things[name]()
    if connection is None:
        observed["gave_none"] = name
    elif not hasattr(connection, "close"):
        observed.setdefault("no_connection", (name, type(connection).__name__))
    return connection


def _close(connection):
    if hasattr(connection, "close"):
        connection.close()


def _stage(tell, observed, name, *arguments):
    observed["stage"] = name
    tell("stage", name)
    return things[name](*arguments)


def _data(connection, path, given):
    """Return what insert_data is called with: as 0-main.py does ("path"), or as it may be made for."""
    import csv

    def rows(as_row):
        with open(path, newline="", encoding="utf-8") as file:
            return [as_row(row) for row in csv.DictReader(file)]

    def with_id(row):
        import uuid

        return (str(uuid.uuid5(uuid.NAMESPACE_URL, row["email"])), row["name"], row["email"], row["age"])

    first = connection.cursor() if given == "cursor" else connection
    if given in ("path", "cursor"):
        return first, path
    if given == "nothing":
        return (first,)
    shapes = {"tuples": lambda row: (row["name"], row["email"], row["age"]), "dicts": dict, "with ids": with_id}
    return first, rows(shapes[given])


class _OfTheConsumer(Exception):
    """What goes wrong in the loop that consumes the stream."""


# Watching -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _watching():
    """Run learner's code: catch what it prints and raises, and how much memory it takes (MiB)."""
    observed = {"error": None, "where": "call"}
    screen = _Screen()
    before = sys.stdout, sys.stderr, os.getcwd()
    gc.collect()
    base = _mark_memory()
    sys.stdout = io.TextIOWrapper(screen, encoding="utf-8", errors="replace", write_through=True)
    errors = _Screen()
    sys.stderr = io.TextIOWrapper(errors, encoding="utf-8", errors="replace", write_through=True)
    try:
        yield observed
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the learner's too
        observed["error"] = described(error)
        observed["error"]["where"] = observed["where"]
    finally:
        observed["peak"] = max(0.0, _memory("VmHWM") - base)
        sys.stdout, sys.stderr = before[:2]
        with contextlib.suppress(OSError):
            os.chdir(before[2])
        observed["printed"], observed["complained"] = screen.text(), errors.text()


class _Screen(io.RawIOBase):
    """A screen that remembers what was printed first."""

    def __init__(self):
        self.parts, self.length = [], 0

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        if self.length < PRINTED:
            self.parts.append(data)
        self.length += len(data)
        return len(data)

    def text(self):
        """Return what was printed first."""
        return _without_places(b"".join(self.parts).decode(errors="replace"))

    def close(self):
        """Stay open: code that closes its output must not lose what it printed."""


def plain(value, depth=4):
    """Return a value made of Python's own types, to be sent: what is not of those becomes ("object", type, text)."""
    import decimal

    if value is None or type(value) in (bool, int, float, str, bytes, decimal.Decimal):
        return value[:5000] if type(value) in (str, bytes) else value
    if depth and isinstance(value, dict):
        return {plain(k, 0): plain(v, depth - 1) for k, v in list(value.items())[:KEPT]}
    if depth and isinstance(value, (list, tuple)):
        made = [plain(v, depth - 1) for v in value[:KEPT]]
        return made if isinstance(value, list) else tuple(made)
    if depth and hasattr(value, "keys") and hasattr(value, "__getitem__"):
        with contextlib.suppress(Exception):
            return {plain(k, 0): plain(value[k], depth - 1) for k in value.keys()}  # noqa: SIM118 (no dict)
    if depth and value is not None and type(value).__name__ in ("Row", "RowProxy"):
        return tuple(plain(v, depth - 1) for v in value)
    with contextlib.suppress(Exception):
        shown = ("object", type(value).__name__, re.sub(" at 0x[0-9a-f]+", "", repr(value))[:80])
        if all(hasattr(value, name) for name in USER):
            return (*shown, tuple(plain(getattr(value, name), 0) for name in USER))
        return shown
    return ("object", type(value).__name__, "")


def _without_places(text):
    """Return a text without the name of the socket, which is another one in each check."""
    return text.replace(the_server, "the check's server") if the_server else text


def described(error):
    """Return an exception as a dict: its type and text, the last line of the learner's code that it passed, whether a
    database driver raised it, and its classes and those of the errors that led to it ("chain")."""
    chain, at = [], error
    while at is not None and len(chain) < 10:
        chain.append([f"{c.__module__}.{c.__qualname__}" for c in type(at).__mro__])
        at = at.__cause__ or at.__context__
    try:
        text = str(error)
    except Exception:
        text = ""
    line, inside = None, ""
    for frame in traceback.extract_tb(error.__traceback__):
        ours = frame.filename.startswith(OURS) and f"{os.sep}tests{os.sep}" not in frame.filename
        library = any(part in frame.filename for part in ("site-packages", "lib/python", "<frozen"))
        inside = frame.filename
        if not ours and not library:
            file = os.path.basename(frame.filename) if os.path.exists(frame.filename) else ""
            line = (file, frame.lineno, frame.line)
    text = _without_places(text)
    return {"type": type(error).__name__, "text": text[:300], "line": line, "chain": chain,
            "raised_from": error.__cause__ is not None,
            "driver": bool(re.search(r"[/\\](mysql|pymysql|MySQLdb)[/\\]", inside))}  # fmt: skip


def _mark_memory():
    """Set the high-water mark of this process's memory back to now, and return what it holds now (MiB)."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _memory("VmRSS")


def _memory(what):
    """Return VmRSS or VmHWM of this process in MiB; where there is no /proc, the highest so far."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(what + ":"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (20 if sys.platform == "darwin" else 10)


def _limit_memory(most):
    """Let this process have `most` bytes of addresses: a last stop, far above what process.py allows."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# A whole solution -----------------------------------------------------------------------------------------------------

ENVIRONMENT = (  # what a solution may ask its environment for, under any name
    (r"URL|URI|DSN", "mysql+pymysql://learner:from-the-environment@localhost:3306/ALX_prodev"),
    (r"(^|_|DB|SQL)PORT($|_)", "3306"),
    (r"PASS|PWD|SECRET", "from-the-environment"),
    (r"(^|_|DB|SQL)(HOST|SERVER|ADDR)", "localhost"),
    (r"(^|_|DB|SQL)(USER|LOGIN|UNAME)", "learner"),
    (r"DATABASE|SCHEMA|(^|_|SQL)DB(_?NAME)?$|PRODEV", "ALX_prodev"),
)
ABOUT_A_DATABASE = re.compile(
    r"MYSQL|MARIADB|SQL|DB|DATABASE|ALX|PRODEV|^(\w+_)?(HOST|USER(NAME)?|PASS(WORD|WD)?|PWD|PORT)$", re.IGNORECASE
)


def _credential(name):
    """Return what the environment would say under this name, were a server named there; None for other names."""
    if ABOUT_A_DATABASE.search(name):
        return next((value for pattern, value in ENVIRONMENT if re.search(pattern, name, re.IGNORECASE)), None)
    return None


def _settle(folder):
    """Make this process look like one that somebody started in the solution's folder, with credentials set."""
    sys.path.insert(0, folder)
    sys.argv[:] = ["main.py"]
    # Python processes that it starts run children/sitecustomize.py first
    path = [os.path.join(OURS, "check", "children"), os.environ.get("PYTHONPATH", "")]
    os.environ |= {"PYTHONPATH": os.pathsep.join(filter(None, path)), "GENERATORS_CHECK": the_server}
    surround()


def surround():
    """Give the solution credentials, and nobody to ask and nothing to fetch."""
    os.environ.__class__ = _Environment
    for module, attributes in {
        "dotenv": {"load_dotenv": _load_dotenv, "find_dotenv": lambda *_, **__: ".env", "dotenv_values": _dotenv},
        "decouple": {"config": lambda name, default=None, cast=str: cast(os.environ.get(name, default))},
    }.items():
        if importlib.util.find_spec(module) is None:
            sys.modules[module] = types.ModuleType(module)
            vars(sys.modules[module]).update(attributes)
    _answer_at_the_keyboard()
    _stay_off_the_network()


class _Environment(os._Environ):
    """An environment that has credentials under the names that are asked for."""

    def __getitem__(self, name):
        try:
            return super().__getitem__(name)
        except KeyError:
            value = _credential(str(name))
            if value is None:
                raise
            return value


class _Credentials(dict):
    """What stands in a .env file, and the credentials that are not there: it is not in the repository, rightly."""

    def __missing__(self, name):
        return os.environ[name]

    def get(self, name, default=None):
        return self[name] if name in self else os.environ.get(name, default)


def _dotenv(path=".env", *_, **__):
    """Read a .env file, as python-dotenv does: NAME=value lines."""
    found = _Credentials()
    with contextlib.suppress(OSError), open(path or ".env", encoding="utf-8") as file:
        for line in file:
            name, equals, value = line.removeprefix("export ").partition("=")
            if equals and not name.lstrip().startswith("#"):
                found[name.strip()] = value.strip().strip("'\"")
    return found


def _load_dotenv(dotenv_path=None, *_, **__):
    for name, value in _dotenv(dotenv_path).items():
        if os.environ._data.get(os.environ.encodekey(name)) is None:
            os.environ[name] = value
    return True


def _answer_at_the_keyboard():
    """Answer input() and getpass() with credentials, and note that they were called."""
    import builtins
    import getpass

    def answer(function):
        def asking(prompt="", *_, **__):
            notes.setdefault("asked", []).append(f"{function}({str(prompt)!r})")
            return _credential(re.sub(r"\W", "", f"DB_{prompt}")) or ""

        return asking

    builtins.input, getpass.getpass = answer("input"), answer("getpass")


def _stay_off_the_network():
    """Refuse connections to other machines: a check must not wait for a download, nor depend on one."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(where):
        notes.setdefault("network", []).append(where)
        raise OSError(f"a check runs without network: {where} was asked for")

    def connecting(self, address):
        if self.family != socket.AF_UNIX and str(address[0]) not in ("localhost", "127.0.0.1", "::1"):
            refuse(f"{address[0]}:{address[1]}")
        return connect(self, address)

    def looking_up(host, port, *arguments, **options):
        if host not in (None, "", "localhost", "127.0.0.1", "::1"):
            refuse(f"{host if isinstance(host, str) else host.decode()}:{port}")
        return look_up(host, port, *arguments, **options)

    socket.socket.connect, socket.getaddrinfo = connecting, looking_up


# The drivers ----------------------------------------------------------------------------------------------------------

WHERE_AND_WHO = re.compile(
    r"host|port|unix_socket|user(name)?|pass(wor)?d[123]?|ssl.*|tls.*|auth_plugin|failover|dns_srv|read_default_.*|db_?host|"
    r"bind_address|init_command"
)


def watch(socket):
    """Send every connection of every driver to `socket`, and note how it is used.

    Connections are held on to, so that only the learner's code closes them. Python closes a forgotten connection when
    it happens to collect it; a traceback, a debugger or a notebook's history keeps it open.
    """
    _watch_connector(socket)
    with contextlib.suppress(ImportError):
        from mysql.connector.aio import MySQLConnection

        _redirect_init(MySQLConnection, socket)
    with contextlib.suppress(ImportError):
        _watch_pymysql(socket)


def _hold(connection):
    held.append(connection)
    connects[:] = (int.from_bytes(connects[:], "big") + 1).to_bytes(8, "big")


def _watch_connector(socket):
    import mysql.connector.pooling
    from mysql.connector.abstracts import MySQLConnectionAbstract, MySQLCursorAbstract
    from mysql.connector.connection import MySQLConnection

    classes = [MySQLConnection]
    cursors = [MySQLCursorAbstract]
    with contextlib.suppress(ImportError):
        from mysql.connector.connection_cext import CMySQLConnection
        from mysql.connector.cursor_cext import CMySQLCursor

        classes.append(CMySQLConnection)
        cursors.append(CMySQLCursor)

    connect = MySQLConnectionAbstract.connect

    def redirected_connect(self, **options):
        _note_password(options)
        options = {k: v for k, v in options.items() if not WHERE_AND_WHO.fullmatch(k)}
        _hold(self)
        return connect(self, **options, unix_socket=socket, user="learner", password="", ssl_disabled=True)

    MySQLConnectionAbstract.connect = redirected_connect
    make_pool = mysql.connector.pooling.MySQLConnectionPool.__init__

    def pool(self, *arguments, **options):
        pools.append(self)
        make_pool(self, *arguments, **options)

    mysql.connector.pooling.MySQLConnectionPool.__init__ = pool
    for cls in classes:
        _watch_cursors(cls)
        for way in ("close", "disconnect", "shutdown", "cmd_quit"):
            _mark_when_closed(cls, way, lambda connection: connection.unread_result)
    for cls in cursors:
        _watch_rowcount(cls)
    for cls in _with_subclasses([MySQLCursorAbstract]):
        _note_what_is_read_closed(cls)


def _watch_pymysql(socket):
    import pymysql
    import pymysql.cursors

    _redirect_init(pymysql.connections.Connection, socket)
    _note_stored(pymysql.connections.Connection, pymysql.cursors.SSCursor)

    def unread(connection):
        return getattr(connection._result, "unbuffered_active", False)

    _mark_when_closed(pymysql.connections.Connection, "close", unread)
    for cls in _with_subclasses([pymysql.cursors.Cursor]):
        _note_what_is_read_closed(cls)
    try:
        import MySQLdb.connections
        import MySQLdb.cursors

        _redirect_init(MySQLdb.connections.Connection, socket)
        _note_stored(MySQLdb.connections.Connection, MySQLdb.cursors.CursorUseResultMixIn)
    except ImportError:
        pymysql.install_as_MySQLdb()


def _redirect_init(cls, socket):
    init = cls.__init__

    def redirected(self, *arguments, **options):
        # as PyMySQL and MySQLdb once took them: host, user, password, database
        options |= dict(zip(("host", "user", "password", "database"), arguments, strict=False))
        _note_password(options)
        options = {k: v for k, v in options.items() if not WHERE_AND_WHO.fullmatch(k)}
        _hold(self)
        init(self, **options, unix_socket=socket, user="learner", password="")

    cls.__init__ = redirected


def _note_stored(cls, streaming):
    """Note each cursor of a connection class that is not of the class `streaming`: it stores all rows at once."""
    make = cls.cursor

    def cursor(self, cursor=None):
        made = make(self, cursor)
        if not isinstance(made, streaming):
            notes["stored"] = type(made).__name__
        return made

    cls.cursor = cursor


def _note_password(options):
    for key in ("password", "passwd"):
        if isinstance(options.get(key), str) and options[key] and options[key] not in os.environ.values():
            notes.setdefault("passwords", []).append(options[key])


def _watch_cursors(cls):
    make = cls.cursor

    def cursor(self, *arguments, **options):
        made = make(self, *arguments, **options)
        if "Buffered" in type(made).__name__:
            notes["buffered"] = type(made).__name__
        return made

    cls.cursor = cursor


FETCHING = {"fetchone", "fetchmany", "fetchall", "__next__", "read_next"}  # what cursors have for it


def _mark_when_closed(cls, way, unread):
    """Mark a connection that is closed with rows unread: unread(connection)."""
    close = vars(cls).get(way)

    def closing(self, *arguments, **options):
        self.closed_on_rows = getattr(self, "closed_on_rows", False) or bool(unread(self))
        return close(self, *arguments, **options)

    if close:
        setattr(cls, way, closing)


def _note_what_is_read_closed(cls):
    """Note that rows are asked for whose connection was closed before they had come: notes["read_closed"]."""

    def watched(fetch):
        def fetching(self, *arguments, **options):
            found = None
            try:
                found = fetch(self, *arguments, **options)
            finally:
                if not found:
                    for name in ("_connection", "connection"):  # mysql.connector's, and that of the others
                        if getattr(getattr(self, name, None), "closed_on_rows", False):
                            notes["read_closed"] = True
            return found

        return fetching

    for name in FETCHING & vars(cls).keys():
        setattr(cls, name, watched(vars(cls)[name]))


@contextlib.contextmanager
def _noting_what_is_read(what):
    """Note how many rows the cursors of the drivers give meanwhile: notes[what]."""
    import mysql.connector.abstracts

    kinds = [mysql.connector.abstracts.MySQLCursorAbstract]
    if "pymysql.cursors" in sys.modules:
        kinds.append(sys.modules["pymysql.cursors"].Cursor)
    if "MySQLdb.cursors" in sys.modules:
        kinds.append(sys.modules["MySQLdb.cursors"].BaseCursor)
    inside, changed = [], []

    def watched(method):
        def reading(self, *arguments, **options):
            inside.append(method)
            try:
                found = method(self, *arguments, **options)
            finally:
                inside.pop()
            if not inside:  # one of these methods calls another
                several = isinstance(found, (list, tuple)) and found and isinstance(found[0], (tuple, dict))
                notes[what] = notes.get(what, 0) + (len(found) if several else bool(found))
            return found

        return reading

    for kind in _with_subclasses(kinds):
        for name in FETCHING & vars(kind).keys():
            changed.append((kind, name, vars(kind)[name]))
            setattr(kind, name, watched(vars(kind)[name]))
    try:
        yield
    finally:
        for kind, name, method in changed:
            setattr(kind, name, method)


def _with_subclasses(kinds):
    found, waiting = set(), list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            waiting += kind.__subclasses__()
    return found


def _watch_rowcount(cls):
    read = cls.rowcount.fget

    def rowcount(self):
        value = read(self)
        if value in (-1, 0, 2**64 - 1) and self.description and self._connection.unread_result:
            asked_by = sys._getframe(1).f_code.co_filename
            if f"{os.sep}connector{os.sep}" not in asked_by:
                notes["rowcount"] = value
        return value

    cls.rowcount = property(rowcount)


def _forget():
    """Let go of the connections; the check has ended them by now."""
    for connection in held:
        with contextlib.suppress(Exception):
            connection._unread_result = False
    held.clear()
    gc.collect()


if __name__ == "__main__":
    main()
