"""What the archive's objects are made of: compressed by zstd and, unless the operator wants otherwise, encrypted.

An encrypted object begins with its own key, sealed by the platform's keyring, so that the keyring can change and old
objects still open. Then come frames: four bytes of length, and that many of AES-256-GCM. The nonce counts the frames
and the last is marked, so that none can be left out, put elsewhere or cut off.
"""

import itertools
import os
import struct
from collections.abc import Iterable, Iterator
from typing import Protocol

from backports import zstd
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from baseplane.drivers.archive import BackupDamaged, KeyUnknown
from baseplane.errors import Unavailable

FRAME = 1024 * 1024
PIECE = 1024 * 1024
"""Bytes that are unpacked at a time: a small object may hold very much."""
LEVEL = 1
MORE, LAST = b"more", b"last"
_LENGTH = struct.Struct("!I")


class Keyring(Protocol):
    """Who keeps the keys that objects' own keys are sealed with."""

    def seal(self, secret: str, purpose: str) -> bytes: ...

    def open(self, sealed: bytes, purpose: str) -> str: ...


ENCRYPTED, PLAIN = SUFFIXES = (".zst.aes", ".zst")
"""What an object's key ends with says how it is read, whatever is set today."""


def suffix(keyring: Keyring | None) -> str:
    return ENCRYPTED if keyring else PLAIN


def close(chunks: Iterable[bytes], key: str, keyring: Keyring | None) -> Iterator[bytes]:
    """Compress, and encrypt for the object ``key`` if there is a keyring."""
    compressed = _compress(chunks)
    return _encrypt(compressed, key, keyring) if keyring else compressed


def open_(chunks: Iterable[bytes], key: str, keyring: Keyring) -> Iterator[bytes]:
    """The other way. Raises BackupDamaged."""
    return _decompress(_decrypt(chunks, key, keyring) if key.endswith(".aes") else chunks, key)


def _compress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zstd.ZstdCompressor(
        options={zstd.CompressionParameter.compression_level: LEVEL, zstd.CompressionParameter.checksum_flag: 1}
    )
    for chunk in chunks:
        if made := compressor.compress(chunk):
            yield made
    yield compressor.flush()


def _decompress(chunks: Iterable[bytes], key: str) -> Iterator[bytes]:
    decompressor = zstd.ZstdDecompressor()
    try:
        for chunk in chunks:
            yield decompressor.decompress(chunk, PIECE)
            while not decompressor.needs_input and not decompressor.eof:
                yield decompressor.decompress(b"", PIECE)
    except (zstd.ZstdError, EOFError) as error:
        raise BackupDamaged(f"{key} in the archive is damaged: it does not decompress.") from error
    if not decompressor.eof:
        raise BackupDamaged(f"{key} in the archive is damaged: its end is missing.")


def _encrypt(chunks: Iterable[bytes], key: str, keyring: Keyring) -> Iterator[bytes]:
    secret = os.urandom(32)
    sealed = keyring.seal(secret.hex(), f"archive:{key}")
    yield _LENGTH.pack(len(sealed)) + sealed
    cipher, nonces = AESGCM(secret), itertools.count()
    waiting = b""
    for frame in _frames(chunks):
        if waiting:
            yield _frame(cipher, next(nonces), waiting, MORE)
        waiting = frame
    yield _frame(cipher, next(nonces), waiting, LAST)


def _frame(cipher: AESGCM, nonce: int, frame: bytes, position: bytes) -> bytes:
    sealed = cipher.encrypt(nonce.to_bytes(12, "big"), frame, position)
    return _LENGTH.pack(len(sealed)) + sealed


def _frames(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= FRAME:
            yield bytes(waiting[:FRAME])
            del waiting[:FRAME]
    if waiting:
        yield bytes(waiting)


def _decrypt(chunks: Iterable[bytes], key: str, keyring: Keyring) -> Iterator[bytes]:
    frames = _lengthed(chunks, key)
    cipher = AESGCM(_own_key(next(frames, b""), key, keyring))
    position, waiting = 0, next(frames, b"")
    try:
        for frame in frames:
            yield cipher.decrypt(position.to_bytes(12, "big"), waiting, MORE)
            position, waiting = position + 1, frame
        yield cipher.decrypt(position.to_bytes(12, "big"), waiting, LAST)
    except InvalidTag as error:
        raise BackupDamaged(f"{key} in the archive is damaged: it does not decrypt.") from error


def _own_key(sealed: bytes, key: str, keyring: Keyring) -> bytes:
    """Nothing that is tried again later would mend it: the object is damaged, or the keyring lacks its key."""
    try:
        return bytes.fromhex(keyring.open(sealed, f"archive:{key}"))
    except Unavailable as error:
        raise KeyUnknown(f"{key} in the archive does not open. {error.message}") from error


def _lengthed(chunks: Iterable[bytes], key: str) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= 4 and len(waiting) >= 4 + (length := _LENGTH.unpack_from(waiting)[0]):
            yield bytes(waiting[4 : 4 + length])
            del waiting[: 4 + length]
    if waiting:
        raise BackupDamaged(f"{key} in the archive is damaged: its end is missing.")
