"""The write-ahead log in the archive: finished segments, some packed into one object, named by what is in it.

    <ref>/<generation>/log/<first>-<last>-<SHA-256 of the object>.tar.zst[.aes]

The name is the manifest: a listing shows what is there, what is missing and what each object must be. A segment that
was carried away twice is in two packs, and either will do.
"""

import contextlib
import fcntl
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from baseplane.drivers.archive import BackupDamaged, sealing
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore

SEGMENT = re.compile(r"[0-9A-F]{24}")
SPOOLED = re.compile(r"[0-9A-F]{24}(\.[0-9A-F]{8}\.backup|\.partial)?|[0-9A-F]{8}\.history")
"""What basic_archive writes under its final name."""
PACK_BYTES = 32 * 1024 * 1024
ADDRESSES = 2**32
"""Bytes of log that share the middle third of a segment's name (XLogFileName in Postgres' xlog_internal.h)."""
_PACK = re.compile(r"([0-9A-F]{24})-([0-9A-F]{24})-([0-9a-f]{64})\.tar\.zst(\.aes)?")


@dataclass(frozen=True, slots=True)
class Pack:
    key: str
    first: str
    last: str
    sha256: str


def folder(ref: str, generation: str) -> str:
    return f"{ref}/{generation}/log/"


def following(segment: str, size: int) -> str:
    """The segment after this one, on the same timeline; ``size`` is that of segments, in bytes."""
    timeline, number = segment[:8], int(segment[8:16], 16) * (ADDRESSES // size) + int(segment[16:], 16) + 1
    return f"{timeline}{number // (ADDRESSES // size):08X}{number % (ADDRESSES // size):08X}"


def count(pack: "Pack", size: int) -> int:
    """How many segments it holds."""
    first, last = (int(name[8:16], 16) * (ADDRESSES // size) + int(name[16:], 16) for name in (pack.first, pack.last))
    return last - first + 1


def containing(timeline: int, lsn: str, size: int) -> str:
    """The segment in which this position, such as 0/16B3748, lies."""
    high, low = (int(part, 16) for part in lsn.split("/"))
    return f"{timeline:08X}{high:08X}{low // size:08X}"


def spooled(spool: Path) -> list[Path]:
    """What waits, oldest first."""
    try:
        return sorted(path for path in spool.iterdir() if SPOOLED.fullmatch(path.name))
    except FileNotFoundError:
        return []


def since(files: Sequence[Path]) -> datetime | None:
    """When the first of these was finished."""
    times = [path.stat().st_mtime for path in files[:1] if path.exists()]
    return datetime.fromtimestamp(times[0], UTC) if times else None


def ship(store: ObjectStore, keyring: Keyring | None, spool: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Put what waits into the archive, then delete it here; gives the last segment of each pack and the pack's bytes.

    Raises ArchiveUnavailable.
    """
    with _alone(spool):
        for files in _packs(spooled(spool)):
            size = _put(store, keyring, files, prefix)
            for file in files:
                file.unlink(missing_ok=True)
            yield files[-1].name, size


@contextlib.contextmanager
def _alone(spool: Path) -> Iterator[None]:
    """Wait until nobody else, of whatever process, carries away what is in this spool."""
    try:
        descriptor = os.open(spool, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _packs(files: Iterable[Path]) -> Iterator[list[Path]]:
    """Unbroken runs of segments, not too long. What is not a segment tells nothing that they do not."""
    pack: list[Path] = []
    size = 0
    for file in files:
        if not SEGMENT.fullmatch(file.name):
            file.unlink(missing_ok=True)
            continue
        length = file.stat().st_size
        if pack and (size + length > PACK_BYTES or file.name != following(pack[-1].name, length)):
            yield pack
            pack, size = [], 0
        pack.append(file)
        size += length
    if pack:
        yield pack


def _put(store: ObjectStore, keyring: Keyring | None, files: Sequence[Path], prefix: str) -> int:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for file in files:
            archive.add(file, file.name)
    name = f"{prefix}{files[0].name}-{files[-1].name}"
    packed = b"".join(sealing.close([tar.getvalue()], name + sealing.suffix(keyring), keyring))
    store.put(f"{name}-{hashlib.sha256(packed).hexdigest()}.tar{sealing.suffix(keyring)}", [packed])
    return sum(file.stat().st_size for file in files)


def packs(store: ObjectStore, ref: str, generation: str) -> list[Pack]:
    """What the archive holds of one generation, in the order of the log. Raises ArchiveUnavailable."""
    named = ((key, _PACK.fullmatch(key.rpartition("/")[2])) for key in store.keys(folder(ref, generation)))
    return [Pack(key, match[1], match[2], match[3]) for key, match in named if match]


def fetch(store: ObjectStore, keyring: Keyring, pack: Pack) -> Iterator[tuple[str, bytes]]:
    """The segments of a pack, each with its name. Raises BackupDamaged, ArchiveUnavailable."""
    suffix = pack.key.partition(".tar")[2]
    name = (
        f"{pack.key.rpartition('/')[0]}/{pack.first}-{pack.last}{suffix}"  # it was sealed before its digest was known
    )
    chunks = list(store.get(pack.key, pack.sha256))
    plain = b"".join(sealing.open_(chunks, name, keyring))
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None or not SEGMENT.fullmatch(member.name):
                raise BackupDamaged(f"{pack.key} in the archive holds something that is no segment.")
            yield member.name, content.read()


def needed(found: Sequence[Pack], first: str, size: int) -> tuple[list[Pack], str | None]:
    """The packs from this segment on, without a gap, and the first segment that is missing before others, if one is."""
    wanted = first
    chosen: list[Pack] = []
    for pack in found:
        if pack.first > wanted:
            return chosen, wanted
        if pack.last >= wanted:
            chosen.append(pack)
            wanted = following(pack.last, size)
    return chosen, None if chosen else wanted
