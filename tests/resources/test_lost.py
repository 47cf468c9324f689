"""Projects whose data directory is gone: brought back from their archives, or told why not."""

from datetime import timedelta

import pytest

from baseplane.app.recovery import BROKEN_OFF, record_loss
from baseplane.drivers.archive import BackupDamaged, BackupId, Target
from baseplane.drivers.archive.memory import MemoryArchive
from baseplane.drivers.archive.survey import Archived
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.backups import lost, retention, watch
from baseplane.resources.projects import replicas, workflows
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import settle
from baseplane.runtime import Runtime
from baseplane.workflows import queue
from tests.conftest import Client

pytestmark = pytest.mark.usefixtures("alone")

A_WEEK = timedelta(days=7)


@pytest.fixture
async def ref(api: Client, rt: Runtime) -> str:
    """A project with a backup."""
    ref = await api.active_project()
    await watch.look(rt)
    await api.drain()
    return ref


async def lose(rt: Runtime) -> None:
    """The machine with all clusters, and what is found of them in the archive on another."""
    assert isinstance(rt.clusters, MemoryClusters)
    assert isinstance(rt.archive, MemoryArchive)
    rt.clusters.specs.clear()
    rt.clusters.running.clear()
    refs = {backup.ref for backup in rt.archive.backups}
    await record_loss(rt.database.url, {ref: Archived(ref, await rt.archive.found(ref), None) for ref in refs})


async def bring_back(rt: Runtime, api: Client) -> None:
    await lost.look(rt)
    await api.drain()


async def detail(rt: Runtime, ref: str) -> str:
    async with rt.database.connection() as db:
        row = await (await db.execute("select cause from projects where ref = %s", [ref])).fetchone()
    assert row is not None
    return str(row[0])


async def test_what_served_is_brought_back_to_the_end_of_its_archive(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str
) -> None:
    await lose(rt)
    assert await api.status(ref) == "RESTORING"
    await bring_back(rt, api)
    assert await api.status(ref) == "ACTIVE_HEALTHY"
    assert memory.data[ref] == (Target(), "after recovery-" + str(memory.data[ref][1]).rpartition("-")[2])  # type: ignore[index]


async def test_what_was_paused_stays_so_and_comes_back_when_it_is_asked_for(api: Client, rt: Runtime, ref: str) -> None:
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    await lose(rt)
    await bring_back(rt, api)
    assert await api.status(ref) == "INACTIVE"
    await api.post(f"/v1/projects/{ref}/restore")
    await api.drain()
    await bring_back(rt, api)
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_a_paused_project_whose_directory_alone_is_gone_is_restored_from_its_archive(
    api: Client, rt: Runtime, memory: MemoryClusters, ref: str
) -> None:
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    memory.specs.pop(ref)
    await api.post(f"/v1/projects/{ref}/restore")
    await api.drain()
    await bring_back(rt, api)
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_one_without_a_backup_says_that_it_is_lost_and_does_not_stop_the_others(
    api: Client, rt: Runtime, ref: str
) -> None:
    bare = await api.active_project()
    await lose(rt)
    await bring_back(rt, api)
    assert await api.status(ref) == "ACTIVE_HEALTHY"
    assert await api.status(bare) == "RESTORE_FAILED"
    assert "no complete backup of it in the archive" in await detail(rt, bare)


async def test_one_that_cannot_be_brought_back_says_why_and_can_be_tried_again(
    api: Client, rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged(*_: object) -> None:
        raise BackupDamaged("It is damaged.")

    await lose(rt)
    with monkeypatch.context() as broken:
        broken.setattr(MemoryArchive, "prepare", damaged)
        await bring_back(rt, api)
    assert await api.status(ref) == "RESTORE_FAILED"
    assert "It is damaged. Its data is in its archive alone; restore the project to try again." in await detail(rt, ref)
    await api.post(f"/v1/projects/{ref}/restore")
    await api.drain()
    await bring_back(rt, api)
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_few_are_brought_back_at_a_time_oldest_first(
    api: Client, rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost, "AT_ONCE", 1)
    monkeypatch.setattr(watch, "TAKING", 2)
    refs = [await api.active_project() for _ in range(2)]
    await watch.look(rt)
    await api.drain()
    await lose(rt)
    await lost.look(rt)
    await lost.look(rt)
    async with rt.database.connection() as db:
        asked = await (await db.execute("select project_ref from recoveries where state = 'asked'")).fetchall()
    assert asked == [(refs[0],)]
    await api.drain()
    await bring_back(rt, api)
    assert [await api.status(ref) for ref in refs] == ["ACTIVE_HEALTHY"] * 2


async def test_a_backup_that_only_the_archive_knows_is_used_and_kept(api: Client, rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await db.execute("update backups set status = 'FAILED' where project_ref = %s", [ref])
        await db.execute("delete from archives where project_ref = %s", [ref])
    await lose(rt)
    await retention.apply(rt, A_WEEK)
    assert isinstance(rt.archive, MemoryArchive)
    assert [backup for backup in rt.archive.backups if backup.ref == ref]
    await bring_back(rt, api)
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_a_backup_that_the_archive_does_not_have_is_not_offered(api: Client, rt: Runtime, ref: str) -> None:
    assert isinstance(rt.archive, MemoryArchive)
    rt.archive.backups.clear()
    await lose(rt)
    assert (await api.get(f"/v1/projects/{ref}/database/backups"))["backups"] == []


async def test_a_project_that_only_the_archive_knows_is_left_alone(api: Client, rt: Runtime, ref: str) -> None:
    assert isinstance(rt.archive, MemoryArchive)
    stranger, own = BackupId("z" * 20, "first", "1"), next(iter(rt.archive.backups))
    rt.archive.backups[stranger] = rt.archive.backups[own]
    await lose(rt)
    await retention.apply(rt, A_WEEK)
    assert stranger in rt.archive.backups
    assert await api.status(ref) == "RESTORING"


async def test_what_the_dead_machine_was_doing_is_ended_and_a_deletion_goes_on(
    api: Client, rt: Runtime, ref: str
) -> None:
    doomed = await api.active_project()
    creating = (await api.create_project())["ref"]
    await api.call("DELETE", f"/v1/projects/{doomed}")
    async with rt.database.transaction() as db:
        await settle(db, ref, Status.RESTARTING, only_from={Status.ACTIVE_HEALTHY})
        run_id = await queue.start(db, workflows.restart, ref)
        copy = await replicas.insert(db, ref, "eu-west-1")
    await lose(rt)
    async with rt.database.connection() as db:
        run = await (await db.execute("select state, cause from runs where id = %s", [run_id])).fetchone()
        assert run == ("failed", BROKEN_OFF)
        assert (await replicas.get(db, copy.identifier)).status is replicas.ReplicaStatus.RESTARTING
        await replicas.delete(db, copy.identifier)
    assert await api.status(creating) == "INIT_FAILED"
    await bring_back(rt, api)
    assert await api.status(ref) == "ACTIVE_HEALTHY"
    assert (await api.call("GET", f"/v1/projects/{doomed}")).status_code == 404
