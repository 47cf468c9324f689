"""The archive of projects' clusters: the promise that every driver keeps, and the shapes it speaks in.

A cluster's *generation* names one unbroken history of its data. Whatever replaces the data begins another, so an
archive never holds the logs of two histories in one place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from baseplane.drivers.cluster import ClusterSpec
from baseplane.errors import BaseplaneError, Unavailable


class ArchiveUnavailable(Unavailable):
    """The archive does not take or give anything: it is full, cannot be reached, or refuses us."""


class ArchiveTaken(ArchiveUnavailable):
    """Another installation writes into the archive."""


class BackupFailed(BaseplaneError):
    """No base backup could be taken; the message says what was objected to."""


class BackupDamaged(BaseplaneError):
    """What the archive holds is not what was put there, or a part of it is missing. It was not used."""


class KeyUnknown(BackupDamaged):
    """What the archive holds is sealed with a key that our keyring has not, or its own key is damaged."""


class RecoveryFailed(BaseplaneError):
    """Postgres did not come to the target with what the archive holds; the message says why."""


Kind = Literal["full", "incremental"]


@dataclass(frozen=True, slots=True)
class BackupId:
    """Where a base backup lies: the project, its generation, and a name that is never used again."""

    ref: str
    generation: str
    name: str


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """A base backup that was taken. Sizes are bytes, of the data and of what is stored of it.

    ``ended_at`` is the earliest moment that it can be brought to; ``engine`` is the Postgres major.
    """

    id: BackupId
    kind: Kind
    size: int
    stored: int
    first_segment: str
    began_at: datetime
    ended_at: datetime
    engine: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """Where to stop: at a moment, at a restore point, or as soon as the backup is whole; all None is the end of the log.

    ``complete_until`` is a moment up to which the archive is known to hold everything: a target before it is met by
    the end of the log, when nothing was committed afterwards.
    """

    time: datetime | None = None
    point: str | None = None
    as_backed_up: bool = False
    complete_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came of a recovery: which Postgres major it is of, and the time of its last transaction, if one was replayed."""

    engine: int
    version: str
    last_commit: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How the archive of one generation stands.

    ``waiting`` counts finished segments that are not in the archive, ``oldest`` says since when the first of them is.
    ``shipped`` counts bytes of the log that were carried away just now, ``error`` says why no more were. Everything
    committed before ``complete_until`` is in the archive; None when that is not known.
    """

    ref: str
    generation: str
    waiting: int = 0
    oldest: datetime | None = None
    shipped: int = 0
    error: str | None = None
    complete_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the archive holds of one generation, read from the archive itself."""

    generation: str
    backups: Sequence[str] = field(default_factory=tuple)
    first_segment: str | None = None
    last_segment: str | None = None


class FileArchive(Protocol):
    """Keeps files that projects have beside their clusters, by kind and digest. Every method can be repeated.

    Every method raises ArchiveUnavailable.
    """

    async def put(self, ref: str, kind: str, data: bytes) -> None:
        """Kept for good when this returns, under the SHA-256 of ``data``."""

    async def get(self, ref: str, kind: str, sha256: str) -> bytes:
        """Raises BackupDamaged when it is missing or is not what was put there."""

    async def delete(self, ref: str, kind: str, digests: Iterable[str]) -> None:
        """Those that are missing are deleted already."""


class ArchiveDriver(Protocol):
    """Keeps what is needed to bring a cluster back to any moment. A call after a crash of the first finishes its work."""

    @property
    def is_on(self) -> bool:
        """Whether this installation archives at all. If not, everything else raises ArchiveUnavailable."""

    async def hold(self) -> None:
        """Say that it is this installation that writes here. Raises ArchiveTaken, ArchiveUnavailable."""

    async def leave(self) -> None:
        """Say that it has stopped, and writes no more. Raises as ``hold``."""

    @property
    def files(self) -> FileArchive:
        """What is kept beside the clusters; ``remove`` of a project takes it along."""

    async def generation(self, ref: str) -> str | None:
        """That of the cluster's data as it is now; None when it has none or is gone."""

    async def ship(self) -> list[Progress]:
        """Carry away what clusters have finished; gives those of which something waited."""

    async def flush(self, spec: ClusterSpec) -> datetime:
        """Carry away everything that was committed before this call, and give a moment up to which that is so.

        Raises ArchiveUnavailable, Unavailable when the cluster does not answer.
        """

    async def mark(self, spec: ClusterSpec, point: str) -> datetime:
        """Write a restore point into the log and flush it. Raises as ``flush``."""

    async def take(self, spec: ClusterSpec, backup: BackupId, parent: BackupId | None) -> BaseBackup:
        """Take a base backup of a cluster that runs; with ``parent``, only of what has changed since that one.

        Raises BackupFailed, ArchiveUnavailable, ClusterMissing.
        """

    async def prepare(
        self, spec: ClusterSpec, label: str, backup: BackupId, target: Target, secret: str | None = None
    ) -> Recovered:
        """Bring a base backup to ``target``, aside, for ``ClusterDriver.switch_in``.

        The result was started and looked at; it is stopped, on disk, and has a generation of its own. A backup of
        another project needs the ``secret`` that the platform's roles have in it, and becomes ``spec``'s own: no
        password that it brings along is good for anything. Raises BackupDamaged, RecoveryFailed, ArchiveUnavailable.
        """

    async def rehearse(self, spec: ClusterSpec, backup: BackupId) -> Recovered:
        """Bring the backup to the end of the log in a place of its own, check every page and index, throw it away.

        Raises as ``prepare``.
        """

    async def end_rehearsal(self, ref: str) -> None:
        """Delete what is left of one that nobody goes on with."""

    async def stored(self, ref: str) -> list[Stored]:
        """What there is of a project, oldest generation first. Raises ArchiveUnavailable."""

    async def found(self, ref: str) -> list[BaseBackup]:
        """Every complete one, of all generations, oldest first, read from the archive. Raises ArchiveUnavailable."""

    async def keep(self, things: Mapping[str, str]) -> None:
        """Keep the texts that the installation itself needs, by name, encrypted. Raises ArchiveUnavailable."""

    async def forget(self, ref: str, generation: str, *, backups: Sequence[str], before: str | None) -> None:
        """Delete these backups, and the log before the segment ``before``. Raises ArchiveUnavailable."""

    async def remove(self, ref: str, generation: str | None = None) -> None:
        """Delete everything of one generation, or of the project. Raises ArchiveUnavailable."""

    async def tidy(self) -> None:
        """Delete what processes that died have left half put away. Raises ArchiveUnavailable."""


__all__ = [
    "ArchiveDriver",
    "ArchiveTaken",
    "ArchiveUnavailable",
    "BackupDamaged",
    "BackupFailed",
    "BackupId",
    "BaseBackup",
    "FileArchive",
    "KeyUnknown",
    "Kind",
    "Progress",
    "Recovered",
    "RecoveryFailed",
    "Stored",
    "Target",
]
