"""Reads along with a cluster's first messages for the key that a later CancelRequest will show."""

LONGEST_KEY = 4 + 256  # process id and secret; the protocol's own bound since Postgres 18


class KeyReader:
    """Fed with what the server sends; keeps nothing but an unfinished header or key message."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        self.done = False
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> None:
        """Follow the frames up to the first ReadyForQuery, after which ``done`` is set."""
        data = self._rest + data
        at = self._skip
        self._rest = b""
        while not self.done and at + 5 <= len(data):
            kind = data[at]
            length = int.from_bytes(data[at + 1 : at + 5], "big")
            end = at + 1 + length
            if kind == ord("K") and length <= 4 + LONGEST_KEY:
                if end > len(data):
                    break
                self.key = data[at + 5 : end]
            # A length below its own four bytes is no protocol of Postgres: stop reading along.
            self.done = kind == ord("Z") or length < 4
            at = end
        self._skip = max(at - len(data), 0)
        if not self.done and not self._skip:
            self._rest = data[at:]
