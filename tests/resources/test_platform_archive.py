"""The archive of the platform database itself, on a cluster that is only remembered."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from baseplane.drivers.archive import BackupFailed, BackupId, BaseBackup, Progress
from baseplane.drivers.archive.memory import MemoryArchive
from baseplane.drivers.cluster import ClusterSpec
from baseplane.drivers.cluster.layout import PLATFORM
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.backups import platform, watch
from baseplane.resources.backups.report import Report, of_platform
from baseplane.runtime import Runtime

SPEC = ClusterSpec(PLATFORM, 17, "nano", "secret", "secret", ())


@pytest.fixture
async def archive(rt: Runtime, memory: MemoryClusters) -> AsyncIterator[MemoryArchive]:
    await memory.create(SPEC)
    await memory.start(SPEC)
    assert isinstance(rt.archive, MemoryArchive)
    yield rt.archive
    async with rt.database.connection() as db:
        await db.execute("delete from platform_archive")


async def first(rt: Runtime) -> Report:
    async with rt.database.connection() as db:
        found = await of_platform(db, rt.settings)
    assert found is not None
    return found


async def test_it_is_backed_up_once_a_day_after_what_is_kept_with_it(rt: Runtime, archive: MemoryArchive) -> None:
    for _ in range(2):
        await platform.look(rt, SPEC, {"ca/ca.pem": "ours"}, {})
    assert archive.kept == {"ca/ca.pem": "ours"}
    assert len(archive.backups) == 1
    shown = await first(rt)
    assert (shown.ref, shown.kind, shown.failure) == (PLATFORM, "full", None)
    assert shown.backed_up_at is not None
    async with rt.database.connection() as db:
        await db.execute("update platform_archive set backed_up_at = now() - interval '25 hours'")
    archive.backups.clear()
    await platform.look(rt, SPEC, {}, {})
    assert len(archive.backups) == 1


async def test_a_database_of_the_operators_own_is_left_to_him(rt: Runtime, archive: MemoryArchive) -> None:
    await platform.look(rt, None, {"ca/ca.pem": "ours"}, {})
    assert archive.kept == {"ca/ca.pem": "ours"}
    assert not archive.backups


async def test_a_backup_that_fails_is_told_and_tried_again(
    rt: Runtime, archive: MemoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise BackupFailed("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(MemoryArchive, "take", fails)
        await platform.look(rt, SPEC, {}, {})
    assert (await first(rt)).failure == "The disk is full."
    async with rt.database.connection() as db:
        await db.execute("update platform_archive set failed_at = now() - interval '2 minutes'")
    await platform.look(rt, SPEC, {}, {})
    assert (await first(rt)).failure is None
    assert len(archive.backups) == 1


async def test_log_that_waits_is_told_until_it_does_not(rt: Runtime, archive: MemoryArchive) -> None:
    await platform.look(rt, SPEC, {}, {})
    since = datetime.now(UTC) - timedelta(minutes=5)
    archive.waiting = [Progress(PLATFORM, "first", 3, since, error="The archive is full")]
    await watch.carry(rt)
    shown = await first(rt)
    assert (shown.behind_since, shown.error) == (since, "The archive is full")
    archive.waiting = []
    await watch.carry(rt)
    assert ((await first(rt)).behind_since, (await first(rt)).error) == (None, None)


def backup(days: float, generation: str = "20260101T000000-a") -> BaseBackup:
    """One that ended so many days ago."""
    ended = datetime.now(UTC) - timedelta(days=days)
    return BaseBackup(BackupId(PLATFORM, generation, f"{days}"), "full", 1, 1, "0" * 24, ended, ended, 17)


def test_what_reaches_back_to_the_beginning_of_the_retention_is_kept() -> None:
    since = datetime.now(UTC) - timedelta(days=7)
    backups = [backup(days) for days in (9, 8, 6, 1)]
    assert [each.id.name for each in platform.needed(backups, since)] == ["8", "6", "1"]
    assert platform.needed(backups[2:], since) == backups[2:]


async def test_histories_that_ended_before_the_retention_are_deleted(rt: Runtime, archive: MemoryArchive) -> None:
    for each in (backup(30), backup(20, "20260102T000000-b"), backup(1, "29990101T000000-c")):
        archive.backups[each.id] = each
    await platform.clean(rt, timedelta(days=7))
    assert {each.generation for each in archive.backups} == {"20260102T000000-b", "29990101T000000-c"}
