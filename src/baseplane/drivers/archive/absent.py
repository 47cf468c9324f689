"""No archive at all, where the operator wants none."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from baseplane.drivers.archive import (
    ArchiveUnavailable,
    BackupId,
    BaseBackup,
    FileArchive,
    Progress,
    Recovered,
    Stored,
    Target,
)
from baseplane.drivers.cluster import ClusterSpec

OFF = "This installation archives nothing (BASEPLANE_ARCHIVE is off): there are no backups."


class NoArchive:
    is_on = False

    async def hold(self) -> None:
        pass

    async def leave(self) -> None:
        pass

    @property
    def files(self) -> FileArchive:
        _refuse()

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

    async def prepare(
        self,
        spec: ClusterSpec,  # noqa: ARG002
        label: str,  # noqa: ARG002
        backup: BackupId,  # noqa: ARG002
        target: Target,  # noqa: ARG002
        secret: str | None = None,  # noqa: ARG002
    ) -> Recovered:
        _refuse()

    async def rehearse(self, spec: ClusterSpec, backup: BackupId) -> Recovered:  # noqa: ARG002
        _refuse()

    async def stored(self, ref: str) -> list[Stored]:  # noqa: ARG002
        _refuse()

    async def found(self, ref: str) -> list[BaseBackup]:  # noqa: ARG002
        _refuse()

    async def keep(self, things: Mapping[str, str]) -> None:  # noqa: ARG002
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
