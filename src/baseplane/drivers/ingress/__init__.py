"""Ingress: the doors through which clients reach their projects, and the shapes that doors speak in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from baseplane.errors import BaseplaneError


@dataclass(frozen=True, slots=True)
class Route:
    """Where a project's cluster listens: the path of its Unix socket file."""

    socket: str


class Refused(BaseplaneError):
    """The connection may not go on. The client gets it as a FATAL error of Postgres."""

    def __init__(self, message: str, *, sqlstate: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.hint = hint


Lookup = Callable[[str], Awaitable[Route]]
"""From a project's ref to its route; may take its time to wake the cluster. Raises Refused."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What strangers may take of the door. Times are in seconds.

    ``handshake`` runs from the first byte to a whole startup packet, ``connect`` covers the lookup (with waking) and the
    connection to the cluster, ``linger`` is how long one side may take to read its rest when the other side is gone.
    ``buffered`` is what waits in memory per direction, in bytes, before the sender is made to wait.
    """

    connections: int = 4000
    startup_bytes: int = 10_000
    handshake: float = 10.0
    connect: float = 30.0
    linger: float = 30.0
    buffered: int = 65_536


__all__ = ["Limits", "Lookup", "Refused", "Route"]
