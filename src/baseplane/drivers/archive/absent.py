"""No archive at all, where the operator wants none."""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from baseplane.drivers.archive import ArchiveUnavailable, BackupId, BaseBackup, Progress, Recovered, Stored, Target
from baseplane.drivers.cluster import ClusterSpec

OFF = "This installation archives nothing (BASEPLANE_ARCHIVE is off): there are no backups."


class NoArchive:
    is_on = False

    async def generation(self, ref: str) -> str | None:  # noqa: ARG002
        return None

    async def ship(self) -> list[Progress]:
        return []

    async def flush(self, spec: ClusterSpec) -> datetime:  # noqa: ARG002
        _refuse()

    async def mark(self, spec: ClusterSpec, point: str) -> datetime:  # noqa: ARG002
        _refuse()

    async def take(self, spec: ClusterSpec, backup: BackupId, parent: BackupId | None) -> BaseBackup:  # noqa: ARG002
        _refuse()

    async def prepare(self, spec: ClusterSpec, label: str, backup: BackupId, target: Target) -> Recovered:  # noqa: ARG002
        _refuse()

    async def rehearse(self, spec: ClusterSpec, backup: BackupId) -> Recovered:  # noqa: ARG002
        _refuse()

    async def stored(self, ref: str) -> list[Stored]:  # noqa: ARG002
        _refuse()

    async def forget(self, ref: str, generation: str, *, backups: Sequence[str], before: str | None) -> None:
        pass

    async def remove(self, ref: str, generation: str | None = None) -> None:
        pass

    async def end_rehearsal(self, ref: str) -> None:
        pass

    async def tidy(self) -> None:
        pass


def _refuse() -> NoReturn:
    raise ArchiveUnavailable(OFF)
