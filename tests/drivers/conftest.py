import asyncio
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster import ClusterSpec
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.functions.local import LocalFunctions
from baseplane.drivers.ingress import Limits, Refused, Route, Visitor
from baseplane.drivers.ingress.postgres import PostgresIngress
from baseplane.settings import Settings
from tests.drivers import postgres_server
from tests.drivers.functions import Host, Message

REF = "abcdefghijklmnopqrst"
GONE = "goneabcdefghijklmnop"
HOST = "sb.test"
SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSSENC_REQUEST = struct.pack("!II", 8, 80877104)
DIRECT = {"sslmode": "require", "sslnegotiation": "direct"}


@pytest.fixture(scope="session")
def server() -> Iterator[postgres_server.Server]:
    with postgres_server.running() as server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@dataclass(frozen=True)
class Door:
    """A listening ingress, and how to come in."""

    ingress: PostgresIngress
    port: int
    rules: "Rules"

    async def connect(self, **changes: Any) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        parameters = {
            "host": "localhost", "hostaddr": "127.0.0.1", "port": self.port, "dbname": "postgres",
            "user": f"postgres.{REF}", "password": postgres_server.PASSWORD, "autocommit": True,
            "sslmode": "disable", "gssencmode": "disable", "connect_timeout": 10,
        }  # fmt: skip
        return await psycopg.AsyncConnection.connect(**(parameters | changes))

    async def raw(self, *packets: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"".join(packets))
        return reader, writer

    def buffered(self) -> int:
        """Bytes that wait in this process for either side."""
        sessions = self.ingress._door.sessions
        sides = [side for s in sessions for side in (s.transport, s.upstream and s.upstream._transport) if side]
        return sum(side.get_write_buffer_size() for side in sides)


@pytest.fixture
def limits() -> Limits:
    return replace(Limits(), handshake=5.0, connect=5.0)


@dataclass
class Rules:
    """A gate whose rules a test changes as it likes."""

    routes: dict[str, Route]
    banished: set[str] = field(default_factory=set)
    visitors: list[Visitor] = field(default_factory=list)
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    wakes: bool = True

    async def admit(self, visitor: Visitor) -> Route:
        self.visitors.append(visitor)
        if not self.wakes:
            await asyncio.Event().wait()
        if visitor.ref not in self.routes:
            raise Refused(f"there is no project {visitor.ref}", sqlstate="3D000", hint="Check the ref.")
        await self.review(visitor)
        return self.routes[visitor.ref]

    async def review(self, visitor: Visitor) -> None:
        if visitor.address in self.banished:
            raise Refused(f"{visitor.address} may not come in", sqlstate="28000")

    async def note_failure(self, visitor: Visitor, sqlstate: str) -> None:
        self.failures.append((visitor.user, visitor.address, sqlstate))


@pytest.fixture
async def door(server: postgres_server.Server, authority: Authority, limits: Limits) -> AsyncIterator[Door]:
    rules = Rules({REF: Route(server.socket), GONE: Route(str(Path(server.socket).parent / "gone"))})
    ingress = PostgresIngress(rules, authority, HOST, limits)
    yield Door(ingress, await ingress.listen("127.0.0.1", 0), rules)
    await ingress.close()
    assert ingress.connections == 0
    assert ingress._door.cancels == {}
    assert [task for task in asyncio.all_tasks() if "Session." in repr(task.get_coro())] == []


def startup(**parameters: str) -> bytes:
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, 196608) + body


def new_spec(**fields: object) -> ClusterSpec:
    """What a new cluster should be, with a ref of its own."""
    ref = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(20))
    given = {
        "root_keys": ("00" * 32,),
        "ref": ref,
        "engine": 17,
        "size": "nano",
        "secret": "the secret",
        "password": "the password",
        **fields,
    }
    return ClusterSpec(**given)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
async def clusters(local: LocalClusters, settings: Settings) -> AsyncIterator[LocalClusters]:
    """The local driver with its template made. What a test leaves running ends with the session."""
    await local.prepare(settings.engine, lambda _: None)
    yield local
    await local.stop_all()


@pytest.fixture
async def cluster(clusters: LocalClusters) -> AsyncIterator[ClusterSpec]:
    """A cluster that runs."""
    spec = new_spec()
    await clusters.create(spec)
    await clusters.start(spec)
    yield spec
    await clusters.remove(spec.ref)


def _host(data_dir: Path, **options: Any) -> Host:
    said: dict[str, list[Message]] = {}

    def log(_ref: str, id: str, _version: int, _execution: str, level: str, message: str) -> None:  # noqa: A002
        said.setdefault(id, []).append((level, message))

    return Host(LocalFunctions(data_dir, data_dir / "run", log=log, **options), said)


@pytest.fixture
async def host_with(data_dir: Path) -> AsyncIterator[Callable[..., Host]]:
    """Drivers of functions with limits of a test's own, all on one data directory."""
    hosts: list[Host] = []

    def make(**options: Any) -> Host:
        hosts.append(_host(data_dir, **options))
        return hosts[-1]

    yield make
    for host in hosts:
        await host.driver.close()


@pytest.fixture
def host(host_with: Callable[..., Host]) -> Host:
    """One with the limits of the platform."""
    return host_with()


@pytest.fixture(scope="module")
async def module_host(data_dir: Path) -> AsyncIterator[Host]:
    """The same, for all tests of a file."""
    host = _host(data_dir)
    yield host
    await host.driver.close()


@pytest.fixture
async def seventeen(clusters: LocalClusters) -> AsyncIterator[ClusterSpec]:
    """One of 17, which can be upgraded."""
    from tests.drivers.upgrading import made

    async with made(clusters, 17) as spec:
        yield spec
