"""Stand between a learner's program and the server, pass on all that they say, and count it.

A server counts what all its users do, and only to those who may ask. What passes here is one learner's: every
connection, query and row, exactly, on any server and with no rights on it. It can also be a server that is away, or
that is lost after so many rows.

The protocol is that of https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html; MariaDB speaks it too.
Whoever connects is let in, whatever user and password they give: the socket is in a folder that only its owner can
enter, and the connection behind it is made with the course's own user.
"""

import contextlib
import os
import re
import select
import shutil
import socket
import struct
import tempfile
import threading
import time
from dataclasses import dataclass, field

from mysql.connector import Error
from mysql.connector.connection import MySQLConnection
from mysql.connector.constants import ClientFlag, ServerFlag

from helpers import server
from helpers.connection import CONNECT_SECONDS, server_arguments

CHUNK = 4096  # bytes passed on at once, and those that wait in the socket: more would run far ahead of the learner
FIRST_NUMBER = 1_000_000_000  # connection ids shown to the learner start here, so that they differ from the server's
KILL = re.compile(rb"(\bKILL\s+(?:QUERY\s+|CONNECTION\s+)?)(\d+)", re.IGNORECASE)
SHOWS_DATABASES = re.compile(rb"SHOW\s+(DATABASES|SCHEMAS)|SCHEMATA|DATABASE\s*\(|SCHEMA\s*\(", re.IGNORECASE)

# What both sides can be asked to speak. Left out: encryption and compression (the text could not be read), and newer
# forms of packets that nobody needs.
CAPABILITIES = (
    ClientFlag.LONG_PASSWD | ClientFlag.FOUND_ROWS | ClientFlag.LONG_FLAG | ClientFlag.CONNECT_WITH_DB
    | ClientFlag.ODBC | ClientFlag.LOCAL_FILES | ClientFlag.IGNORE_SPACE | ClientFlag.PROTOCOL_41
    | ClientFlag.INTERACTIVE | ClientFlag.TRANSACTIONS | ClientFlag.SECURE_CONNECTION | ClientFlag.MULTI_STATEMENTS
    | ClientFlag.MULTI_RESULTS | ClientFlag.PS_MULTI_RESULTS | ClientFlag.PLUGIN_AUTH | ClientFlag.CONNECT_ARGS
    | ClientFlag.PLUGIN_AUTH_LENENC_CLIENT_DATA
)  # fmt: skip
OF_THE_CLIENT = ClientFlag.FOUND_ROWS | ClientFlag.LOCAL_FILES | ClientFlag.IGNORE_SPACE | ClientFlag.MULTI_STATEMENTS

QUIT, INIT_DB, QUERY, FIELD_LIST, KILL_PROCESS, CHANGE_USER = 0x01, 0x02, 0x03, 0x04, 0x0C, 0x11
PREPARE, EXECUTE, LONG_DATA, CLOSE_STATEMENT, FETCH, RESET = 0x16, 0x17, 0x18, 0x19, 0x1C, 0x1F
OK, INFILE, EOF, ERROR = 0x00, 0xFB, 0xFE, 0xFF


@dataclass
class Query:
    """A statement that reached the server."""

    text: str
    autocommit: bool  # whether the connection commits by itself
    rows: int = 0  # sent back so far
    error: int | None = None  # the server's error number

    @property
    def bare(self):
        """The text in capitals, on one line, without comments and without what stands in quotes."""
        text = re.sub(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"", "''", self.text, flags=re.DOTALL)
        text = re.sub(r"/\*.*?\*/|--\s[^\n]*|#[^\n]*", " ", text, flags=re.DOTALL)
        return " ".join(text.replace("`", "").split()).upper()

    @property
    def selects(self):
        """Whether it reads the table user_data."""
        return self.bare.startswith(("SELECT", "WITH", "(SELECT", "TABLE")) and "USER_DATA" in self.bare

    @property
    def writes(self):
        """Whether it adds, changes or removes rows."""
        return self.bare.startswith(("INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD"))


@dataclass
class Seen:
    """What has passed since the last look."""

    connections: int = 0
    queries: list = field(default_factory=list)

    @property
    def rows(self):
        """Rows of all queries that read user_data."""
        return sum(query.rows for query in self.queries if query.selects)

    @property
    def selects(self):
        """The queries that read user_data."""
        return [query for query in self.queries if query.selects]


class _Upstream(MySQLConnection):
    """A connection to the server whose socket is then used as it is."""

    def _do_handshake(self):
        super()._do_handshake()
        self._query_attrs_supported = False
        self._client_flags &= CAPABILITIES | ClientFlag.SSL

    def _post_connection(self):
        self.set_charset_collation(charset=self._charset_id)  # all else is as the learner's driver sets it


class Proxy:
    """A server, as a learner's program sees it, on the unix socket `path`.

    Parameters
    ----------
    database : str
        The database that stands behind the names.
    version : str
        The server's version, as it says it itself.
    names : iterable of str
        The names that the learner's program may call it by.
    """

    def __init__(self, database, version, names=("ALX_prodev",)):
        self.database, self.shown = database, next(iter(names))
        alternatives = "|".join(re.escape(name) for name in {*names, database})
        self._names = re.compile(rf"(?<![\w$])(?:{alternatives})(?![\w$])".encode(), re.IGNORECASE)
        self._where = server_arguments()
        # Encryption would cost more than all else here, and this way does not leave the machine
        self._plain = "unix_socket" in self._where or self._where.get("host") in ("localhost", "127.0.0.1", "::1")
        self._version = version
        self._folder = tempfile.mkdtemp(prefix="gc-")
        if len(os.fsencode(self._folder)) > server.SOCKET_BYTES - 2:
            os.rmdir(self._folder)
            self._folder = tempfile.mkdtemp(prefix="gc-", dir="/tmp")
        self.path = os.path.join(self._folder, "s")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(64)
        self._lock = threading.Lock()
        self._number = FIRST_NUMBER
        self._open_ones = {}  # number shown to the learner -> _Connection
        self._away = self._closing = False
        self.seen = Seen()
        self.lose_after = None  # rows until the simulated server is lost
        self.on_query = None  # called with each Query before it is passed on
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing = True
        self.be_there()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as waker:
            waker.connect(self.path)
        self.end_all()
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # What a check does --------------------------------------------------------------------------------------------

    def reset(self):
        """End all connections, be a healthy server again, and start counting anew."""
        self.end_all()
        self.lose_after = self.on_query = None
        self.be_there()
        self.seen = Seen()

    def be_away(self):
        """Be a server that nobody can reach."""
        if not self._away:
            os.rename(self.path, self.path + "x")
            self._away = True

    def be_there(self):
        """Be reachable again."""
        if self._away:
            os.rename(self.path + "x", self.path)
            self._away = False

    def open(self, seconds=0.0):
        """Return how many connections the learner has open; wait up to `seconds` for there to be none."""
        deadline = time.monotonic() + seconds
        while self._open_ones and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self._open_ones)

    def end_all(self):
        """End all of the learner's connections, on both sides."""
        with self._lock:
            connections = list(self._open_ones.values())
        for connection in connections:
            connection.end()
        self.open(5)

    # Connections --------------------------------------------------------------------------------------------------

    def _open(self, flags, charset=45, database=None):
        names = {"charset": "utf8mb4", "collation": "utf8mb4_general_ci"}
        if charset in (8, 15, 31, 47, 48, 49, 94):
            names = {"charset": "latin1"}
        default = sum(set(ClientFlag.default)) & ~OF_THE_CLIENT
        options = names | {"client_flags": default | flags & OF_THE_CLIENT, "database": database}
        while True:
            connection = _Upstream()
            try:
                connection.connect(**self._where, **options, ssl_disabled=self._plain,
                                   connection_timeout=CONNECT_SECONDS)  # fmt: skip
                return connection
            except Error as error:
                if not self._plain or error.errno in (1044, 1049):
                    raise
                self._plain = False  # this server, or this user's way to log in, wants encryption

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._closing:
                client.close()
                return
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, CHUNK)
            with self._lock:
                self._number += 1
                connection = _Connection(self, self._number, client)
                self._open_ones[self._number] = connection
            threading.Thread(target=connection.serve, daemon=True).start()

    def _gone(self, connection):
        with self._lock:
            self._open_ones.pop(connection.number, None)

    def renamed(self, text):
        """Return `text` (bytes) with the check's database in the place of the names that the learner knows."""
        return self._names.sub(self.database.encode(), text)

    def names_all(self, text):
        """Whether `text` (bytes) is one of the names that the learner knows."""
        return bool(self._names.fullmatch(text))

    def shown_name(self, text):
        """Return an error's text (bytes) with the name that the learner knows."""
        return text.replace(self.database.encode(), self.shown.encode())

    def real_id(self, number):
        """Return the server's id (int) of a connection that the learner knows by `number`."""
        connection = self._open_ones.get(number)
        return connection.real_id if connection and connection.real_id else number

    def is_last(self):
        """Count a row on its way to the learner; say whether the simulated server is lost with it."""
        if self.lose_after is not None:
            self.lose_after -= 1
            if self.lose_after <= 0:
                self.be_away()
                return True
        return False


class _Connection:
    """One connection of the learner's, served in a thread of its own."""

    def __init__(self, proxy, number, client):
        self.proxy, self.number, self.client = proxy, number, client
        self.upstream = self.real_id = None
        self.autocommit = True
        self.state, self.left = self._idle, 0
        self.query, self.counted, self.shows = None, False, False
        self.lost = False  # the simulated server is gone
        self.statements = {}  # id of a prepared statement -> its text

    def serve(self):
        try:
            if self._welcome():
                self._pass_on()
        except (OSError, EOFError, struct.error, IndexError):
            pass  # one of the two sides is gone
        finally:
            self.end()
            self.client.close()
            if self.upstream is not None:
                self.upstream.close()
            self.proxy._gone(self)

    def end(self):
        """End both sides; the thread that serves them notices."""
        for side in (self.client, self.upstream):
            if side is not None:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    # The welcome --------------------------------------------------------------------------------------------------

    def _welcome(self):
        """Greet the client as a server does, let it in, and connect to the real one; say whether that worked."""
        caps = CAPABILITIES
        greeting = (
            b"\x0a" + self.proxy._version.encode() + b"\0" + struct.pack("<I", self.number) + b"abcdefgh\0"
            + struct.pack("<HBHHB", caps & 0xFFFF, 45, 2, caps >> 16, 21) + bytes(10) + b"ijklmnopqrst\0"
            + b"caching_sha2_password\0"
        )  # fmt: skip
        self.client.sendall(_framed(greeting, 0))
        _, answer = self._read_packet()
        flags, _, charset = struct.unpack_from("<IIB", answer)
        at = answer.index(b"\0", 32) + 1  # behind the user's name
        length = answer[at]
        scramble, at = answer[at + 1 : at + 1 + length], at + 1 + length
        database = None
        if flags & ClientFlag.CONNECT_WITH_DB:
            database = self.proxy.renamed(answer[at : answer.index(b"\0", at)]).decode() or None
        number = 2
        if len(scramble) > 1:
            self.client.sendall(_framed(b"\x01\x03", number))  # the password is right
            number += 1
        self.proxy.seen.connections += 1
        try:
            connection = self.proxy._open(flags, charset, database)
        except Error as error:
            text = self.proxy.shown_name((error.msg or str(error)).encode())
            state = (error.sqlstate or "HY000").encode()[:5]
            self.client.sendall(_framed(struct.pack("<BH", ERROR, error.errno or 2003) + b"#" + state + text, number))
            return False
        self.upstream = connection._socket.sock
        self.upstream.settimeout(None)
        self.keep = connection  # as long as its socket is in use
        self.real_id = connection.connection_id
        self.client.sendall(_framed(b"\0\0\0\x02\0\0\0", number))
        return True

    def _read_packet(self):
        header = self._read_exactly(4)
        return header[3], self._read_exactly(int.from_bytes(header[:3], "little"))

    def _read_exactly(self, length):
        data = b""
        while len(data) < length:
            more = self.client.recv(length - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    # Then -----------------------------------------------------------------------------------------------------------

    def _pass_on(self):
        asked, answered = b"", b""
        pending = getattr(self.upstream, "pending", lambda: 0)
        while True:
            ready = [self.upstream] if pending() else select.select([self.client, self.upstream], [], [])[0]
            if self.client in ready:
                data = self.client.recv(1 << 20)
                if not data:
                    return
                asked += data
                asked, out = self._take(asked, self._asked)
                if out:
                    self.upstream.sendall(out)
            if self.upstream in ready:
                data = self.upstream.recv(CHUNK)
                if not data:
                    return
                answered += data
                answered, out = self._take(answered, self._answered)
                if out:
                    self.client.sendall(out)
            if self.lost:
                return

    def _take(self, data, look):
        """Give each whole packet in `data` to `look`; return what is left over, and what to pass on."""
        at, out, whole = 0, [], len(data)
        while at + 4 <= whole and not self.lost:
            end = at + 4 + int.from_bytes(data[at : at + 3], "little")
            if end > whole:
                break
            changed = look(data[at + 3], data[at + 4 : end])
            out.append(data[at:end] if changed is None else _framed(changed, data[at + 3]))
            at = end
        return data[at:], b"".join(out)

    def _asked(self, number, packet):
        """Look at a packet from the client; return what to send in its place, or None to send it as it is."""
        if number or not packet:
            return None  # goes on with an earlier one
        command, text = packet[0], packet[1:]
        self.query = None
        if command == QUERY:
            changed = self.proxy.renamed(text)
            changed = KILL.sub(lambda m: m[1] + b"%d" % self.proxy.real_id(int(m[2])), changed)
            self._note(text)
            self.state = self._first
            return bytes([command]) + changed
        if command == INIT_DB:
            self.state = self._first
            return bytes([command]) + self.proxy.renamed(text)
        if command == PREPARE:
            self.preparing = text
            self.state = self._prepared
            return bytes([command]) + self.proxy.renamed(text)
        if command == EXECUTE:
            self._note(self.statements.get(text[:4], b""))
            self.state = self._first
        elif command == FETCH:
            self._note(b"FETCH")
            self.state = self._row
        elif command == FIELD_LIST:
            self.state = self._row
        elif command == KILL_PROCESS:
            self.state = self._first
            return bytes([command]) + struct.pack("<I", self.proxy.real_id(struct.unpack("<I", text)[0]))
        elif command == CHANGE_USER:
            self.state = self._first
            return bytes([RESET])
        elif command == QUIT:
            raise EOFError
        elif command in (LONG_DATA, CLOSE_STATEMENT):
            self.state = self._idle
        else:
            self.state = self._other
        return None

    def _note(self, text):
        self.query = Query(text.decode(errors="replace"), self.autocommit)
        self.counted = self.query.selects
        self.proxy.seen.queries.append(self.query)
        if self.proxy.on_query:
            self.proxy.on_query(self.query)

    # Answers: what comes next is said by self.state ----------------------------------------------------------------

    def _answered(self, _, packet):
        return self.state(packet)

    def _idle(self, packet):
        pass

    def _other(self, packet):
        self.state = self._idle

    def _first(self, packet):
        """The first packet of an answer: done, an error, or the number of columns."""
        kind = packet[0]
        if kind == OK:
            at = 1
            for _ in range(2):  # rows affected, last id
                at += {0xFC: 3, 0xFD: 4, 0xFE: 9}.get(packet[at], 1)
            self._status(struct.unpack_from("<H", packet, at)[0])
        elif kind == ERROR:
            return self._failed(packet)
        elif kind != INFILE:
            self.left, self.state = packet[0], self._column
            self.shows = self.query is not None and SHOWS_DATABASES.search(self.query.text.encode())
        return None

    def _column(self, packet):
        if self.left == 0:  # the end of the columns
            exists = struct.unpack_from("<H", packet, 3)[0] & ServerFlag.STATUS_CURSOR_EXISTS
            self.state = self._idle if exists else self._row
        self.left -= 1

    def _row(self, packet):
        if packet[0] == EOF and len(packet) < 9:
            self._status(struct.unpack_from("<H", packet, 3)[0])
        elif packet[0] == ERROR:
            return self._failed(packet)
        elif self.query is not None:
            if self.shows:
                return self._with_shown_name(packet)
            self.query.rows += 1
            if self.counted and self.proxy.lose_after is not None:
                self.lost = self.proxy.is_last()
        return None

    def _prepared(self, packet):
        self.state = self._idle
        if packet[0] == OK:
            statement, columns, parameters = struct.unpack_from("<4sHH", packet, 1)
            self.statements[statement] = self.preparing
            self.left = columns + bool(columns) + parameters + bool(parameters)
            if self.left:
                self.state = self._skip

    def _skip(self, packet):
        self.left -= 1
        if not self.left:
            self.state = self._idle

    def _status(self, status):
        self.autocommit = bool(status & ServerFlag.STATUS_AUTOCOMMIT)
        self.state = self._first if status & ServerFlag.MORE_RESULTS_EXISTS else self._idle

    def _failed(self, packet):
        self.state = self._idle
        if self.query is not None:
            self.query.error = struct.unpack_from("<H", packet, 1)[0]
        return self.proxy.shown_name(packet)

    def _with_shown_name(self, row):
        """Return a row of a list of databases with the name that the learner knows."""
        at, out = 0, b""
        while at < len(row):
            if row[at] > 0xFA:  # NULL, or longer than any name
                return row
            value = row[at + 1 : at + 1 + row[at]]
            at += 1 + row[at]
            if value.lower() == self.proxy.database.lower().encode():
                value = self.proxy.shown.encode()
            elif self.proxy.names_all(value):
                value = b"_" + value  # the one with the learner's own data
            out += bytes([len(value)]) + value
        return out


def _framed(packet, number):
    return struct.pack("<I", len(packet))[:3] + bytes([number & 0xFF]) + packet
