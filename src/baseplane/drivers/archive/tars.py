"""Watching a tar go by: one small file in it is wanted, and reading it all again for that would be a waste."""

from collections.abc import Iterable, Iterator

BLOCK = 512
"""Everything in a tar is a multiple of this long (POSIX.1-1988, ustar)."""


class Passing:
    """``found`` is the file ``name`` once all has gone by, ``size`` the bytes of all files."""

    def __init__(self, name: str) -> None:
        self.name = name.encode()
        self.found = bytearray()
        self.size = 0
        self._header = bytearray()
        self._content = self._padding = 0
        self._wanted = False

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._see(memoryview(chunk))
            yield chunk

    def _see(self, chunk: memoryview) -> None:
        while chunk:
            if self._content:
                seen = chunk[: self._content]
                if self._wanted:
                    self.found += seen
                self._content -= len(seen)
            elif self._padding:
                seen = chunk[: self._padding]
                self._padding -= len(seen)
            else:
                seen = chunk[: BLOCK - len(self._header)]
                self._header += seen
                if len(self._header) == BLOCK:
                    self._begin(bytes(self._header))
                    self._header.clear()
            chunk = chunk[len(seen) :]

    def _begin(self, header: bytes) -> None:
        self._content = _length(header[124:136])
        self._padding = -self._content % BLOCK
        self._wanted = header[:100].rstrip(b"\0") == self.name
        self.size += self._content


def _length(field: bytes) -> int:
    """Octal; binary with the highest bit set where that is too short, from 8 GiB on."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)
