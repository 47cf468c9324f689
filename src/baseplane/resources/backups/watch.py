"""Carries log of clusters and files of functions to the archive, again and again; starts backups and drills when due."""

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime, timedelta

from baseplane.drivers.archive import ArchiveUnavailable, Progress
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.resources.backups import archives, due, functions, platform, retention, store
from baseplane.resources.backups.taking import drill, subject, summarize, take
from baseplane.runtime import Runtime
from baseplane.workflows import journal, queue
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two rounds of carrying the log away."""
LOOK_EVERY = 10.0
"""Seconds between two looks for what is due."""
CLEAN_EVERY = 600.0
TELL_EVERY = 60.0
"""Seconds between two warnings of the same archive."""
TELL_OF = 3
"""Files that such a warning names."""
TAKING, DRILLING = 2, 1
"""Backups and drills that go on at the same time, of all projects."""
JUMP = 2.0
"""Seconds by which the clock is off between two looks when it was set."""
CARRYING, LOOKING = 0x6172_6368, 0x6261_636B
"""Advisory locks: one worker at a time does each, and a long look does not keep the log from being carried away."""


class Clock:
    """Notices when the machine's clock is set: restores to a second compare it with what commits were stamped with."""

    def __init__(self) -> None:
        self.offset = time.time() - time.monotonic()

    def look(self) -> float:
        """How many seconds it was set forward (or back, if negative) since the last look; slow corrections are none."""
        now = time.time()
        jump = now - time.monotonic() - self.offset
        self.offset += jump
        if jump >= JUMP:
            log.warning(
                "the clock was set forward, from %s to %s: nothing was committed in between",
                *map(_told, (now - jump, now)),
            )
        elif jump <= -JUMP:
            log.warning(
                "the clock was set back, from %s to %s: what is in between comes twice: a restore to a second of that"
                " ends at the first commit that is stamped later; choose a second after it, or a restore point",
                *map(_told, (now - jump, now)),
            )
        return jump


def _told(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


async def watch(rt: Runtime) -> None:
    """Until cancelled; nothing where nothing is archived."""
    if rt.archive.is_on:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_hold(rt))
            tasks.create_task(_carry(rt))
            tasks.create_task(_carry_functions(rt))
            tasks.create_task(_look_after(rt))


async def _hold(rt: Runtime) -> None:
    """Beside all else: who is busy with a large object must not look dead. Whatever then waits tells of refusals."""
    while True:
        with contextlib.suppress(ArchiveUnavailable, OSError):
            await rt.archive.hold()
        await asyncio.sleep(EVERY)


async def _carry(rt: Runtime) -> None:
    told: dict[str, float] = {}
    clock = Clock()

    async def once() -> None:
        clock.look()
        _tell(rt, await carry(rt), told)

    await repeat(once, EVERY, "carrying the log to the archive")


async def carry(rt: Runtime) -> list[Progress]:
    """One round; gives what still waits afterwards."""
    async with rt.database.alone(CARRYING) as is_alone:
        if not is_alone:
            return []
        found = await rt.archive.ship()
        async with rt.database.transaction() as db:
            await archives.record_look(db, found)
            await platform.record_look(db, found)
    return [progress for progress in found if progress.waiting]


def _tell(rt: Runtime, waiting: list[Progress], told: dict[str, float]) -> None:
    """What the operator has to know: the archive is behind by more than it may be."""
    for progress in waiting:
        late = progress.oldest and time.time() - progress.oldest.timestamp() > rt.settings.archive_rpo
        if (late or progress.error) and time.monotonic() - told.get(progress.generation, -TELL_EVERY) >= TELL_EVERY:
            told[progress.generation] = time.monotonic()
            log.error(
                "the archive of %s is behind: %d segments wait since %s: %s",
                *(
                    "the platform database" if progress.ref == PLATFORM else f"project {progress.ref}",
                    progress.waiting,
                    progress.oldest,
                    progress.error or "Postgres does not hand them over",
                ),
            )


async def _carry_functions(rt: Runtime) -> None:
    """Beside the log, which does not wait for large files."""
    told = -TELL_EVERY

    async def once() -> None:
        nonlocal told
        errors = await functions.carry(rt)
        if errors and time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            log.error("%d files of functions are not in the archive: %s", len(errors), "; ".join(errors[:TELL_OF]))

    await repeat(once, EVERY, "carrying files of functions to the archive")


async def _look_after(rt: Runtime) -> None:
    cleaned = time.monotonic() - CLEAN_EVERY

    async def once() -> None:
        nonlocal cleaned
        await look(rt)
        if (passed := time.monotonic() - cleaned) >= CLEAN_EVERY:
            cleaned += passed
            await clean(rt, passed)

    await repeat(once, LOOK_EVERY, "looking after the backups")


async def look(rt: Runtime) -> None:
    """Start what is due, a few at a time."""
    async with rt.database.alone(LOOKING) as is_alone:
        if is_alone:
            await _start_summaries(rt)
            await _start_backups(rt)
            await _start_drills(rt)


async def _start_summaries(rt: Runtime) -> None:
    async with rt.database.transaction() as db:
        for ref in await due.summaries(db, rt.settings):
            if not await journal.unfinished(db, ref):
                await queue.start(db, summarize, ref)


async def _start_backups(rt: Runtime) -> None:
    """Also of data that has taken the place of what the newest backup is of."""
    async with rt.database.connection() as db:
        standings = await due.standings(db)
    for standing in standings:
        generation = await rt.archive.generation(standing.ref)
        if generation is None or (generation == standing.generation and not standing.is_due):
            continue
        async with rt.database.transaction() as db:
            if await due.is_any_unfinished(db, take.name, TAKING):
                return
            if await store.ask_for_backup(db, standing.ref, generation):
                await archives.open_generation(db, standing.ref, generation)
                await queue.start(db, take, subject("backup", standing.ref))


async def _start_drills(rt: Runtime) -> None:
    async with rt.database.transaction() as db:
        for ref, backup_id in await due.drills(db, rt.settings):
            if await due.is_any_unfinished(db, drill.name, DRILLING):
                return
            await store.begin_drill(db, ref, backup_id)
            await queue.start(db, drill, subject("drill", ref))


async def clean(rt: Runtime, passed: float = CLEAN_EVERY) -> None:
    """Delete what is older than it has to be kept: data that a restore replaced, backups, log.

    ``passed`` is the seconds since the last time.
    """
    async with rt.database.connection() as db:
        outlived = await store.outlived(db)
    for recovery in outlived:
        await rt.clusters.discard(recovery.project_ref, recovery.label)
        async with rt.database.connection() as db:
            await store.forget_replaced(db, recovery)
    keep, now = timedelta(days=rt.settings.backup_retention), datetime.now(UTC)
    await retention.apply(rt, keep)
    await retention.reconcile(rt, keep, now - timedelta(seconds=passed), now)
