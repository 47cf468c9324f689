"""A project with webhooks and somebody who receives them, for the tests beside this file."""

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from baseplane import app
from baseplane.drivers.cluster import Role
from baseplane.drivers.outbound import outbound
from baseplane.resources.projects import store
from baseplane.resources.webhooks import delivery
from baseplane.runtime import Runtime
from baseplane.settings import Settings
from tests.conftest import Client
from tests.receiver import Receiver

RESPONSE = (
    "status_code, content_type, headers, left(content, 1000) as content, length(content), timed_out, error_msg, created"
)


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

    async def hook_of(self, table: str) -> dict[str, Any]:
        """What is written down of the only webhook of this table."""
        hooks = "select request_id from supabase_functions.hooks where hook_table_id = $1::regclass::int"
        [hook] = await self.sql(hooks, parameters=[table])
        return await self.response(hook["request_id"])

    async def request(self, call: str) -> int:
        return int((await self.sql(f"select net.{call} as id"))[0]["id"])

    async def response(self, request_id: int) -> dict[str, Any]:
        """What is written down of a request, once it is."""
        async with asyncio.timeout(15):
            while not (rows := await self.sql(f"select {RESPONSE} from net._http_response where id = {request_id}")):
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


@contextlib.asynccontextmanager
async def admin(rt: Runtime, ref: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with rt.database.connection() as db:
        secret = (await store.read_secrets(db, rt.keyring, ref)).secret
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as db:
        yield db


@contextlib.contextmanager
def worker_process(rt: Runtime) -> Iterator[subprocess.Popen[bytes]]:
    """A process that delivers and does nothing else; killed at the end if it lives."""
    environment = {
        **os.environ,
        "BASEPLANE_DATA_DIR": str(rt.settings.data_dir),
        "BASEPLANE_DATABASE_URL": rt.database.url,
        "BASEPLANE_OUTBOUND_ALLOW": "127.0.0.1/32",
    }
    process = subprocess.Popen([sys.executable, "-m", "tests.resources.webhooks"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _deliver() -> None:
    settings = Settings.load()
    async with app.runtime(settings, connections=2) as rt, outbound(app.outbound_rules(settings)) as sender:
        await delivery.watch(rt, sender)


if __name__ == "__main__":
    asyncio.run(_deliver())
