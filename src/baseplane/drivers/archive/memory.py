"""An archive that only remembers, of clusters that are only remembered: for tests of what stands on a driver."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from baseplane.drivers.archive import (
    BackupDamaged,
    BackupId,
    BaseBackup,
    Kind,
    Progress,
    Recovered,
    RecoveryFailed,
    Stored,
    Target,
)
from baseplane.drivers.archive.files import StoredFiles
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.errors import Unavailable


class MemoryArchive:
    """A cluster's data is the target that it was brought to and its generation; ``waiting`` is what ``ship`` tells.

    Files are kept as in a real archive, at ``url``.
    """

    is_on = True

    def __init__(self, clusters: MemoryClusters, keyring: Keyring, url: str = "memory:///") -> None:
        self.clusters = clusters
        self.backups: dict[BackupId, BaseBackup] = {}
        self.kept: Mapping[str, str] = {}
        self.waiting: list[Progress] = []
        self.store = ObjectStore(url)
        self.files = StoredFiles(self.store, keyring, keyring)

    async def hold(self) -> None:
        pass

    async def leave(self) -> None:
        pass

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
        kind: Kind = "incremental" if parent else "full"
        first = f"{len(self.backups):024X}"
        self.backups[backup] = BaseBackup(backup, kind, 30_000_000, 3_000_000, first, now, now, spec.engine)
        return self.backups[backup]

    async def prepare(
        self, spec: ClusterSpec, label: str, backup: BackupId, target: Target, secret: str | None = None
    ) -> Recovered:
        if (backup.ref != spec.ref) != (secret is not None):
            raise RecoveryFailed("The passwords inside are another project's.")
        recovered = await self.rehearse(spec, backup)
        self.clusters.promised[spec.ref, label] = spec
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

    async def found(self, ref: str) -> list[BaseBackup]:
        return [backup for backup in self.backups.values() if backup.id.ref == ref]

    async def keep(self, things: Mapping[str, str]) -> None:
        self.kept = things

    async def forget(self, ref: str, generation: str, *, backups: Sequence[str], before: str | None) -> None:  # noqa: ARG002
        for name in backups:
            self.backups.pop(BackupId(ref, generation, name), None)

    async def remove(self, ref: str, generation: str | None = None) -> None:
        for backup in list(self.backups):
            if backup.ref == ref and generation in (None, backup.generation):
                del self.backups[backup]
        if generation is None:
            self.store.delete(self.store.keys(f"{ref}/"))

    async def end_rehearsal(self, ref: str) -> None:
        pass

    async def tidy(self) -> None:
        pass
