"""Bringing a base backup to a target, in a place of its own: fetched, verified, replayed, looked at, stopped.

The log that is needed is laid into pg_wal before Postgres starts: it then replays without a command per segment,
and what is damaged or missing is known, by name, before anything is replayed. Postgres writes without fsync meanwhile,
since whatever breaks off begins anew; the file system is brought to disk at the end.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from baseplane.drivers.archive import (
    ArchiveUnavailable,
    BackupDamaged,
    BackupId,
    Recovered,
    RecoveryFailed,
    Target,
    base_backups,
    log,
)
from baseplane.drivers.archive.planning import plan
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.archive.threads import Wanted
from baseplane.drivers.cluster import ClusterSpec, Role, StartFailed, archiving, configuration
from baseplane.drivers.cluster.connections import connect
from baseplane.drivers.cluster.layout import PLATFORM, ClusterFiles
from baseplane.drivers.cluster.passwords import set_password
from baseplane.drivers.cluster.possession import take_over
from baseplane.drivers.cluster.postmaster import Postmaster
from baseplane.drivers.cluster.sizes import SIZES

POLL = 0.02  # seconds
START_WITHIN = 120.0
ROOM = 256 * 1024 * 1024
"""Bytes that a recovery leaves free on the disk."""
LOG_OF_THEN = "log-of-then"
ENDED_BEFORE = "recovery ended before configured recovery target was reached"
"""What Postgres says when the log has no transaction after the target."""
QUICK = {
    "archive_mode": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "hot_standby": "off",  # nobody looks before the end, and settings need not be those of the time of the backup
    "max_wal_size": "1TB",
    "checkpoint_timeout": "1d",
    "autovacuum": "off",
    "max_logical_replication_workers": "0",  # a copy must not take what the subscriptions of the original wait for
    "restore_command": "false",  # all that there is lies in pg_wal
    "recovery_target_timeline": "current",
    "recovery_target_action": "promote",
}

Check = Callable[[Postmaster, Path, str], Awaitable[None]]
"""Looks more closely at a server that runs on these sockets, with the secret of the platform's roles."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """``later`` is log that was not fetched, since it should not be needed. ``gap`` names the first segment that the
    archive should have after all of that and has not, or not whole, and says why.
    """

    later: Sequence[log.Pack]
    gap: str | None


@dataclass(slots=True)
class Recovery:
    """One recovery of ``spec``'s cluster, in the home ``files``, which is made anew.

    ``secret`` is that of the platform's roles inside, where the backup is another project's.
    """

    store: ObjectStore
    keyring: Keyring
    files: ClusterFiles
    spec: ClusterSpec
    secret: str | None = None
    wanted: Wanted = field(default_factory=Wanted)

    def fetch(self, postmaster: Postmaster, backup: BackupId, target: Target) -> Fetched:
        """Get the backup and the log after it from the archive, verified, as far as it takes to come to the target.

        Raises BackupDamaged, ArchiveUnavailable, RecoveryFailed.
        """
        for left in (
            self.files.home,
            self.files.sockets,
        ):  # a lock on the socket may name what is another process by now
            shutil.rmtree(left, ignore_errors=True)
        postmaster.account.own(self.files.home, 0o711)
        postmaster.account.own(self.files.log)
        chosen = plan(self.store, backup, target)
        self._check_room(chosen.size)
        with ThreadPoolExecutor(max_workers=1) as beside:
            fetching = beside.submit(self._fetch_log, chosen.packs)
            self._assemble(postmaster, chosen.chain)
            folders, damage = fetching.result()
        self._lay(postmaster, folders)
        return Fetched((), damage) if damage else Fetched(chosen.later, chosen.gap)

    def fetch_later(self, postmaster: Postmaster, fetched: Fetched) -> Fetched:
        """Get the rest of the log. Raises ArchiveUnavailable, RecoveryFailed."""
        self._check_room(len(fetched.later) * log.PACK_BYTES)
        folders, damage = self._fetch_log(fetched.later)
        self._lay(postmaster, folders)
        return Fetched((), damage or fetched.gap)

    def _fetch_log(self, packs: Sequence[log.Pack]) -> tuple[list[Path], str | None]:
        into = self.files.home / LOG_OF_THEN
        into.mkdir(mode=0o700)
        return log.fetch(self.store, self.keyring, packs, into, self.wanted)

    def _lay(self, postmaster: Postmaster, folders: Sequence[Path]) -> None:
        """Where Postgres finds it, and let everything be Postgres' own."""
        for folder in folders:
            for segment in folder.iterdir():
                segment.rename(self.files.data / "pg_wal" / segment.name)
        shutil.rmtree(self.files.home / LOG_OF_THEN)
        if postmaster.account.switch:
            base_backups.own_all(self.files.data, postmaster.account.uid, postmaster.account.gid)

    def _check_room(self, size: int) -> None:
        """Before anything is written: a disk that a recovery fills stops the clusters that run."""
        free = shutil.disk_usage(self.files.home).free
        if size + ROOM > free:
            raise RecoveryFailed(
                f"There is no room: bringing the backup back takes up to {(size + ROOM) / 2**30:.1f} GB of disk"
                f" and {free / 2**30:.1f} GB are free."
            )

    def _assemble(self, postmaster: Postmaster, chain: Sequence[BackupId]) -> None:
        parts = [self.files.home / f"part-{number}" for number in range(len(chain))]
        for part, backup in zip(parts, chain, strict=True):
            base_backups.unpack(self.store, self.keyring, backup, part, self.wanted)
        if len(parts) == 1:
            parts[0].rename(self.files.data)
        else:
            _run(postmaster, "pg_combinebackup", *map(str, parts), "--output", str(self.files.data), "--no-sync")
            for part in parts:
                shutil.rmtree(part)
        _run(postmaster, "pg_verifybackup", "--no-parse-wal", "--exit-on-error", "--quiet", str(self.files.data))
        (self.files.data / base_backups.MANIFEST).unlink()

    async def replay(
        self, postmaster: Postmaster, target: Target, fetched: Fetched, check: Check | None = None
    ) -> Recovered:
        """Start, wait until the target is met, look at what came of it, and stop. Raises RecoveryFailed, BackupDamaged."""
        if fetched.gap and _is_the_end(target):
            raise BackupDamaged(fetched.gap)
        await self._come_to(postmaster, target, fetched)
        try:
            last_commit = await self._look()
            if check is not None:
                await check(postmaster, self.files.sockets, self.spec.secret)
        finally:
            await postmaster.stop()
        return Recovered(postmaster.engine.major, postmaster.engine.version, last_commit)

    async def _come_to(self, postmaster: Postmaster, target: Target, fetched: Fetched) -> None:
        """Let it run as what the project is at the target. Raises RecoveryFailed, ArchiveUnavailable."""
        try:
            await self._run_to(postmaster, _parameters_of(target))
        except StartFailed as error:
            if fetched.later and postmaster.pid() is None:
                return await self._come_to(
                    postmaster, target, await self.wanted.run(lambda: self.fetch_later(postmaster, fetched))
                )
            if ENDED_BEFORE not in str(error):
                raise RecoveryFailed(f"Postgres did not recover: {error}") from error
            if fetched.gap or not _met_by_the_end(target):
                raise RecoveryFailed(_not_there(target, fetched)) from error
            await self._run_to(postmaster, {})

    async def _run_to(self, postmaster: Postmaster, parameters: Mapping[str, str]) -> None:
        """Raises StartFailed with what Postgres said last."""
        account, files, spec = postmaster.account, self.files, self.spec
        account.own(files.sockets)
        size = SIZES[spec.size]
        chosen = configuration.parameters(postmaster.engine.major, size, files.sockets, spec.ref, spec.settings)
        account.write(files.data / "postgresql.conf", configuration.render({**chosen, **QUICK, **parameters}))
        account.write(files.data / "pg_hba.conf", configuration.HBA)
        account.write(files.root_keys, "".join(f"{key}\n" for key in spec.root_keys))
        account.write(files.data / "recovery.signal", "")
        postmaster.spawn()
        await postmaster.await_ready(START_WITHIN)
        while (status := postmaster.status()) != "ready":  # until then it replays
            if status is None:
                raise StartFailed(postmaster.last_words())
            await asyncio.sleep(POLL)

    async def _look(self) -> datetime | None:
        """That it answers as a primary and takes the passwords that it should; gives its last transaction's time."""
        async with await connect(self.files.sockets, Role.ADMIN, self.secret or self.spec.secret) as db:
            row = await (await db.execute("select pg_is_in_recovery(), pg_last_xact_replay_timestamp()")).fetchone()
            if row is None or row[0]:
                raise RecoveryFailed("Postgres did not leave recovery.")
            async with db.transaction():
                await db.execute("set local default_transaction_read_only = off")
                await db.execute("set transaction read write")
                if self.secret is not None:
                    await take_over(db, self.spec)
                if self.spec.ref != PLATFORM:
                    await set_password(db, "postgres", self.spec.password)
            await db.execute("checkpoint")  # the old history's log goes with it
            last_commit: datetime | None = row[1]
            return last_commit

    def finish(self, postmaster: Postmaster) -> None:
        """Begin a history of its own."""
        archiving.begin_generation(postmaster.account, self.files.data)
        shutil.rmtree(self.files.sockets, ignore_errors=True)


def _parameters_of(target: Target) -> dict[str, str]:
    if target.time is not None:
        return {"recovery_target_time": target.time.isoformat(), "recovery_target_inclusive": "on"}
    if target.point is not None:
        return {"recovery_target_name": target.point}
    return {"recovery_target": "immediate"} if target.as_backed_up else {}


def _is_the_end(target: Target) -> bool:
    return target.time is None and target.point is None and not target.as_backed_up


def _met_by_the_end(target: Target) -> bool:
    return target.time is not None and target.complete_until is not None and target.time <= target.complete_until


def _not_there(target: Target, fetched: Fetched) -> str:
    what = f"the restore point {target.point}" if target.point else f"a transaction after {target.time}"
    return " ".join(filter(None, [f"The archived log ends before {what}.", fetched.gap]))


def _run(postmaster: Postmaster, program: str, *arguments: str) -> None:
    """Raises BackupDamaged with what it says."""
    try:
        done = subprocess.run(
            [str(postmaster.engine.program(program)), *arguments],
            env=postmaster.environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ArchiveUnavailable(f"{program} does not run: {error}") from error
    if done.returncode:
        said = [line for line in done.stderr.strip().splitlines() if line][-3:]
        raise BackupDamaged(f"{program} objects to the backup: {'; '.join(said)}")
