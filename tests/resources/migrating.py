"""What the tests of migrations share: the migrations of the shared project, as a user calls them."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.conftest import Client

HISTORY = "supabase_migrations.schema_migrations"


@dataclasses.dataclass
class Migrations:
    """The migrations of one project, as a user calls them."""

    client: Client
    ref: str

    @property
    def path(self) -> str:
        return f"/v1/projects/{self.ref}/database/migrations"

    async def apply(self, query: str, key: str | None = None, **fields: Any) -> httpx.Response:
        return await self.send("POST", query, key, **fields)

    async def send(self, method: str, query: str, key: str | None = None, **fields: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client.call(method, self.path, json={"query": query, **fields}, headers=headers)

    async def applied(self, query: str, key: str | None = None, **fields: Any) -> str:
        """The version of a migration that must succeed."""
        response = await self.apply(query, key, **fields)
        assert (response.status_code, response.content) == (200, b""), response.text
        return response.headers["location"].rpartition("/")[2]

    async def refused(self, query: str, **fields: Any) -> dict[str, Any]:
        """The body of a 400 that changed nothing."""
        before = await self.listed()
        response = await self.apply(query, **fields)
        assert response.status_code == 400, response.text
        assert await self.listed() == before
        return response.json()

    async def listed(self) -> list[dict[str, str]]:
        return await self.client.get(self.path)

    async def get(self, version: str) -> dict[str, Any]:
        return await self.client.get(f"{self.path}/{version}")

    async def rollback(self, gte: str) -> httpx.Response:
        return await self.client.call("DELETE", self.path, params={"gte": gte})

    async def sql(self, query: str) -> list[dict[str, Any]]:
        response = await self.client.query(self.ref, query)
        assert response.status_code == 201, response.text
        return response.json()

    async def exists(self, table: str) -> bool:
        return bool((await self.sql(f"select to_regclass('{table}') is not null as v"))[0]["v"])


@pytest.fixture
async def migrations(real: Client, project: str) -> AsyncIterator[Migrations]:
    """The shared project's, on an empty history; what a test makes is to lie in schema app."""
    migrations = Migrations(real, project)
    await migrations.sql("create schema app")
    yield migrations
    await migrations.sql(f"""
        drop schema app cascade; drop schema if exists supabase_migrations cascade; create schema supabase_migrations;
        create table {HISTORY} (version text primary key, statements text[], name text);
        reset role; alter database postgres reset all""")
