"""Keeps a courier at work for every project that has webhooks and serves."""

import asyncio
import logging

import psycopg

from baseplane.drivers.cluster import Role
from baseplane.drivers.outbound import Outbound
from baseplane.errors import BaseplaneError
from baseplane.resources.webhooks import store
from baseplane.resources.webhooks.courier import Courier
from baseplane.resources.webhooks.outbox import NotOursError
from baseplane.resources.webhooks.places import EVERYWHERE, Places
from baseplane.runtime import Runtime

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at which projects are to be served."""
RECONNECT = 0.5
"""Seconds until a lost connection is made again."""
ELSEWHERE = 15.0
"""Seconds until a project that another worker serves is asked for again."""


async def watch(rt: Runtime, sender: Outbound) -> None:
    """Deliver until cancelled."""
    everywhere = asyncio.Semaphore(EVERYWHERE)
    served: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            try:
                async with rt.database.connection() as db:
                    wanted = await store.list_serving(db)
            except (BaseplaneError, psycopg.Error) as error:
                log.warning("looking for projects with webhooks failed: %s", error)
            else:
                for ref in served.keys() - wanted:
                    served[ref].cancel()
                _forget_ended(served)
                for ref in wanted - served.keys():
                    served[ref] = asyncio.create_task(_serve(rt, sender, Places(everywhere), ref))
            await asyncio.sleep(EVERY)
    finally:
        for task in served.values():
            task.cancel()
        await asyncio.gather(*served.values(), return_exceptions=True)


def _forget_ended(served: dict[str, asyncio.Task[None]]) -> None:
    for ref, task in list(served.items()):
        if task.done():
            del served[ref]
            if not task.cancelled() and (error := task.exception()):
                log.error("serving the webhooks of project %s broke off", ref, exc_info=error)


async def _serve(rt: Runtime, sender: Outbound, places: Places, ref: str) -> None:
    courier = Courier(sender, places)
    try:
        while True:
            try:
                async with rt.database.connection() as db:
                    secret = await store.read_secret(db, rt.keyring, ref)
                async with rt.clusters.connect(ref, Role.ADMIN, secret) as db:
                    await courier.serve(db)
                courier.stop()
                courier = Courier(sender, places)
                await asyncio.sleep(ELSEWHERE)
            except NotOursError:
                log.warning("project %s has lost the tables of its webhooks; enable them again", ref)
                await asyncio.sleep(ELSEWHERE)
            except (BaseplaneError, psycopg.Error, OSError) as error:
                log.info("the webhooks of project %s wait for its database: %s", ref, error)
                await asyncio.sleep(RECONNECT)
    finally:
        courier.stop()
