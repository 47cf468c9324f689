"""The edge of one API process: whom it knows, what it has counted."""

from dataclasses import dataclass, field

from fastapi import Request

from baseplane.api.address import client_address
from baseplane.api.caller import Caller, Callers
from baseplane.api.meter import Meter
from baseplane.api.rate_limits import RateLimits
from baseplane.errors import Unauthorized
from baseplane.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Edge:
    rt: Runtime
    callers: Callers
    limits: RateLimits
    meter: Meter = field(default_factory=Meter)

    async def identify(self, request: Request) -> Caller:
        """The caller, whose request is counted. Failed attempts count against their address.

        Raises Unauthorized, RateLimited.
        """
        try:
            caller = await self.callers.by_header(request.headers.get("authorization"))
        except Unauthorized:
            await self.count_stranger(request)
            raise
        await self._count(request, f"user:{caller.user_id}")
        return caller

    async def count_stranger(self, request: Request) -> None:
        """Count a failed attempt. Raises RateLimited."""
        await self._count(request, f"address:{client_address(request, self.rt.settings.trusted_proxies)}")

    async def _count(self, request: Request, who: str) -> None:
        request.scope["baseplane.headers"].update(await self.limits.count(who))
