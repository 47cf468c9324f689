"""TLS as a function of bytes. asyncio's own layer keeps a 256 kB buffer per connection, and cannot be
given bytes that were already read, which is how a client that starts with TLS at once is noticed.
"""

import logging
import ssl
from contextlib import suppress

from baseplane.drivers.certificates import Authority, bare_context

ALPN = "postgresql"
_RECORD = 16_384

log = logging.getLogger(__name__)


class Greeted(ssl.SSLObject):
    """A server-side TLS connection that remembers the name that its client asked for."""

    server_name: str | None = None


def door_context(authority: Authority, host: str) -> ssl.SSLContext:
    """A context that shows names of ``host`` their own certificate, and everybody else the pooler's."""
    default = (f"pooler.{host}", "localhost", "127.0.0.1", "::1")

    def choose(connection: ssl.SSLObject, server_name: str | None, _: ssl.SSLContext) -> int | None:
        name = server_name.lower() if server_name else ""
        own = name == host or name.endswith("." + host)
        try:
            connection.context = authority.server_context(*((name,) if own else default), alpn=[ALPN])
        except (OSError, ValueError) as error:
            log.warning("no certificate for a client: %s", error)
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        if own and isinstance(connection, Greeted):
            connection.server_name = name
        return None

    context = bare_context([ALPN])
    context.sslobject_class = Greeted
    context.sni_callback = choose
    return context


class Tls:
    """One connection's encryption. Raises ssl.SSLError when the client breaks the protocol."""

    def __init__(self, context: ssl.SSLContext, *, direct: bool) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._connection = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._direct = direct
        self.established = False
        self.ended = False

    @property
    def server_name(self) -> str | None:
        return self._connection.server_name if isinstance(self._connection, Greeted) else None

    def receive(self, data: bytes) -> bytes:
        """What the client said. Afterwards ``outgoing`` may hold an answer of TLS itself."""
        self._incoming.write(data)
        chunks = []
        try:
            if not self.established:
                self._connection.do_handshake()
                self._check_alpn()
                self.established = True
            while chunk := self._connection.read(_RECORD):
                chunks.append(chunk)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def seal(self, data: bytes) -> bytes:
        self._connection.write(data)
        return self._outgoing.read()

    def outgoing(self) -> bytes:
        return self._outgoing.read()

    def goodbye(self) -> bytes:
        """The end of stream, which tells a client that nothing was cut off."""
        with suppress(ssl.SSLError):  # it wants the client's goodbye, for which nobody waits
            self._connection.unwrap()
        return self._outgoing.read()

    def _check_alpn(self) -> None:
        # Without it, a browser could be led to send requests here that Postgres reads as its own protocol.
        if self._direct and self._connection.selected_alpn_protocol() != ALPN:
            raise ssl.SSLError("direct TLS without ALPN postgresql")
