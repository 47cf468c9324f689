"""Real parts for every test: a platform database per test process, clusters on request, the API as its users see it."""

import asyncio
import contextlib
import dataclasses
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from baseplane import app
from baseplane.database import Database, migrations
from baseplane.database.secrets import Keyring
from baseplane.drivers.archive.memory import MemoryArchive
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.engines import pick
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.drivers.cluster.platform import PlatformCluster
from baseplane.drivers.functions.local import LocalFunctions
from baseplane.drivers.ingress.memory import MemoryDoor
from baseplane.drivers.ingress.postgres import PostgresIngress
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.drivers.pooler.absent import NoPoolers
from baseplane.drivers.pooler.local import LocalPoolers
from baseplane.resources.accounts import store as accounts
from baseplane.resources.doors import presence
from baseplane.resources.organizations import store as organizations
from baseplane.runtime import Runtime
from baseplane.settings import Settings
from baseplane.workflows.queue import Queue
from tests.contract import validation


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A short path that Postgres' user may enter: Unix sockets go below it."""
    directory = Path(tempfile.mkdtemp(prefix="bp-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, rate_limit=0, query_timeout=5, query_max_rows=1000, query_max_bytes=1_000_000)


@pytest.fixture(scope="session")
def local(settings: Settings) -> Iterator[LocalClusters]:
    driver = LocalClusters(Layout(settings.data_dir), settings.engines_dir, account(settings.postgres_user))
    yield driver
    driver.close()


@pytest.fixture(scope="session")
async def platform(settings: Settings, local: LocalClusters) -> AsyncIterator[str]:
    """The URL of a platform database with every revision applied."""
    engine = pick(settings.engine, settings.engines_dir)
    cluster = PlatformCluster(local.layout, settings.engines_dir, local.account, engine)
    url = await cluster.ensure()
    await asyncio.to_thread(migrations.upgrade, url)
    yield url
    await cluster.stop()


@pytest.fixture(scope="session")
async def database(platform: str) -> AsyncIterator[Database]:
    async with Database(platform, max_size=12) as database:
        yield database


@pytest.fixture(scope="session")
def keyring(settings: Settings) -> Keyring:
    """In its file, so that other processes open what this one seals."""
    return Keyring.at(app.Paths(settings.data_dir).key)


@pytest.fixture(scope="session")
async def functions(data_dir: Path) -> AsyncIterator[LocalFunctions]:
    driver = LocalFunctions(data_dir, data_dir / "run")
    yield driver
    await driver.close()


@dataclass
class Client:
    """The API as one user calls it. Every answer is held against the contract."""

    http: httpx.AsyncClient
    queue: Queue
    slug: str
    email: str
    user_id: str
    token: str

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> Any:
        """The body of a 200."""
        response = await self.call("GET", path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: object = None, **options: Any) -> httpx.Response:
        return await self.call("POST", path, json=body, **options)

    async def create_project(self, **fields: Any) -> dict[str, Any]:
        """The answer to the request; ``drain`` makes it happen."""
        name = f"p-{secrets.token_hex(4)}"
        body = {"name": name, "db_pass": "correct horse", "organization_slug": self.slug, **fields}
        response = await self.post("/v1/projects", body)
        assert response.status_code == 201, response.text
        return response.json()

    async def active_project(self, **fields: Any) -> str:
        """The ref of a new project that is ACTIVE_HEALTHY."""
        project = await self.create_project(**fields)
        await self.drain()
        assert await self.status(project["ref"]) == "ACTIVE_HEALTHY"
        return str(project["ref"])

    async def status(self, ref: str) -> str:
        return str((await self.get(f"/v1/projects/{ref}"))["status"])

    async def becomes(self, ref: str, status: str) -> None:
        """Return when a worker has brought the project there."""
        async with asyncio.timeout(30):
            while await self.status(ref) != status:
                await asyncio.sleep(0.02)

    async def query(self, ref: str, query: str, **fields: Any) -> httpx.Response:
        return await self.post(f"/v1/projects/{ref}/database/query", {"query": query, **fields})

    async def drain(self) -> None:
        """Carry out everything that was asked for."""
        await self.queue.drain()


@contextlib.asynccontextmanager
async def working(queue: Queue) -> AsyncIterator[None]:
    """A worker that carries on what is asked for meanwhile."""
    task = asyncio.create_task(queue.work())
    try:
        yield
    finally:
        while not task.done():
            task.cancel()  # one that has only just begun may not heed it
            await asyncio.wait([task], timeout=1)


@contextlib.asynccontextmanager
async def client_of(rt: Runtime, role: str = "Owner") -> AsyncIterator[Client]:
    """A new user with ``role`` in a new organization, calling an API over ``rt``."""
    name = secrets.token_hex(6)
    async with rt.database.transaction() as db:
        founder = await accounts.insert_user(db, f"founder-{name}@example.test", "founder")
        organization = await organizations.insert(db, f"org {name}", founder.id)
        user = founder if role == "Owner" else await accounts.insert_user(db, f"{name}@example.test", name)
        await organizations.set_role(db, organization.slug, user.id, role)
        token = await accounts.insert_token(db, user.id, "test")
    queue = Queue(rt)
    await queue.open()
    transport = httpx.ASGITransport(app.build_api(rt), raise_app_exceptions=False)
    hooks = {"response": [validation.check]}
    async with httpx.AsyncClient(transport=transport, base_url="http://api", event_hooks=hooks) as http:
        client = Client(http, queue, organization.slug, user.email, str(user.id), token)
        yield client
        await client.drain()  # what is left would be carried out by the next test, with the drivers of that one


@pytest.fixture
def memory(platform: str) -> MemoryClusters:
    return MemoryClusters(platform)


@pytest.fixture
def rt(
    settings: Settings, database: Database, keyring: Keyring, memory: MemoryClusters, functions: LocalFunctions
) -> Runtime:
    """A runtime whose clusters are only remembered; its platform database is real."""
    door, archive, files = MemoryDoor(memory), MemoryArchive(memory, keyring), app.artifacts(settings)
    return Runtime(settings, database, keyring, memory, door, NoPoolers(), files, functions, archive=archive)


@pytest.fixture
async def api(rt: Runtime) -> AsyncIterator[Client]:
    async with client_of(rt) as client:
        yield client


@pytest.fixture
async def alone(rt: Runtime) -> AsyncIterator[None]:
    async with without_others(rt):
        yield


@contextlib.asynccontextmanager
async def without_others(rt: Runtime) -> AsyncIterator[None]:
    """No project of another test is looked after meanwhile: those with remembered clusters have lost them."""
    async with rt.database.connection() as db:
        others = await db.execute("select status, ref from projects")
        before = await others.fetchall()
        await db.execute("update projects set status = 'REMOVED'")
    yield
    async with rt.database.connection() as db:
        await db.cursor().executemany("update projects set status = %s where ref = %s", before)


@pytest.fixture
async def stranger(rt: Runtime) -> AsyncIterator[Client]:
    """Somebody else, with an organization of their own."""
    async with client_of(rt) as client:
        yield client


async def open_door(ingress: PostgresIngress, authority: Authority, host: str = "127.0.0.1") -> TlsDoor:
    """Let the ingress listen on two free ports."""
    port = await ingress.listen(host, 0)
    return TlsDoor(host, port, await ingress.listen(host, 0, pooled=True), authority.certificate)


@pytest.fixture(scope="session")
async def real_rt(
    settings: Settings, database: Database, keyring: Keyring, local: LocalClusters, functions: LocalFunctions
) -> AsyncIterator[Runtime]:
    """A runtime with real clusters behind a real ingress."""
    await local.prepare(settings.engine, lambda _: None)
    authority = Authority(app.Paths(settings.data_dir).authority)
    poolers = LocalPoolers(local.layout, local.account)
    door = TlsDoor("127.0.0.1", 0, 0, authority.certificate)
    rt = Runtime(settings, database, keyring, local, door, poolers, app.artifacts(settings), functions)
    ingress = app.build_ingress(rt)
    door = await open_door(ingress, authority)
    attending = asyncio.create_task(presence.attend(rt, ingress))
    yield dataclasses.replace(rt, door=door)
    attending.cancel()
    await asyncio.wait([attending])
    await ingress.close()
    await poolers.stop_all()
    await local.stop_all()


@pytest.fixture(scope="session")
async def real(real_rt: Runtime) -> AsyncIterator[Client]:
    async with client_of(real_rt) as client:
        yield client


@pytest.fixture
async def worker(real: Client) -> AsyncIterator[None]:
    async with working(real.queue):
        yield


@pytest.fixture(scope="session")
async def project(real: Client) -> str:
    """The ref of a real, active project that tests share: they leave it as they found it."""
    return await real.active_project()


Limited = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def limited(real: Client, real_rt: Runtime) -> Limited:
    """The same caller at an API with other settings."""

    @contextlib.asynccontextmanager
    async def open_api(**changed: object) -> AsyncIterator[Client]:
        rt = dataclasses.replace(real_rt, settings=real_rt.settings.model_copy(update=changed))
        transport = httpx.ASGITransport(app.build_api(rt))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
            yield dataclasses.replace(real, http=http)

    return open_api
