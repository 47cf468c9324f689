"""Steps that take a project's read replicas along when it is paused or deleted."""

from baseplane.database import Connection
from baseplane.resources.projects import replicas
from baseplane.resources.projects.replicas import Replica, ReplicaStatus
from baseplane.runtime import Runtime
from baseplane.workflows import Wait, journal

REMOVAL = "replica.remove"
"""The workflow of a replica that is not broken off: it leads where we want to go."""


async def stop_replicas(rt: Runtime, ref: str) -> Wait | None:
    """They are started again once the project serves again."""
    async with rt.database.connection() as db:
        found = await replicas.list_of(db, ref)
        if await _are_busy(db, found):
            return Wait(0.05)
        for replica in found:
            cause = "The project was paused."
            await replicas.settle(db, replica.identifier, ReplicaStatus.RESTARTING, only_from=replicas.UP, cause=cause)
    for replica in found:
        await rt.poolers.stop(replica.identifier)
        await rt.clusters.stop(replica.identifier)
    return None


async def remove_replicas(rt: Runtime, ref: str) -> Wait | None:
    async with rt.database.connection() as db:
        found = await replicas.list_of(db, ref)
        if await _are_busy(db, found):
            return Wait(0.05)
    for replica in found:
        await rt.poolers.stop(replica.identifier)
        async with rt.database.connection() as db:
            spec = await replicas.standby_spec(db, rt.keyring, replica.identifier)
        await rt.clusters.standbys.remove(spec)
        async with rt.database.connection() as db:
            await replicas.delete(db, replica.identifier)
    return None


async def _are_busy(db: Connection, found: list[Replica]) -> bool:
    """Breaks off what is being done to them. What has not begun yet finds that it need not."""
    busy = False
    for replica in found:
        await journal.request_cancel(db, replica.identifier, but=REMOVAL)
        busy |= any(run.state != "queued" for run in await journal.unfinished(db, replica.identifier))
    return busy
