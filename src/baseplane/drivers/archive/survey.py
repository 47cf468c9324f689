"""What an archive holds, read from the archive alone: for when there is no database that says it."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from baseplane.drivers.archive import BaseBackup, base_backups, log
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.cluster.layout import PLATFORM

REF = re.compile(r"[a-z]{20}")
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Archived:
    """One cluster's archive: complete backups, oldest first, and when the newest of its log was put there."""

    ref: str
    backups: Sequence[BaseBackup]
    reaches: datetime | None


def survey(store: ObjectStore) -> dict[str, Archived]:
    """Every cluster that has an archive, by ref; the platform's own first, if it is there. Raises ArchiveUnavailable."""
    refs = [name for name in store.folders("") if name == PLATFORM or REF.fullmatch(name)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = threads.map(lambda ref: _look(store, ref), sorted(refs, key=lambda ref: (ref != PLATFORM, ref)))
        return {each.ref: each for each in found if each.backups or each.reaches}


def _look(store: ObjectStore, ref: str) -> Archived:
    backups = base_backups.found(store, ref)
    generations = store.folders(f"{ref}/")
    times = [time for each in generations if (time := store.newest(log.folder(ref, each)))]
    return Archived(ref, backups, max([*times, *(backup.ended_at for backup in backups[-1:])], default=None))
