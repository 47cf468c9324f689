"""Ingress: the doors through which clients reach their projects, and the shapes that doors speak in."""

from dataclasses import dataclass, field
from typing import Protocol

from baseplane.errors import BaseplaneError


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who wants in, as far as a client shows before it is let through.

    ``user`` is the role that it named, without the ref; ``address`` the IP address that it comes from, IPv4 also where
    a socket for both families maps it; ``encrypted`` whether it speaks TLS; ``pooled`` whether it came by the
    transaction port; ``token`` the digest of the access token that it showed in place of a password, if it did;
    ``replica`` the read replica of the project that it wants, if it does. Rules are those of the project.
    """

    ref: str
    user: str
    address: str
    encrypted: bool
    pooled: bool
    token: bytes | None = field(default=None, repr=False)
    replica: str | None = None

    @property
    def database(self) -> str:
        """The name of what it wants to reach."""
        return self.replica or self.ref


@dataclass(frozen=True, slots=True)
class Route:
    """Where a project is served: the path of a Unix socket file."""

    socket: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a token opens: the ``visitor``, now with its token, and the ``user`` as whom the door logs in to the cluster."""

    visitor: Visitor
    route: Route
    user: str
    password: str = field(repr=False)


class Refused(BaseplaneError):
    """The connection may not go on. The client gets it as a FATAL error of Postgres."""

    def __init__(self, message: str, *, sqlstate: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.hint = hint


class Gate(Protocol):
    """Decides who is let in. The door asks it, and knows no rule itself."""

    async def admit(self, visitor: Visitor) -> Route:
        """The way in; may take its time to wake the cluster. Raises Refused."""

    async def admit_by_token(self, visitor: Visitor, token: str) -> Entry:
        """The way in for a visitor who shows an access token. Raises Refused, with 28P01 if the token is none."""

    async def review(self, visitor: Visitor) -> None:
        """Whether somebody who is inside could come in now. Raises Refused."""

    async def note_failure(self, visitor: Visitor, sqlstate: str) -> None:
        """Postgres has refused the login of somebody who was let in."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What strangers may take of the door. Times are in seconds.

    ``handshake`` runs from the first byte to a whole startup packet, ``connect`` covers the admission (with waking) and the
    connection to the cluster, ``linger`` is how long one side may take to read its rest when the other side is gone.
    ``buffered`` is what waits in memory per direction, in bytes, before the sender is made to wait.
    """

    connections: int = 4000
    startup_bytes: int = 10_000
    handshake: float = 10.0
    connect: float = 30.0
    linger: float = 30.0
    buffered: int = 65_536


__all__ = ["Entry", "Gate", "Limits", "Refused", "Route", "Visitor"]
