"""Looks at how full the disks are, again and again, and has done what follows from it.

Measuring counts files: some milliseconds a project. How often depends on the room that is left, and each look stops
after a while, so that thousands of projects cost a bounded part of one core and the longest overdue come first.
"""

import logging
import time
from datetime import timedelta

from baseplane.database import Connection
from baseplane.drivers.cluster import ClusterMissing
from baseplane.errors import Conflict
from baseplane.resources.disk import store
from baseplane.resources.disk.store import FULL, Disk
from baseplane.resources.disk.workflows import close_ways_around, enforce
from baseplane.runtime import Runtime
from baseplane.workflows import journal, queue
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
BUDGET = 0.2
"""Seconds that one look measures."""
OFTEN, SELDOM = 5.0, 60.0
"""Seconds between two measurements of a project that is full, and of one that has room enough."""
FAST = 100 * 1024 * 1024
"""Bytes a second that a project is thought capable of writing: it is measured before these could fill it."""
SHARE = 100
"""A project is left alone for so many times as long as measuring it took."""
GROW_AT, GROWTH, MAX_STEP = 0.9, 0.5, 200
"""At which part of the disk it grows, by which part, and by how many gigabytes at most (platform.md, section 14)."""
LOCK = 0x6469_736B
"""Advisory lock: one worker looks at a time."""


async def watch(rt: Runtime) -> None:
    """Look until cancelled."""
    await repeat(lambda: look(rt), EVERY, "looking at the disks")


async def look(rt: Runtime) -> None:
    """Measure what is due, grow what is nearly full, and start making read-only, or writable, what is not as it should be."""
    async with rt.database.alone(LOCK) as is_alone:
        if not is_alone:
            return
        await _measure_due(rt)
        async with rt.database.transaction() as db:
            for ref in await store.differing(db, rt.settings):
                if not await journal.unfinished(db, ref):
                    await queue.start(db, enforce, ref)


async def _measure_due(rt: Runtime) -> None:
    async with rt.database.connection() as db:
        due = await store.due(db)
    until = time.monotonic() + BUDGET
    for ref in due:
        await measure(rt, ref)
        if time.monotonic() > until:
            return


async def measure(rt: Runtime, ref: str) -> None:
    """Measure one project's disk, and let it grow if it may."""
    began = time.monotonic()
    try:
        used = await rt.clusters.measure(ref)
    except ClusterMissing:
        return  # which the monitor says
    took = time.monotonic() - began
    async with rt.database.transaction() as db:
        await store.record_use(db, ref, used)
        await _grow(rt, db, await store.get(db, rt.settings, ref))
        disk = await store.get(db, rt.settings, ref)
        room = FULL * disk.size_bytes - used
        await store.look_again(db, ref, timedelta(seconds=max(min(room / FAST, SELDOM), OFTEN, took * SHARE)))
    if disk.is_read_only:
        await close_ways_around(rt, ref)


async def _grow(rt: Runtime, db: Connection, disk: Disk) -> None:
    most = rt.settings.disk_max_size
    if (disk.used_bytes or 0) < GROW_AT * disk.size_bytes or disk.size_gb >= most:
        return
    size = min(disk.size_gb + min(disk.size_gb * GROWTH, MAX_STEP), most)
    try:
        await store.resize(db, disk.ref, size, "autoscale")
    except Conflict as error:
        log.warning("the disk of project %s is nearly full and does not grow: %s", disk.ref, error)
    else:
        log.warning("the disk of project %s grows from %g to %g GB", disk.ref, disk.size_gb, size)
