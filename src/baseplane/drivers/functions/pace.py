"""Functions that keep failing are tried again later and later."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from baseplane.drivers.functions import FunctionFailed

_FREE = 2
"""Failures in a row before which the next start waits for nothing."""
_LONGEST = 60.0


@dataclass(slots=True)
class Failures:
    """Of one version in one environment, in a row. Times are in seconds."""

    environment: Mapping[str, str]
    count: int = 0
    again: float = 0.0
    cause: str = ""

    def add(self, cause: str) -> None:
        self.count += 1
        self.cause = cause
        wait = 0.0 if self.count <= _FREE else min(_LONGEST, 2.0 ** (self.count - _FREE - 1))
        self.again = time.monotonic() + wait

    def check(self, environment: Mapping[str, str]) -> None:
        """Raises FunctionFailed while it is too early. Another environment may mend it."""
        left = self.again - time.monotonic()
        if left > 0 and environment == self.environment:
            raise FunctionFailed(
                f"{self.cause} It failed {self.count} times in a row and is started again in {left:.0f} seconds at most.",
                code="BOOT_ERROR",
                status=503,
            )
