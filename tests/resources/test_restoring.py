"""Restores of real projects: to the second and under load, with everybody dying in between."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.resources.backups import archives, functions, store, watch
from baseplane.resources.backups.recovering import recover
from baseplane.resources.backups.taking import drill, subject
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime
from baseplane.workflows import queue
from tests.conftest import Client, working
from tests.processes import kill
from tests.resources.archived import back_up, next_second, postmaster, run, start
from tests.resources.functions.deploying import HELLO, deployed, listed
from tests.resources.functions.test_serving import becomes, serving
from tests.workflows.crashing import WHEN, crash

DATA = "create table public.kept (id bigint, at timestamptz default clock_timestamp(), v int default 1)"


@pytest.fixture(scope="module")
async def shared(kept: Client) -> str:
    """A project with a table and a function, which tests bring to and fro."""
    ref = await kept.active_project()
    await run(kept, ref, DATA)
    async with working(kept.queue):
        await deployed(kept, ref, "hello", verify_jwt=False)
    return ref


@pytest.fixture
async def ref(kept: Client, kept_rt: Runtime, shared: str) -> str:
    """The same, running, with a backup of the data that it has."""
    await start(kept_rt, shared)
    generation = await kept_rt.archive.generation(shared) or ""
    async with kept_rt.database.connection() as db:
        has_backup = await store.complete_backups(db, shared, generation)
    if not has_backup:
        await back_up(kept, kept_rt, shared)
    return shared


async def restore(kept: Client, ref: str, second: int) -> None:
    response = await kept.post(
        f"/v1/projects/{ref}/database/backups/restore-pitr", {"recovery_time_target_unix": second}
    )
    assert response.status_code == 201, response.text


async def call_it(kept: Client, ref: str, name: str) -> None:
    """Change what there is of the function."""
    answer = await kept.call("PATCH", f"/v1/projects/{ref}/functions/hello", params={"name": name})
    assert answer.status_code == 200, answer.text


async def called(kept: Client, ref: str) -> list[str]:
    return [function["name"] for function in await listed(kept, ref)]


@contextlib.asynccontextmanager
async def writing(rt: Runtime, ref: str) -> AsyncIterator[list[int]]:
    """Somebody who inserts one row after the other; gives the ids that were acknowledged."""
    async with rt.database.connection() as db:
        secret = (await projects.read_secrets(db, rt.keyring, ref)).secret
    acknowledged: list[int] = []

    async def write() -> None:
        number = 0
        while True:
            with contextlib.suppress(psycopg.Error, Exception):
                async with rt.clusters.connect(ref, Role.ADMIN, secret) as db:
                    while True:
                        number += 1
                        await db.execute("insert into public.kept (id) values (%s)", [number])
                        acknowledged.append(number)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(write())
    yield acknowledged
    task.cancel()
    await asyncio.wait([task])


async def test_a_project_under_load_comes_back_to_a_second(kept: Client, kept_rt: Runtime, ref: str) -> None:
    await run(kept, ref, "truncate public.kept")
    async with writing(kept_rt, ref):
        second = await next_second()
        await asyncio.sleep(1)
    expected = await run(kept, ref, f"select count(*), sum(id) from public.kept where at < to_timestamp({second})")
    await restore(kept, ref, second)
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    (found,) = await run(kept, ref, "select count(*), sum(id), max(at) from public.kept")
    assert (found["count"], found["sum"]) == (expected[0]["count"], expected[0]["sum"])
    assert found["count"] > 0


async def test_data_and_functions_come_back_together_though_the_artifacts_are_lost(
    kept: Client, kept_rt: Runtime, ref: str, tmp_path: Path
) -> None:
    old, new = ({"index.ts": HELLO.replace("hello", text)} for text in ("old", "new"))
    await run(kept, ref, "truncate public.kept; insert into public.kept (id) values (1)")
    async with serving(kept_rt, ref) as gateway:
        async with working(kept.queue):
            await deployed(kept, ref, "hello", old)
            await deployed(kept, ref, "other", old, verify_jwt=False)
            await becomes(gateway, "old")
            second = await next_second()
            await run(kept, ref, "insert into public.kept (id) values (2)")
            await deployed(kept, ref, "hello", new)
            await kept.call("DELETE", f"/v1/projects/{ref}/functions/other")
            await becomes(gateway, "new")
        await kept.drain()
        assert (await gateway.call("/other")).status == 404
        assert not [error for error in await functions.carry(kept_rt) or () if ref in error]
        root = kept_rt.settings.data_dir
        shutil.rmtree(root / "artifacts" / ref)
        shutil.rmtree(root / "functions" / ref)  # what has been prepared of them
        await restore(kept, ref, second)
        await kept.drain()
        assert await kept.status(ref) == "ACTIVE_HEALTHY"
        assert await run(kept, ref, "select id from public.kept") == [{"id": 1}]
        await becomes(gateway, "old")
        assert (await gateway.call("/other")).body == "old"
    await kept.call("DELETE", f"/v1/projects/{ref}/functions/other")
    await kept.drain()


@pytest.mark.parametrize("position", range(len(recover.steps)))
@pytest.mark.parametrize("when", WHEN)
async def test_a_restore_comes_to_its_end_though_worker_and_postgres_die(
    kept: Client, kept_rt: Runtime, ref: str, position: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(kept, ref, "truncate public.kept; insert into public.kept (id) values (1)")
    await call_it(kept, ref, "before")
    second = await next_second()
    await run(kept, ref, "insert into public.kept (id) values (2)")
    await call_it(kept, ref, "after")
    await restore(kept, ref, second)
    await crash(kept_rt, recover, ref, position, when, monkeypatch)
    with contextlib.suppress(FileNotFoundError):  # between switching in and serving there is none
        kill(postmaster(kept_rt, ref))
    await kept.drain()
    await start(kept_rt, ref)
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    assert [row["id"] for row in await run(kept, ref, "select id from public.kept")] == [1]
    assert await called(kept, ref) == ["before"]


@pytest.mark.parametrize("position", range(len(recover.steps) - 1))
async def test_a_restore_that_is_cancelled_though_worker_and_postgres_die_leaves_what_was(
    kept: Client, kept_rt: Runtime, ref: str, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(kept, ref, "truncate public.kept; insert into public.kept (id) values (1)")
    await call_it(kept, ref, "before")
    second = await next_second()
    await run(kept, ref, "insert into public.kept (id) values (2)")
    await call_it(kept, ref, "after")
    await restore(kept, ref, second)
    await crash(kept_rt, recover, ref, position, WHEN[1], monkeypatch)
    with contextlib.suppress(FileNotFoundError):
        kill(postmaster(kept_rt, ref))
    assert (await kept.post(f"/v1/projects/{ref}/restore/cancel")).status_code == 200
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    await start(kept_rt, ref)
    assert [row["id"] for row in await run(kept, ref, "select id from public.kept order by id")] == [1, 2]
    assert await called(kept, ref) == ["after"]


async def test_a_project_whose_directory_is_lost_comes_back(kept: Client, kept_rt: Runtime, ref: str) -> None:
    assert isinstance(kept_rt.clusters, LocalClusters)
    await run(kept, ref, "truncate public.kept; insert into public.kept (id) values (1)")
    second = await next_second()
    async with kept_rt.database.connection() as db:
        spec = await projects.cluster_spec(db, kept_rt.keyring, ref)
    generation = await kept_rt.archive.generation(ref)
    until = await kept_rt.archive.flush(spec)
    async with kept_rt.database.connection() as db:
        await archives.record_complete(db, ref, generation or "", until)
    kill(postmaster(kept_rt, ref))
    await kept_rt.clusters.stop(ref)
    shutil.rmtree(kept_rt.clusters.layout.cluster(ref).home)
    await restore(kept, ref, second)
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    assert await run(kept, ref, "select id from public.kept") == [{"id": 1}]


async def test_a_drill_of_a_real_backup_passes_and_one_of_a_damaged_one_does_not(
    kept: Client, kept_rt: Runtime, ref: str
) -> None:
    async def drilled() -> tuple[bool, str | None]:
        async with kept_rt.database.transaction() as db:
            newest = next(each for each in await store.list_backups(db, ref) if each.status == "COMPLETED")
            await store.begin_drill(db, ref, newest.id)
            await queue.start(db, drill, subject("drill", ref))
        await kept.drain()
        async with kept_rt.database.connection() as db:
            cursor = await db.execute("select passed, cause from drills where project_ref = %s order by id desc", [ref])
            row = await cursor.fetchone()
        assert row is not None
        return row[0], row[1]

    await back_up(kept, kept_rt, ref)
    assert await drilled() == (True, None)
    assert isinstance(kept_rt.archive, LocalArchive)
    directory = kept_rt.archive.store.directory
    assert directory is not None
    newest = max(directory.glob(f"{ref}/*/base/*/data.tar*"), key=lambda path: path.stat().st_mtime)
    _flip(newest)
    passed, cause = await drilled()
    assert not passed
    assert "damaged" in (cause or "")
    _flip(newest)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


async def test_what_was_replaced_goes_after_its_time(kept: Client, kept_rt: Runtime, ref: str) -> None:
    assert isinstance(kept_rt.clusters, LocalClusters)
    aside = kept_rt.clusters.layout.cluster(ref).home / "aside"
    await restore(kept, ref, await next_second())
    await kept.drain()
    assert list(aside.iterdir())
    async with kept_rt.database.connection() as db:
        await db.execute(
            "update recoveries set keep_until = now() where project_ref = %s and keep_until is not null", [ref]
        )
    await watch.clean(kept_rt)
    assert not list(aside.iterdir())
    assert await run(kept, ref, "select 1 as one") == [{"one": 1}]
