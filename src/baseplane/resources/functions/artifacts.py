"""The source of a version, out of the store of artifacts."""

import asyncio
import hashlib

from baseplane.drivers.artifacts import ArtifactStore, StoreUnavailable
from baseplane.resources.functions import eszip, source
from baseplane.resources.functions.history import Served
from baseplane.resources.functions.store import Function


class ArtifactDamaged(StoreUnavailable):
    """What the store holds is not what was put there."""


async def read(store: ArtifactStore, version: Function) -> dict[str, bytes]:
    """Files by path. Raises ArtifactMissing, StoreUnavailable."""
    packed = await read_packed(store, version)
    if version.format == "eszip":
        return dict((await asyncio.to_thread(eszip.read, packed, version.entrypoint, version.import_map)).files)
    return await asyncio.to_thread(source.unpack, packed)


async def read_packed(store: ArtifactStore, version: Function | Served) -> bytes:
    """The artifact as it was kept. Raises ArtifactMissing, ArtifactDamaged, StoreUnavailable."""
    packed = await store.get(version.artifact)
    if await asyncio.to_thread(lambda: hashlib.sha256(packed).hexdigest()) != version.digest:
        raise ArtifactDamaged(
            f"The artifact of {version.slug}, version {version.version}, is damaged. Deploy it again."
        )
    return packed
