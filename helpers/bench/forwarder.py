"""Stand between a driver and the server, pass the bytes on, and count those that have gone to the driver.

The driver reaches it by a socket in a folder that only its owner can enter, or, for those that take nothing but a
host and a port, on 127.0.0.1, where it lets in this user's processes alone.
"""

import contextlib
import mmap
import os
import selectors
import socket
import struct
import tempfile
import threading
from pathlib import Path

CHUNK = 2**14  # bytes passed on at once; sockets' buffers are as small, so that little is on its way
# A segment of the loopback is larger than such a buffer, and then each waits for the timer of delayed acknowledgements
SEGMENT = 1400


class Forwarder:
    """Listen in a thread as long as the block lasts.

    Parameters
    ----------
    arguments : dict
        How the server is reached, as peers.where() gives it.
    tcp : bool
        Listen on 127.0.0.1 and a free port; otherwise on a unix socket.

    Attributes
    ----------
    arguments : dict
        How a driver reaches the forwarder.
    counter : str
        The path of a file of 8 bytes: how many bytes have gone to drivers. `counted(counter)` reads it.
    """

    def __init__(self, arguments, tcp=False):
        self._server = arguments
        self._folder = tempfile.TemporaryDirectory(prefix="gc-forward-")
        self.counter = str(Path(self._folder.name, "sent"))
        Path(self.counter).write_bytes(bytes(8))
        others = {name: value for name, value in arguments.items() if name not in ("unix_socket", "host", "port")}
        if tcp:
            self._listener = _tcp_socket()
            self._listener.bind(("127.0.0.1", 0))
            self._listener.listen()
            self.arguments = {**others, "host": "127.0.0.1", "port": self._listener.getsockname()[1]}
        else:
            path = str(Path(self._folder.name, "socket"))
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            self._listener.listen()
            self.arguments = {**others, "unix_socket": path}
        self._tcp = tcp

    def __enter__(self):
        self._file = open(self.counter, "r+b")
        self._sent = mmap.mmap(self._file.fileno(), 8)
        self._count = counted(self.counter)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._file.close()
        self._folder.cleanup()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                driver, address = self._listener.accept()
                if self._tcp and not _mine(address[1]):
                    driver.close()
                    continue
                threading.Thread(target=self._pass_on, args=(driver,), daemon=True).start()

    def _connect(self):
        if "unix_socket" in self._server:
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server["unix_socket"])
            return server
        server = _tcp_socket()
        server.connect((self._server["host"], self._server["port"]))
        return server

    def _pass_on(self, driver):
        server = self._connect()
        for end in (driver, server):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, CHUNK)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
        other = {driver: server, server: driver}
        with contextlib.suppress(OSError), driver, server, selectors.DefaultSelector() as selector:
            for end in other:
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if not (data := key.fileobj.recv(CHUNK)):
                        return
                    other[key.fileobj].sendall(data)
                    if key.fileobj is server:
                        self._sent[:] = struct.pack("=Q", self._count() + len(data))


def _tcp_socket():
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    return made


def counted(counter):
    """Return a function that says how many bytes have gone to drivers (int), from a Forwarder's `counter`.

    It makes no system call: at each of them another thread of the driver could go on and read.
    """
    with open(counter, "rb") as file:
        shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    return lambda: struct.unpack("=Q", shared)[0]


def _mine(port):
    """Whether the process that connects from this port of 127.0.0.1 is this user's (proc_pid_net(5), tcp)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1] == f"0100007F:{port:04X}":
                return int(fields[7]) == os.getuid()
    return False
