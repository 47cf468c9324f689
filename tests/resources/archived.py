"""Projects with a real archive, as tests handle them."""

import asyncio
import time
from typing import Any

from baseplane.drivers.cluster.local import LocalClusters
from baseplane.resources.backups import store
from baseplane.resources.backups.taking import subject, take
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime
from baseplane.workflows import queue
from tests.conftest import Client


async def start(rt: Runtime, ref: str) -> None:
    """As the monitor would."""
    async with rt.database.connection() as db:
        await rt.clusters.start(await projects.cluster_spec(db, rt.keyring, ref))


async def run(kept: Client, ref: str, query: str) -> Any:
    response = await kept.query(ref, query)
    assert response.status_code == 201, response.text
    return response.json()


async def back_up(kept: Client, rt: Runtime, ref: str) -> None:
    async with rt.database.transaction() as db:
        assert await store.ask_for_backup(db, ref, await rt.archive.generation(ref) or "")
        await queue.start(db, take, subject("backup", ref))
    await kept.drain()


async def next_second() -> int:
    """A second that begins after all that was done before, and has passed."""
    second = int(time.time()) + 1
    await asyncio.sleep(second + 0.05 - time.time())
    return second


def postmaster(rt: Runtime, ref: str) -> int:
    assert isinstance(rt.clusters, LocalClusters)
    return int((rt.clusters.layout.cluster(ref).data / "postmaster.pid").read_text().split()[0])
