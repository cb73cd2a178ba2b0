"""The wire format of MySQL's protocol, as far as the proxy looks at it: what packets are, and how they are read.

The protocol is that of https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html; MariaDB speaks it too.
"""

import struct

from mysql.connector.constants import ClientFlag

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


def framed(packet, number):
    """Return a packet with its header: length and number."""
    return struct.pack("<I", len(packet))[:3] + bytes([number & 0xFF]) + packet


def packet_end(data, at):
    """Return where the packet that starts at `at` ends, or would end, were all of it there."""
    return at + 4 + int.from_bytes(data[at : at + 3], "little")


def greeting(version, number):
    """Return a server's first packet, for the connection of this number."""
    return framed(
        b"\x0a" + version.encode() + b"\0" + struct.pack("<I", number) + b"abcdefgh\0"
        + struct.pack("<HBHHB", CAPABILITIES & 0xFFFF, 45, 2, CAPABILITIES >> 16, 21) + bytes(10)
        + b"ijklmnopqrst\0caching_sha2_password\0", 0,
    )  # fmt: skip


def login(packet):
    """Return what a client's answer to the greeting says: its flags, charset, scramble and database (bytes or None)."""
    flags, _, charset = struct.unpack_from("<IIB", packet)
    at = packet.index(b"\0", 32) + 1  # behind the user's name
    length = packet[at]
    scramble, at = packet[at + 1 : at + 1 + length], at + 1 + length
    database = packet[at : packet.index(b"\0", at)] if flags & ClientFlag.CONNECT_WITH_DB else None
    return flags, charset, scramble, database


def right_password(number):
    """Return the packet that says that the password is right."""
    return framed(b"\x01\x03", number)


def welcome(number):
    """Return the packet that lets a client in."""
    return framed(b"\0\0\0\x02\0\0\0", number)


def refusal(errno, sqlstate, text, number):
    """Return a packet with an error of the server's; text is bytes."""
    return framed(struct.pack("<BH", ERROR, errno) + b"#" + sqlstate.encode()[:5] + text, number)


def status(packet, at):
    """Return the status flags that stand in a packet."""
    return struct.unpack_from("<H", packet, at)[0]


def status_of_ok(packet):
    """Return the status flags of an OK packet: they stand behind two numbers of varying length."""
    at = 1
    for _ in range(2):  # rows affected, last id
        at += {0xFC: 3, 0xFD: 4, 0xFE: 9}.get(packet[at], 1)
    return status(packet, at)


def values(row):
    """Return the values of a row (bytes), None where one is NULL or too long for the name of a database."""
    at, found = 0, []
    while at < len(row):
        if row[at] > 0xFA:
            return None
        found.append(row[at + 1 : at + 1 + row[at]])
        at += 1 + row[at]
    return found


def row(values):
    """Return a row that holds short values (bytes)."""
    return b"".join(bytes([len(value)]) + value for value in values)
