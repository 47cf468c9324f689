"""Holds what read replicas are against what they should be, again and again, and measures how they follow."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import psycopg

from baseplane.database import Connection, value
from baseplane.drivers.cluster import ClusterMissing, DriverUnavailable, Link, Slot, StandbySpec, State
from baseplane.errors import NotFound, Unavailable
from baseplane.resources.projects import replicas
from baseplane.resources.projects.replicas import Replica, ReplicaStatus
from baseplane.resources.replicas import workflows
from baseplane.runtime import Runtime
from baseplane.workflows import journal, queue
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
MEASURE = timedelta(seconds=30)
"""Between two measurements of one that is healthy and was not behind: longer than connections are kept, so that an idle one
stays small. One that was behind is measured at every look.
"""
MEASURE_WITHIN = 3.0  # seconds
AT_ONCE = 8
TRY_AGAIN = timedelta(seconds=30)
"""How long an unhealthy one is left alone after a restart that failed."""
SILENCE = timedelta(minutes=1)
"""How long one may be without a stream from its primary, which may be restarting, and still be called healthy."""
REST = timedelta(minutes=15)
"""One that falls behind again so soon after it was made anew cannot keep up, and is given up."""
LOCK = 0x7265_706C
"""Advisory lock: one monitor looks at a time, however many workers there are."""


async def watch(rt: Runtime) -> None:
    """Look until cancelled."""
    await repeat(lambda: look(rt), EVERY, "looking after the read replicas")


async def look(rt: Runtime) -> None:
    """Start what every replica needs that is not as it should be, of projects that serve."""
    async with rt.database.alone(LOCK) as is_alone:
        if not is_alone:
            return
        async with rt.database.connection() as db:
            up = await replicas.list_up(db)
        places = asyncio.Semaphore(AT_ONCE)

        async def one(replica: Replica) -> None:
            async with places:
                await _look_after(rt, replica, await rt.clusters.observe(replica.identifier))

        await asyncio.gather(*map(one, up))


async def _look_after(rt: Runtime, replica: Replica, state: State) -> None:
    async with rt.database.connection() as db:
        if not await _is_due(db, replica, state):
            return
    if state is State.MISSING:
        await _make_anew(rt, replica, "Its data directory is gone.")
    elif state is not State.RUNNING:
        await _restart(rt, replica, "Postgres was not running.")
    else:
        await _measure(rt, replica)


async def _is_due(db: Connection, replica: Replica, state: State) -> bool:
    """Nothing is being done to it, and the last attempt or measurement is long enough ago."""
    if await journal.unfinished(db, replica.identifier):
        return False
    if replica.status is ReplicaStatus.ACTIVE_UNHEALTHY:
        return not await journal.ended_within(db, replica.identifier, TRY_AGAIN)
    well = replica.status is ReplicaStatus.ACTIVE_HEALTHY and state is State.RUNNING and not replica.bytes_behind
    since = replica.measured_at
    return (
        not well or since is None or _ago(since) > MEASURE or bool(replica.changed_at and replica.changed_at >= since)
    )


def _ago(moment: datetime) -> timedelta:
    return datetime.now(UTC) - moment


async def _measure(rt: Runtime, replica: Replica) -> None:
    try:
        async with asyncio.timeout(MEASURE_WITHIN):
            async with rt.database.connection() as db:
                began = await value(db, "select now()")
                spec = await replicas.standby_spec(db, rt.keyring, replica.identifier)
            link = await rt.clusters.standbys.link(spec)
            current = await rt.clusters.standbys.is_current(spec)
    except (Unavailable, ClusterMissing, DriverUnavailable, NotFound, psycopg.Error, TimeoutError) as error:
        log.info("read replica %s could not be measured: %s", replica.identifier, error or "no answer in time")
        await _judge_silence(rt, replica)
        return
    async with rt.database.connection() as db:
        await replicas.record_link(db, replica.identifier, link, began)
    await _judge(rt, replica, spec, link, current=current)


async def _judge(rt: Runtime, replica: Replica, spec: StandbySpec, link: Link, *, current: bool) -> None:
    if link.slot is not Slot.KEPT:
        await _make_anew(rt, replica, f"It fell behind its primary: the replication slot is {link.slot}.")
    elif not current:
        log.info("read replica %s takes the settings of project %s", replica.identifier, spec.primary.ref)
        async with rt.database.transaction() as db:
            await queue.start(db, workflows.follow, replica.identifier)
    elif not link.streams:
        await _judge_silence(rt, replica)
    elif replica.status is not ReplicaStatus.ACTIVE_HEALTHY:
        await _restart(rt, replica, replica.cause)


async def _judge_silence(rt: Runtime, replica: Replica) -> None:
    """It may take its primary some time to come back; after that it is not called healthy, and is started anew."""
    if replica.streamed_at is not None and _ago(replica.streamed_at) < SILENCE:
        return
    log.warning("read replica %s does not stream from its primary", replica.identifier)
    async with rt.database.transaction() as db:
        await replicas.settle(
            db,
            replica.identifier,
            ReplicaStatus.ACTIVE_UNHEALTHY,
            only_from=replicas.UP,
            cause="It does not stream from its primary.",
        )
        await queue.start(db, workflows.restart, replica.identifier)


async def _restart(rt: Runtime, replica: Replica, cause: str | None) -> None:
    log.warning("read replica %s is started: %s", replica.identifier, cause)
    async with rt.database.transaction() as db:
        healthy = {ReplicaStatus.ACTIVE_HEALTHY}
        await replicas.settle(db, replica.identifier, ReplicaStatus.RESTARTING, only_from=healthy, cause=cause)
        await queue.start(db, workflows.restart, replica.identifier)


async def _make_anew(rt: Runtime, replica: Replica, cause: str) -> None:
    async with rt.database.transaction() as db:
        if await replicas.record_rebuild(db, replica.identifier, REST):
            to, workflow = ReplicaStatus.INIT_READ_REPLICA, workflows.rebuild
        else:
            to, workflow = ReplicaStatus.INIT_READ_REPLICA_FAILED, workflows.give_up
            cause += " It had just been made anew, and is not once more: remove it, and set up another."
        if await replicas.settle(db, replica.identifier, to, only_from=replicas.UP, cause=cause):
            log.warning("read replica %s is %s: %s", replica.identifier, to, cause)
            await queue.start(db, workflow, replica.identifier)
