"""The way into a project's database, for operations that act there, and what Postgres' refusals become."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg

from baseplane.api.context import Context
from baseplane.drivers.cluster import ClusterMissing, Role
from baseplane.errors import BaseplaneError, Invalid, Unavailable
from baseplane.resources.projects import store
from baseplane.resources.projects.sleep import awaken
from baseplane.resources.projects.status import REACHABLE, require, require_serving
from baseplane.resources.projects.store import Project

Connection = psycopg.AsyncConnection[Any]

WRONG_PARAMETERS = "08P01"
"""protocol_violation, which a query with more or fewer parameters than it was given is to Postgres."""


@asynccontextmanager
async def inside(ctx: Context, project: Project, role: Role) -> AsyncIterator[Connection]:
    """A connection to the project's database, in autocommit, lent for the block.

    Raises Invalid unless the project serves, Unavailable when its database does not answer.
    """
    require(project.status, REACHABLE, "reached")
    await awaken(ctx.rt, project)

    async def secret() -> str:
        async with ctx.reading() as db:
            return (await store.read_secrets(db, ctx.rt.keyring, project.ref)).secret

    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(ctx.rt.clusters.connect(project.ref, role, secret))
        except (Unavailable, ClusterMissing):
            require_serving(project.status)
            raise
        yield connection


def refusal(error: psycopg.Error, query: str) -> BaseplaneError:
    """What Postgres said of a caller's ``query``: Invalid with message, SQLSTATE, position, hint and the line meant.

    Unavailable if the connection was lost.
    """
    said = error.diag
    if said.sqlstate is None or (said.sqlstate.startswith(("57P", "08")) and said.sqlstate != WRONG_PARAMETERS):
        return Unavailable("The project's database ended the connection; it may be restarting. Try again.")
    message = f"ERROR: {said.sqlstate}: {said.message_primary}"
    details: dict[str, object] = {"code": said.sqlstate}
    if said.statement_position:
        position = int(said.statement_position)
        message += pointer(query, position)
        details["position"] = position
    for name, text in (("detail", said.message_detail), ("hint", said.message_hint), ("where", said.context)):
        if text:
            message += f"\n{name.upper()}: {text}"
            details[name] = text
    return Invalid(message, **details)


def pointer(query: str, position: int) -> str:
    """The line that the position, counted in characters from 1, lies in, with a caret below."""
    before = query[: position - 1]
    line = before.count("\n") + 1
    text = query.split("\n")[line - 1].rstrip("\r")
    label = f"LINE {line}: "
    return f"\n{label}{text}\n{' ' * (len(label) + len(before.rpartition(chr(10))[2]))}^"
