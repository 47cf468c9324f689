"""Where the archive's objects lie: a directory, or a bucket by its URL. Both by obstore, streaming in both directions.

/srv/backups                                    a directory; file:///srv/backups is the same
s3://bucket/prefix?endpoint=https://s3.host     any S3; credentials and region as usual in AWS_* variables
gs://bucket/prefix, az://account/container      by obstore, as well; not tried
"""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from baseplane.drivers.archive import ArchiveUnavailable, BackupDamaged

CONNECT_WITHIN, ANSWER_WITHIN = timedelta(seconds=5), timedelta(seconds=60)
RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}
CHUNK = 4 * 1024 * 1024
_STAGED = re.compile(r".+#\d+")
"""Where obstore puts an object in a directory until it is whole; no listing of its shows that."""


class ObjectStore:
    """Objects by key. Calls block: they belong in threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.directory = Path(parts.path) if parts.scheme in ("", "file") else None
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store: Any = LocalStore(self.directory, automatic_cleanup=True)
        else:
            options: Any = dict(parse_qsl(parts.query))
            if parts.scheme == "s3":
                options = {"region": "us-east-1", "virtual_hosted_style_request": "false", **options}
            client: Any = {"connect_timeout": CONNECT_WITHIN, "timeout": ANSWER_WITHIN}
            if options.get("endpoint", os.environ.get("AWS_ENDPOINT_URL", "")).startswith("http://"):
                client["allow_http"] = True
            address = parts._replace(query="").geturl()
            try:
                self._store = from_url(address, config=options, client_options=client, retry_config=RETRIES)
            except (BaseError, ValueError) as error:
                raise ArchiveUnavailable(f"BASEPLANE_ARCHIVE: {url} is not understood: {error}") from error

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

    def keys(self, prefix: str) -> list[str]:
        """The keys below ``prefix``, in order. Raises ArchiveUnavailable."""
        with _telling("does not say what it keeps"):
            return sorted(str(entry["path"]) for batch in obstore.list(self._store, prefix) for entry in batch)

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
        reason = str(error).partition("\n")[0]  # what follows is for people who debug obstore
        raise ArchiveUnavailable(f"The archive {what}: {reason}") from error


def _sync(file: Path) -> None:
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
