"""Passwords that pass through the ingress: a client's access token, and the ingress' own login to a cluster.

Formats: "Message Formats" in the Postgres manual, chapter Frontend/Backend Protocol.
"""

import asyncio
import struct

from baseplane.drivers.ingress import Refused
from baseplane.drivers.ingress.scram import MECHANISM, ScramClient

ASK_CLEARTEXT = b"R" + struct.pack("!II", 8, 3)
LONGEST = 8192
"""Bytes of a message of either side; tokens have some fifty, Postgres' messages about a login a few hundred."""
_OK, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 10, 11, 12


class Prompt:
    """Waits for what a client answers to ``ASK_CLEARTEXT``."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def feed(self, buffer: bytearray) -> None:
        """Take the password out of the buffer, once it is whole."""
        if self.answer.done():
            return
        try:
            frame = _take_frame(buffer, b"p")
        except Refused as error:
            self.answer.set_exception(error)
        else:
            if frame is not None:
                self.answer.set_result(frame[5:].removesuffix(b"\0").decode(errors="replace"))

    def give_up(self) -> None:
        """The client sends no more."""
        if not self.answer.done():
            self.answer.set_exception(Refused("no password was sent", sqlstate="28P01"))


class ClusterLogin:
    """Logs in to a cluster in the client's place, which sees of it no more than that it has ended."""

    def __init__(self, password: str) -> None:
        self.done = False
        self._scram = ScramClient(password)
        self._proven = False
        self._buffer = bytearray()

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """What is to be sent to the cluster, and to the client. Raises Refused."""
        self._buffer += data
        to_cluster, to_client = bytearray(), bytearray()
        while not self.done and (frame := _take_frame(self._buffer)):
            if frame[:1] == b"R":
                to_cluster += self._answer(int.from_bytes(frame[5:9], "big"), frame[9:])
            self.done = frame[:1] == b"E" or frame[:9] == b"R" + struct.pack("!II", 8, _OK)
            if self.done or frame[:1] != b"R":
                to_client += frame
        if self.done:
            to_client += self._buffer
            self._buffer.clear()
        return bytes(to_cluster), bytes(to_client)

    def _answer(self, request: int, body: bytes) -> bytes:
        if request == _SASL and MECHANISM in body.split(b"\0"):
            first = self._scram.first()
            return _frame(b"p", MECHANISM + b"\0" + struct.pack("!I", len(first)) + first)
        if request == _SASL_CONTINUE:
            return _frame(b"p", self._scram.final(body))
        if request == _SASL_FINAL:
            self._scram.verify(body)
            self._proven = True
            return b""
        if request == _OK and self._proven:
            return b""
        raise Refused("the project's cluster asks for a login that is not SCRAM-SHA-256", sqlstate="08P01")


def _frame(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _take_frame(buffer: bytearray, only: bytes = b"") -> bytes | None:
    """Remove the first message, once it is whole. Raises Refused for one that is too long or of another kind."""
    if only and buffer and buffer[:1] != only:
        raise Refused("expected a password", sqlstate="08P01")
    if len(buffer) < 5:
        return None
    end = 1 + int.from_bytes(buffer[1:5], "big")
    if not 5 <= end <= LONGEST:
        raise Refused("invalid length of a message of the login", sqlstate="08P01")
    if len(buffer) < end:
        return None
    frame = bytes(buffer[:end])
    del buffer[:end]
    return frame
