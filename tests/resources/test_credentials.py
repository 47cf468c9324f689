"""Who is let in to a project, as the gateway asks it: every change over the API, every look with a resolver like its own."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import psycopg
import pytest

from baseplane.database import Connection
from baseplane.errors import NotFound
from baseplane.resources.credentials import snapshot
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.credentials.shapes import Refused
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.keys import (
    BROWSER,
    claims_of,
    default_keys,
    issuer_key,
    legacy,
    move,
    new_key,
    new_signing_key,
    signed,
    signing,
    switch_legacy,
)


@contextlib.asynccontextmanager
async def attending(rt: Runtime) -> AsyncIterator[Resolver]:
    """A resolver that hears of changes, as one gateway process has it."""
    resolver = Resolver(rt)
    task = asyncio.create_task(resolver.attend())
    yield resolver
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
async def gateway(rt: Runtime) -> AsyncIterator[Resolver]:
    async with attending(rt) as resolver:
        yield resolver


@pytest.fixture
async def ref(api: Client) -> str:
    return str((await api.create_project())["ref"])


async def role_of(gateway: Resolver, ref: str, key: str, **headers: str) -> str:
    """The role that a key has, both where it stands and in the token behind it."""
    found = await gateway.resolve(ref, {"apikey": key, **headers})
    claims = claims_of(found.token, await gateway.verification_jwks(ref))
    assert claims == found.claims
    assert claims["role"] == found.role
    assert claims["ref"] == ref
    assert 0 < claims["exp"] - time.time() <= 300
    return found.role


async def refused(gateway: Resolver, ref: str, key: str, **headers: str) -> str:
    with pytest.raises(Refused) as caught:
        await gateway.resolve(ref, {"apikey": key, **headers})
    assert key not in f"{caught.value.message}{caught.value.extra}"
    return caught.value.message


async def test_every_key_becomes_the_token_of_its_role(api: Client, ref: str, gateway: Resolver) -> None:
    pair = await legacy(api, ref)
    assert await role_of(gateway, ref, pair["anon"]) == "anon"
    assert await role_of(gateway, ref, pair["service_role"]) == "service_role"
    assert await role_of(gateway, ref, (await new_key(api, ref, "publishable"))["api_key"]) == "anon"
    assert await role_of(gateway, ref, (await new_key(api, ref))["api_key"]) == "service_role"


async def test_the_template_of_a_secret_key_is_in_its_token(api: Client, ref: str, gateway: Resolver) -> None:
    key = await new_key(api, ref, secret_jwt_template={"role": "reporter", "tenant": 7})
    found = await gateway.resolve(ref, {"apikey": key["api_key"]})
    assert (found.role, found.claims["tenant"], found.is_secret) == ("reporter", 7, True)
    assert (found.key_id, found.key_prefix) == (key["id"], key["prefix"])
    await api.call("PATCH", f"/v1/projects/{ref}/api-keys/{key['id']}", json={"secret_jwt_template": {"role": "other"}})
    async with asyncio.timeout(1):
        while (await gateway.resolve(ref, {"apikey": key["api_key"]})).role != "other":
            await asyncio.sleep(0.01)


async def test_the_token_behind_a_key_is_signed_with_the_key_in_use(api: Client, ref: str, rt: Runtime) -> None:
    made = await new_signing_key(api, ref, status="in_use")
    anon = (await legacy(api, ref))["anon"]
    found = await Resolver(rt).resolve(ref, {"apikey": anon})
    assert await Resolver(rt).jwks(ref) == {"keys": [made["public_jwk"]]}
    assert claims_of(found.token, {"keys": [made["public_jwk"]]})["role"] == "anon"


async def test_a_key_may_stand_in_the_query_or_as_bearer(api: Client, ref: str, gateway: Resolver) -> None:
    key = (await new_key(api, ref))["api_key"]
    assert (await gateway.resolve(ref, {}, apikey=key)).role == "service_role"
    assert (await gateway.resolve(ref, {"authorization": f"Bearer {key}"})).role == "service_role"
    assert (await gateway.authenticate(ref, {"authorization": f"bearer  {key}"})).role == "service_role"


async def test_a_key_as_bearer_wins_over_the_other(api: Client, ref: str, gateway: Resolver) -> None:
    pair = await legacy(api, ref)
    headers = {"apikey": pair["anon"], "authorization": f"Bearer {pair['service_role']}"}
    assert (await gateway.authenticate(ref, headers)).role == "service_role"
    headers["authorization"] = "Bearer sb_secret_made_up"
    with pytest.raises(Refused, match="Invalid API key"):
        await gateway.authenticate(ref, headers)


async def test_a_secret_key_from_a_browser_is_refused(api: Client, ref: str, gateway: Resolver) -> None:
    secret, public = (await new_key(api, ref))["api_key"], (await new_key(api, ref, "publishable"))["api_key"]
    agent = {"user-agent": BROWSER}
    assert await refused(gateway, ref, secret, **agent) == "Forbidden use of secret API key in browser"
    assert await role_of(gateway, ref, public, **agent) == "anon"
    assert await role_of(gateway, ref, secret, **{"user-agent": "node"}) == "service_role"


@pytest.mark.parametrize("key", ["sb_secret_", "sb_publishable_x_y", "nonsense", "a.b.c", "\udcff", "x" * 100_000])
async def test_what_is_no_key_is_refused(gateway: Resolver, ref: str, key: str) -> None:
    assert await refused(gateway, ref, key) == "Invalid API key"


async def test_a_key_of_another_project_is_refused(api: Client, ref: str, gateway: Resolver) -> None:
    other = (await api.create_project())["ref"]
    for key in ((await new_key(api, other))["api_key"], (await legacy(api, other))["anon"]):
        assert await refused(gateway, ref, key) == "Invalid API key"


async def test_no_key_is_said_to_be_missing(ref: str, gateway: Resolver) -> None:
    assert await gateway.find(ref, {}) is None
    with pytest.raises(Refused, match="No API key found in request"):
        await gateway.resolve(ref, {"authorization": "Basic eDp5"})
    with pytest.raises(Refused, match="Missing authorization header") as caught:
        await gateway.authenticate(ref, {})
    assert caught.value.code == "UNAUTHORIZED_NO_AUTH_HEADER"


async def test_no_project_is_not_found(gateway: Resolver) -> None:
    with pytest.raises(NotFound):
        await gateway.resolve("z" * 20, {"apikey": "sb_secret_x"})


async def begins(gateway: Resolver, ref: str, key: str) -> float:
    """Seconds until the key is accepted."""
    began = time.monotonic()
    while True:
        with contextlib.suppress(Refused):
            await gateway.resolve(ref, {"apikey": key})
            return time.monotonic() - began
        await asyncio.sleep(0.005)


async def ends(gateway: Resolver, ref: str, key: str) -> float:
    """Seconds until the key is refused."""
    began = time.monotonic()
    while True:
        try:
            await gateway.resolve(ref, {"apikey": key})
        except Refused:
            return time.monotonic() - began
        await asyncio.sleep(0.005)


async def test_a_revoked_key_stops_on_every_gateway_within_a_second(api: Client, ref: str, rt: Runtime) -> None:
    key = await new_key(api, ref)
    pair = await legacy(api, ref)
    async with attending(rt) as one, attending(rt) as other:
        for text in (key["api_key"], pair["anon"]):
            assert {await role_of(gateway, ref, text) for gateway in (one, other)} < {"anon", "service_role"}
        await api.call("DELETE", f"/v1/projects/{ref}/api-keys/{key['id']}")
        assert max(await asyncio.gather(ends(one, ref, key["api_key"]), ends(other, ref, key["api_key"]))) < 1
        await switch_legacy(api, ref, enabled=False)
        assert max(await asyncio.gather(ends(one, ref, pair["anon"]), ends(other, ref, pair["anon"]))) < 1
        assert "disabled" in await refused(one, ref, pair["service_role"])
        await switch_legacy(api, ref, enabled=True)
        assert await begins(other, ref, pair["anon"]) < 1


async def test_a_new_key_opens_every_gateway_at_once(api: Client, ref: str, rt: Runtime) -> None:
    async with attending(rt) as one, attending(rt) as other:
        for number in range(20):
            for gateway in (one, other):
                await believing(gateway, ref)
            text = (await new_key(api, ref, name=f"key_{number}"))["api_key"]
            for found in await asyncio.gather(*(gateway.resolve(ref, {"apikey": text}) for gateway in (one, other))):
                assert found.role == "service_role"


async def test_made_up_keys_cost_no_query(
    api: Client, ref: str, gateway: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await believing(gateway, ref)
    monkeypatch.setattr(snapshot, "read", None)
    said = await asyncio.gather(*(refused(gateway, ref, f"sb_secret_{number}") for number in range(50)))
    assert set(said) == {"Invalid API key"}
    with pytest.raises(Refused, match="signed by no key"):
        await gateway.verify(ref, signed(issuer_key()))


async def believing(gateway: Resolver, ref: str) -> None:
    """Return when the gateway answers from what it remembers."""
    async with asyncio.timeout(5):
        while not (gateway._snapshots._is_believed() and ref in gateway._snapshots._known):
            await gateway.find(ref, {})
            await asyncio.sleep(0.005)


async def test_a_revoked_key_is_refused_by_who_hears_nothing(api: Client, ref: str, rt: Runtime) -> None:
    key = await new_key(api, ref)
    deaf = Resolver(rt)
    assert await role_of(deaf, ref, key["api_key"]) == "service_role"
    await api.call("DELETE", f"/v1/projects/{ref}/api-keys/{key['id']}")
    assert await refused(deaf, ref, key["api_key"]) == "Invalid API key"


async def test_a_gateway_whose_connection_is_cut_hears_again(api: Client, ref: str, rt: Runtime) -> None:
    key = await new_key(api, ref)
    async with attending(rt) as gateway:
        await role_of(gateway, ref, key["api_key"])
        async with await psycopg.AsyncConnection.connect(rt.database.url, autocommit=True) as db:
            query = "select pg_terminate_backend(pid) from pg_stat_activity where query in ('select', 'listen baseplane_keys')"
            await db.execute(query.encode())
        await api.call("DELETE", f"/v1/projects/{ref}/api-keys/{key['id']}")
        assert await ends(gateway, ref, key["api_key"]) < 1


async def test_keys_are_read_once_as_long_as_nothing_changes(
    api: Client, ref: str, gateway: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    anon = (await legacy(api, ref))["anon"]
    read, seen = snapshot.read, []

    async def counted(db: Connection, keyring: Any, asked: str) -> Any:
        seen.append(asked)
        return await read(db, keyring, asked)

    monkeypatch.setattr(snapshot, "read", counted)
    await believing(gateway, ref)
    seen.clear()
    await asyncio.gather(*(role_of(gateway, ref, anon) for _ in range(50)))
    assert seen == []


async def test_a_deleted_project_lets_nobody_in(api: Client, gateway: Resolver) -> None:
    ref = await api.active_project()
    anon = (await legacy(api, ref))["anon"]
    await role_of(gateway, ref, anon)
    await api.call("DELETE", f"/v1/projects/{ref}")
    await api.drain()
    began = time.monotonic()
    with contextlib.suppress(NotFound):
        while time.monotonic() - began < 1:
            await gateway.resolve(ref, {"apikey": anon})
            await asyncio.sleep(0.005)
    with pytest.raises(NotFound):
        await gateway.resolve(ref, {"apikey": anon})


async def test_functions_find_their_secrets_and_the_way_to_the_project(
    api: Client, ref: str, gateway: Resolver, rt: Runtime
) -> None:
    await api.post(f"/v1/projects/{ref}/secrets", [{"name": "MAIL_KEY", "value": "m"}])
    made = await new_signing_key(api, ref)
    pair, defaults = await legacy(api, ref), await default_keys(api, ref)
    found = await gateway.environment(ref)
    assert found == {
        "MAIL_KEY": "m",
        "SUPABASE_URL": f"http://127.0.0.1:{rt.settings.http_port}/{ref}",
        "SUPABASE_DB_URL": f"postgresql://postgres.{ref}:correct%20horse@127.0.0.1:5432/postgres",
        "SUPABASE_ANON_KEY": pair["anon"],
        "SUPABASE_SERVICE_ROLE_KEY": pair["service_role"],
        "SUPABASE_PUBLISHABLE_KEYS": f'{{"default":"{defaults["publishable"]}"}}',
        "SUPABASE_SECRET_KEYS": f'{{"default":"{defaults["secret"]}"}}',
        "SUPABASE_JWKS": orjson.dumps({"keys": [made["public_jwk"]]}).decode(),
    }
    await api.post(f"/v1/projects/{ref}/secrets", [{"name": "MAIL_KEY", "value": "changed"}])
    async with asyncio.timeout(1):
        while (await gateway.environment(ref))["MAIL_KEY"] != "changed":
            await asyncio.sleep(0.01)


async def test_legacy_keys_that_are_off_are_not_in_the_environment(api: Client, ref: str, rt: Runtime) -> None:
    await switch_legacy(api, ref, enabled=False)
    assert "SUPABASE_ANON_KEY" not in await Resolver(rt).environment(ref)


async def test_a_project_is_addressed_as_the_operator_says(ref: str, rt: Runtime) -> None:
    named = rt.settings.model_copy(update={"project_url": "https://{ref}.example.com"})
    assert named.url_of(ref) == f"https://{ref}.example.com"


async def test_a_revoked_signing_key_is_in_no_key_set(api: Client, ref: str, rt: Runtime) -> None:
    made = await new_signing_key(api, ref)
    assert (await Resolver(rt).jwks(ref))["keys"] == [made["public_jwk"]]
    await move(api, ref, made["id"], "revoked")
    assert (await Resolver(rt).jwks(ref))["keys"] == []
    assert [key["kty"] for key in (await Resolver(rt).verification_jwks(ref))["keys"]] == ["oct"]


async def test_shared_secrets_are_never_in_the_public_key_set(api: Client, ref: str, rt: Runtime) -> None:
    await api.post(signing(ref, "legacy"))
    await new_signing_key(api, ref, "HS256", status="in_use")
    assert await Resolver(rt).jwks(ref) == {"keys": []}
