"""What goes on beside a project, and what restarts it: killed around every step and within, on real clusters."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest

from baseplane.database import value
from baseplane.drivers.archive import local
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.cluster.layout import Layout
from baseplane.resources.backups import store, watch
from baseplane.resources.backups.taking import drill, mark, subject, take
from baseplane.resources.postgres_config import store as changes
from baseplane.resources.postgres_config.store import Change
from baseplane.resources.postgres_config.workflows import resize
from baseplane.resources.projects import monitor
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.workflows import stop_and_start
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, journal, queue
from tests.conftest import Client, without_others, working
from tests.deaths import Death, around_step, worker_process
from tests.processes import kill_postgres

ARCHIVE, CLUSTER = "baseplane.drivers.archive.", "baseplane.drivers.cluster."
AROUND = [
    (workflow, death)
    for workflow in (take, mark, drill, resize, stop_and_start)
    for position in range(len(workflow.steps))
    for death in around_step(position)
]
WITHIN = [
    (take, Death(ARCHIVE + "stores:ObjectStore.put")),  # pg_basebackup runs
    (take, Death(ARCHIVE + "tars:Reader.feed", 8)),  # some of it is in the archive
    (take, Death(ARCHIVE + "stores:ObjectStore.put", 2)),
    (take, Death(ARCHIVE + "stores:ObjectStore.put", 3)),
    (take, Death(ARCHIVE + "stores:ObjectStore.put", 3, at_end=True)),  # it is complete
    (mark, Death(ARCHIVE + "local:LocalArchive._handed_over")),
    (mark, Death(ARCHIVE + "local:LocalArchive._ship_now", at_end=True)),
    (drill, Death(ARCHIVE + "recovery:Recovery._look")),
    (resize, Death(CLUSTER + "local:LocalClusters.stop", at_end=True)),
    (resize, Death(CLUSTER + "postmaster:Postmaster.spawn", at_end=True)),
    (stop_and_start, Death(CLUSTER + "local:LocalClusters.stop", at_end=True)),
    (stop_and_start, Death(CLUSTER + "postmaster:Postmaster.spawn", at_end=True)),
]
UNDER_THE_WORKER = [WITHIN[at] for at in (1, 5, 7, 9, 11)]
SHARED_BUFFERS = {"nano": "64MB", "micro": "128MB"}


def named(case: object) -> str:
    return case.name if isinstance(case, Workflow) else str(case)


@pytest.fixture(scope="module")
async def ref(kept: Client, kept_rt: Runtime) -> AsyncIterator[str]:
    """A project with a table and a backup."""
    async with without_others(kept_rt):
        ref = await kept.active_project()
        answer = await kept.query(ref, "create table public.kept as select 42 as answer")
        assert answer.status_code == 201, answer.text
        await ask_for(kept_rt, take, ref)
        await kept.drain()
        yield ref


@pytest.fixture(autouse=True)
async def watched(kept_rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The monitor looks all the time."""
    monkeypatch.setattr(monitor, "EVERY", 0.05)
    watching = asyncio.create_task(monitor.watch(kept_rt))
    yield
    watching.cancel()
    await asyncio.wait([watching])


async def ask_for(rt: Runtime, workflow: Workflow, ref: str) -> None:
    """As users, the monitor or the clock would."""
    kinds = {take.name: "backup", mark.name: "point", drill.name: "drill"}
    async with rt.database.transaction() as db:
        if workflow is take:
            assert await store.ask_for_backup(db, ref, await rt.archive.generation(ref) or "")
        elif workflow is mark:
            await store.insert_point(db, ref, os.urandom(8).hex())
        elif workflow is drill:
            newest = next(each for each in await store.list_backups(db, ref) if each.status == "COMPLETED")
            await store.begin_drill(db, ref, newest.id)
        elif workflow is resize:
            (other,) = set(SHARED_BUFFERS) - {(await projects.get(db, ref)).size}
            await changes.insert(db, ref, Change(None, restart=True, size=other))
        else:
            await projects.settle(db, ref, Status.RESTARTING, only_from={Status.ACTIVE_HEALTHY})
        await queue.start(db, workflow, subject(kinds[workflow.name], ref) if workflow.name in kinds else ref)


def strike(rt: Runtime, ref: str) -> None:
    """Kill the project's Postgres, and the one that its backup is tried out with."""
    layout = Layout(rt.settings.data_dir)
    kill_postgres(layout.cluster(ref).home, layout.drill(ref).home)


async def killed_at(rt: Runtime, death: Death) -> None:
    """Let a worker carry on what waits, until its death; that it gives no sign of life is noticed at once."""
    with worker_process(rt, death) as worker:
        await asyncio.to_thread(worker.join, 60)
        assert worker.exitcode == -signal.SIGKILL
    async with rt.database.connection() as db:
        await db.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 minute'")


async def converges(kept: Client, rt: Runtime, ref: str) -> None:
    """All runs come to an end, and the project serves what it had, as what it is said to be."""
    async with working(kept.queue), asyncio.timeout(90):
        while await kept.status(ref) != "ACTIVE_HEALTHY" or await unfinished(rt) or not await answers(kept, ref):
            await asyncio.sleep(0.02)
    async with rt.database.connection() as db:
        size = (await projects.get(db, ref)).size
    kept_rows = await kept.query(ref, "select answer, current_setting('shared_buffers') as buffers from public.kept")
    assert kept_rows.json() == [{"answer": 42, "buffers": SHARED_BUFFERS[size]}]


async def answers(kept: Client, ref: str) -> bool:
    """It may be dead, with nobody having noticed yet."""
    return (await kept.query(ref, "select 1")).status_code == 201


async def unfinished(rt: Runtime) -> bool:
    async with rt.database.connection() as db:
        return bool(await value(db, "select exists (select from runs where finished_at is null)"))


async def newest(rt: Runtime, table: str, column: str, ref: str) -> Any:
    """What has become of the newest of this kind."""
    async with rt.database.connection() as db:
        query = f"select {column} from {table} where project_ref = %s order by id desc limit 1"
        return await value(db, query.encode(), [ref])


ENDS = {
    take.name: ("backups", "status", ("COMPLETED", "FAILED")),
    mark.name: ("restore_points", "status", ("AVAILABLE",)),
    drill.name: ("drills", "passed", (True,)),
}


async def has_ended(rt: Runtime, workflow: Workflow, ref: str) -> None:
    """Done; a backup may also have failed, and is taken again then."""
    if workflow.name in ENDS:
        table, column, ends = ENDS[workflow.name]
        assert await newest(rt, table, column, ref) in ends, await newest(rt, table, "cause", ref)
    if workflow is stop_and_start:  # and not given up, and left to the monitor, which waits before it tries again
        async with rt.database.connection() as db:
            query = "select state from runs where subject = %s and workflow = %s order by created_at desc limit 1"
            assert await value(db, query, [ref, workflow.name]) == "done"


@pytest.mark.parametrize(("workflow", "death"), AROUND + WITHIN, ids=named)
async def test_worker_and_postgres_are_killed(
    kept: Client, kept_rt: Runtime, ref: str, workflow: Workflow, death: Death
) -> None:
    await ask_for(kept_rt, workflow, ref)
    await killed_at(kept_rt, death)
    strike(kept_rt, ref)
    await converges(kept, kept_rt, ref)
    await has_ended(kept_rt, workflow, ref)


@pytest.mark.parametrize(("workflow", "death"), UNDER_THE_WORKER, ids=named)
async def test_postgres_is_killed_under_the_worker(
    kept: Client, kept_rt: Runtime, ref: str, workflow: Workflow, death: Death, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask_for(kept_rt, workflow, ref)
    with monkeypatch.context() as dying:
        dying.setattr(*death.strikes(lambda: strike(kept_rt, ref)))
        await converges(kept, kept_rt, ref)
    await has_ended(kept_rt, workflow, ref)


async def test_a_drill_that_is_given_up_after_its_worker_has_died_is_cleared_away(
    kept: Client, kept_rt: Runtime, ref: str
) -> None:
    await ask_for(kept_rt, drill, ref)
    await killed_at(kept_rt, Death(ARCHIVE + "recovery:Recovery._look"))
    home = Layout(kept_rt.settings.data_dir).drill(ref).home
    assert home.exists()
    async with kept_rt.database.connection() as db:
        await journal.request_cancel(db, subject("drill", ref))
    await kept.drain()
    assert not home.exists()
    assert [path for path in psutil.process_iter(["cwd"]) if str(home) in (path.info["cwd"] or "")] == []


async def test_nothing_is_left_of_all_this(kept_rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ABANDONED", 0.0)
    layout, archive = Layout(kept_rt.settings.data_dir), kept_rt.archive
    assert isinstance(archive, LocalArchive)
    await archive.ship()
    await watch.clean(kept_rt, 86400)
    assert archive.store.directory is not None
    objects = {
        str(path.relative_to(archive.store.directory)) for path in archive.store.directory.rglob("*") if path.is_file()
    }
    assert objects == set(archive.store.keys(""))
    async with kept_rt.database.connection() as db:
        kept_backups = await store.complete_backups(db, ref, await archive.generation(ref) or "")
    (stored,) = await archive.stored(ref)
    assert set(stored.backups) == {str(backup.id) for backup in kept_backups}
    assert not layout.drill(ref).home.exists()
    assert not list(layout.cluster(ref).home.glob("aside/*"))
    assert [path for path in layout.spool(ref, "").rglob("*") if path.is_file()] == []
    assert [process for process in psutil.process_iter(["name"]) if process.info["name"] == "pg_basebackup"] == []
