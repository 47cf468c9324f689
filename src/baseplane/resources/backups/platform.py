"""The archive of the platform database itself: kept by the same means as those of projects, looked after apart.

Its log is carried away with that of all others (``watch``). Nothing here is a workflow: what is done about the record of
runs cannot be a run.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from baseplane.database import Connection, maybe, value
from baseplane.drivers.archive import BackupId, BaseBackup, Progress
from baseplane.drivers.cluster import ClusterSpec
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.errors import BaseplaneError
from baseplane.runtime import Runtime
from baseplane.workflows.watches import repeat

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two looks."""
FULL_EVERY = timedelta(days=1)
TRY_AGAIN = timedelta(minutes=1)
LOCK = 0x706C_6174
"""Advisory lock: one worker looks after it at a time."""


@dataclass(frozen=True, slots=True)
class PlatformArchive:
    """How it stands; None and null as in the table of the same name."""

    generation: str
    behind_since: datetime | None
    error: str | None
    backed_up_at: datetime | None
    stored: int | None
    failed_at: datetime | None
    failure: str | None


async def get(db: Connection) -> PlatformArchive | None:
    query: LiteralString = (
        "select generation, behind_since, error, backed_up_at, stored, failed_at, failure from platform_archive"
    )
    return await maybe(db, PlatformArchive, query)


async def record_look(db: Connection, found: Iterable[Progress]) -> None:
    """Write down what waits of it, or that nothing does."""
    waiting = next((each for each in found if each.ref == PLATFORM and (each.waiting or each.error)), None)
    since, error = (waiting.oldest, waiting.error) if waiting else (None, None)
    await db.execute(
        "update platform_archive set behind_since = %(since)s, error = %(error)s"
        " where (behind_since, error) is distinct from (%(since)s, %(error)s)",
        {"since": since, "error": error},
    )


async def watch(rt: Runtime, spec: ClusterSpec | None, belongings: Callable[[], Mapping[str, str]]) -> None:
    """Until cancelled. ``spec`` is None where the operator keeps the database.

    ``belongings`` reads what the installation needs beside its databases; it is kept with them.
    """
    if spec is None or not rt.archive.is_on:
        async with rt.database.connection() as db:
            await db.execute("delete from platform_archive")
    kept: Mapping[str, str] = {}

    async def look_again() -> None:
        nonlocal kept
        kept = await look(rt, spec, belongings(), kept)

    if rt.archive.is_on:
        await repeat(look_again, EVERY, "looking after the platform's own archive")


async def look(
    rt: Runtime, spec: ClusterSpec | None, things: Mapping[str, str], kept: Mapping[str, str]
) -> Mapping[str, str]:
    """Keep the belongings if they are not what was ``kept``, then take a backup if one is due; gives what is kept."""
    async with rt.database.alone(LOCK) as is_alone:
        if not is_alone:
            return kept
        if things != kept:
            await rt.archive.keep(things)
        generation = await rt.archive.generation(PLATFORM)
        async with rt.database.connection() as db:
            if spec is not None and generation is not None and await _is_due(db, generation):
                await _take(rt, db, spec, generation)
    return things


async def _is_due(db: Connection, generation: str) -> bool:
    await db.execute(
        "insert into platform_archive (generation) values (%(now)s) on conflict (only_one) do update"
        " set generation = %(now)s, backed_up_at = null where platform_archive.generation <> %(now)s",
        {"now": generation},
    )
    query: LiteralString = (
        "select (backed_up_at is null or backed_up_at < now() - %s)"
        " and (failed_at is null or failed_at < now() - %s) from platform_archive"
    )
    return bool(await value(db, query, [FULL_EVERY, TRY_AGAIN]))


async def _take(rt: Runtime, db: Connection, spec: ClusterSpec, generation: str) -> None:
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    try:
        taken = await rt.archive.take(spec, BackupId(PLATFORM, generation, name), None)
        await clean(rt, timedelta(days=rt.settings.backup_retention))
    except BaseplaneError as error:
        log.error("the backup of the platform database failed: %s", error)  # noqa: TRY400 -- it is foreseen
        await db.execute("update platform_archive set failed_at = now(), failure = %s", [str(error)])
        return
    stored = sum(backup.stored for backup in await rt.archive.found(PLATFORM))
    await db.execute(
        "update platform_archive set backed_up_at = %s, stored = %s, failed_at = null, failure = null",
        [taken.ended_at, stored],
    )


async def clean(rt: Runtime, keep: timedelta) -> None:
    """Delete what nobody can want back any more. Raises ArchiveUnavailable."""
    since = datetime.now(UTC) - keep
    stored = await rt.archive.stored(PLATFORM)
    backups = await rt.archive.found(PLATFORM)
    for each, following in zip(stored, [*stored[1:], None], strict=True):
        of_it = [backup for backup in backups if backup.id.generation == each.generation]
        if following and _began(following.generation) < since:
            await rt.archive.remove(PLATFORM, each.generation)
            continue
        kept = needed(of_it, since)
        names = {backup.id.name for backup in kept}
        doomed = [name for name in each.backups if name not in names]
        if kept and doomed:
            await rt.archive.forget(PLATFORM, each.generation, backups=doomed, before=kept[0].first_segment)


def needed(backups: Sequence[BaseBackup], since: datetime) -> Sequence[BaseBackup]:
    """Of full backups, oldest first: those from ``since`` on, and the one that reaches to it."""
    first = max((number for number, backup in enumerate(backups) if backup.ended_at <= since), default=0)
    return backups[first:]


def _began(generation: str) -> datetime:
    """When this history began, which is when the one before ended."""
    return datetime.strptime(generation.partition("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
