"""Reads along with a cluster's first messages: how the login ends, and the key that a later CancelRequest will show."""

LONGEST = 8192
"""Bytes of a message that is kept until it is whole; keys have 256 at most since Postgres 18, errors a few hundred."""

POOLER_REFUSALS = frozenset({b"SASL authentication failed", b"password authentication failed", b"no such user"})
"""How PgBouncer 1.18 refuses a wrong password or role, all with SQLSTATE 08P01 (its src/client.c); Postgres says it in
other words, with the user's name.
"""


class LoginReader:
    """Fed with what the server sends; keeps nothing but an unfinished header, key or error.

    ``key`` is the backend's, ``failure`` the SQLSTATE with which the login was refused.
    """

    def __init__(self) -> None:
        self.key: bytes | None = None
        self.failure: str | None = None
        self.done = False
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> None:
        """Follow the frames up to the first error or ReadyForQuery, after which ``done`` is set."""
        data = self._rest + data
        at = self._skip
        self._rest = b""
        while not self.done and at + 5 <= len(data):
            kind = data[at]
            length = int.from_bytes(data[at + 1 : at + 5], "big")
            end = at + 1 + length
            if kind in b"KE" and length <= LONGEST:
                if end > len(data):
                    break
                self._keep(kind, data[at + 5 : end])
            # A length below its own four bytes is no protocol of Postgres: stop reading along.
            self.done = kind in b"ZE" or length < 4
            at = end
        self._skip = max(at - len(data), 0)
        if not self.done and not self._skip:
            self._rest = data[at:]

    def _keep(self, kind: int, body: bytes) -> None:
        if kind == ord("K"):
            self.key = body
        else:
            fields = {field[:1]: field[1:] for field in body.split(b"\0")}
            from_pooler = fields.get(b"M") in POOLER_REFUSALS
            self.failure = "28P01" if from_pooler else fields.get(b"C", b"").decode("ascii", "replace")
