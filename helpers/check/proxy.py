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
import shutil
import socket
import tempfile
import threading
import time

from mysql.connector import Error
from mysql.connector.connection import MySQLConnection
from mysql.connector.constants import ClientFlag

from helpers import server
from helpers.check.relay import CHUNK, Relay
from helpers.check.traffic import Traffic
from helpers.check.wire import CAPABILITIES, OF_THE_CLIENT
from helpers.connection import CONNECT_SECONDS, server_arguments

ENDS_IN = 20.0  # seconds in which a connection ends on both sides, on the busiest machine
FIRST_NUMBER = 1_000_000_000  # connection ids shown to the learner start here, so that they differ from the server's


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
        self.version = version
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
        self._open_ones = {}  # number shown to the learner -> Relay
        self.real_ids = set()  # the server's ids of all connections so far; whoever knows that one has ended removes it
        self._away = self._closing = False
        self.traffic = Traffic()
        self.lose_after = None  # rows until the simulated server is lost
        self.lose_once = False  # it is a connection that is lost then: the server goes on
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
        self.lose_once = False
        self.be_there()
        self.traffic = Traffic()

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

    def held(self):
        """Return how many connections the learner's process has open now; one that it has closed counts no more."""
        with self._lock:
            return sum(connection.is_held() for connection in self._open_ones.values())

    def at_work(self):
        """Tell whether anything is on its way now between the learner's process and the server."""
        with self._lock:
            return any(connection.is_at_work() for connection in self._open_ones.values())

    def end_all(self):
        """End all of the learner's connections, on both sides."""
        with self._lock:
            connections = list(self._open_ones.values())
        for connection in connections:
            connection.end()
        deadline = time.monotonic() + ENDS_IN
        while self._open_ones and time.monotonic() < deadline:
            time.sleep(0.01)

    # Connections --------------------------------------------------------------------------------------------------

    def connect(self, flags, charset=45, database=None):
        """Return a connection to the server with what the learner's client asked for."""
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
                connection = Relay(self, self._number, client)
                self._open_ones[self._number] = connection
            threading.Thread(target=connection.serve, daemon=True).start()

    def forget(self, connection):
        """Count a connection (a Relay) no more."""
        with self._lock:
            self._open_ones.pop(connection.number, None)

    def renamed(self, text):
        """Return `text` (bytes) with the check's database in the place of the names that the learner knows."""
        return self._names.sub(self.database.encode(), text)

    def name_for_learner(self, name):
        """Return the name that a database (bytes) has for the learner."""
        if name.lower() == self.database.lower().encode():
            return self.shown.encode()
        return b"_" + name if self._names.fullmatch(name) else name  # the one with the learner's own data

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
                if self.lose_once:
                    self.lose_after = None
                else:
                    self.be_away()
                return True
        return False
