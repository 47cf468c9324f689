"""Read replicas on real clusters, behind the real door: who comes in, and how."""

import shutil
from typing import Any

import psycopg
import pytest

from baseplane.drivers.ingress.public import TlsDoor
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.replicas import PASSWORD, ask, connect, set_up, status, until_it_answers

needs_pooler = pytest.mark.skipif(
    not (shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")), reason="PgBouncer is not installed"
)


@pytest.fixture(scope="module")
async def ref(real: Client) -> str:
    return await real.active_project()


@pytest.fixture(scope="module")
async def replica(real: Client, ref: str) -> str:
    """One that tests share: they leave it as they found it."""
    identifier = await set_up(real, ref)
    await real.drain()
    assert await status(real, identifier) == "ACTIVE_HEALTHY"
    return identifier


WAYS: dict[str, Any] = {
    "user": {},
    "options": {"user": "postgres", "options": "reference={name}"},
    "db.<name> host": {"user": "postgres", "host": "db.{name}.baseplane.test", "hostaddr": "127.0.0.1"},
    "<name> host": {"user": "postgres", "host": "{name}.baseplane.test", "hostaddr": "127.0.0.1"},
}


@pytest.mark.parametrize("way", WAYS)
async def test_it_is_reached_by(real_rt: Runtime, replica: str, way: str) -> None:
    given = {name: value.format(name=replica) for name, value in WAYS[way].items()}
    assert await ask(real_rt, replica, "select pg_is_in_recovery()", **given) is True


async def test_its_certificate_names_it(real_rt: Runtime, replica: str) -> None:
    assert isinstance(real_rt.door, TlsDoor)
    own = {"user": "postgres", "host": f"db.{replica}.baseplane.test", "hostaddr": "127.0.0.1"}
    own |= {"sslmode": "verify-full", "sslrootcert": str(real_rt.door.ca)}
    assert await ask(real_rt, replica, "select 1", **own) == 1


async def test_what_is_written_to_the_primary_is_read_there(real_rt: Runtime, ref: str, replica: str) -> None:
    await ask(real_rt, ref, "create table public.orders as select generate_series(1, 100) as id")
    await until_it_answers(real_rt, replica, "select count(*) from public.orders", 100)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await ask(real_rt, replica, "insert into public.orders values (0)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await ask(real_rt, replica, "select pg_promote()")


async def test_one_that_is_not_there_is_refused(real_rt: Runtime, replica: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="There is no read replica"):
        await connect(real_rt, replica[:-5] + "zzzzz")
    with pytest.raises(psycopg.OperationalError, match="There is no project"):
        await connect(real_rt, "z" * 20 + replica[20:])


async def test_a_new_password_holds_there(real: Client, real_rt: Runtime, replica: str, worker: None) -> None:
    path = f"/v1/projects/{replica[:20]}/database/password"
    for password in ("battery staple", PASSWORD):
        assert (await real.call("PATCH", path, json={"password": password})).status_code == 200
        await until_it_answers(real_rt, replica, "select 1", 1, password=password)


async def test_network_rules_are_those_of_its_project(
    real: Client, real_rt: Runtime, ref: str, replica: str, worker: None
) -> None:
    apply = f"/v1/projects/{ref}/network-restrictions/apply"
    ssl = f"/v1/projects/{ref}/ssl-enforcement"
    async with await connect(real_rt, replica) as session:
        await real.post(apply, {"dbAllowedCidrs": ["10.9.9.9/32"], "dbAllowedCidrsV6": []})
        with pytest.raises(psycopg.OperationalError, match="in none of the networks"):
            await session.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="in none of the networks"):
        await connect(real_rt, replica)
    await real.post(apply, {"dbAllowedCidrs": ["0.0.0.0/0"], "dbAllowedCidrsV6": ["::/0"]})
    await real.call("PUT", ssl, json={"requestedConfig": {"database": True}})
    with pytest.raises(psycopg.OperationalError, match="takes encrypted connections only"):
        await connect(real_rt, replica, sslmode="disable")
    await real.call("PUT", ssl, json={"requestedConfig": {"database": False}})
    assert await ask(real_rt, replica, "select 1", sslmode="disable") == 1


async def test_a_login_for_the_cli_is_good_there(real: Client, real_rt: Runtime, ref: str, replica: str) -> None:
    made = (await real.post(f"/v1/projects/{ref}/cli/login-role", {"read_only": False})).json()
    given = {"user": f"{made['role']}.{replica}", "password": made["password"]}
    await until_it_answers(real_rt, replica, "select current_user::text", "postgres", **given)
    await real.call("DELETE", f"/v1/projects/{ref}/cli/login-role")
    with pytest.raises(psycopg.OperationalError, match="has expired or was deleted"):
        await connect(real_rt, replica, **given)


async def test_an_access_token_opens_it_at_its_first_use(
    real: Client, real_rt: Runtime, ref: str, replica: str
) -> None:
    await real.call("PUT", f"/v1/projects/{ref}/jit-access", json={"state": "enabled"})
    grant = {"user_id": real.user_id, "roles": [{"role": "postgres"}]}
    assert (await real.call("PUT", f"/v1/projects/{ref}/database/jit", json=grant)).status_code == 200
    given = {"password": real.token, "options": "-c jit=on"}
    assert await ask(real_rt, replica, "select current_user::text", **given) == "postgres"
    await real.call("PUT", f"/v1/projects/{ref}/jit-access", json={"state": "disabled"})


@needs_pooler
async def test_it_has_a_pooler_of_its_own(real: Client, real_rt: Runtime, ref: str, replica: str) -> None:
    in_recovery = "select pg_is_in_recovery()"
    assert await ask(real_rt, replica, in_recovery, pooled=True, sslmode="disable") is True
    assert await ask(real_rt, ref, in_recovery, pooled=True) is False
    ways = await real.get(f"/v1/projects/{ref}/config/database/pooler")
    assert [(way["identifier"], way["pool_mode"]) for way in ways] == [
        (ref, "transaction"),
        (ref, "session"),
        (replica, "transaction"),
        (replica, "session"),
    ]
    assert await real_rt.poolers.find(replica) is not None
