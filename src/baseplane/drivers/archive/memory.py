"""An archive that only remembers, of clusters that are only remembered: for tests of what stands on a driver."""

from collections.abc import Sequence
from datetime import UTC, datetime

from baseplane.drivers.archive import BackupDamaged, BackupId, BaseBackup, Progress, Recovered, Stored, Target
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.errors import Unavailable


class MemoryArchive:
    """A cluster's data is the target that it was brought to and its generation; ``waiting`` is what ``ship`` tells."""

    is_on = True

    def __init__(self, clusters: MemoryClusters) -> None:
        self.clusters = clusters
        self.backups: dict[BackupId, BaseBackup] = {}
        self.waiting: list[Progress] = []

    async def generation(self, ref: str) -> str | None:
        if ref not in self.clusters.specs:
            return None
        data = self.clusters.data.get(ref)
        return str(data[1]) if isinstance(data, tuple) else "first"

    async def ship(self) -> list[Progress]:
        return list(self.waiting)

    async def flush(self, spec: ClusterSpec) -> datetime:
        until = datetime.now(UTC)
        if spec.ref not in self.clusters.running:
            raise Unavailable("The project's database does not take connections: it is stopped.")
        return until

    async def mark(self, spec: ClusterSpec, point: str) -> datetime:  # noqa: ARG002
        return await self.flush(spec)

    async def take(self, spec: ClusterSpec, backup: BackupId, parent: BackupId | None) -> BaseBackup:
        if spec.ref not in self.clusters.specs:
            raise ClusterMissing(f"The data directory of project {spec.ref} is gone.")
        now = await self.flush(spec)
        kind = "incremental" if parent else "full"
        self.backups[backup] = BaseBackup(backup, kind, 30_000_000, 3_000_000, f"{len(self.backups):024X}", now, now)  # type: ignore[arg-type]
        return self.backups[backup]

    async def prepare(self, spec: ClusterSpec, label: str, backup: BackupId, target: Target) -> Recovered:
        recovered = await self.rehearse(spec, backup)
        self.clusters.prepared[spec.ref, label] = (target, f"after {label}")
        return recovered

    async def rehearse(self, spec: ClusterSpec, backup: BackupId) -> Recovered:
        if backup not in self.backups:
            raise BackupDamaged(f"{backup.name} is missing in the archive.")
        return Recovered(spec.engine, self.clusters.version(spec.engine), None)

    async def stored(self, ref: str) -> list[Stored]:
        generations = sorted({backup.generation for backup in self.backups if backup.ref == ref})
        return [
            Stored(generation, [backup.name for backup in self.backups if backup.generation == generation])
            for generation in generations
        ]

    async def forget(self, ref: str, generation: str, *, backups: Sequence[str], before: str | None) -> None:  # noqa: ARG002
        for name in backups:
            self.backups.pop(BackupId(ref, generation, name), None)

    async def remove(self, ref: str, generation: str | None = None) -> None:
        for backup in list(self.backups):
            if backup.ref == ref and generation in (None, backup.generation):
                del self.backups[backup]

    async def end_rehearsal(self, ref: str) -> None:
        pass

    async def tidy(self) -> None:
        pass
