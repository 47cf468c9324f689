"""Revisions on a real, empty database."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import psycopg
import pytest
from alembic import command

from baseplane.database import migrations


@pytest.fixture
async def empty(platform: str) -> AsyncIterator[str]:
    """The URL of a new database."""
    name = f"empty_{secrets.token_hex(6)}"
    async with await psycopg.AsyncConnection.connect(platform, autocommit=True) as db:
        await db.execute(f"create database {name}".encode())
        yield platform.replace("/baseplane?", f"/{name}?")
        await db.execute(f"drop database {name} with (force)".encode())


async def tables(url: str) -> set[str]:
    async with await psycopg.AsyncConnection.connect(url) as db:
        cursor = await db.execute("select tablename from pg_tables where schemaname = 'public'")
        return {name for (name,) in await cursor.fetchall()}


async def revision(url: str) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url) as db:
        return [name for (name,) in await (await db.execute("select version_num from alembic_version")).fetchall()]


async def test_an_empty_database_gets_every_revision(empty: str) -> None:
    await asyncio.to_thread(migrations.upgrade, empty)
    assert await revision(empty) == [migrations.head()]
    assert {"users", "projects", "runs", "procrastinate_jobs"} <= await tables(empty)


async def test_a_second_upgrade_changes_nothing(empty: str) -> None:
    await asyncio.to_thread(migrations.upgrade, empty)
    before = await tables(empty)
    async with await psycopg.AsyncConnection.connect(empty, autocommit=True) as db:
        await db.execute("insert into users (email, name) values ('kept@example.test', 'kept')")
        await asyncio.to_thread(migrations.upgrade, empty)
        found = await (await db.execute("select name from users")).fetchall()
    assert found == [("kept",)]
    assert await tables(empty) == before
    assert await revision(empty) == [migrations.head()]


async def test_upgrades_from_two_threads_at_once_both_end_well(empty: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrations.upgrade, empty) for _ in range(2)))
    assert await revision(empty) == [migrations.head()]
    async with await psycopg.AsyncConnection.connect(empty) as db:
        held = await (await db.execute("select from pg_locks where locktype = 'advisory'")).fetchall()
    assert held == []


async def test_functions_from_before_their_history_are_taken_to_have_always_served(empty: str) -> None:
    await asyncio.to_thread(command.upgrade, migrations._config(empty), "0017")
    async with await psycopg.AsyncConnection.connect(empty, autocommit=True) as db:
        await db.execute("insert into organizations (slug, name) values ('shop', 'shop')")
        await db.execute(
            "insert into projects (ref, organization_slug, name, region, size, engine, password, secret, jwt_secret, root_key)"
            " values ('abcdefghijklmnopqrst', 'shop', 'shop', 'eu-central-1', 'nano', 17, '', '', '', '')"
        )
        await db.execute(
            "with made as (insert into functions (project_ref, slug, name, verify_jwt, live, created_at) values"
            " ('abcdefghijklmnopqrst', 'hello', 'Hello', true, 3, '2026-01-01') returning id)"
            " insert into function_versions (function_id, number, format, entrypoint, digest, state, goes_live)"
            " select id, 3, 'source', 'index.ts', repeat('a', 64), 'ready', true from made"
        )
        await asyncio.to_thread(migrations.upgrade, empty)
        cursor = await db.execute(
            "select slug, number, digest, since = '2026-01-01', until, archived from function_history"
        )
        assert await cursor.fetchall() == [("hello", 3, "a" * 64, True, None, False)]
