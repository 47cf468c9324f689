"""Tars taken apart as they go by. tarfile copies everything several times, and looks up each path again and again."""

import contextlib
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

BLOCK = 512
"""Everything in a tar is a multiple of this long (POSIX.1-1988, ustar)."""
FILE, DIRECTORY, ATTRIBUTES = b"0", b"5", b"x"
"""Kinds of entries; attributes (POSIX.1-2001, pax) are of the entry after them."""
ANY = re.compile(r".*", re.DOTALL)
LARGE = 1024 * 1024
"""Bytes from which on a file gets its room before it is written: ext4 then takes an eighth of the processor's time."""


class NoTar(ValueError):
    """It is not, or not all of, what Postgres and we put into a tar; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    kind: bytes
    size: int


class Reader:
    """Feed it a tar, then ``end`` it."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._content = self._padding = 0
        self._ended = False

    def feed(self, chunk: bytes) -> Iterator[Entry | memoryview]:
        """The entries that begin in this chunk, each before what the chunk has of its content. Raises NoTar."""
        left = memoryview(chunk)
        while left:
            if self._content:
                seen = left[: self._content]
                self._content -= len(seen)
                yield seen
            elif self._padding:
                seen = left[: self._padding]
                self._padding -= len(seen)
            else:
                seen = left[: BLOCK - len(self._header)]
                self._header += seen
                if len(self._header) == BLOCK:
                    self._ended = not any(self._header)
                    if not self._ended:
                        yield self._begin(bytes(self._header))
                    self._header.clear()
            left = left[len(seen) :]

    def _begin(self, header: bytes) -> Entry:
        size, checksum = _number(header[124:136]), _number(header[148:156])
        if checksum != sum(header[:148] + b" " * 8 + header[156:]):
            raise NoTar("it holds something that is no header")
        entry = Entry(os.fsdecode(header[:100].rstrip(b"\0")), header[156:157], size)
        self._content = entry.size
        self._padding = -entry.size % BLOCK
        return entry

    def end(self) -> None:
        """Raises NoTar when something is missing. Blocks of zeros are the end."""
        if not self._ended or self._header:
            raise NoTar("its end is missing")


def _number(field: bytes) -> int:
    """Octal; binary with the highest bit set where that is too short, from 8 GiB on. Raises NoTar."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError as error:
        raise NoTar("it holds something that is no header") from error


class Passing:
    """``found`` is the file ``name`` once all has gone by, ``size`` the bytes of all files."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found = bytearray()
        self.size = 0

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        reader, wanted = Reader(), False
        for chunk in chunks:
            for seen in reader.feed(chunk):
                if isinstance(seen, Entry):
                    self.size += seen.size
                    wanted = seen.name == self.name
                elif wanted:
                    self.found += seen
            yield chunk


def unpack(chunks: Iterable[bytes], into: Path, names: re.Pattern[str] = ANY) -> None:
    """Write the files and directories of a tar below ``into``. Raises NoTar for what is not of ``names`` or elsewhere."""
    reader = Reader()
    with contextlib.ExitStack() as opened:
        for chunk in chunks:
            for seen in reader.feed(chunk):
                if isinstance(seen, Entry):
                    opened.close()
                    if seen.kind != ATTRIBUTES and not names.fullmatch(seen.name):
                        raise NoTar(f"it holds {seen.name!r}, which does not belong there")
                    file = opened.enter_context(_begin(into, seen))
                else:
                    file.write(seen)
    reader.end()


def _begin(into: Path, entry: Entry) -> contextlib.AbstractContextManager[IO[bytes]]:
    """The file; for what is none one whose content is lost."""
    if entry.kind == ATTRIBUTES:
        return _nothing()
    name = PurePosixPath(entry.name)
    if name.is_absolute() or ".." in name.parts or not name.parts or entry.kind not in (FILE, DIRECTORY):
        raise NoTar(f"it holds {entry.name!r}, which is no file or directory below the data directory")
    path = into / name
    try:
        folder = path if entry.kind == DIRECTORY else path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if entry.kind == DIRECTORY:
            return _nothing()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except (FileExistsError, NotADirectoryError) as error:
        raise NoTar(f"it holds {entry.name!r} twice") from error
    if entry.size >= LARGE:
        with contextlib.suppress(OSError):  # not every file system can
            os.posix_fallocate(descriptor, 0, entry.size)
    return os.fdopen(descriptor, "wb")


def _nothing() -> contextlib.AbstractContextManager[IO[bytes]]:
    return contextlib.nullcontext(io.BytesIO())
