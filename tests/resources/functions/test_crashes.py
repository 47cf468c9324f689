"""The worker dies around every step of a deployment, and inside of it: the old or the new version serves, never neither."""

import asyncio
from typing import Any

import pytest

from baseplane.drivers.functions.local import LocalFunctions
from baseplane.resources.functions.workflows import apply
from baseplane.workflows import runner
from tests.conftest import Client, working
from tests.resources.functions.deploying import BROKEN, HELLO, deployed, listed, send
from tests.workflows.crashing import WHEN, CrashError, crash

STEPS = [pytest.param(position, id=step.name) for position, step in enumerate(apply.steps)]


async def _queued(api: Client, ref: str) -> Any:
    """The run that a request has just started."""
    async with asyncio.timeout(10):
        while True:
            async with api.queue.rt.database.connection() as db:
                found = await db.execute("select id from runs where subject = %s and finished_at is null", [ref])
                if run := await found.fetchone():
                    return run[0]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("position", STEPS)
@pytest.mark.parametrize("when", WHEN)
async def test_a_deployment_survives_its_worker(
    api: Client, position: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await api.active_project()
    async with working(api.queue):
        before = await deployed(api, ref, "hello")
    await api.drain()
    good = asyncio.create_task(send(api, ref, "hello", {"index.ts": f"{HELLO}// new"}))
    await _queued(api, ref)
    await crash(api.queue.rt, apply, ref, position, when, monkeypatch)
    (between,) = await listed(api, ref)
    assert between["version"] in (1, 2)
    async with working(api.queue):
        answer = await good
    assert answer.status_code == 201, answer.text
    assert await listed(api, ref) == [answer.json()]
    assert (answer.json()["id"], answer.json()["version"]) == (before["id"], 2)


async def test_a_worker_that_dies_while_a_function_loads_is_followed_by_one_that_goes_on(
    api: Client, functions: LocalFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await api.active_project()
    asked = [
        asyncio.create_task(send(api, ref, "good", {"index.ts": HELLO})),
        asyncio.create_task(send(api, ref, "bad", {"index.ts": BROKEN})),
    ]
    run = await _queued(api, ref)

    async def die(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as dying:
        dying.setattr(functions, "prepare", die)
        with pytest.raises(CrashError):
            await runner.carry_on(api.queue.rt, run)
    assert await listed(api, ref) == []
    async with working(api.queue):
        good, bad = await asyncio.gather(*asked)
    assert (good.status_code, bad.status_code) == (201, 400)
    assert [function["slug"] for function in await listed(api, ref)] == ["good"]


async def test_a_deletion_survives_its_worker(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = await api.active_project()
    async with working(api.queue):
        await deployed(api, ref, "hello")
    await api.drain()
    await api.call("DELETE", f"/v1/projects/{ref}/functions/hello")
    await crash(api.queue.rt, apply, ref, 0, WHEN[0], monkeypatch)
    await api.drain()
    assert await listed(api, ref) == []
    async with api.queue.rt.database.connection() as db:
        assert (await db.execute("select from functions where project_ref = %s", [ref])).rowcount == 0


async def test_a_deployment_that_kills_every_worker_ends_with_a_cause(
    api: Client, functions: LocalFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await api.active_project()
    asked = asyncio.create_task(send(api, ref, "hello"))
    run = await _queued(api, ref)

    async def die(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as dying:
        dying.setattr(functions, "prepare", die)
        for _ in range(runner.MAX_ATTEMPTS):
            with pytest.raises(CrashError):
                await runner.carry_on(api.queue.rt, run)
        await api.drain()
    answer = await asked
    assert answer.status_code == 503
    assert "The worker died" in answer.json()["message"]
    async with working(api.queue):
        assert (await deployed(api, ref, "hello"))["version"] == 1


async def test_deleting_the_project_ends_a_deployment_that_waits(api: Client) -> None:
    ref = await api.active_project()
    asked = asyncio.create_task(send(api, ref, "hello"))
    await _queued(api, ref)
    await api.call("DELETE", f"/v1/projects/{ref}")
    await api.drain()
    answer = await asked
    assert answer.status_code in (404, 409, 503), answer.text
    assert "deleted" in answer.json()["message"]
