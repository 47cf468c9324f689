"""The source of a function: which files may be in it, and how they are kept."""

import hashlib
import io
import posixpath
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from baseplane.errors import Invalid, TooLarge

MOST_FILES = 1000
MOST_BYTES = 20 * 1024 * 1024
"""Of all files together, as on the hosted platform."""
MOST_PATH = 1000
MOST_NAME = 255
"""Bytes of a path and of each part of it, which become those of a file."""
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Source:
    """Files by their path, with / between folders, and which of them is which."""

    files: Mapping[str, bytes]
    entrypoint: str
    import_map: str | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """A source as its artifact. ``digest`` is the SHA-256 of ``data`` in hex."""

    source: Source
    data: bytes
    digest: str
    format: Literal["source", "eszip"]


def gather(files: Iterable[tuple[str, bytes]], entrypoint: str, import_map: str | None) -> Source:
    """Raises Invalid, TooLarge."""
    found: dict[str, bytes] = {}
    size = 0
    for given, data in files:
        path = clean(given, "file")
        if path in found:
            raise Invalid(f"file: {path} is given twice.")
        found[path] = data
        size += len(data)
        check_count(len(found))
        check_size(size)
    for path in found:
        if within := next((str(folder) for folder in _folders(path) if folder in found), None):
            raise Invalid(f"file: {within} is a file, and a folder with {path} in it.")
    return Source(
        found,
        _locate(found, entrypoint, "entrypoint_path"),
        _locate(found, import_map, "import_map_path") if import_map else None,
    )


def check_count(count: int) -> None:
    """Raises Invalid."""
    if count > MOST_FILES:
        raise Invalid(
            f"file: a function has at most {MOST_FILES} files. Bundle its dependencies, or import them by URL."
        )


def check_size(size: int) -> None:
    """Raises TooLarge."""
    if size > MOST_BYTES:
        raise TooLarge(f"The function's files are larger than {MOST_BYTES // 1024 // 1024} MB in total.")


def clean(path: str, field: str) -> str:
    """The path as it is kept. Raises Invalid for one that could lead out of the source."""
    shown = path[:100]
    if _UNNAMEABLE.search(path):
        raise Invalid(f"{field}: {shown!r} holds a control character or a backslash; put / between folders.")
    if path.startswith("/"):
        raise Invalid(f"{field}: {shown} is absolute; give it relative to the root of the source.")
    parts = path.split("/")
    if ".." in parts:
        raise Invalid(f"{field}: {shown} has .. in it; give it relative to the root of the source.")
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError as error:
        raise Invalid(f"{field}: {shown!r} is not Unicode text.") from error
    cleaned = posixpath.normpath(path)
    if not path or cleaned == "." or path.endswith("/"):
        raise Invalid(f"{field}: {shown!r} names no file.")
    if max(sizes) > MOST_NAME or len(cleaned.encode()) > MOST_PATH:
        raise Invalid(f"{field}: {shown}… is longer than {MOST_PATH} bytes, or a part of it than {MOST_NAME}.")
    return cleaned


def _folders(path: str) -> Iterable[str]:
    while path := posixpath.dirname(path):
        yield path


def _locate(files: Mapping[str, bytes], given: str, field: str) -> str:
    """The file that is meant. Terraform names it without its folder (clients.md, section 5.6). Raises Invalid."""
    path = clean(given, field)
    if path in files:
        return path
    alike = [file for file in files if file.endswith(f"/{path}")]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise Invalid(f"{field}: {path} could be {alike[0]} or {alike[1]}; give its whole path.")
    raise Invalid(f"{field}: {path} is not among the files that were sent.")


def pack(source: Source) -> Packed:
    """An archive, the same for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in sorted(source.files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    packed = buffer.getvalue()
    return Packed(source, packed, hashlib.sha256(packed).hexdigest(), "source")


def unpack(packed: bytes) -> dict[str, bytes]:
    """What ``pack`` made; the caller has compared the digest."""
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
        return {entry.name: file.read() for entry in archive if (file := archive.extractfile(entry)) is not None}
