"""A new version, from what was sent to where it serves or is known not to."""

import asyncio
from datetime import timedelta

from baseplane.api.context import Context
from baseplane.errors import Conflict, Invalid, NotYet, QuotaExceeded, Unavailable
from baseplane.resources.functions import store, workflows
from baseplane.resources.functions.store import Function, New
from baseplane.resources.organizations import entitlements
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status, require
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime
from baseplane.workflows import queue

DEPLOYABLE = frozenset(Status) - {Status.GOING_DOWN, Status.REMOVED}
"""A function loads without its project's database; a paused project's functions serve again when it does."""
WITHIN = timedelta(seconds=55)
"""How long a request waits; the CLI gives up after 60 seconds (clients.md, section 1)."""
POLL = 0.01


async def deploy(ctx: Context, project: Project, new: New, *, is_first: bool = False) -> Function:
    """The version, which has loaded, and serves if that was asked for.

    Raises Invalid, which says why it does not load; Conflict, QuotaExceeded, NotYet, Unavailable.
    """
    ref = project.ref
    async with ctx.rt.database.transaction() as db:
        require((await projects.get(db, ref)).status, DEPLOYABLE, "deployed to")
        await store.lock(db, ref)
        if is_first and await store.exists(db, ref, new.slug):
            raise Conflict(store.duplicated(new.slug))
        version = await store.insert_version(db, ref, new)
        if version.number == 1 and await store.count(db, ref) > (most := entitlements.limit("function.max_count")):
            raise QuotaExceeded(f"A project has at most {most:g} functions. Delete one that is not needed first.")
        if len(await store.artifacts_of(db, ref)) > store.MOST_KEPT:
            raise QuotaExceeded(
                f"A project keeps at most {store.MOST_KEPT} different versions of functions, of which those that served"
                " lately wait for a restore. Deploy this one when the oldest of them are forgotten."
            )
        await ctx.rt.artifacts.put(version.artifact, new.packed.data)
        await queue.start(db, workflows.apply, ref, collapse=True)
    return await _settled(ctx.rt, version)


async def _settled(rt: Runtime, version: Function) -> Function:
    deadline = asyncio.get_running_loop().time() + WITHIN.total_seconds()
    while True:
        async with rt.database.connection() as db:
            now = await store.find_numbered(db, version.id, version.number)
        if now is None:
            raise Conflict("The function was deleted while this version of it was deployed.")
        if now.state == "ready":
            return now
        if now.state == "broken":
            raise Invalid(now.cause or "")
        if now.state == "failed":
            raise Unavailable(f"The function could not be deployed; what served before serves on. {now.cause}")
        if asyncio.get_running_loop().time() > deadline:
            raise NotYet(
                "The deployment is accepted and goes on without you waiting for it; list the functions to see."
            )
        await asyncio.sleep(POLL)
