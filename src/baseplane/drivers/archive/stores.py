"""Where the archive's objects lie: a directory, or a bucket by its URL. Both by obstore, streaming in both directions.

A directory is ``/srv/backups`` or ``file:///srv/backups``.
"""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from baseplane.drivers.archive import ArchiveUnavailable, BackupDamaged
from baseplane.drivers.buckets import open_bucket, reason

ANSWER_WITHIN = timedelta(seconds=60)
CHUNK = 4 * 1024 * 1024
_STAGED = re.compile(r".+#\d+")
"""Where obstore puts an object in a directory until it is whole; no listing of its shows that."""


def directory_of(url: str) -> Path | None:
    """None where the archive is a bucket."""
    parts = urlsplit(url)
    return Path(parts.path) if parts.scheme in ("", "file") else None


class ObjectStore:
    """Objects by key. Calls block: they belong in threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.directory = directory_of(url)
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store: Any = LocalStore(self.directory, automatic_cleanup=True)
        else:
            try:
                self._store = open_bucket(url, ANSWER_WITHIN)
            except ValueError as error:
                raise ArchiveUnavailable(f"BASEPLANE_ARCHIVE: {error}") from error

    def put(self, key: str, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Store an object, whole or not at all, durably; gives its SHA-256 and its size. Raises ArchiveUnavailable."""
        digest, size = hashlib.sha256(), 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        with _telling("does not take what is to be kept"):
            self._clear_staged(key)
            obstore.put(self._store, key, counted(), max_concurrency=2)
            if self.directory is not None:
                _sync(self.directory / key)
        return digest.hexdigest(), size

    def tidy(self, untouched: float) -> None:
        """Delete what is left of objects that were never whole, and has not been touched for so many seconds.

        Raises ArchiveUnavailable. Buckets have a rule of their own for that.
        """
        before = time.time() - untouched
        with _telling("does not delete what is not needed any more"):
            for where, _, files in os.walk(self.directory, topdown=False) if self.directory else ():
                is_old = Path(where).stat().st_mtime < before
                for staged in (Path(where, name) for name in files if _STAGED.fullmatch(name)):
                    if staged.stat().st_mtime < before:
                        staged.unlink()
                if is_old and where != str(self.directory):
                    with contextlib.suppress(OSError):  # it is not empty
                        Path(where).rmdir()

    def _clear_staged(self, key: str) -> None:
        """Of a process that died in putting the same object: it may take as much room again."""
        for staged in self.directory.glob(f"{key}#*") if self.directory else ():
            staged.unlink(missing_ok=True)

    def get(self, key: str, sha256: str) -> Iterator[bytes]:
        """An object's bytes. The last may only be used when this has ended without an error.

        Raises BackupDamaged when it is missing or is not what was put there, ArchiveUnavailable.
        """
        digest = hashlib.sha256()
        for chunk in self._read(key):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != sha256:
            raise BackupDamaged(f"{key} in the archive is damaged: its SHA-256 is not the one that was recorded.")

    def read(self, key: str) -> bytes:
        """A small object that holds digests of others. Raises BackupDamaged, ArchiveUnavailable."""
        return b"".join(self._read(key))

    def _read(self, key: str) -> Iterator[bytes]:
        with _telling("does not give back what it keeps"):
            try:
                for chunk in obstore.get(self._store, key).stream(min_chunk_size=CHUNK):
                    yield bytes(chunk)
            except FileNotFoundError as error:
                raise BackupDamaged(f"{key} is missing in the archive.") from error

    def entries(self, prefix: str) -> list[tuple[str, datetime]]:
        """The keys below ``prefix``, in order, each with when it was put there. Raises ArchiveUnavailable."""
        with _telling("does not say what it keeps"):
            found = obstore.list(self._store, prefix)
            return sorted((str(entry["path"]), entry["last_modified"]) for batch in found for entry in batch)

    def keys(self, prefix: str) -> list[str]:
        """The keys below ``prefix``, in order. Raises ArchiveUnavailable."""
        return [key for key, _ in self.entries(prefix)]

    def newest(self, prefix: str) -> datetime | None:
        """When the newest object below ``prefix`` was put there, if there is one. Raises ArchiveUnavailable."""
        with _telling("does not say what it keeps"):
            times = (entry["last_modified"] for batch in obstore.list(self._store, prefix) for entry in batch)
            return max(times, default=None)

    def folders(self, prefix: str) -> list[str]:
        """The names directly below ``prefix``, which ends with a slash, in order. Raises ArchiveUnavailable."""
        with _telling("does not say what it keeps"):
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
            return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def delete(self, keys: Iterable[str]) -> None:
        """Those that are missing are deleted already. Raises ArchiveUnavailable."""
        with _telling("does not delete what is not needed any more"):
            for key in keys:
                with contextlib.suppress(FileNotFoundError):
                    obstore.delete(self._store, key)


@contextlib.contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise ArchiveUnavailable(f"The archive {what}: {reason(error)}") from error


def _sync(file: Path) -> None:
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
