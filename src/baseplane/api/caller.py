"""Who calls: a user, through a token that may be narrower than the user."""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from baseplane.database import Connection, Database
from baseplane.database.secrets import digest
from baseplane.errors import Unauthorized

TOKEN = re.compile(r"sbp_(oauth_)?[0-9a-f]{40}")
"""The form the official clients insist on."""
CACHE_SECONDS = 5.0
CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """``None`` in permissions, organizations or projects means that the token does not narrow them."""

    user_id: str
    email: str
    name: str
    kind: str
    permissions: frozenset[str] | None
    scopes: frozenset[str]
    organizations: frozenset[str] | None
    projects: frozenset[str] | None
    expires_at: datetime | None


Find = Callable[[Connection, bytes], Awaitable[Caller | None]]


@dataclass(slots=True)
class Callers:
    """Finds callers by their tokens. A found one is remembered for seconds, and forgotten when the token changes."""

    database: Database
    find: Find
    _known: dict[bytes, tuple[float, Caller]] = field(default_factory=dict)

    async def by_header(self, authorization: str | None) -> Caller:
        """Raises Unauthorized."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not TOKEN.fullmatch(token.strip()):
            raise Unauthorized("Unauthorized: send Authorization: Bearer sbp_… with one of your access tokens.")
        key = digest(token.strip())
        caller = self._remembered(key) or await self._look_up(key)
        if caller.expires_at and caller.expires_at <= datetime.now(UTC):
            raise Unauthorized(f"Unauthorized: this access token expired at {caller.expires_at.isoformat()}.")
        return caller

    def _remembered(self, key: bytes) -> Caller | None:
        known = self._known.get(key)
        return known[1] if known and known[0] > time.monotonic() else None

    async def _look_up(self, key: bytes) -> Caller:
        async with self.database.connection() as db:
            caller = await self.find(db, key)
        if caller is None:
            raise Unauthorized("Unauthorized: this access token is not known here, or was revoked.")
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[key] = (time.monotonic() + CACHE_SECONDS, caller)
        return caller

    def forget(self, user_id: str = "") -> None:
        """Look this user's tokens up again, or everybody's."""
        self._known = {k: v for k, v in self._known.items() if user_id and v[1].user_id != user_id}
