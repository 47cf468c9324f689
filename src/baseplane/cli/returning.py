"""What `baseplane up` tells of projects that come back after the loss of a machine."""

import asyncio
import contextlib
from collections.abc import Callable

import psycopg

from baseplane.database import Database
from baseplane.errors import BaseplaneError
from baseplane.resources.projects import losses, store
from baseplane.resources.projects.status import Status

EVERY = 1.0
"""Seconds between two looks."""


async def tell(url: str, say: Callable[[str], None]) -> None:
    """Say of each how it ended, as it does, until none is waited for any more."""
    async with Database(url, max_size=1) as database:
        async with database.connection() as db:
            waiting = {project.ref for project in await losses.list_awaited(db)}
        total = len(waiting)
        while waiting:
            await asyncio.sleep(EVERY)
            with contextlib.suppress(BaseplaneError, psycopg.Error):
                async with database.connection() as db:
                    found = [await store.find(db, ref) for ref in sorted(waiting)]
                for project in filter(None, found):
                    if project.status != Status.RESTORING:
                        waiting.discard(project.ref)
                        say(f"{total - len(waiting)} of {total}: {_how(project)}")


def _how(project: store.Project) -> str:
    if project.status == Status.ACTIVE_HEALTHY:
        return f"{project.name} ({project.ref}) is back"
    return f"{project.name} ({project.ref}) is {project.status}. {project.cause or ''}".rstrip()
