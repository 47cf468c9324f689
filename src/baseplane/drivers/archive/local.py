"""The archive of the clusters of this machine."""

import asyncio
import contextlib
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from baseplane.drivers.archive import (
    ArchiveUnavailable,
    BackupId,
    BaseBackup,
    Progress,
    Recovered,
    Stored,
    Target,
    base_backups,
    belongings,
    checking,
    log,
    outcomes,
)
from baseplane.drivers.archive.files import FOLDER as FILES
from baseplane.drivers.archive.files import StoredFiles
from baseplane.drivers.archive.owner import Owner
from baseplane.drivers.archive.recovery import Check, Recovery
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, Role, archiving
from baseplane.drivers.cluster.layout import ClusterFiles, Layout
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.disk import sync

SHIP_AT_ONCE = 4
"""Clusters whose log is carried away at the same time."""
FLUSH_WITHIN = 60.0
"""Seconds in which Postgres hands over a segment that was closed for us."""
POLL = 0.02  # seconds
ABANDONED = 3600.0
"""Seconds in which nobody has touched what is being put away, and nobody will."""
COMMITTING = timedelta(seconds=1)
"""A transaction takes the time of its end shortly before it is written."""


class LocalArchive:
    """``keyring`` opens what is encrypted; new objects are encrypted if ``encrypts``.

    With a ``directory``, the archive belongs to the installation there, or nothing is put into it or deleted.
    """

    is_on = True

    def __init__(
        self,
        clusters: LocalClusters,
        url: str,
        keyring: Keyring,
        *,
        encrypts: bool = True,
        directory: Path | None = None,
    ) -> None:
        self.clusters = clusters
        self.store = ObjectStore(url)
        self.keyring = keyring
        self.sealing = keyring if encrypts else None
        self.owner = Owner(self.store, directory) if directory else None
        self.files = StoredFiles(self.store, keyring, self.sealing, self._hold)
        self._slots = asyncio.Semaphore(SHIP_AT_ONCE)

    @property
    def _layout(self) -> Layout:
        return self.clusters.layout

    async def hold(self) -> None:
        await asyncio.to_thread(self._hold)

    async def leave(self) -> None:
        await self.hold()
        if self.owner is not None:
            await asyncio.to_thread(self.owner.sign, ended=True)

    async def generation(self, ref: str) -> str | None:
        return archiving.generation(self._layout.cluster(ref).data)

    async def ship(self) -> list[Progress]:
        spools = await asyncio.to_thread(self._spools)
        return list(await asyncio.gather(*(self._ship(ref, generation) for ref, generation in spools)))

    def _hold(self) -> None:
        """Raises ArchiveTaken, ArchiveUnavailable."""
        if self.owner is not None:
            self.owner.hold()

    def _spools(self) -> list[tuple[str, str]]:
        """Every generation that has something to carry away, or whose cluster has."""
        root = self._layout.root / "spool"
        with contextlib.suppress(FileNotFoundError):
            spools = [(ref.name, spool.name) for ref in root.iterdir() for spool in ref.iterdir()]
            return [(ref, generation) for ref, generation in spools if self._waits(ref, generation)]
        return []

    def _waits(self, ref: str, generation: str) -> bool:
        return bool(log.spooled(self._layout.spool(ref, generation)) or self._ready(ref, generation))

    def _ready(self, ref: str, generation: str) -> list[Path]:
        """Finished segments that Postgres has not handed over yet, oldest first."""
        data = self._layout.cluster(ref).data
        if archiving.generation(data) != generation:
            return []
        with contextlib.suppress(FileNotFoundError):
            return sorted(path for path in (data / "pg_wal" / "archive_status").iterdir() if path.suffix == ".ready")
        return []

    async def _ship(self, ref: str, generation: str) -> Progress:
        async with self._slots:
            return await asyncio.to_thread(self._carry, ref, generation)

    def _carry(self, ref: str, generation: str) -> Progress:
        spool, shipped, until, error = self._layout.spool(ref, generation), 0, None, None
        try:
            self._hold()
            for last, size in log.ship(self.store, self.sealing, spool, log.folder(ref, generation)):
                shipped += size
                until = self._finished(ref, last) or until
        except ArchiveUnavailable as unavailable:
            error = unavailable.message
        left = [*log.spooled(spool), *self._ready(ref, generation)]
        if not left and archiving.generation(self._layout.cluster(ref).data) != generation:
            with contextlib.suppress(OSError):  # of data that is not in its place any more
                spool.rmdir()
        return Progress(ref, generation, len(left), log.since(left), shipped, error, until)

    def _finished(self, ref: str, segment: str) -> datetime | None:
        """When Postgres had filled this segment: what was committed before is in it, or in one before it.

        Postgres leaves a note then, which it renames when the segment is handed over.
        """
        status = self._layout.cluster(ref).data / "pg_wal" / "archive_status"
        with contextlib.suppress(FileNotFoundError):
            return datetime.fromtimestamp((status / f"{segment}.done").stat().st_mtime, UTC) - COMMITTING
        return None

    async def flush(self, spec: ClusterSpec) -> datetime:
        return await self._flush(spec, None)

    async def mark(self, spec: ClusterSpec, point: str) -> datetime:
        return await self._flush(spec, point)

    async def _flush(self, spec: ClusterSpec, point: str | None) -> datetime:
        generation = await self.generation(spec.ref)
        if generation is None:
            raise ArchiveUnavailable(f"The cluster of project {spec.ref} has not been archived yet; restart it.")
        until = datetime.now(UTC)
        async with self.clusters.connect(spec.ref, Role.ADMIN, spec.secret) as db:
            if point is not None:
                await db.execute("select pg_create_restore_point(%s)", [point])
            # A transaction of its own: a log that ends with the user's last one does not tell that it was the last.
            await db.execute("begin read write; select pg_current_xact_id(); commit")
            row = await (await db.execute("select pg_walfile_name(pg_switch_wal())")).fetchone()
        assert row is not None
        await self._handed_over(spec.ref, generation, row[0])
        await self._ship_now(spec.ref, generation)
        return until

    async def _ship_now(self, ref: str, generation: str) -> None:
        progress = await self._ship(ref, generation)
        if progress.error:
            raise ArchiveUnavailable(progress.error)

    async def _handed_over(self, ref: str, generation: str, segment: str) -> None:
        """Until the segment has left pg_wal, or is known to have."""
        status = self._layout.cluster(ref).data / "pg_wal" / "archive_status"
        try:
            async with asyncio.timeout(FLUSH_WITHIN):
                while not (status / f"{segment}.done").exists():
                    if not (status / f"{segment}.ready").exists() and not (status.parent / segment).exists():
                        return  # done long ago and recycled
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            spool = self._layout.spool(ref, generation)
            raise ArchiveUnavailable(
                f"Postgres did not hand over segment {segment} within {FLUSH_WITHIN:g} seconds; see its log, and"
                f" whether there is room in {spool}."
            ) from error

    async def take(self, spec: ClusterSpec, backup: BackupId, parent: BackupId | None) -> BaseBackup:
        files = self._layout.cluster(spec.ref)
        postmaster = self.clusters.server(files)
        await self.hold()
        manifest = None
        if parent is not None:
            manifest = await asyncio.to_thread(base_backups.manifest, self.store, self.keyring, parent)
        dump = base_backups.Dump.begin(postmaster, files.sockets, spec.secret, manifest)
        try:
            taken = await asyncio.to_thread(base_backups.store, self.store, self.sealing, dump, backup, parent)
        finally:
            await asyncio.to_thread(dump.end)
        await self._ship_now(
            spec.ref, backup.generation
        )  # Postgres has waited until the log to its end was handed over
        return taken

    async def prepare(
        self, spec: ClusterSpec, label: str, backup: BackupId, target: Target, secret: str | None = None
    ) -> Recovered:
        files = self._layout.aside(spec.ref, label)
        if recovered := outcomes.read(files.home):
            return recovered  # a worker that died had come to the end
        home = self._layout.cluster(spec.ref)
        self.clusters.account.own(home.home, 0o711)  # it may be lost altogether
        self.clusters.account.own(home.log)
        await self._stop(files)
        recovered = await self._recover(files, spec, backup, target, secret=secret)
        outcomes.write(files.home, recovered)
        return recovered

    async def rehearse(self, spec: ClusterSpec, backup: BackupId) -> Recovered:
        files = self._layout.drill(spec.ref)
        await self._stop(files)
        try:
            return await self._recover(files, spec, backup, Target(), checking.amcheck)
        finally:
            await self.end_rehearsal(spec.ref)

    async def end_rehearsal(self, ref: str) -> None:
        files = self._layout.drill(ref)
        await self._stop(files)
        for directory in (files.home, files.sockets):
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)

    async def _stop(self, files: ClusterFiles) -> None:
        with contextlib.suppress(ClusterMissing):
            await self.clusters.server(files).stop()

    async def _recover(
        self,
        files: ClusterFiles,
        spec: ClusterSpec,
        backup: BackupId,
        target: Target,
        check: Check | None = None,
        secret: str | None = None,
    ) -> Recovered:
        facts = await asyncio.to_thread(base_backups.describe, self.store, backup)
        postmaster = self.clusters.server(files, facts["engine"])
        recovery = Recovery(self.store, self.keyring, files, spec, secret)
        fetched = await recovery.wanted.run(lambda: recovery.fetch(postmaster, backup, target))
        recovered = await recovery.replay(postmaster, target, fetched, check)
        await asyncio.to_thread(recovery.finish, postmaster)
        await asyncio.to_thread(sync, files.home)
        return recovered

    async def stored(self, ref: str) -> list[Stored]:
        return await asyncio.to_thread(self._stored, ref)

    def _stored(self, ref: str) -> list[Stored]:
        found = []
        for generation in self.store.folders(f"{ref}/"):
            if generation == FILES:
                continue
            packs = log.packs(self.store, ref, generation)
            backups = self.store.folders(f"{ref}/{generation}/base/")
            ends = (packs[0].first, packs[-1].last) if packs else (None, None)
            found.append(Stored(generation, backups, *ends))
        return found

    async def found(self, ref: str) -> list[BaseBackup]:
        return await asyncio.to_thread(base_backups.found, self.store, ref)

    async def keep(self, things: Mapping[str, str]) -> None:
        await self.hold()
        await asyncio.to_thread(belongings.put, self.store, self.keyring, things)

    async def forget(self, ref: str, generation: str, *, backups: Sequence[str], before: str | None) -> None:
        doomed = [base_backups.folder(BackupId(ref, generation, name)) for name in backups]
        await asyncio.to_thread(self._forget, ref, generation, doomed, before)

    def _forget(self, ref: str, generation: str, doomed: list[str], before: str | None) -> None:
        self._hold()
        for folder in doomed:
            self.store.delete(sorted(self.store.keys(folder)))  # backup.json goes first: what is left is no backup
        if before is not None:
            old = [pack.key for pack in log.packs(self.store, ref, generation) if pack.last < before]
            self.store.delete(old)

    async def remove(self, ref: str, generation: str | None = None) -> None:
        prefix = f"{ref}/{generation}/" if generation else f"{ref}/"
        await self.hold()
        await asyncio.to_thread(lambda: self.store.delete(self.store.keys(prefix)))

    async def tidy(self) -> None:
        await asyncio.to_thread(self.store.tidy, ABANDONED)
