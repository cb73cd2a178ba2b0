"""One connection of a learner's program: passed on to the server packet by packet, and looked at."""

import contextlib
import re
import select
import socket
import struct

from mysql.connector import Error
from mysql.connector.constants import ServerFlag

from helpers.check import wire
from helpers.check.traffic import Query

CHUNK = 4096  # bytes passed on at once, and those that wait in the socket: more would run far ahead of the learner
KILL = re.compile(rb"(\bKILL\s+(?:QUERY\s+|CONNECTION\s+)?)(\d+)", re.IGNORECASE)
SHOWS_DATABASES = re.compile(rb"SHOW\s+(DATABASES|SCHEMAS)|SCHEMATA|DATABASE\s*\(|SCHEMA\s*\(", re.IGNORECASE)


def _happens(side, event):
    """Tell whether an event of poll(2), or a hang-up, is there on a socket; False for one that is closed here."""
    poll = select.poll()
    try:
        poll.register(side, event)
    except ValueError:
        return False
    return bool(poll.poll(0))


class Relay:
    """One connection of the learner's, served in a thread of its own."""

    def __init__(self, proxy, number, client):
        self.proxy, self.number, self.client = proxy, number, client
        self.upstream = self.real_id = None
        self.autocommit = True
        self.state, self.left = self._idle, 0
        self.query, self.counted, self.shows = None, False, False
        self.lost = False  # the simulated server is gone
        self.doing = "works"  # or it "waits" for either side, or "sends" to a learner's program that must read first
        self.statements = {}  # id of a prepared statement -> its text

    def serve(self):
        try:
            if self._welcome():
                self._pass_on()
        except (OSError, EOFError, struct.error, IndexError):
            pass  # one of the two sides is gone
        finally:
            self.end()
            self.proxy.forget(self)  # first: whoever counts connections looks at open sockets only
            self.client.close()
            if self.upstream is not None:
                self.upstream.close()

    def end(self):
        """End both sides; the thread that serves them notices."""
        for side in (self.client, self.upstream):
            if side is not None:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    def is_held(self):
        """Tell whether the learner's side of the connection is open."""
        return self.client.fileno() >= 0 and not _happens(self.client, 0)  # that the other side hung up is told unasked

    def is_at_work(self):
        """Tell whether something is on its way: bytes to pass on, or an answer that the server has not given yet."""
        if self.doing == "sends":
            return _happens(self.client, select.POLLOUT)
        readable = any(_happens(side, select.POLLIN) for side in (self.client, self.upstream) if side is not None)
        return self.doing == "works" or readable or self.state != self._idle

    # The welcome --------------------------------------------------------------------------------------------------

    def _welcome(self):
        """Greet the client as a server does, let it in, and connect to the real one; say whether that worked."""
        self.client.sendall(wire.greeting(self.proxy.version, self.number))
        flags, charset, scramble, database = wire.login(self._read_packet())
        if database is not None:
            database = self.proxy.renamed(database).decode() or None
        number = 2
        if len(scramble) > 1:
            self.client.sendall(wire.right_password(number))
            number += 1
        self.proxy.traffic.connections += 1
        try:
            connection = self.proxy.connect(flags, charset, database)
        except Error as error:
            text = self.proxy.shown_name((error.msg or str(error)).encode())
            self.client.sendall(wire.refusal(error.errno or 2003, error.sqlstate or "HY000", text, number))
            return False
        self.upstream = connection._socket.sock
        self.upstream.settimeout(None)
        self.keep = connection  # as long as its socket is in use
        self.real_id = connection.connection_id
        self.proxy.real_ids.add(self.real_id)
        self.client.sendall(wire.welcome(number))
        return True

    def _read_packet(self):
        header = self._read_exactly(4)
        return self._read_exactly(wire.packet_end(header, 0) - 4)

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
            self.doing = "waits"
            ready = [self.upstream] if pending() else select.select([self.client, self.upstream], [], [])[0]
            self.doing = "works"
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
                    self.doing = "sends"
                    self.client.sendall(out)
            if self.lost:
                return

    def _take(self, data, look):
        """Give each whole packet in `data` to `look`; return what is left over, and what to pass on."""
        at, out, whole = 0, [], len(data)
        while at + 4 <= whole and not self.lost:
            end = wire.packet_end(data, at)
            if end > whole:
                break
            changed = look(data[at + 3], data[at + 4 : end])
            out.append(data[at:end] if changed is None else wire.framed(changed, data[at + 3]))
            at = end
        return data[at:], b"".join(out)

    def _asked(self, number, packet):
        """Look at a packet from the client; return what to send in its place, or None to send it as it is."""
        if number or not packet:
            return None  # goes on with an earlier one
        command, text = packet[0], packet[1:]
        self.query = None
        if command == wire.QUERY:
            changed = self.proxy.renamed(text)
            changed = KILL.sub(lambda m: m[1] + b"%d" % self.proxy.real_id(int(m[2])), changed)
            self._note(text)
            self.state = self._first
            return bytes([command]) + changed
        if command == wire.INIT_DB:
            self.state = self._first
            return bytes([command]) + self.proxy.renamed(text)
        if command == wire.PREPARE:
            self.preparing = text
            self.state = self._prepared
            return bytes([command]) + self.proxy.renamed(text)
        if command == wire.EXECUTE:
            self._note(self.statements.get(text[:4], b""))
            self.state = self._first
        elif command == wire.FETCH:
            self._note(b"FETCH")
            self.state = self._row
        elif command == wire.FIELD_LIST:
            self.state = self._row
        elif command == wire.KILL_PROCESS:
            self.state = self._first
            return bytes([command]) + struct.pack("<I", self.proxy.real_id(struct.unpack("<I", text)[0]))
        elif command == wire.CHANGE_USER:
            self.state = self._first
            return bytes([wire.RESET])
        elif command == wire.QUIT:
            raise EOFError
        elif command in (wire.LONG_DATA, wire.CLOSE_STATEMENT):
            self.state = self._idle
        else:
            self.state = self._other
        return None

    def _note(self, text):
        self.query = Query(text.decode(errors="replace"), self.autocommit)
        self.counted = self.query.selects
        self.proxy.traffic.queries.append(self.query)
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
        if kind == wire.OK:
            self._status(wire.status_of_ok(packet))
        elif kind == wire.ERROR:
            return self._failed(packet)
        elif kind != wire.INFILE:
            self.left, self.state = packet[0], self._column
            self.shows = self.query is not None and SHOWS_DATABASES.search(self.query.text.encode())
        return None

    def _column(self, packet):
        if self.left == 0:  # the end of the columns
            exists = wire.status(packet, 3) & ServerFlag.STATUS_CURSOR_EXISTS
            self.state = self._idle if exists else self._row
        self.left -= 1

    def _row(self, packet):
        if packet[0] == wire.EOF and len(packet) < 9:
            self._status(wire.status(packet, 3))
        elif packet[0] == wire.ERROR:
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
        if packet[0] == wire.OK:
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
            self.query.error = wire.status(packet, 1)
        return self.proxy.shown_name(packet)

    def _with_shown_name(self, row):
        """Return a row of a list of databases with the name that the learner knows."""
        names = wire.values(row)
        if names is None:
            return row
        return wire.row(map(self.proxy.name_for_learner, names))
