"""Processor time and memory that a process takes, and whose requests it is counted to."""

import os
import time
from collections.abc import Collection
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_DILUTION = 16
"""Requests that share what is spent: else who keeps many waiting would be stopped late."""
_SMOOTHING = 0.5
"""Seconds."""
_REFILL = 0.1
"""Of a request's processor time, a second, for work without a request."""


class Spent:
    """Seconds of one request."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = 0.0


class Usage:
    def __init__(self, pid: int, cpu: float) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._statm = Path(f"/proc/{pid}/statm")
        self._cpu = cpu
        self._seen = 0.0
        self._background = 0.0
        self.at = time.monotonic()
        self.load = 0.0
        """Processors in use, over the last second or so."""

    def count(self, running: Collection[Spent]) -> bool:
        """Share what was spent since the last time among the requests that run. Whether that was too much: for these,
        on average, or for work without a request. Raises OSError once the process is gone.
        """
        now, total = time.monotonic(), self._total()
        spent, self._seen = total - self._seen, total
        elapsed, self.at = now - self.at, now
        weight = min(1.0, elapsed / _SMOOTHING)
        self.load += (spent / elapsed - self.load) * weight if elapsed else 0.0
        self._background = max(0.0, self._background - elapsed * self._cpu * _REFILL)
        if not running:
            self._background += spent
            return self._background > self._cpu
        for one in running:
            one.seconds += spent / min(len(running), _DILUTION)
        return sum(one.seconds for one in running) / len(running) > self._cpu

    def forget(self) -> None:
        """What was spent so far is nobody's: a process starts before its first request."""
        self._seen, self.at = self._total(), time.monotonic()

    def memory(self) -> int:
        """Bytes that are not those of files. Raises OSError."""
        _, resident, shared, *_ = self._statm.read_text().split()
        return (int(resident) - int(shared)) * _PAGE

    def _total(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK
