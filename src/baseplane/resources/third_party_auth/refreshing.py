"""Fetches the keys of third-party issuers again and again; those fetched last serve while an issuer does not answer."""

import asyncio
import logging
from datetime import timedelta

from baseplane.drivers.outbound import Outbound
from baseplane.errors import Invalid
from baseplane.resources.third_party_auth import store
from baseplane.resources.third_party_auth.discovery import resolve
from baseplane.resources.third_party_auth.store import Integration
from baseplane.runtime import Runtime
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

FRESH_FOR = timedelta(minutes=10)
EVERY = 5.0
"""Seconds between two looks for what is due."""
AT_ONCE = 32


async def watch(rt: Runtime, sender: Outbound) -> None:
    """Until cancelled."""
    await repeat(lambda: _refresh_all_due(rt, sender), EVERY, "refreshing the keys of third-party issuers")


async def _refresh_all_due(rt: Runtime, sender: Outbound) -> None:
    while await refresh_due(rt, sender) == AT_ONCE:
        pass


async def refresh_due(rt: Runtime, sender: Outbound) -> int:
    """Fetch what is due, so many at once; gives their number."""
    async with rt.database.connection() as db:
        due = await store.take_due(db, AT_ONCE, FRESH_FOR)
    await asyncio.gather(*(_refresh(rt, sender, integration) for integration in due))
    return len(due)


async def _refresh(rt: Runtime, sender: Outbound, integration: Integration) -> None:
    try:
        resolved = await resolve(sender, integration.oidc_issuer_url, integration.jwks_url)
    except Invalid as error:
        log.warning("keys of issuer %s, project %s: %s", integration.id, integration.project_ref, error.message)
        return
    async with rt.database.transaction() as db:
        await store.refresh(db, integration.id, resolved)
