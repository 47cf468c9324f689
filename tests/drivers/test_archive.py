"""The archive of real clusters: what was put there brings them back, to the second, and what is damaged is not used."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import (
    ArchiveUnavailable,
    BackupDamaged,
    BackupId,
    BaseBackup,
    RecoveryFailed,
    Target,
)
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.archive.planning import plan
from baseplane.drivers.cluster import ClusterSpec, Role
from baseplane.drivers.cluster.engines import found, installed
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.settings import Settings
from tests.drivers.conftest import new_spec


@dataclass
class Archived:
    """A cluster that runs and is archived, and what a test does with it."""

    archive: LocalArchive
    spec: ClusterSpec

    @property
    def clusters(self) -> LocalClusters:
        return self.archive.clusters

    async def ask(self, query: str) -> Any:
        async with self.clusters.connect(self.spec.ref, Role.ADMIN, self.spec.secret) as db:
            cursor = await db.execute(query.encode())
            row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    async def backup(self, name: str = "1", parent: str | None = None) -> BaseBackup:
        return await self.archive.take(self.spec, await self.id(name), await self.id(parent) if parent else None)

    async def id(self, name: str) -> BackupId:
        return BackupId(self.spec.ref, await self.archive.generation(self.spec.ref) or "", name)

    async def moment(self) -> datetime:
        """A time between what was committed before and what is committed after."""
        await asyncio.sleep(0.005)
        now = datetime.now(UTC)
        await asyncio.sleep(0.005)
        return now

    async def brought_back(self, backup: BackupId, target: Target, label: str = "back") -> None:
        """Recover and serve what came of it."""
        await self.archive.prepare(self.spec, label, backup, target)
        await self.clusters.switch_in(self.spec.ref, label)
        await self.clusters.start(self.spec)


@pytest.fixture
def archive(clusters: LocalClusters, settings: Settings, keyring: Keyring, tmp_path: Path) -> LocalArchive:
    driver = LocalClusters(clusters.layout, settings.engines_dir, clusters.account, rpo=60)
    return LocalArchive(driver, str(tmp_path / "archive"), keyring)


@pytest.fixture
async def archived(request: pytest.FixtureRequest, archive: LocalArchive) -> AsyncIterator[Archived]:
    """Of the Postgres major that the test is parametrized with, or 17."""
    spec = new_spec(engine=getattr(request, "param", 17))
    await archive.clusters.create(spec)
    await archive.clusters.start(spec)
    yield Archived(archive, spec)
    await archive.clusters.remove(spec.ref)
    archive.clusters.close()


def engines(*majors: int) -> pytest.MarkDecorator:
    """Do it with each of these majors that is on this machine, and with 17."""
    there = {engine.major for engine in (*found(), *installed(Settings().engines_dir))}
    others = [
        pytest.param(major, marks=pytest.mark.skipif(major not in there, reason=f"there is no Postgres {major}"))
        for major in majors
    ]
    return pytest.mark.parametrize("archived", [17, *others], indirect=True)


def objects(archived: Archived, pattern: str) -> list[Path]:
    assert archived.archive.store.directory is not None
    return sorted(archived.archive.store.directory.glob(f"{archived.spec.ref}/*/{pattern}"))


@engines(15, 18)
async def test_a_cluster_comes_back_as_it_was_at_a_moment(archived: Archived) -> None:
    await archived.ask("create table public.kept (id int)")
    backup = await archived.backup()
    await archived.ask("insert into public.kept select generate_series(1, 100)")
    moment = await archived.moment()
    await archived.ask("insert into public.kept select generate_series(101, 200)")
    await archived.archive.flush(archived.spec)
    await archived.brought_back(backup.id, Target(time=moment))
    assert await archived.ask("select count(*) || '/' || sum(id) from public.kept") == "100/5050"


@engines(18)
async def test_increments_bring_back_what_changed_after_the_full_backup(archived: Archived) -> None:
    archived.spec = replace(archived.spec, settings={"summarize_wal": "on"})
    await archived.clusters.configure(archived.spec)
    await archived.ask("create table public.kept as select generate_series(1, 20000) as id")
    full = await archived.backup("1")
    await archived.ask("insert into public.kept select generate_series(20001, 20100)")
    second = await archived.backup("2", parent="1")
    await archived.ask("insert into public.kept values (20101)")
    third = await archived.backup("3", parent="2")
    assert (full.kind, second.kind, third.kind) == ("full", "incremental", "incremental")
    assert third.stored < full.stored / 2
    await archived.brought_back(third.id, Target(as_backed_up=True))
    assert await archived.ask("select count(*) from public.kept") == 20101


async def test_increments_are_left_out_where_the_log_is_shorter_and_used_where_it_is_longer(archived: Archived) -> None:
    archived.spec = replace(archived.spec, settings={"summarize_wal": "on"})
    await archived.clusters.configure(archived.spec)
    await archived.backup("1")
    second = await archived.backup("2", parent="1")
    assert len(plan(archived.archive.store, second.id, Target()).chain) == 1
    await archived.ask("create table public.kept as select id, repeat('x', 2000) from generate_series(1, 50000) id")
    await archived.ask("delete from public.kept where id > 10")
    third = await archived.backup("3", parent="2")
    await archived.ask("drop table public.kept; create table public.kept as select 1 as id")
    fourth = await archived.backup("4", parent="3")
    assert [each.name for each in plan(archived.archive.store, third.id, Target(as_backed_up=True)).chain] == list(
        "123"
    )
    chosen = plan(archived.archive.store, fourth.id, Target())
    assert chosen.size <= plan(archived.archive.store, fourth.id, Target(as_backed_up=True)).size
    await archived.archive.flush(archived.spec)
    await archived.brought_back(fourth.id, Target())
    assert await archived.ask("select id from public.kept") == 1


@engines(15, 18)
async def test_a_restore_point_is_come_back_to(archived: Archived) -> None:
    backup = await archived.backup()
    await archived.ask("create table public.before ()")
    await archived.archive.mark(archived.spec, "here")
    await archived.ask("create table public.after ()")
    await archived.archive.flush(archived.spec)
    await archived.brought_back(backup.id, Target(point="here"))
    assert await archived.ask("select to_regclass('public.before') is not null and to_regclass('public.after') is null")


async def test_a_planned_stop_loses_nothing(archived: Archived) -> None:
    backup = await archived.backup()
    await archived.ask("create table public.kept as select generate_series(1, 1000) as id")
    await archived.clusters.stop(archived.spec.ref)
    await archived.archive.ship()
    shutil.rmtree(archived.clusters.layout.cluster(archived.spec.ref).home)
    await archived.brought_back(backup.id, Target())
    assert await archived.ask("select count(*) from public.kept") == 1000


async def test_what_was_brought_back_has_an_archive_of_its_own(archived: Archived) -> None:
    before = await archived.id("1")
    backup = await archived.backup()
    await archived.brought_back(backup.id, Target(as_backed_up=True))
    after = await archived.id("2")
    assert after.generation != before.generation
    await archived.ask("create table public.since ()")
    second = await archived.backup("2")
    await archived.archive.flush(archived.spec)
    await archived.brought_back(second.id, Target(), "again")
    assert await archived.ask("select to_regclass('public.since') is not null")
    assert {stored.generation for stored in await archived.archive.stored(archived.spec.ref)} == {
        before.generation,
        after.generation,
    }


@engines(15, 18)
async def test_a_moment_after_the_last_commit_is_met_if_the_archive_is_complete_until_then(archived: Archived) -> None:
    await archived.ask("create table public.kept as select 1 as id")
    backup = await archived.backup()
    await archived.archive.flush(archived.spec)
    await archived.clusters.stop(archived.spec.ref)
    await archived.archive.ship()
    late = await archived.moment()
    with pytest.raises(RecoveryFailed, match="The archived log ends before a transaction after"):
        await archived.archive.prepare(archived.spec, "unknown", backup.id, Target(time=late))
    await archived.brought_back(backup.id, Target(time=late, complete_until=late))
    assert await archived.ask("select id from public.kept") == 1


async def test_the_password_is_the_one_that_it_should_have_and_not_that_of_then(archived: Archived) -> None:
    backup = await archived.backup()
    archived.spec = replace(archived.spec, password="another password")
    await archived.clusters.set_password(archived.spec)
    await archived.brought_back(backup.id, Target(as_backed_up=True))
    sockets = archived.clusters.layout.cluster(archived.spec.ref).sockets
    async with await psycopg.AsyncConnection.connect(
        host=str(sockets), user="postgres", password="another password", dbname="postgres"
    ):
        pass


@engines(15, 18)
async def test_a_rehearsal_checks_the_backup_and_leaves_nothing(archived: Archived) -> None:
    await archived.ask("create table public.kept as select generate_series(1, 1000) as id")
    await archived.ask("create index on public.kept (id)")
    backup = await archived.backup()
    recovered = await archived.archive.rehearse(archived.spec, backup.id)
    assert recovered.engine == archived.spec.engine
    assert not archived.clusters.layout.drill(archived.spec.ref).home.exists()
    assert await archived.ask("select count(*) from public.kept") == 1000


@pytest.mark.parametrize("which", ["data.tar*", "backup_manifest*", "backup.json"])
async def test_a_damaged_backup_is_not_used(archived: Archived, which: str) -> None:
    backup = await archived.backup()
    (damaged,) = objects(archived, f"base/1/{which}")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    if which.startswith("backup_manifest"):  # which only the next increment needs
        with pytest.raises(BackupDamaged, match="damaged"):
            await archived.backup("2", parent="1")
    else:
        with pytest.raises(BackupDamaged, match=r"damaged|not known"):
            await archived.archive.prepare(archived.spec, "back", backup.id, Target(as_backed_up=True))
    assert await archived.ask("select 1") == 1


async def test_a_damaged_segment_ends_what_can_be_brought_back_and_nothing_before_it(archived: Archived) -> None:
    backup = await archived.backup()
    await archived.ask("create table public.early ()")
    await archived.archive.flush(archived.spec)
    moment = await archived.moment()
    await archived.archive.flush(archived.spec)
    await archived.ask("create table public.late ()")
    await archived.archive.flush(archived.spec)
    damaged = objects(archived, "log/*")[-1]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(BackupDamaged, match="SHA-256"):
        await archived.archive.prepare(archived.spec, "end", backup.id, Target())
    late = await archived.moment()
    with pytest.raises(RecoveryFailed, match=r"ends before .* is damaged"):
        await archived.archive.prepare(archived.spec, "late", backup.id, Target(time=late, complete_until=late))
    await archived.brought_back(backup.id, Target(time=moment))
    assert await archived.ask("select to_regclass('public.early') is not null and to_regclass('public.late') is null")


async def kept_one_after_another(archived: Archived) -> tuple[BaseBackup, list[datetime], list[Path]]:
    """A backup, the moments after each of four rows, and the log that is put away after each of these."""
    await archived.ask("create table public.kept (id int)")
    backup = await archived.backup()
    before, moments = set(objects(archived, "log/*")), []
    for number in range(1, 5):
        await archived.ask(f"insert into public.kept values ({number})")
        moments.append(await archived.moment())
        await archived.archive.flush(archived.spec)
    return backup, moments, [path for path in objects(archived, "log/*") if path not in before]


def put_at(path: Path, moment: datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))


async def test_log_that_was_put_away_long_after_the_moment_is_not_fetched(archived: Archived) -> None:
    backup, moments, packs = await kept_one_after_another(archived)
    for hours, path in enumerate(packs):
        put_at(path, moments[0] + timedelta(hours=hours))
    chosen = plan(archived.archive.store, backup.id, Target(time=moments[0]))
    assert [Path(pack.key).name for pack in chosen.later] == [packs[3].name]
    packs[3].write_bytes(b"damaged")
    await archived.brought_back(backup.id, Target(time=moments[0]))
    assert await archived.ask("select array_agg(id) from public.kept") == [1]


async def test_an_archive_that_was_copied_later_brings_back_the_same(archived: Archived) -> None:
    """The times at which objects were put there are a hint, no more."""
    backup, moments, packs = await kept_one_after_another(archived)
    for path in objects(archived, "log/*"):
        put_at(path, moments[0] + timedelta(days=30))
    chosen = plan(archived.archive.store, backup.id, Target(time=moments[2]))
    assert packs[3].name in [Path(pack.key).name for pack in chosen.later]
    await archived.brought_back(backup.id, Target(time=moments[2]))
    assert await archived.ask("select array_agg(id order by id) from public.kept") == [1, 2, 3]


async def test_a_missing_segment_is_named(archived: Archived) -> None:
    backup = await archived.backup()
    for _ in range(3):
        await archived.ask("select pg_current_xact_id()")
        await archived.archive.flush(archived.spec)
    missing = objects(archived, "log/*")[-2]
    missing.unlink()
    await archived.archive.prepare(archived.spec, "back", backup.id, Target(as_backed_up=True))
    late = await archived.moment()
    with pytest.raises(RecoveryFailed, match=f"Segment {missing.name[:24]} of the write-ahead log is missing"):
        await archived.archive.prepare(archived.spec, "late", backup.id, Target(time=late, complete_until=late))


async def test_what_is_kept_is_encrypted_unless_the_operator_does_not_want_that(archived: Archived) -> None:
    await archived.ask("create table public.kept as select 'a secret of mine' as text")
    await archived.backup("1")
    await archived.archive.flush(archived.spec)
    assert all(
        path.name.endswith((".aes", ".json"))
        for path in objects(archived, "*/*") + objects(archived, "*/*/*")
        if path.is_file()
    )
    archived.archive.sealing = None
    second = await archived.backup("2")
    assert objects(archived, "base/2/data.tar.zst")
    await archived.brought_back(second.id, Target(as_backed_up=True))


async def test_an_archive_that_takes_nothing_keeps_the_log_in_the_spool(archived: Archived) -> None:
    """Nothing is lost: what waits is told, with the reason, and carried away once the archive takes it again."""
    backup = await archived.backup()
    await archived.archive.ship()
    assert archived.archive.store.directory is not None
    blocked = archived.archive.store.directory / archived.spec.ref / backup.id.generation / "log"
    shutil.move(blocked, blocked.with_name("moved"))
    blocked.write_text("in the way")
    await archived.ask("create table public.kept ()")
    with pytest.raises(ArchiveUnavailable, match="does not take what is to be kept"):
        await archived.archive.flush(archived.spec)
    (progress,) = await archived.archive.ship()
    assert progress.waiting >= 1
    assert progress.oldest is not None
    assert "does not take" in (progress.error or "")
    blocked.unlink()
    shutil.move(blocked.with_name("moved"), blocked)
    (progress,) = await archived.archive.ship()
    assert (progress.waiting, progress.error) == (0, None)
    await archived.brought_back(backup.id, Target())
    assert await archived.ask("select to_regclass('public.kept') is not null")


async def test_several_carry_the_log_away_at_once(archived: Archived) -> None:
    backup = await archived.backup()
    await archived.ask("create table public.kept as select gen_random_uuid() as id from generate_series(1, 100000)")
    await archived.ask("select pg_switch_wal()")
    found = await asyncio.gather(*(archived.archive.ship() for _ in range(6)), archived.archive.flush(archived.spec))
    assert all(progress.error is None for each in found[:-1] for progress in each)  # type: ignore[union-attr]
    await archived.brought_back(backup.id, Target())
    assert await archived.ask("select count(*) from public.kept") == 100000


async def test_a_backup_that_breaks_off_is_none(archived: Archived) -> None:
    taking = asyncio.create_task(archived.backup())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while not (spools := objects(archived, "base/1/*")) and not taking.done():
            await asyncio.sleep(0.001)
    taking.cancel()
    await asyncio.wait([taking])
    if not taking.cancelled():
        pytest.skip(f"it was done before it could break off: {spools}")
    with pytest.raises(BackupDamaged, match=r"backup\.json is missing"):
        await archived.archive.prepare(archived.spec, "back", await archived.id("1"), Target(as_backed_up=True))


async def test_forgetting_deletes_old_backups_and_the_log_before_the_kept_ones(archived: Archived) -> None:
    old = await archived.backup("1")
    await archived.ask("select pg_current_xact_id()")
    await archived.archive.flush(archived.spec)
    kept = await archived.backup("2")
    await archived.archive.flush(archived.spec)
    await archived.archive.forget(archived.spec.ref, old.id.generation, backups=["1"], before=kept.first_segment)
    (stored,) = await archived.archive.stored(archived.spec.ref)
    assert stored.backups == ["2"]
    assert stored.first_segment is not None
    assert stored.first_segment <= kept.first_segment
    with pytest.raises(BackupDamaged, match="missing"):
        await archived.archive.prepare(archived.spec, "old", old.id, Target(as_backed_up=True))
    await archived.brought_back(kept.id, Target())
    await archived.archive.remove(archived.spec.ref)
    assert await archived.archive.stored(archived.spec.ref) == []
