"""What a project has beside its cluster, whole files each under the SHA-256 of what is in it.

<ref>/files/<kind>/<SHA-256>.zst[.aes]

The name is the checksum: it says what must come out, whether the object is encrypted or not, and the same file put
twice is kept once. Functions are of the kind ``functions``; files of storage buckets would be of another.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterable

from baseplane.drivers.archive import BackupDamaged, sealing
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore

FOLDER = "files"
"""Beside the project's generations, none of which is called so."""


class StoredFiles:
    """``keyring`` opens what is encrypted; what is put is encrypted by ``sealing``, if there is one. ``hold`` is called
    before anything is changed, and refuses where another installation writes.
    """

    def __init__(
        self, store: ObjectStore, keyring: Keyring, sealing: Keyring | None, hold: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._sealing = sealing
        self._hold = hold

    async def put(self, ref: str, kind: str, data: bytes) -> None:
        await asyncio.to_thread(self._put, ref, kind, data)

    def _put(self, ref: str, kind: str, data: bytes) -> None:
        self._hold()
        key = _key(ref, kind, hashlib.sha256(data).hexdigest()) + sealing.suffix(self._sealing)
        self._store.put(key, sealing.close([data], key, self._sealing))

    async def get(self, ref: str, kind: str, sha256: str) -> bytes:
        return await asyncio.to_thread(self._get, ref, kind, sha256)

    def _get(self, ref: str, kind: str, sha256: str) -> bytes:
        key, kept = self._read(ref, kind, sha256)
        data = b"".join(sealing.open_([kept], key, self._keyring))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BackupDamaged(f"{key} in the archive is damaged: its contents do not have the SHA-256 of its name.")
        return data

    def _read(self, ref: str, kind: str, sha256: str) -> tuple[str, bytes]:
        for key in _keys(ref, kind, sha256):
            with contextlib.suppress(BackupDamaged):  # it is not there, or not as this
                return key, self._store.read(key)
        raise BackupDamaged(f"{_key(ref, kind, sha256)} is missing in the archive.")

    async def delete(self, ref: str, kind: str, digests: Iterable[str]) -> None:
        keys = [key for sha256 in digests for key in _keys(ref, kind, sha256)]
        await asyncio.to_thread(self._delete, keys)

    def _delete(self, keys: list[str]) -> None:
        self._hold()
        self._store.delete(keys)


def _key(ref: str, kind: str, sha256: str) -> str:
    return f"{ref}/{FOLDER}/{kind}/{sha256}"


def _keys(ref: str, kind: str, sha256: str) -> list[str]:
    """As which it may be kept: the operator may have begun, or ceased, to encrypt."""
    return [_key(ref, kind, sha256) + suffix for suffix in sealing.SUFFIXES]
