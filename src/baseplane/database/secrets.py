"""Secrets at rest: sealed with AES-256-GCM under a key that is not in the database.

A sealed secret is one version byte, 8 bytes of key id, 12 bytes of nonce, then the ciphertext with its tag. The key id
makes rotation a matter of adding a key: the first one seals, all of them open.
"""

import base64
import binascii
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from baseplane.errors import Unavailable

_VERSION = b"\x01"
_ID, _NONCE = 8, 12


def digest(secret: str) -> bytes:
    """What is stored of a token: 32 bytes of SHA-256. Tokens are random, so no salt or stretching is needed."""
    return hashlib.sha256(secret.encode()).digest()


class Keyring:
    """The platform's keys, the current one first."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._ciphers = {hashlib.sha256(key).digest()[:_ID]: AESGCM(key) for key in keys}
        if not self._ciphers:
            raise Unavailable("There is no platform key: put 32 random bytes in base64 into platform.key.")
        self._current = next(iter(self._ciphers))

    @classmethod
    def parse(cls, text: str) -> Self:
        """One base64 key of 32 bytes a line. Raises Unavailable."""
        try:
            keys = [base64.b64decode(line, validate=True) for line in text.split()]
        except binascii.Error as error:
            raise Unavailable("The platform key is not base64.") from error
        if any(len(key) != 32 for key in keys):
            raise Unavailable("A platform key has 32 bytes, in base64.")
        return cls(keys)

    @classmethod
    def at(cls, path: Path) -> Self:
        """The keys in this file, which is made with a new key if it is missing."""
        if not path.exists():
            _make(path)
        return cls.parse(path.read_text())

    def seal(self, secret: str, purpose: str) -> bytes:
        """Encrypt for one ``purpose``, such as ``projects.password:<ref>``; it opens for that purpose alone."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._current].encrypt(nonce, secret.encode(), purpose.encode())
        return _VERSION + self._current + nonce + sealed

    def open(self, sealed: bytes, purpose: str) -> str:
        """Raises Unavailable when the key is not in the ring, or the secret was sealed for something else."""
        key_id, nonce, rest = sealed[1 : 1 + _ID], sealed[1 + _ID : 1 + _ID + _NONCE], sealed[1 + _ID + _NONCE :]
        if sealed[:1] != _VERSION or key_id not in self._ciphers:
            raise Unavailable(f"A secret was sealed with platform key {key_id.hex()}, which is not in platform.key.")
        try:
            return self._ciphers[key_id].decrypt(nonce, rest, purpose.encode()).decode()
        except (InvalidTag, ValueError) as error:  # ValueError: cut short
            raise Unavailable(f"A stored secret ({purpose}) does not decrypt: it was damaged or moved.") from error


def _make(path: Path) -> None:
    """Write a new key aside and link it into place, whole; a process that was quicker wins."""
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # for us alone: mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(os.urandom(32)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        Path(fresh).unlink()
