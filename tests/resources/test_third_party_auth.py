"""Issuers whose tokens a project accepts: found out over real HTTP, from a server that says what a test wants."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiohttp import web
from joserfc.jwk import OctKey, RSAKey

from baseplane.drivers.outbound import Rules, outbound
from baseplane.networks import parse_allowed
from baseplane.resources.third_party_auth import discovery, refreshing, store
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of
from tests.receiver import Answer, Received, Receiver
from tests.resources.keys import issuer_key, public_set

KEY = issuer_key()


@pytest.fixture
def near(rt: Runtime) -> Runtime:
    """An installation that lets issuers be on this machine."""
    return dataclasses.replace(rt, outbound=Rules(parse_allowed("127.0.0.1")))


@pytest.fixture
async def api(near: Runtime) -> AsyncIterator[Client]:
    async with client_of(near) as client:
        yield client


def says(document: object, status: int = 200) -> Answer:
    async def answer(_: Received) -> web.StreamResponse:
        return web.json_response(document, status=status)

    return answer


def path(ref: str, tpa_id: str = "") -> str:
    return f"/v1/projects/{ref}/config/auth/third-party-auth{tpa_id and '/'}{tpa_id}"


async def add(api: Client, ref: str, **source: Any) -> httpx.Response:
    return await api.post(path(ref), source)


def issuer(receiver: Receiver, name: str, *, keys: object = None, **told: Any) -> str:
    """The URL of an issuer that tells its keys once."""
    url = receiver.url(f"/{name}")
    known = {"issuer": url, "jwks_uri": f"{url}/keys", **told}
    receiver.answers[f"/{name}/.well-known/openid-configuration"] = [says(known)]
    receiver.answers[f"/{name}/keys"] = [says(keys or public_set(KEY))]
    return url


async def test_an_issuer_is_discovered_and_its_keys_are_kept(api: Client, receiver: Receiver) -> None:
    ref = (await api.create_project())["ref"]
    url = issuer(receiver, "found")
    made = await add(api, ref, oidc_issuer_url=url)
    assert made.status_code == 201, made.text
    assert (made.json()["type"], made.json()["oidc_issuer_url"]) == ("oidc", url)
    assert made.json()["resolved_jwks"]["keys"][0]["x"] == KEY.as_dict()["x"]
    assert await api.get(path(ref, made.json()["id"])) == made.json()
    assert await api.get(path(ref)) == [made.json()]


async def test_keys_come_from_a_jwks_or_are_given(api: Client, receiver: Receiver) -> None:
    ref = (await api.create_project())["ref"]
    receiver.answers["/set"] = [says(public_set(KEY))]
    assert (await add(api, ref, jwks_url=receiver.url("/set"))).json()["type"] == "jwks"
    given = {"keys": [{**KEY.as_dict(private=False), "use": "sig", "x5t": "kept as it was given"}]}
    made = (await add(api, ref, custom_jwks=given)).json()
    assert (made["type"], made["custom_jwks"]) == ("custom", given)
    assert "x5t" not in made["resolved_jwks"]["keys"][0]


async def test_a_deleted_integration_is_gone(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    made = (await add(api, ref, custom_jwks=public_set(KEY))).json()
    assert (await api.call("DELETE", path(ref, made["id"]))).json() == made
    assert (await api.call("DELETE", path(ref, made["id"]))).status_code == 404
    assert (await api.call("GET", path(ref, str(uuid4())))).status_code == 404
    assert await api.get(path(ref)) == []


PUBLIC = KEY.as_dict(private=False)
BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "exactly one of"),
    ({"jwks_url": "https://a.test", "custom_jwks": public_set(KEY)}, "exactly one of"),
    ({"jwks_url": ""}, "jwks_url"),
    ({"jwks_url": "ftp://example.com/keys"}, "jwks_url: url: must begin with http"),
    ({"jwks_url": "http://example.com/keys"}, "jwks_url: must begin with https://"),
    ({"jwks_url": "https://user:pw@example.com"}, "must not hold a user"),
    ({"jwks_url": "https://10.0.0.1/keys"}, "not public"),
    ({"jwks_url": "https://[::1]/keys"}, "not public"),
    ({"oidc_issuer_url": "https://169.254.169.254/latest"}, "not public"),
    ({"jwks_url": "x" * 2049}, "jwks_url"),
    ({"custom_jwks": {"keys": []}}, "at least one key"),
    ({"custom_jwks": []}, "at least one key"),
    ({"custom_jwks": {"keys": [1]}}, "keys.0 is not an object"),
    ({"custom_jwks": {"keys": [KEY.as_dict(private=True)]}}, "keys.0 holds d, which is secret"),
    ({"custom_jwks": {"keys": [OctKey.generate_key(256).as_dict()]}}, "keys.0 holds k, which is secret"),
    ({"custom_jwks": {"keys": [{**PUBLIC, "use": "enc"}]}}, "no key that checks signatures"),
    ({"custom_jwks": {"keys": [{**PUBLIC, "x": "AA"}]}}, "keys.0 is not a key"),
    ({"custom_jwks": {"keys": [{**PUBLIC, "x": 1}]}}, "no text"),
    ({"custom_jwks": {"keys": [{**PUBLIC, "note": "\0"}]}}, "null character"),
    ({"custom_jwks": {"keys": [{"kty": "RSA"}]}}, "keys.0 is not a key"),
    ({"custom_jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}}, "2048 to 4096 bits"),
    ({"custom_jwks": {"keys": [PUBLIC] * 51}}, "50 are the most"),
    ({"custom_jwks": {"keys": [PUBLIC], "x": "y" * 70_000}}, "larger than"),
]


@pytest.mark.parametrize(("body", "said"), BAD, ids=range(len(BAD)))
async def test_what_is_no_issuer_is_refused(api: Client, body: dict[str, Any], said: str) -> None:
    ref = (await api.create_project())["ref"]
    answer = await api.post(path(ref), body)
    assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text
    assert await api.get(path(ref)) == []


async def flood(_: Received) -> web.StreamResponse:
    return web.Response(body=b"[" * 300_000, content_type="application/json")


async def page(_: Received) -> web.StreamResponse:
    return web.Response(text="<html>", content_type="text/html")


ANSWERS: list[tuple[Callable[[Received], Awaitable[web.StreamResponse]], str]] = [
    (says({}, 404), "status 404"),
    (says({}, 302), "Redirects are not followed"),
    (flood, "larger than 256 KB"),
    (page, "is not JSON"),
    (says("text"), "not a JWKS"),
    (says({"keys": [KEY.as_dict(private=True)]}), "secret"),
]


@pytest.mark.parametrize(("answer", "said"), ANSWERS, ids=range(len(ANSWERS)))
async def test_a_server_that_has_no_keys_is_told_of(api: Client, receiver: Receiver, answer: Answer, said: str) -> None:
    ref = (await api.create_project())["ref"]
    receiver.answers["/bad"] = [answer]
    made = await add(api, ref, jwks_url=receiver.url("/bad"))
    assert (made.status_code, said in made.json()["message"]) == (400, True), made.text


async def test_a_server_that_never_answers_is_given_up(
    api: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "WITHIN", 0.05)
    ref = (await api.create_project())["ref"]

    async def wait(_: Received) -> web.StreamResponse:
        await receiver.expect("/never", 1)
        raise web.HTTPGatewayTimeout

    receiver.answers["/slow"] = [wait]
    assert "Timeout" in (await add(api, ref, jwks_url=receiver.url("/slow"))).json()["message"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"issuer": "https://elsewhere.test"}, "of another issuer"),
        ({"jwks_uri": 7}, "does not tell"),
        ({"jwks_uri": "http://10.0.0.1/keys"}, "must begin with https://"),
        ({"jwks_uri": "https://10.0.0.1/keys"}, "not public"),
    ],
)
async def test_a_document_of_somebody_else_is_refused(
    api: Client, receiver: Receiver, told: dict[str, Any], said: str
) -> None:
    ref = (await api.create_project())["ref"]
    made = await add(api, ref, oidc_issuer_url=issuer(receiver, "other", **told))
    assert (made.status_code, said in made.json()["message"]) == (400, True), made.text


async def test_an_installation_that_allows_nothing_fetches_nothing_from_this_machine(
    rt: Runtime, receiver: Receiver
) -> None:
    async with client_of(rt) as strict:
        ref = (await strict.create_project())["ref"]
        for url in (receiver.url("/own"), receiver.url("/own").replace("http:", "https:")):
            assert (await add(strict, ref, jwks_url=url)).status_code == 400
    assert receiver.at("/own") == []


async def test_keys_are_fetched_again_and_kept_while_the_issuer_is_away(
    api: Client, near: Runtime, receiver: Receiver
) -> None:
    ref = (await api.create_project())["ref"]
    new = RSAKey.generate_key(2048, {"kid": "new"}).as_dict(private=False)
    receiver.answers["/rotating"] = [says(public_set(KEY)), 500, says({"keys": [new]})]
    made = (await add(api, ref, jwks_url=receiver.url("/rotating"))).json()
    seen = []
    async with outbound(near.outbound) as sender:
        for _ in range(2):
            async with near.database.connection() as db:
                await db.execute("update third_party_auth set refresh_at = now() where id = %s", [made["id"]])
            await refreshing.refresh_due(near, sender)
            seen.append((await api.get(path(ref, made["id"])))["resolved_jwks"]["keys"][0]["kty"])
        assert seen == ["EC", "RSA"]
        await refreshing.refresh_due(near, sender)
    assert len(receiver.at("/rotating")) == 3


async def test_there_is_a_most_of_integrations(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST", 1)
    ref = (await api.create_project())["ref"]
    assert (await add(api, ref, custom_jwks=public_set(KEY))).status_code == 201
    assert "1 third-party" in (await add(api, ref, custom_jwks=public_set(KEY))).json()["message"]
