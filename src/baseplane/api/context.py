"""What a handler is given: who calls, the transaction of the request, and the check of what the caller may."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from fastapi import Request

from baseplane.api import permissions
from baseplane.api.caller import Caller
from baseplane.api.permissions import Requirement
from baseplane.database import Connection
from baseplane.database.batches import Found, Key, ReadMany
from baseplane.errors import BaseplaneError, Unavailable
from baseplane.runtime import Runtime


class Context(Request):
    """One request; FastAPI gives it to whoever has a parameter of this type.

    ``authorized`` turns true when the operation's permissions were checked; the edge insists on it.
    """

    def __init__(self, request: Request, rt: Runtime, caller: Caller, requirement: Requirement) -> None:
        super().__init__(request.scope, request.receive)
        self.rt = rt
        self.caller = caller
        self.requirement = requirement
        self.authorized = False
        self.role: str | None = None
        self.transaction: Connection | None = None
        self.awaited: list[tuple[UUID, timedelta, type[BaseplaneError]]] = []

    @property
    def db(self) -> Connection:
        """The transaction of a request that changes something; it commits before the answer is sent."""
        if self.transaction is None:
            raise RuntimeError("this operation has no transaction: use reading()")
        return self.transaction

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """The transaction if there is one, else a connection borrowed for the block alone."""
        if self.transaction is not None:
            yield self.transaction
        else:
            async with self.rt.database.connection() as connection:
                yield connection

    async def look_up(self, read: ReadMany[Key, Found], key: Key) -> Found | None:
        """What ``read`` finds of ``key``: in the transaction if there is one, else together with other requests."""
        if self.transaction is not None:
            return (await read(self.transaction, [key])).get(key)
        return await self.rt.database.look_up(read, key)

    def authorize(self, role: str) -> None:
        """Check that the caller, who has ``role`` in the organization concerned, may do this. Raises Forbidden."""
        permissions.check(self.requirement, self.caller, role)
        self.authorized, self.role = True, role

    def insist(self, permission: str) -> None:
        """Check one more permission that a part of this operation needs. Raises Forbidden."""
        needed = Requirement(None, (frozenset({permission}),), public=False)
        permissions.check(needed, self.caller, self.role or permissions.READ_ONLY)

    def authorize_for_self(self) -> None:
        """The same for operations on the caller's own account, of which everybody is the owner. Raises Forbidden."""
        self.authorize(permissions.OWNER)

    def is_narrowed_to_other(self, *, organization: str | None = None, project: str | None = None) -> bool:
        """Whether the token was made for other organizations or projects than these."""
        caller = self.caller
        return (
            organization is not None and caller.organizations is not None and organization not in caller.organizations
        ) or (project is not None and caller.projects is not None and project not in caller.projects)

    def answer_after(self, run_id: UUID, within: timedelta, *, failure: type[BaseplaneError] = Unavailable) -> None:
        """Answer only when this run has ended well; its failure becomes the answer, as a ``failure``."""
        self.awaited.append((run_id, within, failure))


Ctx = Context
