"""The roles that the CLI asks for, through the door as it logs in."""

import asyncio
import re
from typing import Any

import psycopg
import pytest

from baseplane.drivers.ingress.public import TlsDoor
from baseplane.errors import Unavailable
from baseplane.resources.access import sweeper
from baseplane.runtime import Runtime
from tests.conftest import Client


async def make(client: Client, ref: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/v1/projects/{ref}/cli/login-role", {"read_only": False, **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def enter(rt: Runtime, ref: str, made: dict[str, Any], *, pooled: bool = False) -> psycopg.AsyncConnection[Any]:
    assert isinstance(rt.door, TlsDoor)
    return await rt.door.connect(ref, made["role"], made["password"], pooled=pooled)


async def ask(session: psycopg.AsyncConnection[Any], query: str) -> Any:
    row = await (await session.execute(query.encode())).fetchone()
    assert row is not None
    return row[0]


async def delete(client: Client, ref: str) -> None:
    answer = await client.call("DELETE", f"/v1/projects/{ref}/cli/login-role")
    assert (answer.status_code, answer.json()) == (200, {"message": "ok"}), answer.text


async def expire(rt: Runtime, name: str) -> None:
    async with rt.database.connection() as db:
        await db.execute("update temporary_roles set expires_at = now() where name = %s", [name])


async def names(client: Client, ref: str) -> list[str]:
    answer = await client.query(ref, "select rolname from pg_roles where rolname ~ '^(cli_login|jit)_' order by 1")
    return [row["rolname"] for row in answer.json()]


async def test_a_login_role_acts_as_postgres(real_rt: Runtime, real: Client, project: str) -> None:
    made = await make(real, project)
    assert re.fullmatch(r"cli_login_\w+", made["role"])
    assert made["ttl_seconds"] == real_rt.settings.login_role_ttl
    async with await enter(real_rt, project, made) as session:
        await session.execute("set session role postgres")
        assert await ask(session, "select current_user") == "postgres"
        await session.execute("reset all")
        await session.execute("create table public.by_login_role (id int)")
        owner = "select tableowner from pg_tables where tablename = 'by_login_role'"
        assert await ask(session, owner) == "postgres"
        await session.execute("drop table public.by_login_role")
    await delete(real, project)


async def test_it_has_no_more_than_postgres(real_rt: Runtime, real: Client, project: str) -> None:
    made = await make(real, project)
    async with await enter(real_rt, project, made) as session:
        await session.execute("set role none")
        for refused in (
            "select rolpassword from pg_authid",
            "set role supabase_admin",
            "create role more superuser",
            f"alter role {made['role']} valid until 'infinity'",
            f"alter role {made['role']} superuser",
            "create table public.mine ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await session.execute(refused.encode())
    await delete(real, project)


async def test_a_read_only_one_only_reads(real_rt: Runtime, real: Client, project: str) -> None:
    made = await make(real, project, read_only=True)
    async with await enter(real_rt, project, made) as session:
        assert await ask(session, "select current_user") == "supabase_read_only_user"
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await session.execute("create table public.mine ()")
        await session.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await session.execute("create table public.mine ()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await session.execute("set role postgres")
    await delete(real, project)


async def test_callers_do_not_take_each_others_password_away(real_rt: Runtime, real: Client, project: str) -> None:
    made = [await make(real, project) for _ in range(2)]
    for one in made:
        async with await enter(real_rt, project, one):
            pass
    await delete(real, project)


async def test_deleting_ends_sessions_and_logins(real_rt: Runtime, real: Client, project: str) -> None:
    made = await make(real, project)
    async with await enter(real_rt, project, made) as session:
        await delete(real, project)
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
    with pytest.raises(Unavailable, match="expired or was deleted"):
        await enter(real_rt, project, made)
    assert await names(real, project) == []
    await delete(real, project)


@pytest.mark.parametrize("pooled", [False, True])
async def test_at_expiry_sessions_end(real_rt: Runtime, real: Client, project: str, pooled: bool, worker: None) -> None:
    made = await make(real, project)
    async with await enter(real_rt, project, made, pooled=pooled) as session:
        await session.execute("select 1")
        await expire(real_rt, made["role"])
        await sweeper.look(real_rt)
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
    with pytest.raises(Unavailable, match="expired or was deleted"):
        await enter(real_rt, project, made, pooled=pooled)


async def test_an_expired_role_is_refused_before_anybody_sweeps(real_rt: Runtime, real: Client, project: str) -> None:
    made = await make(real, project)
    await expire(real_rt, made["role"])
    with pytest.raises(Unavailable, match="expired or was deleted"):
        await enter(real_rt, project, made)
    assert made["role"] in await names(real, project)
    await sweeper.look(real_rt)
    assert await names(real, project) == []


async def test_what_it_was_given_does_not_keep_it(real_rt: Runtime, real: Client, project: str) -> None:
    made = await make(real, project)
    name = made["role"]
    given = f"""
        grant create on schema public to {name}; create table public.lent (); grant select on public.lent to {name};
        create role helper; grant anon to {name} with admin option; alter default privileges grant select on tables to {name}"""
    assert (await real.query(project, given)).status_code == 201
    async with await enter(real_rt, project, made) as session:
        await session.execute("set role none")
        await session.execute("create table public.owned ()")
        await session.execute("grant anon to helper")
    await delete(real, project)
    assert await names(real, project) == []
    owner = await real.query(project, "select tableowner from pg_tables where tablename = 'owned'")
    assert owner.json() == [{"tableowner": "postgres"}]
    assert (await real.query(project, "drop table public.owned, public.lent; drop role helper")).status_code == 201


async def test_one_that_cannot_be_dropped_cannot_log_in(real_rt: Runtime, real: Client) -> None:
    ref = await real.active_project()
    made = await make(real, ref)
    assert isinstance(real_rt.door, TlsDoor)
    await real.query(ref, f"create table public.held (); grant select on public.held to {made['role']}")
    async with await real_rt.door.connect(ref, "postgres", "correct horse") as session, session.transaction():
        await session.execute("lock table public.held in access exclusive mode")
        await session.execute("revoke all on public.held from anon")
        await delete(real, ref)
    with pytest.raises(Unavailable, match="expired or was deleted"):
        await enter(real_rt, ref, made)
    left = f"select rolcanlogin, pg_has_role('{made['role']}', 'postgres', 'MEMBER') from pg_roles where rolname = '{made['role']}'"
    assert (await real.query(ref, left)).json() == [{"rolcanlogin": False, "pg_has_role": False}]
    async with real_rt.database.connection() as db:
        await db.execute(
            "update temporary_roles set swept_at = now() - interval '2 hours' where name = %s", [made["role"]]
        )
    await sweeper.look(real_rt)
    assert await names(real, ref) == []


async def test_one_that_has_rights_in_another_database_stays_without_a_login(real_rt: Runtime, real: Client) -> None:
    ref = await real.active_project()
    made = await make(real, ref)
    assert isinstance(real_rt.door, TlsDoor)
    async with await real_rt.door.connect(ref, "postgres", "correct horse") as session:
        await session.execute("create database other")
    url = f"host=127.0.0.1 port={real_rt.door.port} user=postgres.{ref} password='correct horse' dbname=other"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
        await other.execute(f"create schema lent; grant create on schema lent to {made['role']}".encode())
    await delete(real, ref)
    assert await names(real, ref) == [made["role"]]
    with pytest.raises(Unavailable, match="expired or was deleted"):
        await enter(real_rt, ref, made)
    held = "select count(*) from pg_auth_members m join pg_roles r on r.oid = m.member where rolname ~ '^cli_login_'"
    assert (await real.query(ref, held)).json() == [{"count": 0}]


async def test_roles_of_the_tenant_with_such_names_are_left_alone(real_rt: Runtime, real: Client, project: str) -> None:
    mine = "create role cli_login_postgres login password 'of my own'; create role jit_me login password 'of my own'"
    assert (await real.query(project, mine)).status_code == 201
    await make(real, project)
    await delete(real, project)
    for name in ("cli_login_postgres", "jit_me"):
        async with await enter(real_rt, project, {"role": name, "password": "of my own"}):
            pass
    assert (await real.query(project, "drop role cli_login_postgres, jit_me")).status_code == 201


async def test_a_project_that_does_not_run_gives_none(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    answer = await api.post(f"/v1/projects/{ref}/cli/login-role", {"read_only": False})
    assert answer.status_code == 400
    assert "COMING_UP" in answer.json()["message"]
    assert (await api.call("DELETE", f"/v1/projects/{ref}/cli/login-role")).status_code == 200


async def test_many_at_once_are_all_made(real: Client, real_rt: Runtime, project: str) -> None:
    made = await asyncio.gather(*(make(real, project) for _ in range(8)))
    assert len({one["role"] for one in made}) == 8
    await delete(real, project)
    assert await names(real, project) == []
