"""The first packets of a Postgres connection: which project is meant, and what its cluster is to see of it.

Formats: "Message Formats" in the Postgres manual, chapter Frontend/Backend Protocol.
"""

import re
import struct
from dataclasses import dataclass

from baseplane.drivers.ingress import Refused

CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
TLS_HANDSHAKE = 0x16  # first byte of a TLS ClientHello; no startup packet may be long enough to begin with it

PROTOCOL_VIOLATION = "08P01"
NOT_ALLOWED = "28000"
"""invalid_authorization_specification: Postgres says it too when pg_hba.conf has no entry for a client."""
WAYS = (
    "Name the project in the user (role.<ref>), in the options (reference=<ref>), "
    "or connect over TLS to its own host name (db.<ref>.{host})."
)

_NAME = r"[a-z]{20}(?:-rr-[a-z]+-[a-z]+-[0-9]-[a-z]{5})?"
"""How a database is named: its project's ref, and for a read replica what tells it from others of the project."""
_USER = re.compile(rb"(.+)\.(%b)" % _NAME.encode(), re.DOTALL)
_REFERENCE = re.compile(rb"(?:^|(?<!\\)\s)(?:-c\s*|--)?reference=(\S*)")
_BY_TOKEN = re.compile(rb"(?:^|(?<!\\)\s)(?:-c\s*|--)jit=(?:on|true|yes|1)(?!\S)")
_DATABASE = re.compile(_NAME)
REF = 20
"""Characters of a ref."""


def take_packet(buffer: bytearray, limit: int) -> bytes | None:
    """Remove the first packet from the buffer, once it is whole. Raises Refused."""
    if len(buffer) < 4:
        return None
    length = int.from_bytes(buffer[:4], "big")
    if not 8 <= length <= limit:
        raise Refused("invalid length of startup packet", sqlstate=PROTOCOL_VIOLATION)
    if len(buffer) < length:
        return None
    packet = bytes(buffer[:length])
    del buffer[:length]
    return packet


def request_code(packet: bytes) -> int:
    """The protocol version that a packet asks for, or the code of another request."""
    return int.from_bytes(packet[4:8], "big")


def cancel_request(key: bytes) -> bytes:
    """The packet that asks to cancel what the backend with this key is doing."""
    return struct.pack("!II", 8 + len(key), CANCEL_REQUEST) + key


def login_request(user: str) -> bytes:
    """A startup packet of protocol 3.0 for database postgres."""
    body = b"\0\x03\0\0" + b"user\0" + user.encode() + b"\0database\0postgres\0\0"
    return struct.pack("!I", len(body) + 4) + body


@dataclass(frozen=True, slots=True)
class Admission:
    """A startup packet that named its project: the ref, the user, and the packet without the ref.

    ``replica`` is the read replica that it named. ``by_token`` tells that the client asked to show an access token in place of a password (option jit=on).
    """

    ref: str
    user: str
    packet: bytes
    by_token: bool
    replica: str | None


def admit(packet: bytes, server_name: str | None, host: str) -> Admission:
    """Find the project by user, options or the TLS server name, in this order. Raises Refused."""
    parameters = _parameters(packet)
    name = _from_user(parameters) or _from_options(parameters) or database_of_host(server_name, host)
    if name is None:
        hint = WAYS.format(host=host)
        raise Refused("no project was named by this connection", sqlstate=PROTOCOL_VIOLATION, hint=hint)
    by_token = _take_option(parameters, _BY_TOKEN) is not None
    user = parameters.get(b"user", b"").decode(errors="replace")
    replica = name if len(name) > REF else None
    return Admission(name[:REF], user, _packet(packet, parameters), by_token, replica)


def with_user(packet: bytes, user: str) -> bytes:
    """The same startup packet for another user."""
    return _packet(packet, _parameters(packet) | {b"user": user.encode()})


def _packet(like: bytes, parameters: dict[bytes, bytes]) -> bytes:
    """A startup packet of the same protocol version."""
    body = b"".join(name + b"\0" + value + b"\0" for name, value in parameters.items()) + b"\0"
    return struct.pack("!I", len(body) + 8) + like[4:8] + body


def database_of_host(server_name: str | None, host: str) -> str | None:
    """The name in ``db.<name>.<host>`` or ``<name>.<host>``, else None."""
    if server_name is None or not server_name.endswith("." + host):
        return None
    label = server_name.removesuffix("." + host).removeprefix("db.")
    return label if _DATABASE.fullmatch(label) else None


def error_response(error: Refused) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": error.sqlstate, "M": error.message, "H": error.hint}
    body = b"".join(
        code.encode() + text.replace("\0", "").encode() + b"\0" for code, text in fields.items() if text is not None
    )
    return b"E" + struct.pack("!I", len(body) + 5) + body + b"\0"


def _parameters(packet: bytes) -> dict[bytes, bytes]:
    major = request_code(packet) >> 16
    if major != 3:
        raise Refused(f"unsupported frontend protocol {major}; the server speaks 3", sqlstate="0A000")
    if not packet.endswith(b"\0") or len(packet) == 8:
        raise Refused("invalid startup packet layout: expected terminator", sqlstate=PROTOCOL_VIOLATION)
    items = packet[8:-1].split(b"\0")
    if items.pop() or len(items) % 2 or not all(items[::2]):
        raise Refused("invalid startup packet layout", sqlstate=PROTOCOL_VIOLATION)
    return dict(zip(items[::2], items[1::2], strict=True))


def _from_user(parameters: dict[bytes, bytes]) -> str | None:
    match = _USER.fullmatch(parameters.get(b"user", b""))
    if match is None:
        return None
    if parameters.get(b"database") == parameters[b"user"]:  # libpq's default is the user's name, of which only this is
        parameters[b"database"] = match[1]
    parameters[b"user"] = match[1]
    return match[2].decode()


def _from_options(parameters: dict[bytes, bytes]) -> str | None:
    match = _take_option(parameters, _REFERENCE)
    if match is None:
        return None
    name = match[1].decode(errors="replace")
    if not _DATABASE.fullmatch(name):
        hint = "A project's ref is 20 lower-case letters."
        raise Refused("reference= in the options names no project", sqlstate=PROTOCOL_VIOLATION, hint=hint)
    return name


def _take_option(parameters: dict[bytes, bytes], pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """Find an option that is meant for us, and keep it from the cluster."""
    options = parameters.get(b"options", b"")
    match = pattern.search(options)
    if match is not None:
        rest = pattern.sub(b"", options).strip()
        if rest:
            parameters[b"options"] = rest
        else:
            del parameters[b"options"]
    return match
