"""A project's read replicas, as its users see them."""

import asyncio
from typing import Any

from tests.conftest import Client


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
