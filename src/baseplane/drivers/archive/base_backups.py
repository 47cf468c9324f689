"""Base backups: pg_basebackup's tar, streamed into the archive and out of it again; nothing is kept on disk between.

<ref>/<generation>/base/<name>/data.tar.zst[.aes]
<ref>/<generation>/base/<name>/backup_manifest.zst[.aes]    what the next increment is taken against
<ref>/<generation>/base/<name>/backup.json                  written last: a backup without it is none
"""

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from baseplane.drivers.archive import BackupDamaged, BackupFailed, BackupId, BaseBackup, log, sealing, tars
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.archive.tars import NoTar, Passing
from baseplane.drivers.archive.threads import Wanted
from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.engines import Engine
from baseplane.drivers.cluster.postmaster import Postmaster

FORMAT = 1
MANIFEST = "backup_manifest"
CHUNK = 1024 * 1024
INCREMENTS_SINCE = 17
"""The first major with incremental backups."""


def folder(backup: BackupId) -> str:
    return f"{backup.ref}/{backup.generation}/base/{backup.name}/"


@dataclass(slots=True)
class Dump:
    """pg_basebackup at work. ``end`` it in any case; whoever is killed leaves nothing, since its files have no names."""

    engine: Engine
    segment_size: int
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]
    manifest: IO[bytes]

    @classmethod
    def begin(cls, postmaster: Postmaster, sockets: Path, secret: str, parent_manifest: bytes | None) -> "Dump":
        complaints, manifest = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        arguments = [
            *(str(postmaster.engine.program("pg_basebackup")), "--host", str(sockets), "--username", Role.ADMIN),
            *("--pgdata", "-", "--format", "tar", "--wal-method", "none", "--checkpoint", "fast", "--no-password"),
        ]
        if parent_manifest is not None:
            manifest.write(parent_manifest)
            manifest.seek(0)
            arguments += ["--incremental", f"/dev/fd/{manifest.fileno()}"]
        # The tenant's own settings of these could end a slow backup.
        patience = {"PGPASSWORD": secret, "PGOPTIONS": "-c wal_sender_timeout=10min -c statement_timeout=0"}
        process = subprocess.Popen(
            arguments,
            env={**postmaster.environment, **patience},
            stdout=subprocess.PIPE,
            pipesize=CHUNK,  # both sides then wait for each other less often
            stderr=complaints,
            pass_fds=[manifest.fileno()],
            cwd="/",
        )
        return cls(postmaster.engine, _segment_size(postmaster), process, complaints, manifest)

    def chunks(self) -> Iterator[bytes]:
        """What it writes. Raises BackupFailed when that was not all of it."""
        assert self.process.stdout is not None
        while chunk := self.process.stdout.read(CHUNK):
            yield chunk
        if self.process.wait():
            raise BackupFailed(f"pg_basebackup failed: {self._last_words()}")

    def _last_words(self) -> str:
        self.complaints.seek(0)
        lines = self.complaints.read().decode(errors="replace").strip().splitlines()
        return "; ".join(line.removeprefix("pg_basebackup: ") for line in lines[-3:]) or "it does not say why"

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.complaints.close()
        self.manifest.close()


def _segment_size(postmaster: Postmaster) -> int:
    """Raises BackupFailed."""
    printed = subprocess.run(
        [str(postmaster.engine.program("pg_controldata")), str(postmaster.data)],
        env=postmaster.environment,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = re.search(r"Bytes per WAL segment: +(\d+)", printed)
    if found is None:
        raise BackupFailed("pg_controldata does not say how long a segment of the write-ahead log is.")
    return int(found[1])


def store(
    archive: ObjectStore, keyring: Keyring | None, dump: Dump, backup: BackupId, parent: BackupId | None
) -> BaseBackup:
    """Carry a dump into the archive. Raises BackupFailed, ArchiveUnavailable."""
    began, passing = datetime.now(UTC), Passing(MANIFEST)
    data, manifest = (folder(backup) + name + sealing.suffix(keyring) for name in ("data.tar", MANIFEST))
    objects = {data: archive.put(data, sealing.close(passing.watch(dump.chunks()), data, keyring))}
    if not passing.found:
        raise BackupFailed("pg_basebackup did not describe what it had read.")
    contents = bytes(passing.found)
    objects[manifest] = archive.put(manifest, sealing.close([contents], manifest, keyring))
    ranges = json.loads(contents)["WAL-Ranges"]
    facts = {
        "format": FORMAT,
        "parent": parent.name if parent else None,
        "began_at": began.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "size": passing.size,
        "engine": dump.engine.major,
        "version": dump.engine.version,
        "segment_size": dump.segment_size,
        "first_segment": log.containing(ranges[0]["Timeline"], ranges[0]["Start-LSN"], dump.segment_size),
        "objects": {key.rpartition("/")[2]: {"sha256": sha, "size": length} for key, (sha, length) in objects.items()},
    }
    archive.put(folder(backup) + "backup.json", [json.dumps(facts, indent=1).encode()])
    return _described(backup, facts)


def _described(backup: BackupId, facts: dict[str, Any]) -> BaseBackup:
    return BaseBackup(
        backup,
        "incremental" if facts["parent"] else "full",
        facts["size"],
        sum(entry["size"] for entry in facts["objects"].values()),
        facts["first_segment"],
        datetime.fromisoformat(facts["began_at"]),
        datetime.fromisoformat(facts["ended_at"]),
        facts["engine"],
    )


def found(archive: ObjectStore, ref: str) -> list[BaseBackup]:
    """Every complete backup of this cluster, oldest first. Raises ArchiveUnavailable."""
    complete = [key.split("/") for key in archive.keys(f"{ref}/") if key.endswith("/backup.json")]
    backups = []
    for _, generation, _, name, _ in complete:
        backup = BackupId(ref, generation, name)
        with contextlib.suppress(BackupDamaged):  # deleted meanwhile, or of no use
            backups.append(_described(backup, describe(archive, backup)))
    return sorted(backups, key=lambda backup: backup.ended_at)


def describe(archive: ObjectStore, backup: BackupId) -> dict[str, Any]:
    """What backup.json says. Raises BackupDamaged, ArchiveUnavailable."""
    key = folder(backup) + "backup.json"
    try:
        facts: dict[str, Any] = json.loads(archive.read(key))
    except ValueError as error:
        raise BackupDamaged(f"{key} in the archive is damaged: it is no JSON.") from error
    if facts.get("format") != FORMAT:
        raise BackupDamaged(f"{key} in the archive has the format {facts.get('format')}, which is not known here.")
    return facts


def _open(archive: ObjectStore, keyring: Keyring, backup: BackupId, name: str) -> Iterator[bytes]:
    objects = describe(archive, backup)["objects"]
    found = next((entry for entry in objects if entry.partition(".zst")[0] == name), None)
    if found is None:
        raise BackupDamaged(f"{folder(backup)}backup.json in the archive does not mention {name}.")
    key = folder(backup) + found
    yield from sealing.open_(archive.get(key, objects[found]["sha256"]), key, keyring)


def manifest(archive: ObjectStore, keyring: Keyring, backup: BackupId) -> bytes:
    """Raises BackupDamaged, ArchiveUnavailable."""
    return b"".join(_open(archive, keyring, backup, MANIFEST))


def unpack(archive: ObjectStore, keyring: Keyring, backup: BackupId, into: Path, wanted: Wanted) -> None:
    """Write the backup's files into a new directory. Raises BackupDamaged, after which it is to be thrown away.

    The digest is known only at the end, and what was unpacked is no good before.
    """
    into.mkdir(mode=0o700)
    chunks = wanted.guard(_open(archive, keyring, backup, "data.tar"))
    try:
        tars.unpack(chunks, into)
    except NoTar as error:
        raise BackupDamaged(f"{folder(backup)} in the archive is damaged: {error}.") from error


def parents(archive: ObjectStore, backup: BackupId) -> list[BackupId]:
    """The chain that ends with this backup, full backup first. Raises BackupDamaged, ArchiveUnavailable."""
    chain = [backup]
    while parent := describe(archive, chain[0])["parent"]:
        chain.insert(0, BackupId(backup.ref, backup.generation, parent))
    return chain


def own_all(directory: Path, uid: int, gid: int) -> None:
    """Give everything below to the user who runs Postgres."""
    for path, _, files in os.walk(directory):
        os.chown(path, uid, gid)
        for file in files:
            os.chown(Path(path) / file, uid, gid, follow_symlinks=False)
