"""What the sessions of one ingress share."""

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from typing import Protocol

from baseplane.drivers.ingress import Limits, Lookup, Route


class Endable(Protocol):
    """A session, as the door sees it."""

    def abort(self) -> None: ...


@dataclass(slots=True)
class Door:
    """Made once per ingress. ``cancels`` leads from a backend's key to where that backend runs."""

    lookup: Lookup
    tls: ssl.SSLContext
    host: str
    limits: Limits
    sessions: set[Endable] = field(default_factory=set)
    cancels: dict[bytes, Route] = field(default_factory=dict)
    empty: asyncio.Event = field(default_factory=asyncio.Event)


def keep_alive(connection: socket.socket) -> None:
    """Notice clients that vanished, after two minutes of silence, and send what there is at once."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
