"""Which key or token a request to a project shows, and what it may be there. One ``Resolver`` serves one process.

resolver = Resolver(rt)
task = asyncio.create_task(resolver.attend())       # hears of changes until cancelled
credentials = await resolver.resolve(ref, headers)   # the apikey, or an API key as Bearer. Raises Refused
credentials = await resolver.authenticate(ref, headers)  # and the Bearer JWT, if there is one, verified (verify_jwt)
claims = await resolver.verify(ref, bearer)          # a JWT alone. Raises Refused
document = await resolver.jwks(ref)                  # public: /auth/v1/.well-known/jwks.json
document = await resolver.verification_jwks(ref)     # for the data plane: with the shared secrets; never shown
"""

from collections.abc import Mapping
from typing import Any

from baseplane.resources.credentials.shapes import Claims, Credentials
from baseplane.runtime import Runtime


class Resolver:
    def __init__(self, rt: Runtime) -> None: ...

    async def attend(self) -> None: ...

    async def resolve(self, ref: str, headers: Mapping[str, str], apikey: str | None = None) -> Credentials:
        """``headers`` in lower case; ``apikey`` from the query, where a WebSocket has it. Raises Refused, Unavailable."""
        raise NotImplementedError

    async def authenticate(self, ref: str, headers: Mapping[str, str], apikey: str | None = None) -> Credentials:
        """Raises Refused, Unavailable."""
        raise NotImplementedError

    async def verify(self, ref: str, bearer: str) -> Claims:
        """Raises Refused, Unavailable."""
        raise NotImplementedError

    async def jwks(self, ref: str) -> dict[str, Any]:
        raise NotImplementedError

    async def verification_jwks(self, ref: str) -> dict[str, Any]:
        raise NotImplementedError

    async def environment(self, ref: str) -> dict[str, str]:
        """Of the project's functions: its secrets, SUPABASE_URL, keys, database URL.

        Names and values are the tenant's choice, LD_PRELOAD included: they are never a process's own environment.
        """
        raise NotImplementedError
