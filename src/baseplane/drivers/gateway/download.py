"""An answer's body on its way to the client."""

from collections.abc import Callable

from baseplane.drivers.gateway.framing import Framing

WHOLE = Framing((), keep=True)


class Download:
    """What has been read at once goes out at once, by ``flush``: a write costs more than all that is done here."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.sent = 0
        self.framing = WHOLE
        self._send = send
        self._out: list[bytes] = []

    def begin(self, head: bytes, framing: Framing) -> None:
        self.framing = framing
        self._out.append(head)

    def add(self, data: bytes) -> None:
        self.sent += len(data)
        self._out.append(b"%x\r\n%b\r\n" % (len(data), data) if self.framing.is_chunked else data)

    def end(self) -> None:
        if self.framing.is_chunked:
            self._out.append(b"0\r\n\r\n")

    def flush(self) -> None:
        if out := self._out:
            self._out = []
            self._send(out[0] if len(out) == 1 else b"".join(out))

    def drop(self) -> None:
        """Nobody is there any more."""
        self._out = []
