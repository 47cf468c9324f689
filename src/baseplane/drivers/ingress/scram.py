"""SCRAM-SHA-256 as a client speaks it, without channel binding (RFC 5802, RFC 7677), and the verifiers of Postgres.

For passwords that the platform made: they are ASCII, so that nothing has to be prepared as RFC 4013 asks.
"""

import base64
import hashlib
import hmac
import secrets

from baseplane.drivers.ingress import Refused

MECHANISM = b"SCRAM-SHA-256"
_GS2_HEADER = b"n,,"


class ScramClient:
    """One exchange: ``first`` is sent, ``final`` answers the server's first message, ``verify`` checks its last."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._nonce = base64.b64encode(secrets.token_bytes(18))
        self._signature: bytes | None = None

    def first(self) -> bytes:
        return _GS2_HEADER + self._bare()

    def _bare(self) -> bytes:
        return b"n=,r=" + self._nonce  # Postgres takes the user from the startup packet

    def final(self, server_first: bytes) -> bytes:
        """Raises Refused when the server answers somebody else's message."""
        fields = _fields(server_first)
        nonce = fields.get(b"r", b"")
        if not nonce.startswith(self._nonce) or nonce == self._nonce or not fields.get(b"i", b"").isdigit():
            raise _untrue()
        salted = _salted(self._password, base64.b64decode(fields.get(b"s", b"")), int(fields[b"i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = b"c=" + base64.b64encode(_GS2_HEADER) + b",r=" + nonce
        said = b",".join((self._bare(), server_first, without_proof))
        client_signature = hmac.digest(hashlib.sha256(client_key).digest(), said, "sha256")
        self._signature = hmac.digest(_server_key(salted), said, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, client_signature, strict=True))
        return without_proof + b",p=" + base64.b64encode(proof)

    def verify(self, server_final: bytes) -> None:
        """Raises Refused unless the server has shown that it knows the password too."""
        shown = base64.b64decode(_fields(server_final).get(b"v", b""))
        if self._signature is None or not hmac.compare_digest(shown, self._signature):
            raise _untrue()


def matches(verifier: str, password: str) -> bool:
    """Whether this is the verifier, as pg_authid keeps it, of this password."""
    mechanism, _, rest = verifier.partition("$")
    iterations, _, salt = rest.partition("$")[0].partition(":")
    _, _, server_key = rest.partition("$")[2].partition(":")
    if mechanism != MECHANISM.decode() or not iterations.isdigit():
        return False
    expected = _server_key(_salted(password, base64.b64decode(salt), int(iterations)))
    return hmac.compare_digest(base64.b64decode(server_key), expected)


def _salted(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)


def _server_key(salted: bytes) -> bytes:
    return hmac.digest(salted, b"Server Key", "sha256")


def _fields(message: bytes) -> dict[bytes, bytes]:
    return {field[:1]: field[2:] for field in message.split(b",")}


def _untrue() -> Refused:
    return Refused("the project's cluster has not shown that it is the one meant", sqlstate="08P01")
