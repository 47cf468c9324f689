"""A project's read replicas, as its users see them."""

import asyncio
from typing import Any

import psycopg

from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from tests.conftest import Client

PASSWORD = "correct horse"


async def databases(client: Client, ref: str) -> list[dict[str, Any]]:
    """Of the project, its replicas alone."""
    listed = (await client.get(f"/v1/organizations/{client.slug}/projects", params={"search": ref}))["projects"]
    return [database for database in listed[0]["databases"] if database["type"] == "READ_REPLICA"]


async def set_up(client: Client, ref: str, region: str = "eu-central-1") -> str:
    """Ask for one more; gives its identifier."""
    before = {database["identifier"] for database in await databases(client, ref)}
    answer = await client.post(f"/v1/projects/{ref}/read-replicas/setup", {"read_replica_region": region})
    assert (answer.status_code, answer.content) == (201, b""), answer.text
    (added,) = {database["identifier"] for database in await databases(client, ref)} - before
    return str(added)


async def remove(client: Client, ref: str, identifier: str) -> None:
    path = f"/v1/projects/{ref}/read-replicas/remove"
    answer = await client.post(path, {"database_identifier": identifier})
    assert (answer.status_code, answer.content) == (201, b""), answer.text


async def status(client: Client, identifier: str) -> str | None:
    """As the organization's list of projects tells it; None once it is gone."""
    found = await databases(client, identifier[:20])
    return next((database["status"] for database in found if database["identifier"] == identifier), None)


async def becomes(client: Client, identifier: str, wanted: str | None, within: float = 30) -> None:
    """Return when a worker has brought the replica there."""
    async with asyncio.timeout(within):
        while await status(client, identifier) != wanted:
            await asyncio.sleep(0.02)


async def connect(rt: Runtime, name: str, **given: Any) -> psycopg.AsyncConnection[Any]:
    assert isinstance(rt.door, TlsDoor)
    port = rt.door.pooler_port if given.pop("pooled", False) else rt.door.port
    parameters = {
        "host": rt.door.host, "port": port, "user": f"postgres.{name}", "password": PASSWORD, "dbname": "postgres",
        "autocommit": True, "prepare_threshold": None, "connect_timeout": 10, "sslmode": "require",
    }  # fmt: skip
    return await psycopg.AsyncConnection.connect(**(parameters | given))


async def ask(rt: Runtime, name: str, query: str, **given: Any) -> Any:
    """The first value of the answer, asked through the door."""
    async with await connect(rt, name, **given) as session:
        cursor = await session.execute(query.encode())
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None


async def until_it_answers(rt: Runtime, name: str, query: str, wanted: Any, **given: Any) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                if await ask(rt, name, query, **given) == wanted:
                    return
            except psycopg.Error:
                pass
            await asyncio.sleep(0.02)


def pid_of(clusters: LocalClusters, name: str) -> int:
    return int((clusters.layout.cluster(name).data / "postmaster.pid").read_text().split()[0])


async def in_cluster(rt: Runtime, ref: str, query: str) -> Any:
    """The first value of what the superuser is answered at the primary."""
    async with rt.database.connection() as db:
        secret = (await store.read_secrets(db, rt.keyring, ref)).secret
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as inside:
        cursor = await inside.execute(query.encode())
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None
