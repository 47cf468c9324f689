"""Migrations through the API: what is applied is in the history, what is in the history was applied."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from baseplane.drivers.cluster import Role
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of

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


async def test_what_is_applied_is_in_the_history(migrations: Migrations) -> None:
    version = await migrations.applied("create table app.a (b int); insert into app.a values (1); -- end", name="first")
    assert await migrations.listed() == [{"version": version, "name": "first"}]
    assert await migrations.get(version) == {
        "version": version,
        "name": "first",
        "statements": ["create table app.a (b int)", "insert into app.a values (1)"],
        "created_by": migrations.client.email,
    }
    assert await migrations.sql("select b from app.a") == [{"b": 1}]


async def test_a_migration_that_fails_half_way_leaves_nothing(migrations: Migrations) -> None:
    said = await migrations.refused("create table app.a (b int);\n\nselect 1 / 0;\ncreate table app.c ()")
    assert (said["code"], said["statement"]) == ("22012", 2)
    assert said["message"] == (
        "Statement 2 of 3 of the migration, on line 3, failed. Nothing was applied or recorded.\n"
        "ERROR: 22012: division by zero\nSTATEMENT: select 1 / 0"
    )
    assert not await migrations.exists("app.a")


async def test_a_syntax_error_comes_before_anything_runs_and_points_at_its_place(migrations: Migrations) -> None:
    query = "create table app.a (b int);\nselect 'grüße' fron x;\nselect 3"
    said = await migrations.refused(query, name="typo")
    assert said["message"] == (
        "Statement 2 of 3 of migration typo, on line 2, failed. Nothing was applied or recorded.\n"
        'ERROR: 42601: syntax error at or near "x"\nLINE 2: select \'grüße\' fron x;\n                            ^'
    )
    assert query[said["position"] - 1 :].startswith("x;")


async def test_versions_are_times_and_unique_within_a_second(migrations: Migrations) -> None:
    versions = [await migrations.applied(f"select {n}") for n in range(4)]
    assert len({*versions}) == 4
    assert versions == sorted(versions)
    assert all(len(version) == 14 and version.startswith("20") for version in versions)
    assert [row["version"] for row in await migrations.listed()] == versions
