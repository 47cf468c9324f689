"""What a function's process writes: lines into messages, as many as the platform takes."""

import contextlib
import os
import re
import time
from collections.abc import Callable

LINE = 10_000
"""Characters of a message (platform.md, section 8)."""
EVENTS, WINDOW = 100, 10.0
"""Messages in so many seconds."""
_PIECE = 65_536
_PACE = 8 * 1024 * 1024
"""Bytes a second that are read, then dropped or not. Who writes more waits: it would be our processor time."""
_LEVELS = {"d": "debug", "l": "log", "i": "info", "w": "warning", "e": "error"}
_MARKED = re.compile(r" *\x1e(.)(?:\x1f ?)?(.*)", re.DOTALL)
_OF_DENO = ('warning: Detected export default { fetch }, did you mean to run "deno serve"?',)

Say = Callable[[str, str], None]


class Allowance:
    """Of a process, whatever its pipe."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._began = 0.0
        self._said = 0
        self._dropped = 0

    def take(self, level: str, message: str) -> None:
        now = time.monotonic()
        if now - self._began >= WINDOW:
            self.settle()
            self._began, self._said = now, 0
        if self._said >= EVENTS:
            self._dropped += 1
            return
        self._said += 1
        self._say(level, message)

    def settle(self) -> None:
        """Tell of what was dropped, once its time is over."""
        if self._dropped:
            self._say("warning", f"{self._dropped} messages were dropped: more than {EVENTS} in {WINDOW:g} seconds.")
            self._dropped = 0

    def is_due(self) -> bool:
        return bool(self._dropped) and time.monotonic() - self._began >= WINDOW


class Pipe:
    """One of the two. ``control`` hears what the prelude tells about the process itself."""

    def __init__(self, fd: int, level: str, allowance: Allowance, control: Callable[[str], None]) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self._level = level
        self._allowance = allowance
        self._control = control
        self._rest = b""
        self._skipping = False
        self._credit, self._at = float(_PACE), time.monotonic()
        self.tail = ""
        """The last of what was written, for who asks why the process ended."""

    def read(self) -> bool | None:
        """Take what is there. None when it is too much for now; False at the end."""
        now = time.monotonic()
        self._credit = min(_PACE, self._credit + (now - self._at) * _PACE)
        self._at = now
        if self._credit < _PIECE:
            return None
        try:
            piece = os.read(self.fd, _PIECE)
        except BlockingIOError:
            return True
        self._credit -= len(piece)
        return self._split(piece)

    def drain(self) -> None:
        """What a process that ended has left."""
        with contextlib.suppress(OSError):
            while self._split(os.read(self.fd, _PIECE)):
                pass

    def _split(self, piece: bytes) -> bool:
        if not piece:
            self._take([self._rest] if self._rest else [])
            self._rest = b""
            return False
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        self._take(lines)
        if len(self._rest) > 4 * LINE:
            if not self._skipping:
                self._take([self._rest])
            self._skipping, self._rest = True, b""
        return True

    def _take(self, lines: list[bytes]) -> None:
        message: tuple[str, list[str]] | None = None
        for raw in lines:
            if self._skipping:  # the end of a line whose beginning was said
                self._skipping = False
                continue
            line = raw[: 4 * LINE].decode(errors="replace")
            marked = _MARKED.fullmatch(line)
            if marked and marked[1] == "B":
                self._control(marked[2])
            elif marked:
                self._finish(message)
                message = (_LEVELS.get(marked[1], self._level), [marked[2]])
            elif line not in _OF_DENO:
                message = message or (self._level, [])
                message[1].append(line)
        self._finish(message)

    def _finish(self, message: tuple[str, list[str]] | None) -> None:
        if message is None:
            return
        text = "\n".join(message[1])[:LINE]
        self.tail = (self.tail + text + "\n")[-2 * LINE :]
        self._allowance.take(message[0], text)
