"""Artifacts in a directory, which several machines may share."""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path

from baseplane.drivers.artifacts import ArtifactMissing, StoreUnavailable, check_key

_UNFINISHED = ".new-"


class Directory:
    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, data: bytes) -> None:
        try:
            await asyncio.to_thread(_write, self._root, self._root / check_key(key), data)
        except OSError as error:
            raise _unavailable(error) from error

    async def get(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread((self._root / check_key(key)).read_bytes)
        except FileNotFoundError as error:
            raise ArtifactMissing(f"There is no artifact {key}.") from error
        except OSError as error:
            raise _unavailable(error) from error

    async def delete(self, key: str) -> None:
        try:
            await asyncio.to_thread(_delete, self._root, self._root / check_key(key))
        except OSError as error:
            raise _unavailable(error) from error

    async def list(self, folder: str) -> list[str]:
        try:
            return await asyncio.to_thread(_list, self._root, self._root / check_key(folder))
        except OSError as error:
            raise _unavailable(error) from error


def _unavailable(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"The directory of artifacts cannot be used: {error}")


def _write(root: Path, path: Path, data: bytes) -> None:
    """On disk under another name first: who dies meanwhile leaves nothing under the key."""
    new, descriptor, name = _begin(root, path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    for folder in (path.parent, *new):
        _sync(folder)


def _begin(root: Path, folder: Path) -> tuple[list[Path], int, str]:
    """A new file in ``folder``, which somebody may remove as empty at any moment until then."""
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError):
            new = _make_folders(root, folder)
            return new, *tempfile.mkstemp(prefix=_UNFINISHED, dir=folder)
    raise FileNotFoundError(f"{folder} disappears again and again")


def _make_folders(root: Path, folder: Path) -> list[Path]:
    """Gives the folders that hold a new one."""
    missing = [each for each in (folder, *folder.parents) if each.is_relative_to(root) and not each.is_dir()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True, parents=each == root)
    return [each.parent for each in missing]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _delete(root: Path, path: Path) -> None:
    """With the folders that it leaves empty."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root:
            return
        with contextlib.suppress(FileNotFoundError):
            try:
                folder.rmdir()
            except OSError:  # somebody else's is in it
                return


def _list(root: Path, folder: Path) -> list[str]:
    return sorted(
        str((Path(where) / name).relative_to(root))
        for where, _, names in os.walk(folder)
        for name in names
        if not name.startswith(_UNFINISHED)
    )
