"""An ingress process as the platform knows it: it follows announcements, and shows that it is there."""

import asyncio
import logging
from collections import Counter
from typing import Protocol
from uuid import UUID, uuid4

import psycopg

from baseplane.database import Connection, value
from baseplane.errors import BaseplaneError
from baseplane.resources.doors.announcements import ALIVE, CHANNEL
from baseplane.resources.projects import sleep
from baseplane.runtime import Runtime

log = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds between two signs of life."""

_LATEST = "select case when is_called then last_value else 0 end from door_announcements"
"""The number of the last announcement; a sequence that gave none yet has a last value all the same."""


class Sessions(Protocol):
    """The part of an ingress that is needed here."""

    async def review(self, ref: str | None = None, *, by_token: bool = False) -> int: ...
    def open_sessions(self) -> Counter[str]: ...


async def attend(rt: Runtime, ingress: Sessions) -> None:
    """Follow announcements until cancelled. After a gap, every session is looked at again."""
    door = uuid4()
    try:
        while True:
            try:
                await _follow(rt, ingress, door)
            except (psycopg.Error, BaseplaneError, OSError) as error:
                log.warning("following the rules of the doors failed: %s", error)
            await asyncio.sleep(HEARTBEAT)
    finally:
        async with rt.database.connection() as db:
            await db.execute("delete from doors where id = %s or seen_at < now() - %s::interval", [door, ALIVE * 100])


async def _follow(rt: Runtime, ingress: Sessions, door: UUID) -> None:
    async with await psycopg.AsyncConnection.connect(rt.database.url, autocommit=True) as listener:
        await listener.execute(f"listen {CHANNEL}".encode())
        followed: int = await value(listener, _LATEST)
        await ingress.review()
        while True:
            await _tell(listener, door, followed)
            await _keep_awake(rt, listener, ingress)
            await ingress.review(by_token=True)  # tokens and grants end by themselves, and nobody announces it
            async for notification in listener.notifies(timeout=HEARTBEAT, stop_after=1):
                number, _, ref = notification.payload.partition(" ")
                if ended := await ingress.review(ref):
                    log.info("ended %d sessions of project %s, which may not be any more", ended, ref)
                followed = max(followed, int(number))


async def _tell(db: Connection, door: UUID, followed: int) -> None:
    await db.execute(
        "insert into doors (id, followed) values (%s, %s)"
        " on conflict (id) do update set seen_at = now(), followed = excluded.followed",
        [door, followed],
    )


async def _keep_awake(rt: Runtime, db: Connection, ingress: Sessions) -> None:
    if rt.settings.sleep_after and (refs := list(ingress.open_sessions())):
        await sleep.mark_used(rt, db, refs)
