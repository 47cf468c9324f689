"""Bundles that the CLI makes where it has Docker: "EZBR", then an eszip of Deno's, compressed with Brotli.

Of one we take what its author wrote: the modules that were files, as they were before they were compiled where their
source maps tell. What was fetched from elsewhere is fetched anew, when the version is loaded.
Layout: denoland/eszip, versions 2.0 to 2.3; numbers are big-endian.
"""

import hashlib
import posixpath
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import brotli
import orjson

from baseplane.errors import Invalid, TooLarge
from baseplane.resources.functions import source
from baseplane.resources.functions.source import Packed, Source

MAGIC = b"EZBR"
_VERSIONS = {b"ESZIP_V2": 0, b"ESZIP2.1": 1, b"ESZIP2.2": 2, b"ESZIP2.3": 3}
_MOST = 3 * source.MOST_BYTES
"""Bytes of a bundle that is unpacked: sources, what they import from elsewhere, and source maps."""
_MOST_ENTRIES = 20_000
"""Modules with those from elsewhere."""
_FIRST_MAIN = "src/index.ts"
"""Where bundlers put the entrypoint, if nobody says otherwise."""
_MODULE, _REDIRECT, _NPM = range(3)
_CHECKSUMS = {0: 0, 1: 32, 2: 8}
"""Their sizes, by kind; the digest of the whole bundle is checked instead."""


class _UnreadableError(Exception):
    """It is no eszip, or half of one."""


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise _UnreadableError("it ends too early")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        return int(struct.unpack(">I", self.take(4))[0])

    def text(self) -> str:
        return self.take(self.number()).decode()

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.data)


def keep(bundle: bytes, entrypoint: str | None, import_map: str | None) -> Packed:
    """As it was sent, so that its checksum is the one that the CLI compares. Raises Invalid, TooLarge."""
    return Packed(read(bundle, entrypoint, import_map), bundle, hashlib.sha256(bundle).hexdigest(), "eszip")


def read(bundle: bytes, entrypoint: str | None, import_map: str | None) -> Source:
    """``entrypoint`` and ``import_map`` are paths or file URLs as they were when it was made. Raises Invalid, TooLarge."""
    try:
        files = _below_one_folder(dict(_files(_decompress(bundle))))
    except (_UnreadableError, UnicodeDecodeError) as error:
        raise Invalid(f"The bundle cannot be read: {error}. Send the source instead: deploy with --use-api.") from error
    found = _find(files, entrypoint or _FIRST_MAIN)
    if found is None:
        raise Invalid(f"entrypoint_path: {entrypoint or _FIRST_MAIN} is not in the bundle.")
    return source.gather(files.items(), found, _find(files, import_map) if import_map else None)


def _decompress(bundle: bytes) -> bytes:
    if not bundle.startswith(MAGIC):
        raise _UnreadableError(f"it does not begin with {MAGIC.decode()}")
    decompressor, unpacked, rest = brotli.Decompressor(), bytearray(), bundle[len(MAGIC) :]
    while not decompressor.is_finished():
        try:
            piece = decompressor.process(rest, output_buffer_limit=_MOST + 1 - len(unpacked))
        except brotli.error as error:
            raise _UnreadableError("it is not compressed with Brotli") from error
        unpacked += piece
        if len(unpacked) > _MOST:
            raise _too_large()
        if not piece and not rest:
            raise _UnreadableError("it ends too early")
        rest = b""
    return bytes(unpacked)


def _too_large() -> TooLarge:
    return TooLarge(f"The bundle is larger than {_MOST // 1024 // 1024} MB when it is unpacked.")


def _files(unpacked: bytes) -> Iterator[tuple[str, bytes]]:
    reader = _Reader(unpacked)
    magic = reader.take(8)
    if magic not in _VERSIONS:
        raise _UnreadableError("it is no eszip that we know")
    version = _VERSIONS[magic]
    checksum = _read_options(reader) if version >= 2 else 32
    modules = list(_modules(_Reader(_section(reader, checksum))))
    if version >= 1:
        _section(reader, checksum)  # npm packages, which are fetched anew
    sources, maps = (reader.take(reader.number()) for _ in range(2))
    source.check_count(len(modules))
    if sum(where[1] + mapped[1] for _, where, mapped in modules) > _MOST:  # they may lie on top of each other
        raise _too_large()
    for path, where, mapped in modules:
        compiled = _slice(sources, where)
        yield source.clean(path, "file"), _original(_slice(maps, mapped)) or compiled


def _read_options(reader: _Reader) -> int:
    """The size of the checksums that follow."""
    pairs = reader.take(reader.number())
    options = dict(zip(pairs[::2], pairs[1::2], strict=False))
    size = options.get(1, _CHECKSUMS.get(options.get(0, 0), 0))
    reader.take(size)
    return size


def _section(reader: _Reader, checksum: int) -> bytes:
    content = reader.take(reader.number())
    reader.take(checksum)
    return content


Range = tuple[int, int]


def _modules(reader: _Reader) -> Iterator[tuple[str, Range, Range]]:
    """Path, place of the source, place of its source map, of every module that was a file."""
    entries = 0
    while not reader.is_at_end:
        entries += 1
        if entries > _MOST_ENTRIES:
            raise _UnreadableError(f"it has more than {_MOST_ENTRIES} modules")
        specifier, kind = reader.text(), reader.take(1)[0]
        if kind == _MODULE:
            at, size, map_at, map_size, _ = struct.unpack(">IIIIB", reader.take(17))
            if specifier.startswith("file:///"):
                yield _path(specifier), (at, size), (map_at, map_size)
        elif kind == _REDIRECT:
            reader.text()
        elif kind == _NPM:
            reader.take(4)
        else:
            raise _UnreadableError(f"it holds an entry of an unknown kind, {kind}")


def _path(given: str) -> str:
    """Of a file URL, or of a path."""
    return (unquote(urlsplit(given).path) if given.startswith("file:") else given).lstrip("/")


def _slice(data: bytes, place: Range) -> bytes:
    at, size = place
    if at + size > len(data):
        raise _UnreadableError("a module lies outside of it")
    return data[at : at + size]


def _original(source_map: bytes) -> bytes | None:
    try:
        (text,) = orjson.loads(source_map)["sourcesContent"]
        return text.encode() if isinstance(text, str) else None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _below_one_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the folders that all of them lie in, which are those of somebody's machine."""
    folder = posixpath.commonpath([posixpath.dirname(path) for path in files]) if files else ""
    return {path.removeprefix(f"{folder}/") if folder else path: data for path, data in files.items()}


def _find(files: dict[str, bytes], given: str) -> str | None:
    """The file whose path ends as ``given`` does, in as many parts as possible."""
    parts = _path(given).split("/")[-50:]
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        if tail in files:
            return tail
        alike = [path for path in files if path.endswith(f"/{tail}")]
        if len(alike) == 1:
            return alike[0]
    return None
