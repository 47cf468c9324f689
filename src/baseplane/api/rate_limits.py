"""Requests a minute and user, over all of the user's tokens; past the limit, nothing for the next minute."""

from collections.abc import Mapping
from math import ceil
from time import time
from typing import cast

from limits import RateLimitItemPerMinute
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.storage import storage_from_string

from baseplane.errors import RateLimited


class RateLimits:
    """``per_minute`` of 0 is off. ``storage`` is a URL of the limits library, such as memory:// or redis://host."""

    def __init__(self, per_minute: int, storage: str) -> None:
        self.per_minute = per_minute
        self._window = RateLimitItemPerMinute(per_minute or 1, namespace="baseplane")
        self._block = RateLimitItemPerMinute(1, namespace="baseplane-blocked")
        self._limiter = FixedWindowRateLimiter(cast("Storage", storage_from_string(f"async+{storage}")))

    async def count(self, who: str) -> Mapping[str, str]:
        """Count a request; gives the headers that tell how many are left. Raises RateLimited."""
        if not self.per_minute:
            return {}
        if not await self._limiter.test(self._block, who):
            raise await self._refusal(who)
        if not await self._limiter.hit(self._window, who):
            await self._limiter.hit(self._block, who)
            raise await self._refusal(who)
        stats = await self._limiter.get_window_stats(self._window, who)
        return self._headers(stats.remaining, _seconds_until(stats.reset_time))

    async def _refusal(self, who: str) -> RateLimited:
        seconds = _seconds_until((await self._limiter.get_window_stats(self._block, who)).reset_time)
        return RateLimited(
            f"ThrottlerException: Too Many Requests. The limit is {self.per_minute} requests a minute;"
            f" try again in {seconds} seconds.",
            retry_after=seconds,
            headers=self._headers(0, seconds),
        )

    def _headers(self, remaining: int, reset: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.per_minute),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(reset),
        }


def _seconds_until(moment: float) -> int:
    return max(1, ceil(moment - time()))
