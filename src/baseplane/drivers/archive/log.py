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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from baseplane.drivers.archive import BackupDamaged, sealing, tars
from baseplane.drivers.archive.sealing import Keyring
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.archive.tars import NoTar
from baseplane.drivers.archive.threads import Wanted

SEGMENT = re.compile(r"[0-9A-F]{24}")
SPOOLED = re.compile(r"[0-9A-F]{24}(\.[0-9A-F]{8}\.backup|\.partial)?|[0-9A-F]{8}\.history")
"""What basic_archive writes under its final name."""
PACK_BYTES = 32 * 1024 * 1024
AT_ONCE = 3
"""Packs that are fetched at the same time: what a bucket takes for an answer is longer than what a pack takes."""
ADDRESSES = 2**32
"""Bytes of log that share the middle third of a segment's name (XLogFileName in Postgres' xlog_internal.h)."""
CLOCKS_DIFFER = timedelta(seconds=5)
"""Between this machine and the store, and between the end of a transaction and its log being carried away."""
_PACK = re.compile(r"([0-9A-F]{24})-([0-9A-F]{24})-([0-9a-f]{64})\.tar\.zst(\.aes)?")


@dataclass(frozen=True, slots=True)
class Pack:
    """``put_at`` is by the store's clock, which need not be ours, and another when the archive was copied: a hint."""

    key: str
    first: str
    last: str
    sha256: str
    put_at: datetime


def folder(ref: str, generation: str) -> str:
    return f"{ref}/{generation}/log/"


def following(segment: str, size: int) -> str:
    """The segment after this one, on the same timeline; ``size`` is that of segments, in bytes."""
    number = _number(segment, size) + 1
    return f"{segment[:8]}{number // (ADDRESSES // size):08X}{number % (ADDRESSES // size):08X}"


def size(packs: Iterable["Pack"], segment_size: int) -> int:
    """How many bytes their segments have."""
    names = [(pack.first, pack.last) for pack in packs]
    return sum(_number(last, segment_size) - _number(first, segment_size) + 1 for first, last in names) * segment_size


def _number(segment: str, size: int) -> int:
    """Counted from the beginning of its timeline."""
    return int(segment[8:16], 16) * (ADDRESSES // size) + int(segment[16:], 16)


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
    entries = store.entries(folder(ref, generation))
    named = ((key, put_at, _PACK.fullmatch(key.rpartition("/")[2])) for key, put_at in entries)
    return [Pack(key, match[1], match[2], match[3], put_at) for key, put_at, match in named if match]


def fetch(
    store: ObjectStore, keyring: Keyring, packs: Sequence[Pack], into: Path, wanted: Wanted
) -> tuple[list[Path], str | None]:
    """Get the log as far as it is whole: directories with segments, in its order, and why not all of it is there.

    Raises ArchiveUnavailable, Unavailable when it is not wanted any more.
    """
    whole = [into / str(number) for number in range(len(packs))]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as lanes:
        fetching = [
            lanes.submit(_fetch, store, keyring, pack, folder, wanted)
            for pack, folder in zip(packs, whole, strict=True)
        ]
        try:
            for number, fetched in enumerate(fetching):
                try:
                    fetched.result()
                except BackupDamaged as error:
                    return whole[:number], error.message
        finally:
            lanes.shutdown(wait=True, cancel_futures=True)
    return whole, None


def _fetch(store: ObjectStore, keyring: Keyring, pack: Pack, into: Path, wanted: Wanted) -> None:
    """Raises BackupDamaged, after which what is in ``into`` is no good."""
    suffix = pack.key.partition(".tar")[2]
    name = (
        f"{pack.key.rpartition('/')[0]}/{pack.first}-{pack.last}{suffix}"  # it was sealed before its digest was known
    )
    into.mkdir(mode=0o700)
    chunks = list(wanted.guard(store.get(pack.key, pack.sha256)))
    try:
        tars.unpack(sealing.open_(chunks, name, keyring), into, SEGMENT)
    except NoTar as error:
        raise BackupDamaged(f"{pack.key} in the archive is damaged: {error}.") from error


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


def until(found: Sequence[Pack], moment: datetime) -> int:
    """How many of these packs it takes, as it seems, to see a transaction after ``moment``, which tells that it is over."""
    reaching = (number for number, pack in enumerate(found, 1) if pack.put_at > moment + CLOCKS_DIFFER)
    return min(next(reaching, len(found)) + 1, len(found))
