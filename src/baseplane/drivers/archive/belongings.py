"""What an installation cannot be brought back without and no database holds, in one object that is always encrypted."""

import json
from collections.abc import Mapping

from baseplane.drivers.archive import BackupDamaged, sealing
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.cluster.layout import PLATFORM

KEY = f"{PLATFORM}/belongings.zst.aes"


def put(store: ObjectStore, keyring: Keyring, things: Mapping[str, str]) -> None:
    """Replace what is kept: texts by name. Raises ArchiveUnavailable."""
    store.put(KEY, sealing.close([json.dumps(dict(things)).encode()], KEY, keyring))


def get(store: ObjectStore, keyring: Keyring) -> dict[str, str]:
    """What is kept, if anything is. Raises KeyUnknown, BackupDamaged, ArchiveUnavailable."""
    try:
        sealed = store.read(KEY)
    except BackupDamaged:
        return {}
    things: dict[str, str] = json.loads(b"".join(sealing.open_([sealed], KEY, keyring)))
    return things
