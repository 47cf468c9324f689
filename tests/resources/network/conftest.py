"""Clients of a real project that come from other addresses of the loopback network."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg
import pytest

from baseplane import app
from baseplane.drivers.certificates import Authority
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.resources.doors import presence
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of, open_door, working

PASSWORD = "correct horse"
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
OPEN = {"dbAllowedCidrs": ["0.0.0.0/0"], "dbAllowedCidrsV6": ["::/0"]}
ONLY_HERE = {"dbAllowedCidrs": [f"{HERE}/32"], "dbAllowedCidrsV6": []}
PLAIN = {"sslmode": "disable", "gssencmode": "disable"}


@contextlib.asynccontextmanager
async def relay(source: str, port: int) -> AsyncIterator[int]:
    """A port whose connections reach ``port`` from the address ``source``, which libpq cannot choose itself."""
    host = "::1" if ":" in source else HERE
    pipes: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
        for ends in ((reader, up_writer), (up_reader, writer)):
            pipes.add(asyncio.create_task(pipe(*ends)))

    server = await asyncio.start_server(serve, HERE, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in pipes:
            task.cancel()
        if pipes:
            await asyncio.wait(pipes)


@dataclasses.dataclass(frozen=True)
class Place:
    """A project behind an ingress, as its owner and as clients from several addresses see it."""

    client: Client
    ref: str
    door: TlsDoor

    async def network(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The body of a 2xx."""
        answer = await self.client.call(method, f"/v1/projects/{self.ref}/{path}", json=body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def restrict(self, body: object) -> dict[str, Any]:
        return await self.network("POST", "network-restrictions/apply", body)

    async def enforce_ssl(self, *, on: bool) -> dict[str, Any]:
        return await self.network("PUT", "ssl-enforcement", {"requestedConfig": {"database": on}})

    async def banned(self) -> list[str]:
        found: list[str] = (await self.network("POST", "network-bans/retrieve"))["banned_ipv4_addresses"]
        return found

    @contextlib.asynccontextmanager
    async def session(
        self, source: str = ELSEWHERE, door: TlsDoor | None = None, *, pooled: bool = False, **changes: Any
    ) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """As role postgres, with TLS, by the place's own door, where not told otherwise."""
        door = door or self.door
        async with relay(source, door.pooler_port if pooled else door.port) as port:
            parameters = {
                "user": f"postgres.{self.ref}", "password": PASSWORD, "sslmode": "require", "dbname": "postgres",
                "host": HERE, "port": port, "connect_timeout": 10, "autocommit": True,
            } | changes  # fmt: skip
            connection = await psycopg.AsyncConnection.connect(**parameters)
            try:
                yield connection
            finally:
                await connection.close()

    async def enters(self, source: str = ELSEWHERE, **changes: Any) -> str:
        """Nothing if a client is served, else what it is told."""
        try:
            async with self.session(source, **changes) as session:
                await session.execute("select 1")
        except psycopg.OperationalError as error:
            return str(error)
        return ""

    async def fail(self, times: int, source: str = ELSEWHERE, **changes: Any) -> None:
        for _ in range(times):
            told = await self.enters(source, password="wrong", **changes)
            assert "authentication failed" in told or "no such user" in told


async def until(find: Callable[[], Awaitable[Any]], within: float = 5) -> Any:
    """The first true answer of ``find``."""
    async with asyncio.timeout(within):
        while not (found := await find()):
            await asyncio.sleep(0.005)
    return found


@contextlib.asynccontextmanager
async def ingress_of(rt: Runtime, host: str = HERE) -> AsyncIterator[TlsDoor]:
    """One more ingress, which attends to announcements."""
    ingress = app.build_ingress(rt)
    authority = Authority(app.Paths(rt.settings.data_dir).authority)
    door = await open_door(ingress, authority, host)
    attending = asyncio.create_task(presence.attend(rt, ingress))
    yield door
    attending.cancel()
    await asyncio.wait([attending])
    await ingress.close()


@pytest.fixture(scope="package")
async def strict_rt(real_rt: Runtime) -> AsyncIterator[Runtime]:
    """An installation that bans early, behind an ingress of its own."""
    settings = real_rt.settings.model_copy(update={"ban_after": 3})
    rt = dataclasses.replace(real_rt, settings=settings)
    async with ingress_of(rt) as door:
        yield dataclasses.replace(rt, door=door)


@pytest.fixture(scope="package")
async def owner(strict_rt: Runtime) -> AsyncIterator[Client]:
    async with client_of(strict_rt) as client, working(client.queue):
        yield client


@pytest.fixture(scope="package")
async def ref(owner: Client) -> str:
    created = (await owner.create_project())["ref"]

    async def is_healthy() -> bool:
        return await owner.status(created) == "ACTIVE_HEALTHY"

    await until(is_healthy, 60)
    return str(created)


@pytest.fixture
async def place(strict_rt: Runtime, owner: Client, ref: str) -> AsyncIterator[Place]:
    assert isinstance(strict_rt.door, TlsDoor)
    yield Place(owner, ref, strict_rt.door)
    async with strict_rt.database.connection() as db:
        for table in ("network_restrictions", "ssl_enforcement", "login_failures"):
            await db.execute(f"delete from {table}".encode())
