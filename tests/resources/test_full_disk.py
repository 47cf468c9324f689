"""A disk that fills up under a write load, on a real cluster behind a real ingress."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from baseplane.drivers.cluster import Role
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.resources.disk import store, watch
from baseplane.resources.disk.workflows import close_ways_around
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime
from baseplane.workflows import journal, runner
from tests.conftest import Client, client_of

ALLOWED = 160 / 1024
"""Gigabytes; an empty project takes about 35 MB."""


@pytest.fixture(scope="module")
def rt(real_rt: Runtime) -> Runtime:
    settings = real_rt.settings.model_copy(update={"disk_size": ALLOWED, "disk_max_size": ALLOWED})
    return dataclasses.replace(real_rt, settings=settings)


@pytest.fixture(scope="module")
async def client(rt: Runtime) -> AsyncIterator[Client]:
    async with client_of(rt) as client:
        yield client


@pytest.fixture
async def ref(client: Client) -> str:
    ref = await client.active_project()
    assert (await client.query(ref, "create table load (id int, filling text)")).status_code == 201
    return ref


class CrashError(BaseException):
    """The worker dies."""


async def connect(rt: Runtime, ref: str) -> psycopg.AsyncConnection[Any]:
    assert isinstance(rt.door, TlsDoor)
    return await rt.door.connect(ref, "postgres", "correct horse")


async def write(session: psycopg.AsyncConnection[Any], number: int) -> None:
    """About half a megabyte that cannot be compressed, and as much of write-ahead log."""
    filling = "select string_agg(md5(random()::text), '') from generate_series(1, 16000)"
    await session.execute(f"insert into load values ({number}, ({filling}))".encode())


async def notice(rt: Runtime, client: Client, ref: str) -> None:
    """What the worker does when the project's turn has come."""
    await watch.measure(rt, ref)
    await watch.look(rt)
    await client.drain()


async def status(client: Client, ref: str) -> tuple[bool, bool]:
    found = await client.get(f"/v1/projects/{ref}/readonly")
    return found["enabled"], found["override_enabled"]


async def fill_up(rt: Runtime, client: Client, ref: str, session: psycopg.AsyncConnection[Any]) -> int:
    """Write until it is refused; gives how many rows were taken."""
    for number in range(400):
        try:
            await write(session, number)
        except psycopg.errors.ReadOnlySqlTransaction:
            return number
        if number % 10 == 9:
            await notice(rt, client, ref)
    raise AssertionError("the disk never filled up")


async def clean_up(rt: Runtime, client: Client, ref: str) -> None:
    async with await connect(rt, ref) as session:
        await session.execute("set default_transaction_read_only = off")
        await session.execute("truncate load")
    async with rt.database.connection() as db:
        secret = (await projects.read_secrets(db, rt.keyring, ref)).secret
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as inside:
        await inside.execute("checkpoint")
    await notice(rt, client, ref)


async def test_a_full_disk_refuses_writes_loses_nothing_and_takes_them_again_when_cleaned_up(
    rt: Runtime, client: Client, ref: str
) -> None:
    async with await connect(rt, ref) as session:
        taken = await fill_up(rt, client, ref, session)
        assert await status(client, ref) == (True, False)
        counted = await (await session.execute("select count(*), max(id) from load")).fetchone()
        assert counted == (taken, taken - 1)
    refused = await client.query(ref, "create table more ()")
    assert (refused.status_code, refused.json()["code"]) == (400, "25006")
    await clean_up(rt, client, ref)
    assert await status(client, ref) == (False, False)
    assert (await client.query(ref, "create table more ()")).status_code == 201


async def test_a_worker_killed_on_the_way_is_followed_by_one_that_finishes(
    rt: Runtime, client: Client, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object) -> None:
        raise CrashError

    async with rt.database.connection() as db:
        await store.record_use(db, ref, store.GB)
        await store.look_again(db, ref, timedelta(hours=1))
    await watch.look(rt)
    async with rt.database.connection() as db:
        (run,) = await journal.unfinished(db, ref)
    with monkeypatch.context() as dying:
        dying.setattr(journal, "end_step", die)
        with pytest.raises(CrashError):
            await runner.carry_on(rt, run.id)
    await client.drain()
    assert await status(client, ref) == (True, False)
    assert (await client.query(ref, "create table more ()")).status_code == 400


async def test_being_read_only_cannot_be_lifted_for_good_by_the_tenant(rt: Runtime, client: Client, ref: str) -> None:
    async with rt.database.connection() as db:
        await store.record_use(db, ref, store.GB)
        await store.look_again(db, ref, timedelta(hours=1))
    await watch.look(rt)
    await client.drain()
    off = "set default_transaction_read_only = off"
    async with await connect(rt, ref) as session:
        await session.execute(off.encode())
        for whose in ("role postgres", "role postgres in database postgres", "database postgres", "role anon"):
            await session.execute(f"alter {whose} {off}".encode())
    async with await connect(rt, ref) as session:
        await session.execute("create table around ()")
    await close_ways_around(rt, ref)
    assert (await client.query(ref, "create table again ()")).status_code == 400
    async with await connect(rt, ref) as session:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await session.execute("create table again ()")


async def test_a_tenant_who_holds_on_to_a_way_around_keeps_nobody_waiting(
    rt: Runtime, client: Client, ref: str
) -> None:
    async with await connect(rt, ref) as session, session.transaction():
        await session.execute("alter role anon set default_transaction_read_only = off")
        async with asyncio.timeout(5):
            await close_ways_around(rt, ref)


async def test_the_override_opens_a_full_project_at_once(rt: Runtime, client: Client, ref: str) -> None:
    async with rt.database.connection() as db:
        await store.record_use(db, ref, store.GB)
        await store.look_again(db, ref, timedelta(hours=1))
    await watch.look(rt)
    await client.drain()
    worker = asyncio.create_task(client.queue.work())
    assert (await client.post(f"/v1/projects/{ref}/readonly/temporary-disable")).status_code == 201
    assert (await client.query(ref, "create table more ()")).status_code == 201
    worker.cancel()
    await asyncio.wait([worker])
    assert await status(client, ref) == (False, True)
    async with rt.database.connection() as db:
        await db.execute("update disks set override_until = now() where ref = %s", [ref])
    await watch.look(rt)
    await client.drain()
    assert await status(client, ref) == (True, False)
    assert (await client.query(ref, "create table even_more ()")).status_code == 400
