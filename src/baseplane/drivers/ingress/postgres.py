"""The Postgres door: one server for all projects of an installation."""

import asyncio
from collections import Counter
from pathlib import Path

from baseplane.drivers.certificates import Authority
from baseplane.drivers.ingress import Gate, Limits, Refused
from baseplane.drivers.ingress.door import Door
from baseplane.drivers.ingress.session import Session
from baseplane.drivers.ingress.tls import door_context


class PostgresIngress:
    """Leads Postgres clients to the project they name, by user, options or TLS server name.

    TLS ends here and passwords are checked by the cluster. SCRAM therefore works end to end, except with
    ``channel_binding=require``: the cluster does not see the TLS connection to which the client would bind.
    """

    def __init__(self, gate: Gate, authority: Authority, project_host: str, limits: Limits | None = None) -> None:
        host = project_host.lower()
        self._door = Door(gate, door_context(authority, host), host, limits or Limits())
        self._servers: list[asyncio.Server] = []

    @property
    def connections(self) -> int:
        """How many clients are connected, those included that have not yet named a project."""
        return len(self._door.sessions)

    async def listen(self, host: str, port: int, *, pooled: bool = False) -> int:
        """Serve on a port, 0 for any free one, and return it. May be called for several ports. Raises OSError.

        Who comes by a ``pooled`` port is a visitor of the transaction pooler.
        """
        server = await asyncio.get_running_loop().create_server(
            lambda: Session(self._door, pooled=pooled), host, port, backlog=512
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def listen_locally(self, path: Path) -> None:
        """Serve every user of this machine on a Unix socket. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o711)
        path.unlink(missing_ok=True)
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: Session(self._door, pooled=False), path, backlog=512
        )
        path.chmod(0o666)
        self._servers.append(server)

    async def review(self, ref: str | None = None, *, by_token: bool = False) -> int:
        """End the sessions of a project, or of all, that the gate would not let in now; gives their number.

        ``by_token`` leaves out those that came in with a password.
        """
        inside = [(guest, guest.visitor) for guest in self._door.sessions if guest.visitor is not None]
        ended = 0
        for guest, visitor in inside:
            if ref in (None, visitor.ref) and (visitor.token or not by_token):
                try:
                    await self._door.gate.review(visitor)
                except Refused as error:
                    guest.expel(error)
                    ended += 1
        return ended

    def open_sessions(self) -> Counter[str]:
        """How many sessions each project has."""
        return Counter(guest.visitor.ref for guest in self._door.sessions if guest.visitor is not None)

    async def close(self) -> None:
        """Stop listening, end every session, and return when nothing is left of them."""
        for server in self._servers:
            server.close()
        for session in list(self._door.sessions):
            session.abort()
        if self._door.sessions:
            await self._door.empty.wait()
        if self._door.background:
            await asyncio.wait(self._door.background)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
