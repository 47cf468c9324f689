"""Logins with an access token in place of a password, through the door."""

import asyncio
import contextlib
import os
import ssl
import struct
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from baseplane.database import value
from baseplane.database.secrets import digest
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.resources.access import sweeper
from baseplane.resources.accounts import store as accounts
from baseplane.resources.organizations import store as organizations
from baseplane.runtime import Runtime
from tests.conftest import Client


def in_seconds(seconds: float) -> int:
    return int((time.time() + seconds) * 1000)


@dataclass
class Jit:
    """Temporary access to one project, as its administrator and its user see it."""

    rt: Runtime
    client: Client
    ref: str

    async def call(self, method: str, path: str = "", body: object = None) -> Any:
        return await self.client.call(method, f"/v1/projects/{self.ref}/database/jit{path}", json=body)

    async def switch(self, state: str) -> None:
        answer = await self.client.call("PUT", f"/v1/projects/{self.ref}/jit-access", json={"state": state})
        assert (answer.status_code, answer.json()["state"]) == (200, state), answer.text

    async def grant(self, *roles: dict[str, Any] | str, user_id: str | None = None) -> Any:
        listed = [{"role": role} if isinstance(role, str) else role for role in roles]
        return await self.call("PUT", body={"user_id": user_id or self.client.user_id, "roles": listed})

    async def connect(
        self, token: str | None = None, role: str = "postgres", **changes: Any
    ) -> psycopg.AsyncConnection[Any]:
        assert isinstance(self.rt.door, TlsDoor)
        parameters = {
            "host": "127.0.0.1", "port": self.rt.door.port, "dbname": "postgres", "user": f"{role}.{self.ref}",
            "password": token or self.client.token, "options": "-c jit=on", "sslmode": "verify-ca",
            "sslrootcert": str(self.rt.door.ca), "connect_timeout": 10, "autocommit": True,
        }  # fmt: skip
        return await psycopg.AsyncConnection.connect(**(parameters | changes))

    async def refused(self, match: str, token: str | None = None, role: str = "postgres", **changes: Any) -> None:
        with pytest.raises(psycopg.OperationalError, match=match):
            await self.connect(token, role, **changes)

    async def token(self, **narrowed: Any) -> str:
        async with self.rt.database.transaction() as db:
            return await accounts.insert_token(db, UUID(self.client.user_id), "jit", **narrowed)


@pytest.fixture
async def jit(real_rt: Runtime, real: Client, project: str) -> AsyncIterator[Jit]:
    """Enabled, with a grant of postgres to the caller; nothing is left of it."""
    jit = Jit(real_rt, real, project)
    await jit.switch("enabled")
    assert (await jit.grant("postgres")).status_code == 200
    yield jit
    await jit.call("DELETE", f"/{real.user_id}")
    await jit.switch("disabled")
    left = await real.query(project, "select rolname from pg_roles where rolname ~ '^jit_[0-9a-f]{16}$'")
    assert left.json() == []


async def ask(session: psycopg.AsyncConnection[Any], query: str) -> Any:
    row = await (await session.execute(query.encode())).fetchone()
    assert row is not None
    return row[0]


async def gone(session: psycopg.AsyncConnection[Any]) -> None:
    """The session is ended within seconds, whatever it does."""
    async with asyncio.timeout(5):
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select pg_sleep(60)")


async def test_a_token_opens_the_role_that_was_granted(jit: Jit) -> None:
    async with await jit.connect() as session:
        assert await ask(session, "select current_user") == "postgres"
        assert await ask(session, "show jit") == "off"
        await session.execute("create table public.by_token (); drop table public.by_token")


@pytest.mark.parametrize("pooled", [False, True])
async def test_several_logins_at_once(jit: Jit, pooled: bool, worker: None) -> None:
    assert isinstance(jit.rt.door, TlsDoor)
    port = jit.rt.door.pooler_port if pooled else jit.rt.door.port
    await (await jit.connect(port=port)).close()  # starts the pooler
    sessions = await asyncio.gather(*(jit.connect(port=port) for _ in range(6)))
    for session in sessions:
        assert await ask(session, "select current_user") == "postgres"
        await session.close()


async def psql(jit: Jit, query: str) -> subprocess.CompletedProcess[str]:
    assert isinstance(jit.rt.door, TlsDoor)
    url = f"postgresql://postgres.{jit.ref}@127.0.0.1:{jit.rt.door.port}/postgres?sslmode=require&options=-c%20jit%3Don"
    return await asyncio.to_thread(
        subprocess.run,
        ["psql", url, "-Atwc", query],
        env={**os.environ, "PGPASSWORD": jit.client.token},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_psql_logs_in(jit: Jit) -> None:
    done = await psql(jit, "select current_user")
    assert (done.returncode, done.stdout) == (0, "postgres\n"), done.stderr


async def test_a_running_query_is_cancelled(jit: Jit) -> None:
    async with await jit.connect() as session:
        query = asyncio.create_task(session.execute("select pg_sleep(20)"))
        await asyncio.sleep(0.1)
        await session.cancel_safe(timeout=5)
        with pytest.raises(psycopg.errors.QueryCanceled):
            await query


async def test_a_token_is_not_taken_in_plain_text(jit: Jit) -> None:
    await jit.refused("over TLS alone", sslmode="disable")


async def test_wrong_tokens_are_refused(jit: Jit) -> None:
    await jit.refused("not known here", "sbp_" + "0" * 40)
    await jit.refused("not known here", "correct horse")
    await jit.refused("not known here", "x" * 4000)
    await jit.refused("expired", await jit.token(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    await jit.refused("invalid length", "x" * 9000)


async def test_narrow_tokens_reach_what_they_were_made_for(jit: Jit) -> None:
    await jit.refused("other projects", await jit.token(projects=["a" * 20]))
    await jit.refused("other projects", await jit.token(organizations=["another"]))
    await jit.refused("without database_write", await jit.token(permissions=["database_read"]))
    async with await jit.connect(await jit.token(projects=[jit.ref], permissions=["database_write"])):
        pass


async def test_a_role_without_a_grant_is_refused(jit: Jit) -> None:
    await jit.refused("no grant of role anon", role="anon")
    await jit.refused("no grant of role supabase_admin", role="supabase_admin")


async def test_a_strangers_token_is_refused(jit: Jit, stranger: Client) -> None:
    await jit.refused("no grant", stranger.token)


async def test_revoking_the_token_ends_its_session(jit: Jit) -> None:
    token = await jit.token()
    async with await jit.connect(token) as session, await jit.connect() as other:
        async with jit.rt.database.transaction() as db:
            made = await value(db, "select id from access_tokens where digest = %s", [digest(token)])
            await accounts.delete_token(db, str(made))
        await gone(session)
        await other.execute("select 1")
    await jit.refused("revoked", token)


async def test_at_expiry_the_session_ends(jit: Jit) -> None:
    assert (await jit.grant({"role": "postgres", "expires_at": in_seconds(1.5)})).status_code == 200
    async with await jit.connect() as session:
        await gone(session)
    await jit.refused("expired")
    await sweeper.look(jit.rt)


async def test_deleting_the_grant_ends_the_session(jit: Jit) -> None:
    async with await jit.connect() as session:
        assert (await jit.call("DELETE", f"/{jit.client.user_id}")).status_code == 200
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
    await jit.refused("no grant")
    assert (await jit.call("DELETE", f"/{jit.client.user_id}")).status_code == 404


async def test_disabling_ends_all_and_keeps_the_grants(jit: Jit) -> None:
    async with await jit.connect() as session:
        await jit.switch("disabled")
        with pytest.raises(psycopg.OperationalError):
            await session.execute("select 1")
    await jit.refused("disabled")
    await jit.switch("enabled")
    async with await jit.connect():
        pass


async def test_who_leaves_the_organization_is_put_out(jit: Jit) -> None:
    async with jit.rt.database.transaction() as db:
        other = await accounts.insert_user(db, f"{jit.ref}@leaving.test", "leaving")
        await organizations.set_role(db, jit.client.slug, other.id, "Read-only")
        token = await accounts.insert_token(db, other.id, "jit")
    assert (await jit.grant("anon", user_id=str(other.id))).status_code == 200
    async with await jit.connect(token, "anon") as session:
        async with jit.rt.database.transaction() as db:
            await organizations.set_role(db, jit.client.slug, other.id, None)
        await gone(session)
    assert [item["user_id"] for item in (await jit.call("GET", "/list")).json()["items"]] == [jit.client.user_id]
    await sweeper.look(jit.rt)


async def test_only_the_networks_of_the_grant_come_in(jit: Jit) -> None:
    only = {"allowed_cidrs": [{"cidr": "127.0.0.2/32"}], "allowed_cidrs_v6": [{"cidr": "2001:db8::/32"}]}
    assert (await jit.grant({"role": "postgres", "allowed_networks": only})).status_code == 200
    await jit.refused("does not hold for connections from 127.0.0.1")
    body = {"role": "postgres", "rhost": "127.0.0.2"}
    answer = await jit.call("POST", body=body)
    assert answer.json()["user_role"] == {"role": "postgres", "allowed_networks": only}
    assert (await jit.call("POST", body={**body, "rhost": "127.0.0.1"})).status_code == 403
    assert (await jit.call("POST", body={**body, "rhost": "2001:db8::1"})).status_code == 200


async def test_narrowing_the_networks_ends_sessions_from_outside(jit: Jit) -> None:
    async with await jit.connect() as session:
        await jit.grant({"role": "postgres", "allowed_networks": {"allowed_cidrs": [{"cidr": "10.0.0.0/8"}]}})
        with pytest.raises(psycopg.OperationalError, match="does not hold"):
            await session.execute("select 1")


async def test_prolonging_a_grant_keeps_its_sessions(jit: Jit) -> None:
    async with await jit.connect() as session:
        await jit.grant({"role": "postgres", "expires_at": in_seconds(60)}, "anon")
        await session.execute("select 1")
        async with await jit.connect():
            until = "select rolvaliduntil < now() + interval '61 s' from pg_roles where rolname = session_user"
            assert await ask(session, until) is True


@pytest.mark.parametrize(
    "role",
    ["supabase_admin", "baseplane_query", "supabase_replication_admin", "supabase_auth_admin", "authenticator",
     "pg_read_all_data", "pg_execute_server_program", "pgbouncer", "nobody", 'x" superuser --'],
)  # fmt: skip
async def test_roles_that_are_not_the_tenants_are_not_granted(jit: Jit, role: str) -> None:
    answer = await jit.grant("postgres", role)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("roles.1.role: must be one of anon, authenticated")


@pytest.mark.parametrize(
    ("role", "fault"),
    [
        ({"expires_at": 1_000}, "roles.0.expires_at: must be a time in the future"),
        ({"expires_at": 1e300}, "roles.0.expires_at: must be a time in the future"),
        ({"expires_at": "soon"}, "roles.0.expires_at"),
        ({"allowed_networks": {"allowed_cidrs": [{"cidr": "::/0"}]}}, "allowed_cidrs.0.cidr: is a network of IPv6"),
        ({"allowed_networks": {"allowed_cidrs": [{"cidr": "10.0.0.1/8"}]}}, "has host bits set"),
        ({"allowed_networks": {"allowed_cidrs_v6": [{"cidr": "home"}]}}, "allowed_cidrs_v6.0.cidr: is not a network"),
        ({"role": ""}, "roles.0.role"),
        ({"role": "a\0b"}, "roles.0.role: must not contain the null character"),
    ],
)
async def test_a_wrong_grant_is_refused_by_field(jit: Jit, role: dict[str, Any], fault: str) -> None:
    answer = await jit.grant({"role": "postgres", **role})
    assert (answer.status_code, fault in answer.json()["message"]) == (400, True), answer.text


async def test_strangers_are_not_granted_anything(jit: Jit, stranger: Client) -> None:
    answer = await jit.grant("postgres", user_id=stranger.user_id)
    assert (answer.status_code, "user_id" in answer.json()["message"]) == (400, True)
    twice = await jit.grant("postgres", "postgres")
    assert (twice.status_code, "once" in twice.json()["message"]) == (400, True)


async def test_a_grant_says_what_was_given(jit: Jit) -> None:
    given = {"role": "anon", "expires_at": in_seconds(3600), "branches_only": False}
    answer = await jit.grant(given, "postgres")
    assert answer.json() == {"user_id": jit.client.user_id, "user_roles": [given, {"role": "postgres"}]}
    assert (await jit.call("GET")).json() == answer.json()
    assert (await jit.call("GET", "/list")).json() == {"items": [answer.json()]}


async def test_a_grant_for_branches_does_not_open_the_project(jit: Jit) -> None:
    await jit.grant({"role": "postgres", "branches_only": True})
    await jit.refused("preview branches only")


async def test_the_role_below_is_no_way_in_by_itself(jit: Jit) -> None:
    async with await jit.connect() as session:
        name = await ask(session, "select session_user")
        await session.execute("set role none")
        await session.execute(f"alter role {name} password 'known'".encode())
        await session.execute(f"alter role {name} set search_path = nowhere".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await session.execute(f"alter role {name} valid until 'infinity'".encode())
    await jit.refused("the platform's own", "known", name, options="")
    async with await jit.connect() as session:  # its password was put right
        assert await ask(session, "select current_user") == "postgres"


async def test_a_tenant_gains_nothing_of_its_role(jit: Jit) -> None:
    async with await jit.connect() as session:
        name = await ask(session, "select session_user")
    for query in (
        f"alter role {name} password 'known'",
        f"grant {name} to postgres",
        f"grant supabase_admin to {name}",
        f"drop role {name}",
        f"alter role {name} rename to mine",
        f"alter role {name} set role = 'supabase_admin'",
        "select rolpassword from pg_authid",
    ):
        assert (await jit.client.query(jit.ref, query)).status_code == 400, query


async def test_a_role_of_the_tenant_is_granted_and_may_vanish(jit: Jit) -> None:
    await jit.client.query(jit.ref, 'create role "a.b ""c"')
    name = 'a.b "c'
    assert (await jit.grant("postgres", name)).status_code == 200
    async with await jit.connect(role=name) as session:
        assert await ask(session, "select current_user") == name
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await session.execute("set role postgres")
    await jit.client.query(jit.ref, 'drop role "a.b ""c"')
    await jit.refused("is not there any more", role=name)


@contextlib.asynccontextmanager
async def relay(port: int, source: str) -> AsyncIterator[int]:
    """A port whose clients reach the door from another address of this machine."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_client_inside_the_network_comes_in(jit: Jit) -> None:
    assert isinstance(jit.rt.door, TlsDoor)
    await jit.grant({"role": "postgres", "allowed_networks": {"allowed_cidrs": [{"cidr": "127.0.0.2/32"}]}})
    async with relay(jit.rt.door.port, "127.0.0.2") as port, await jit.connect(port=port) as session:
        assert await ask(session, "select current_user") == "postgres"
    async with relay(jit.rt.door.port, "127.0.0.3") as port:
        await jit.refused("connections from 127.0.0.3", port=port)


async def test_a_client_that_does_not_know_the_password_yet_asks_its_user(jit: Jit) -> None:
    await jit.refused("no password supplied", password="")
    assert isinstance(jit.rt.door, TlsDoor)
    reader, writer = await asyncio.open_connection("127.0.0.1", jit.rt.door.port, ssl=unverified(), server_hostname="x")
    body = f"user\0postgres.{jit.ref}\0options\0-c jit=on\0\0".encode()
    writer.write(struct.pack("!II", len(body) + 8, 196608) + body)
    assert (await reader.readexactly(9))[:1] == b"R"
    writer.write(b"Q\0\0\0\x0dselect 1\0")
    assert b"expected a password" in await reader.read()
    writer.close()


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["postgresql"])
    return context
