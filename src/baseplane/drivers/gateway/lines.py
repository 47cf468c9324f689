"""A file of JSON lines that is written in the background, and does not grow for ever."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import orjson

log = logging.getLogger(__name__)

EVERY = 0.25
"""Seconds that a line may wait in memory."""
MOST_WAITING = 16 * 1024 * 1024
"""Bytes in memory, after which lines are dropped: the disk is stuck or full, and requests come first."""


class Lines:
    """``size`` is in bytes; beside the file itself, ``keep`` older ones stay: name.1 is the newest."""

    def __init__(self, path: Path, size: int = 64 * 1024 * 1024, keep: int = 5) -> None:
        self._path = path
        self._size = size
        self._keep = keep
        self._waiting: list[bytes] = []
        self._bytes = self._dropped = 0

    def write(self, line: dict[str, Any]) -> None:
        if self._bytes > MOST_WAITING:
            self._dropped += 1
            return
        text = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        self._waiting.append(text)
        self._bytes += len(text)

    async def run(self) -> None:
        """Write until cancelled, and then what is left."""
        try:
            while True:
                await asyncio.sleep(EVERY)
                await self.flush()
        finally:
            self._append(self._taken())

    async def flush(self) -> None:
        if self._waiting:
            await asyncio.to_thread(self._append, self._taken())

    def _taken(self) -> bytes:
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        return b"".join(waiting)

    def _append(self, text: bytes) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(text)
                is_large = file.tell() >= self._size
            if is_large:
                self._rotate()
            if self._dropped:
                log.warning("%d lines for %s were dropped", self._dropped, self._path.name)
                self._dropped = 0
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)

    def _rotate(self) -> None:
        for number in range(self._keep, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number}"))
