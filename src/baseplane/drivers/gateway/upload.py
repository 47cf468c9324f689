"""A request's body on its way to the upstream."""


class Upload:
    """Kept until ``opened``, and passed on from then. ``is_whole``: its end has come. ``is_touched``: part of it has
    been passed on, so that the request cannot be made once more. ``limit`` is in bytes, once it is known.
    """

    def __init__(self, *, is_chunked: bool) -> None:
        self.received = 0
        self.limit: int | None = None
        self.kept = 0
        self.is_whole = self.is_touched = False
        self._is_chunked = is_chunked
        self._pending: list[bytes] = []

    def is_too_large(self, size: int) -> bool:
        return self.limit is not None and size > self.limit

    def keep(self, data: bytes) -> None:
        self.received += len(data)
        self._pending.append(data)
        self.kept += len(data)

    def frame(self, data: bytes) -> bytes:
        """``data`` as it goes on the wire."""
        self.received += len(data)
        self.is_touched = True
        return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data

    def end(self) -> bytes:
        """What goes on the wire after the body."""
        return b"0\r\n\r\n" if self._is_chunked else b""

    def opened(self) -> bytes:
        """All that has come until now, as it goes on the wire."""
        pending, self._pending = self._pending, []
        self.received -= self.kept
        self.kept = 0
        return b"".join(map(self.frame, pending)) + (self.end() if self.is_whole else b"")
