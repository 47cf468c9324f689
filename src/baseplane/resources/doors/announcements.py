"""Tells the doors that who may enter a project has changed, and learns when all of them have acted on it."""

import asyncio
from datetime import timedelta

from baseplane.database import Connection, Database, value
from baseplane.errors import Unavailable

CHANNEL = "baseplane_doors"
ALIVE = timedelta(seconds=5)
"""A door that has not been seen for longer serves nobody any more."""
LOCK = 0x646F_6F72
"""Advisory lock: announcements commit in the order of their numbers, so that a door may tell the highest."""
POLL = 0.02  # seconds


async def announce(db: Connection, ref: str) -> int:
    """Tell the doors, once the caller's transaction commits; gives the number to wait for."""
    await db.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    number: int = await value(db, "select nextval('door_announcements')")
    await db.execute("select pg_notify(%s, %s)", [CHANNEL, f"{number} {ref}"])
    return number


async def enforce(database: Database, ref: str, within: timedelta = timedelta(seconds=5)) -> None:
    """Return when no door has a session left that may not be: the rules, as committed, hold everywhere.

    Raises Unavailable when a door does not follow ``within``.
    """
    async with database.transaction() as db:
        number = await announce(db, ref)
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    while await _behind(database, number):
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable("An ingress does not follow the change of rules; its log says why.")
        await asyncio.sleep(POLL)


async def _behind(database: Database, number: int) -> bool:
    async with database.connection() as db:
        return bool(
            await value(
                db,
                "select exists (select from doors where followed < %s and seen_at > now() - %s::interval)",
                [number, ALIVE],
            )
        )
