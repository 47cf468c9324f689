"""Files that the platform keeps for its users, whole and by key: the promise that every store keeps."""

import re
from typing import Protocol

from baseplane.errors import BaseplaneError

_KEY = re.compile(r"(?!\.)[\w.-]{1,200}(/(?!\.)[\w.-]{1,200})*", re.ASCII)


class ArtifactMissing(BaseplaneError):
    """There is nothing under this key."""


class StoreUnavailable(BaseplaneError):
    """The store does not answer, or refuses. The message says what it said."""


class ArtifactStore(Protocol):
    """Bytes by key, such as ``<project>/functions/<id>``. Every method raises StoreUnavailable, and can be repeated."""

    async def put(self, key: str, data: bytes) -> None:
        """Kept for good when this returns. There is never a part of it under the key."""

    async def get(self, key: str) -> bytes:
        """Raises ArtifactMissing."""

    async def delete(self, key: str) -> None:
        """What is not there counts as deleted."""

    async def list(self, folder: str) -> list[str]:
        """The keys below ``folder``, which is a key without its last parts."""


async def clear(store: ArtifactStore, folder: str) -> None:
    """Delete everything below ``folder``. Raises StoreUnavailable."""
    for key in await store.list(folder):
        await store.delete(key)


def check_key(key: str) -> str:
    """Keys are ours, never a tenant's: this is the last of several fences. Raises ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key of an artifact")
    return key


__all__ = ["ArtifactMissing", "ArtifactStore", "StoreUnavailable", "check_key", "clear"]
