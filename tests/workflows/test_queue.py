import asyncio
import secrets
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from baseplane.database import value
from baseplane.errors import NotFound, Unavailable
from baseplane.resources.projects import monitor
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime
from baseplane.workflows import WORKFLOWS, queue
from baseplane.workflows.queue import Queue
from tests.conftest import Client
from tests.workflows.conftest import Trial


async def test_a_queued_run_is_carried_out(trial: Trial, worker: Queue) -> None:
    trial.step("one")
    run_id = await trial.start(secrets.token_hex(8))
    await worker.drain()
    assert (await trial.state(run_id)).state == "done"


async def test_a_run_of_a_transaction_that_was_rolled_back_never_was(trial: Trial, worker: Queue) -> None:
    trial.step("one")
    async with trial.rt.database.transaction() as db:
        run_id = await queue.start(db, trial.workflow, "subject")
        raise psycopg.Rollback
    await worker.drain()
    assert trial.seen == []
    with pytest.raises(NotFound):
        await queue.outcome(trial.rt.database, run_id, timedelta(0))


async def test_runs_of_one_subject_go_one_at_a_time_in_order(trial: Trial, worker: Queue) -> None:
    async def slow(_rt: Runtime, _subject: str) -> None:
        trial.seen.append("begin")
        for _ in range(20):
            await asyncio.sleep(0)
        trial.seen.append("end")

    trial.workflow.step()(slow)
    subject = secrets.token_hex(8)
    for _ in range(3):
        await trial.start(subject)
    await worker.drain()
    assert trial.seen == ["begin", "end"] * 3


async def test_queued_runs_collapse_when_asked_to(trial: Trial) -> None:
    first = await trial.start("collapsing", collapse=True)
    assert await trial.start("collapsing", collapse=True) == first
    assert await trial.start("collapsing") != first


async def test_a_run_that_no_job_carries_is_found(trial: Trial, worker: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "STALLED", 0.0)
    trial.step("one")
    run_id = await trial.insert()
    await worker.drain()
    assert (await trial.state(run_id)).state == "done"


async def test_the_run_of_a_worker_without_a_sign_of_life_is_taken_over(trial: Trial, worker: Queue) -> None:
    trial.step("one")
    run_id = await trial.start(secrets.token_hex(8))
    async with trial.rt.database.connection() as db:
        cursor = await db.execute(
            "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 minute') returning id"
        )
        (dead,) = await cursor.fetchone() or (None,)
        await db.execute(
            "update procrastinate_jobs set status = 'doing', worker_id = %s where args->>'run_id' = %s",
            [dead, str(run_id)],
        )
    await worker.drain()
    assert (await trial.state(run_id)).state == "done"


async def test_the_run_of_a_worker_that_is_only_slow_is_left_to_it(trial: Trial, worker: Queue, rt: Runtime) -> None:
    other = Queue(rt)
    await other.open()

    async def step(_rt: Runtime, _subject: str) -> None:
        trial.seen.append("begin")
        async with rt.database.connection() as db:
            await db.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 minute'")
        await other.rescue()
        async with rt.database.connection() as db:
            doing = await db.execute("select status from procrastinate_jobs where args->>'run_id' = %s", [str(run_id)])
            assert await doing.fetchall() == [("doing",)]
        trial.seen.append("end")

    trial.workflow.step()(step)
    run_id = await trial.start(secrets.token_hex(8))
    await worker.drain()
    assert trial.seen == ["begin", "end"]
    assert (await trial.state(run_id)).epoch == 1


async def test_a_run_that_two_workers_are_given_is_carried_on_by_one_at_a_time(
    trial: Trial, worker: Queue, rt: Runtime
) -> None:
    other, busy = Queue(rt), asyncio.Event()
    await other.open()

    async def step(_rt: Runtime, _subject: str) -> None:
        trial.seen.append("begin")
        busy.set()
        async with rt.database.connection() as db:  # until the other has tried
            while not await value(db, "select exists (select from procrastinate_jobs where attempts > 0)"):
                await asyncio.sleep(0.005)
        trial.seen.append("end")

    trial.workflow.step()(step)
    subject = secrets.token_hex(8)
    run_id = await trial.start(subject)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.drain())
        await busy.wait()
        async with rt.database.connection() as db:
            await db.execute("delete from procrastinate_jobs where args->>'run_id' = %s", [str(run_id)])
            await queue.defer(db, run_id, subject)
        tasks.create_task(other.drain())
    assert trial.seen == ["begin", "end"]
    assert (await trial.state(run_id)).state == "done"


async def test_a_worker_whose_session_is_lost_ends(worker: Queue, rt: Runtime) -> None:
    work = asyncio.create_task(worker.work())
    async with asyncio.timeout(10), rt.database.connection() as db:
        while not await value(
            db,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query = 'select 1' and pid <> pg_backend_pid()",
        ):
            await asyncio.sleep(0.01)
        with pytest.raises(Unavailable, match="broke off"):
            await work


async def test_who_waits_for_a_run_gets_it_as_it_is_when_the_time_is_over(trial: Trial) -> None:
    run_id = await trial.insert()
    assert (await queue.outcome(trial.rt.database, run_id, timedelta(seconds=0.05))).state == "queued"


async def test_a_run_of_another_version_waits_for_it_without_haste_and_its_project_says_so(
    trial: Trial, api: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref, rt = await api.active_project(), trial.rt
    trial.step("one")
    run_id = await trial.start(ref)
    with monkeypatch.context() as downgraded:
        downgraded.delitem(WORKFLOWS, trial.workflow.name)
        await api.queue._work(wait=False)
        await monitor.look(rt)
        assert await _job(rt, run_id) == ("todo", True)
        assert f"{trial.workflow.name} of {ref} is unknown to this version" in caplog.text
        assert await _cause(rt, ref) == f"{monitor.STUCK} {trial.workflow.name}."
    async with rt.database.connection() as db:
        await db.execute("update procrastinate_jobs set scheduled_at = now() where args->>'run_id' = %s", [str(run_id)])
    await api.drain()
    await monitor.look(rt)
    assert (await trial.state(run_id)).state == "done"
    assert await _cause(rt, ref) is None


async def _job(rt: Runtime, run_id: UUID) -> object:
    """Its state, and whether it rests for longer than after other failures."""
    async with rt.database.connection() as db:
        cursor = await db.execute(
            "select status::text, scheduled_at > now() + interval '20 seconds' from procrastinate_jobs"
            " where args->>'run_id' = %s",
            [str(run_id)],
        )
        return await cursor.fetchone()


async def _cause(rt: Runtime, ref: str) -> str | None:
    async with rt.database.connection() as db:
        return (await projects.get(db, ref)).cause
