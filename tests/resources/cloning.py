"""Projects that are made from the archive of another, as tests ask for them."""

from collections.abc import Awaitable, Callable
from typing import Any

from click.testing import Result

from baseplane.drivers.cluster import Role
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime
from baseplane.workflows import journal, runner
from tests.conftest import Client
from tests.resources.archived import run

PASSWORD = "battery staple"
SOURCE = """
create table public.kept (id bigint);
insert into public.kept values (1);
create role app login password 'horse correct';
create extension pg_trgm;
select vault.create_secret('s3cret', 'key');
"""

Clone = Callable[..., Awaitable[Result]]


async def asked(result: Awaitable[Result]) -> str:
    """The ref of the project that was asked for."""
    done = await result
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


async def superuser(rt: Runtime, ref: str, query: str) -> list[tuple[Any, ...]]:
    async with rt.database.connection() as db:
        secret = (await projects.read_secrets(db, rt.keyring, ref)).secret
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as inside:
        cursor = await inside.execute(query.encode())
        return await cursor.fetchall() if cursor.description else []


async def ids(kept: Client, ref: str) -> list[int]:
    return [row["id"] for row in await run(kept, ref, "select id from public.kept order by id")]


async def carry_on(rt: Runtime, ref: str) -> None:
    """This project's run, and no other's."""
    async with rt.database.connection() as db:
        (found,) = await journal.unfinished(db, ref)
    await runner.carry_on(rt, found.id)


async def cause(rt: Runtime, ref: str) -> str:
    async with rt.database.connection() as db:
        return (await projects.get(db, ref)).cause or ""
