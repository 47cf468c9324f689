"""Database webhooks, from a row in a tenant's table to a server of the test's own."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from baseplane import app
from baseplane.drivers.outbound import outbound
from baseplane.resources.webhooks import attempt, delivery
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.receiver import Receiver, listening


@dataclass
class Hooked:
    """A project with webhooks, its worker, and somebody who receives them."""

    api: Client
    ref: str
    receiver: Receiver

    async def sql(self, query: str, **fields: Any) -> list[dict[str, Any]]:
        response = await self.api.query(self.ref, query, **fields)
        assert response.status_code == 201, response.text
        rows: list[dict[str, Any]] = response.json()
        return rows

    async def table(self, path: str = "", *, method: str = "POST", timeout_ms: int = 2000, url: str = "") -> str:
        """A new table whose changes go to its own path; gives its name."""
        name = f"t_{secrets.token_hex(4)}"
        url = url or self.receiver.url(path or f"/{name}")
        await self.sql(
            f"create table {name} (id int generated always as identity, item text);"
            f" create trigger hook after insert or update or delete on {name} for each row"
            f" execute function supabase_functions.http_request('{url}', '{method}',"
            f' \'{{"Content-Type":"application/json","X-Key":"k"}}\', \'{{}}\', \'{timeout_ms}\')'
        )
        return name

    async def request(self, call: str) -> int:
        return int((await self.sql(f"select net.{call} as id"))[0]["id"])

    async def response(self, request_id: int | None = None, *, where: str = "true") -> dict[str, Any]:
        """What is written down of a request, once it is."""
        where = f"id = {request_id}" if request_id else where
        async with asyncio.timeout(15):
            while not (rows := await self.sql(f"select * from net._http_response where {where}")):
                await asyncio.sleep(0.01)
        return rows[0]

    async def empty(self) -> None:
        """Wait until nothing is queued."""
        async with asyncio.timeout(15):
            while await self.sql("select from net.http_request_queue"):
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def delivering(rt: Runtime, allow: str = "127.0.0.1/32") -> AsyncIterator[None]:
    rules = app.outbound_rules(rt.settings.model_copy(update={"outbound_allow": allow}))
    async with outbound(rules) as sender:
        worker = asyncio.create_task(delivery.watch(rt, sender))
        try:
            yield
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker


@pytest.fixture(scope="module")
async def ref(real: Client) -> str:
    ref = await real.active_project()
    response = await real.post(f"/v1/projects/{ref}/database/webhooks/enable")
    assert (response.status_code, response.content) == (201, b"")
    return ref


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as receiver:
        yield receiver


@pytest.fixture
def idle(real: Client, ref: str, receiver: Receiver) -> Hooked:
    """Without a worker."""
    return Hooked(real, ref, receiver)


@pytest.fixture
async def hooked(real_rt: Runtime, idle: Hooked) -> AsyncIterator[Hooked]:
    async with delivering(real_rt):
        yield idle


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(delivery, "RECONNECT", 0.05)
    monkeypatch.setattr(delivery, "EVERY", 0.05)


async def test_every_change_of_a_row_is_sent_with_the_old_and_the_new(hooked: Hooked) -> None:
    table = await hooked.table()
    await hooked.sql(f"insert into {table} (item) values ('tee ☕')")
    await hooked.sql(f"update {table} set item = null")
    await hooked.sql(f"delete from {table}")
    sent = await hooked.receiver.expect(f"/{table}", 3)
    common = {"table": table, "schema": "public"}
    assert [request.json for request in sent] == [
        {"type": "INSERT", "record": {"id": 1, "item": "tee ☕"}, "old_record": None, **common},
        {"type": "UPDATE", "record": {"id": 1, "item": None}, "old_record": {"id": 1, "item": "tee ☕"}, **common},
        {"type": "DELETE", "record": None, "old_record": {"id": 1, "item": None}, **common},
    ]
    assert {request.method for request in sent} == {"POST"}
    assert sent[0].headers["X-Key"] == "k"
    assert sent[0].headers["Content-Type"] == "application/json"
    await hooked.empty()
    hooks = await hooked.sql(
        f"select h.* from supabase_functions.hooks h where hook_table_id = '{table}'::regclass::int"
    )
    assert [hook["hook_name"] for hook in hooks] == ["hook"] * 3
    answer = await hooked.response(hooks[0]["request_id"])
    assert (answer["status_code"], answer["content"], answer["error_msg"]) == (200, "said 200", None)
    assert (answer["content_type"], answer["headers"]["x-two"]) == ("text/plain; charset=utf-8", "a")


async def test_a_webhook_whose_server_fails_twice_is_delivered_once(hooked: Hooked) -> None:
    table = await hooked.table()
    hooked.receiver.answers[f"/{table}"] = [500, 503]
    await hooked.sql(f"insert into {table} (item) values ('a')")
    assert [request.json["record"]["item"] for request in await hooked.receiver.expect(f"/{table}", 3)] == ["a"] * 3
    await hooked.empty()
    assert len(hooked.receiver.at(f"/{table}")) == 3
