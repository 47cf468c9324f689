"""Chunks as a file, for libraries that want to read one."""

from collections.abc import Iterator


class Stream:
    """Reads what the chunks hold, in one go from the beginning to the end."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def read(self, size: int) -> bytes:
        """As many bytes, or fewer at the end."""
        parts = []
        while size:
            if not self._left:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._left = memoryview(chunk)
            part, self._left = self._left[:size], self._left[size:]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def exhaust(self) -> None:
        """Go on to the end: checks that come with it are then made."""
        for _ in self._chunks:
            pass

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close:
            close()
