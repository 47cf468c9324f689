"""Who is at the other end of a connection."""

import socket
import struct
from asyncio import BaseTransport
from dataclasses import dataclass
from ipaddress import IPv6Address

LOCAL = 0xFD62_7073 << 96
"""fd62:7073::/32, a network that is nobody's: each user of this machine counts as one /64 of it, as sites are counted."""


@dataclass(frozen=True, slots=True)
class Peer:
    """``is_local`` is who came by a Unix socket: nobody listens in there."""

    address: str
    is_local: bool


def peer_of(transport: BaseTransport) -> Peer:
    """Users of this machine are told apart: one who guesses passwords is not banned with the others."""
    connection = transport.get_extra_info("socket")
    if connection.family == socket.AF_UNIX:
        return Peer(str(IPv6Address(LOCAL | (_user(connection) << 64))), is_local=True)
    address = transport.get_extra_info("peername")[0]
    return Peer(address.removeprefix("::ffff:").partition("%")[0], is_local=False)


def _user(connection: socket.socket) -> int:
    """The uid of the process that connected, where the system tells it."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid) & 0xFFFF_FFFF
