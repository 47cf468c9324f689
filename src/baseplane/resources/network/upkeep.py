"""Tries again what could not be applied, and forgets failed logins that do not count any more."""

import logging
from datetime import timedelta

from baseplane.database import Connection
from baseplane.resources.network import bans, restrictions, ssl_enforcement, workflows
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, journal, queue
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two looks."""
TRY_AGAIN = timedelta(seconds=30)
"""How long rules that could not be applied are left alone."""


async def watch(rt: Runtime) -> None:
    """Look until cancelled."""
    await repeat(lambda: look(rt), EVERY, "looking after network rules")


async def look(rt: Runtime) -> None:
    async with rt.database.connection() as db:
        await bans.sweep(db, timedelta(minutes=rt.settings.ban_within))
    async with rt.database.transaction() as db:
        for ref in await restrictions.unapplied(db):
            await _try_again(db, workflows.enforce_restrictions, ref)
        for ref in await ssl_enforcement.unapplied(db):
            await _try_again(db, workflows.enforce_ssl, ref)


async def _try_again(db: Connection, workflow: Workflow, ref: str) -> None:
    if not await journal.unfinished(db, ref) and not await journal.ended_within(db, ref, TRY_AGAIN):
        log.info("trying again to apply the network rules of project %s", ref)
        await queue.start(db, workflow, ref, collapse=True)
