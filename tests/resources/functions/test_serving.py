"""Functions as callers meet them: asked the way a gateway asks, and answered by the process that it is sent to."""

import asyncio
import contextlib
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from baseplane.drivers.functions import Limits
from baseplane.drivers.functions.local import LocalFunctions
from baseplane.drivers.gateway import Answer, Request
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.functions.serving import Functions
from baseplane.resources.gateway.call import Call
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.functions.deploying import HELLO, deployed, listed
from tests.resources.keys import legacy, new_key

ECHO = """
Deno.serve(async (request) => {
  const url = new URL(request.url);
  return Response.json({
    origins: [url.origin, new URL(request.clone().url).origin, new URL(new Request(request.clone()).url).origin],
    path: url.pathname + url.search, method: request.method, body: await request.text(),
    headers: Object.fromEntries(request.headers), greeting: Deno.env.get("GREETING") ?? null,
  }, { headers: { "sb-error-code": "made up", "x-own": "kept" } });
});
"""


@dataclass
class Got:
    status: int
    body: str
    headers: Any
    about: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Gateway:
    """Sends requests on as the service says, over the socket that it names."""

    service: Functions
    ref: str

    async def call(self, rest: str = "/hello", method: str = "POST", **headers: str) -> Got:
        request = Request(
            method, f"/functions/v1{rest}", headers, f"{self.ref}.baseplane.test", "203.0.113.9", encrypted=True
        )
        found = await self.service(Call(self.ref, request, rest))
        if isinstance(found, Answer):
            return Got(found.status, found.body.decode(), found.headers, found.about)
        sent = headers | {name: value for name, value in found.headers.items() if value is not None}
        connector = aiohttp.UnixConnector(found.socket)
        try:
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                asyncio.timeout(found.first_byte),
                session.request(method, f"http://{self.ref}.baseplane.test{found.target}", headers=sent) as answer,
            ):
                kept = dict(answer.headers) | dict(found.answer_headers)
                kept |= dict(found.error_headers) if answer.status >= 500 else {}
                return Got(answer.status, await answer.text(), {k.lower(): v for k, v in kept.items() if v is not None})
        except (aiohttp.ClientError, TimeoutError):
            failed = found.broken()
            assert failed is not None
            return Got(failed.status, failed.body.decode(), failed.headers, failed.about)
        finally:
            found.release()


@contextlib.asynccontextmanager
async def serving(rt: Runtime, ref: str, **limits: Any) -> AsyncIterator[Gateway]:
    resolver = Resolver(rt)
    service = Functions(rt, resolver, Limits(**limits))
    tasks = [asyncio.create_task(each.attend()) for each in (resolver, service)]
    yield Gateway(service, ref)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.fixture
async def gateway(rt: Runtime, ref: str) -> AsyncIterator[Gateway]:
    async with serving(rt, ref) as gateway:
        yield gateway


async def becomes(gateway: Gateway, expected: str, **headers: str) -> Got:
    """The answer, once a change has been heard of: within a second."""
    async with asyncio.timeout(5):
        while (got := await gateway.call(**headers)).body != expected:
            await asyncio.sleep(0.005)
    return got


async def test_a_function_answers_with_everything_of_the_request(api: Client, gateway: Gateway) -> None:
    await deployed(api, gateway.ref, "hello", {"index.ts": ECHO}, verify_jwt=False)
    got = await gateway.call(
        "/hello/deeper?a=1&b", "PUT", **{"authorization": "Bearer own", "apikey": "any", "x-forwarded-proto": "https"}
    )
    assert got.status == 200
    assert (got.json["method"], got.json["path"]) == ("PUT", "/hello/deeper?a=1&b")
    seen = got.json["headers"]
    assert (seen["authorization"], seen["apikey"]) == ("Bearer own", "any")
    assert got.headers["sb-project-ref"] == gateway.ref
    assert got.json["origins"] == [f"https://{gateway.ref}.baseplane.test"] * 3
    assert got.headers["x-deno-execution-id"]
    assert got.headers["x-own"] == "kept"
    assert "sb-error-code" not in got.headers


async def test_a_new_version_and_its_removal_are_seen_at_once(api: Client, gateway: Gateway) -> None:
    await deployed(api, gateway.ref, "hello", verify_jwt=False)
    assert (await gateway.call()).body == "hello"
    await deployed(api, gateway.ref, "hello", {"index.ts": HELLO.replace("hello", "new")})
    await becomes(gateway, "new")
    await api.call("DELETE", f"/v1/projects/{gateway.ref}/functions/hello")
    async with asyncio.timeout(5):
        while (got := await gateway.call()).status != 404:
            await asyncio.sleep(0.005)
    assert got.json == {"code": "NOT_FOUND", "message": "Requested function was not found"}
    assert got.headers["sb-error-code"] == "NOT_FOUND"


async def test_a_function_answers_as_soon_as_it_is_deployed(api: Client, gateway: Gateway) -> None:
    for number in range(5):
        assert (await gateway.call(f"/f{number}")).status == 404
        await deployed(api, gateway.ref, f"f{number}", verify_jwt=False)
        assert (await gateway.call(f"/f{number}")).body == "hello"


async def test_no_request_fails_while_versions_follow_each_other(api: Client, gateway: Gateway) -> None:
    await deployed(api, gateway.ref, "hello", verify_jwt=False)
    seen: list[tuple[int, str]] = []

    async def ask() -> None:
        while True:
            got = await gateway.call()
            seen.append((got.status, got.body))

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    for number in range(4):
        await deployed(api, gateway.ref, "hello", {"index.ts": HELLO.replace("hello", f"n{number}")})
    await becomes(gateway, "n3")
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    assert {status for status, _ in seen} == {200}


async def test_secrets_reach_a_running_function_without_deploying_it_again(api: Client, gateway: Gateway) -> None:
    await deployed(api, gateway.ref, "hello", {"index.ts": ECHO}, verify_jwt=False)
    assert (await gateway.call()).json["greeting"] is None
    await api.post(f"/v1/projects/{gateway.ref}/secrets", [{"name": "GREETING", "value": "hi"}])
    async with asyncio.timeout(5):
        while (await gateway.call()).json["greeting"] != "hi":
            await asyncio.sleep(0.01)


async def test_a_function_that_verifies_takes_keys_and_tokens_of_the_project_alone(
    api: Client, gateway: Gateway
) -> None:
    ref = gateway.ref
    await deployed(api, ref, "hello")
    keys = await legacy(api, ref)
    secret = (await new_key(api, ref))["api_key"]
    other = await legacy(api, str((await api.create_project())["ref"]))
    for headers in (
        {"authorization": f"Bearer {keys['anon']}"},
        {"apikey": keys["anon"]},
        {"apikey": secret},
        {"authorization": f"Bearer {secret}", "apikey": secret},
    ):
        assert (await gateway.call(**headers)).body == "hello", headers
    for refused, code in (
        ({}, "UNAUTHORIZED_NO_AUTH_HEADER"),
        ({"authorization": "Bearer nonsense"}, "UNAUTHORIZED_INVALID_JWT_FORMAT"),
        ({"authorization": f"Bearer {other['anon']}"}, "UNAUTHORIZED_LEGACY_JWT"),
        ({"apikey": "sb_secret_made_up"}, "UNAUTHORIZED_INVALID_API_KEY"),
    ):
        got = await gateway.call(**refused)
        assert (got.status, got.headers["sb-error-code"]) == (401, code), got
        assert got.json["code"] == code
    assert (await gateway.call(method="OPTIONS")).body == "hello", "a browser's preflight has no token"


async def test_verification_is_switched_off_for_the_next_request(api: Client, gateway: Gateway) -> None:
    await deployed(api, gateway.ref, "hello")
    assert (await gateway.call()).status == 401
    await api.call("PATCH", f"/v1/projects/{gateway.ref}/functions/hello", json={"verify_jwt": False})
    await becomes(gateway, "hello")


@pytest.mark.parametrize("method", ["HEAD", "TRACE", "CONNECT", "PROPFIND"])
async def test_other_methods_are_not_for_functions(gateway: Gateway, method: str) -> None:
    got = await gateway.call(method=method)
    assert got.status == 405
    assert "POST" in got.headers["allow"]


@pytest.mark.parametrize("rest", ["", "/", "?a=1", "/nobody", "/hello%2f..", "/.."])
async def test_what_is_no_function_is_not_found(api: Client, gateway: Gateway, rest: str) -> None:
    await deployed(api, gateway.ref, "hello", verify_jwt=False)
    assert (await gateway.call(rest)).headers["sb-error-code"] == "NOT_FOUND"


async def test_a_function_that_ends_itself_is_answered_for(api: Client, gateway: Gateway) -> None:
    source = 'Deno.serve((r) => { if (r.method === "PUT") Deno.exit(1); return new Response("hello"); });'
    await deployed(api, gateway.ref, "hello", {"index.ts": source}, verify_jwt=False)
    got = await gateway.call(method="PUT")
    assert got.status >= 500
    assert got.json["code"] == got.headers["sb-error-code"]
    assert (await gateway.call()).body == "hello"


async def test_callers_are_not_told_what_a_function_fails_with(api: Client, gateway: Gateway) -> None:
    """It may quote the source, or a secret. The record has it."""
    fails = 'setTimeout(() => { throw new Error("hush"); });'
    source = f"""
        if (Deno.env.get("GREETING")) throw new Error("hush");
        Deno.serve(async () => {{ {fails} await new Promise(() => {{}}); }});
    """
    await deployed(api, gateway.ref, "hello", {"index.ts": source}, verify_jwt=False)
    got = await gateway.call()
    assert (got.status, got.json["code"]) == (500, "WORKER_ERROR")
    assert "hush" not in got.body
    assert "hush" in got.about["reason"]
    await api.post(f"/v1/projects/{gateway.ref}/secrets", [{"name": "GREETING", "value": "hi"}])
    async with asyncio.timeout(5):
        while (got := await gateway.call()).json["code"] != "BOOT_ERROR":
            await asyncio.sleep(0.05)
    assert got.status == 503
    assert "hush" not in got.body
    assert "hush" in got.about["reason"]


async def test_a_function_that_does_not_answer_is_given_up(api: Client, rt: Runtime, ref: str) -> None:
    source = 'Deno.serve((r) => r.method === "PUT" ? new Promise(() => {}) : new Response("hello"));'
    await deployed(api, ref, "hello", {"index.ts": source}, verify_jwt=False)
    async with serving(rt, ref, first_byte=0.3) as gateway:
        await gateway.call()
        began = time.monotonic()
        got = await gateway.call(method="PUT")
        assert time.monotonic() - began < 10
        assert got.status in (500, 504)
        assert got.json["code"] == "IDLE_TIMEOUT"


async def test_another_machine_fetches_what_it_has_not_got(api: Client, rt: Runtime, ref: str) -> None:
    elsewhere = rt.settings.data_dir / "elsewhere"
    elsewhere.mkdir(mode=0o711)
    await deployed(api, ref, "hello", verify_jwt=False)
    driver = LocalFunctions(elsewhere, rt.settings.data_dir / "run")
    try:
        async with serving(dataclasses.replace(rt, functions=driver), ref) as gateway:
            answers = await asyncio.gather(*(gateway.call() for _ in range(5)))
            assert [got.body for got in answers] == ["hello"] * 5
            (function,) = await listed(api, ref)
            artifact = f"{ref}/functions/{function['ezbr_sha256']}"
            await rt.artifacts.delete(artifact)
            await driver.remove(ref)
            got = await gateway.call()
            assert (got.status, got.json["code"]) == (404, "NOT_FOUND_FUNCTION_BLOB")
            await rt.artifacts.put(artifact, b"something else")
            got = await gateway.call()
            assert (got.status, got.json["code"]) == (500, "LOAD_FUNCTION_UNBUNDLING_ERROR")
            assert got.json["message"] == "The function's files are damaged. Deploy it again."
    finally:
        await driver.close()


async def test_what_runs_of_a_paused_project_ends_with_its_requests(api: Client, gateway: Gateway) -> None:
    forever = "Deno.serve(() => new Promise((never) => setTimeout(never, 1e6)));"
    await deployed(api, gateway.ref, "hello", {"index.ts": forever}, verify_jwt=False)
    asked = asyncio.create_task(gateway.call())
    async with asyncio.timeout(10):
        while not gateway.service._used[gateway.ref]:
            await asyncio.sleep(0.005)
        await api.post(f"/v1/projects/{gateway.ref}/pause")
        await api.drain()
        got = await asked
    assert got.status == 503, got


async def test_functions_of_a_deleted_project_are_not_found(api: Client, gateway: Gateway) -> None:
    await deployed(api, gateway.ref, "hello", verify_jwt=False)
    await gateway.call()
    await api.call("DELETE", f"/v1/projects/{gateway.ref}")
    async with asyncio.timeout(20):
        while (await api.call("GET", f"/v1/projects/{gateway.ref}")).status_code == 200:
            await asyncio.sleep(0.02)
    async with asyncio.timeout(5):
        while (await gateway.call()).status != 404:
            await asyncio.sleep(0.01)
