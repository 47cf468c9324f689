"""Projects' HTTP addresses: which project, which service, in which state, as a browser or a client library asks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from baseplane import app, errors
from baseplane.drivers.gateway import Answer, Forward
from baseplane.drivers.gateway.lines import Lines
from baseplane.resources.credentials import snapshot
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.credentials.shapes import Refused
from baseplane.resources.gateway.absent import ABSENT
from baseplane.resources.gateway.auth import auth
from baseplane.resources.gateway.call import Call
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.keys import new_signing_key

JWKS = "/auth/v1/.well-known/jwks.json"
PREFLIGHT = {
    "Origin": "https://shop.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, x-client-info, apikey, content-type, prefer",
}


@dataclass
class Echo:
    """A service that tells what it was asked, or raises what a test says."""

    calls: list[Call] = field(default_factory=list)
    raises: Exception | None = None

    async def __call__(self, call: Call) -> Forward | Answer:
        self.calls.append(call)
        if self.raises is not None:
            raise self.raises
        return Answer(200, orjson.dumps([call.ref, call.rest]), {}, {"key_prefix": "sb_secret_abcdef"})


@dataclass
class Door:
    http: httpx.AsyncClient
    echo: Echo
    host: str
    log: Path

    async def get(self, path: str, host: str | None = None, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={**({"host": host} if host else {}), **headers})

    async def logged(self, response: httpx.Response) -> dict[str, Any]:
        """The line of that request."""
        async with asyncio.timeout(5):
            while True:
                for line in self.log.read_bytes().splitlines() if self.log.exists() else ():
                    found: dict[str, Any] = orjson.loads(line)
                    if found["id"] == response.headers["sb-request-id"]:
                        return found
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def door_of(rt: Runtime, log: Path) -> AsyncIterator[Door]:
    resolver, lines, echo = Resolver(rt), Lines(log), Echo()
    tasks = [asyncio.create_task(resolver.attend()), asyncio.create_task(lines.run())]
    gateway = app.build_gateway(rt, resolver, {"auth/v1": auth(resolver.jwks), "functions/v1": echo}, lines)
    port = await gateway.listen("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        yield Door(http, echo, rt.settings.project_host, log)
    await gateway.close()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.fixture
async def door(rt: Runtime, tmp_path: Path) -> AsyncIterator[Door]:
    async with door_of(rt, tmp_path / "log" / "edge.jsonl") as door:
        yield door


@pytest.fixture
async def ref(api: Client) -> str:
    return await api.active_project()


async def test_a_service_is_asked_with_the_project_and_the_rest_of_the_target(door: Door, ref: str) -> None:
    by_path = await door.get(f"/{ref}/functions/v1/hello%2F?a=1&b")
    by_host = await door.get("/functions/v1/hello%2F?a=1&b", f"{ref}.{door.host}")
    with_port = await door.get("/functions/v1", f"{ref.upper()}.{door.host}:8443")
    assert by_path.json() == by_host.json() == [ref, "/hello%2F?a=1&b"]
    assert with_port.json() == [ref, ""]


async def test_the_host_of_the_project_url_names_projects_too(rt: Runtime, api: Client, tmp_path: Path) -> None:
    ref = await api.active_project()
    settings = rt.settings.model_copy(update={"project_url": "https://{ref}.shop.example:8443"})
    async with door_of(replace(rt, settings=settings), tmp_path / "edge.jsonl") as door:
        assert (await door.get("/functions/v1/x", f"{ref}.shop.example:8443")).json() == [ref, "/x"]
        assert (await door.get("/functions/v1/x", f"{ref}.{door.host}")).json() == [ref, "/x"]


NOWHERE = {
    "the root": ("/", "PROJECT_NOT_NAMED"),
    "something else": ("/robots.txt", "PROJECT_NOT_NAMED"),
    "a ref that is too short": ("/abc/functions/v1/x", "PROJECT_NOT_NAMED"),
    "a ref in upper case": ("/" + "A" * 20 + "/functions/v1/x", "PROJECT_NOT_NAMED"),
    "an unknown project": ("/" + "a" * 20 + "/functions/v1/x", "NOT_FOUND"),
    "a project alone": ("/{ref}", "NOT_FOUND"),
    "no service": ("/{ref}/hello", "NOT_FOUND"),
    "an unknown service": ("/{ref}/unknown/v1/x", "NOT_FOUND"),
    "an unknown version": ("/{ref}/functions/v2/x", "NOT_FOUND"),
    "two slashes": ("//{ref}/functions/v1/x", "PROJECT_NOT_NAMED"),
    "a longer name": ("/{ref}/functions/v1x", "NOT_FOUND"),
}


@pytest.mark.parametrize("case", NOWHERE)
async def test_there_is_nothing_at(case: str, door: Door, ref: str) -> None:
    path, code = NOWHERE[case]
    answer = await door.get(path.replace("{ref}", ref))
    assert answer.status_code == 404
    assert answer.json()["message"]
    assert answer.json().get("code") == code
    assert answer.headers["access-control-allow-origin"] == "*"
    assert door.echo.calls == []


async def test_the_path_counts_where_the_host_is_no_projects(door: Door, ref: str) -> None:
    assert (await door.get(f"/{ref}/functions/v1/x", f"gateway.{door.host}")).json() == [ref, "/x"]
    assert (await door.get(f"/{'a' * 20}/functions/v1/x", f"{ref}.{door.host}")).status_code == 404


@pytest.mark.parametrize("name", sorted(ABSENT.keys() - {"functions/v1"}))
async def test_a_service_that_does_not_run_says_so_and_what_to_do(name: str, door: Door, ref: str) -> None:
    answer = await door.get(f"/{ref}/{name}/health")
    assert answer.status_code == 503
    assert answer.json().keys() == {"message", "code", "hint"}
    assert "does not run" in answer.json()["message"]
    assert answer.headers["sb-error-code"] == "SERVICE_NOT_RUNNING"


@pytest.mark.parametrize("path", ["/", "/aaaaaaaaaaaaaaaaaaaa/rest/v1/x", "/{ref}/storage/v1/b", "/{ref}" + JWKS])
async def test_browsers_may_send_their_request_and_read_why_not(path: str, door: Door, ref: str) -> None:
    answer = await door.http.options(path.replace("{ref}", ref), headers=PREFLIGHT)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.content == b""


async def test_a_running_service_answers_preflights_itself(door: Door, ref: str) -> None:
    assert (await door.http.options(f"/{ref}/functions/v1/x", headers=PREFLIGHT)).json() == [ref, "/x"]


async def test_public_keys_are_served_and_follow_changes(door: Door, api: Client, ref: str) -> None:
    answer = await door.get(f"/{ref}{JWKS}")
    assert (answer.status_code, answer.json()) == (200, {"keys": []})
    assert answer.headers["cache-control"] == "public, max-age=600"
    key = await new_signing_key(api, ref, status="in_use")
    async with asyncio.timeout(1):
        while [found["kid"] for found in (await door.get(f"/{ref}{JWKS}")).json()["keys"]] != [key["id"]]:
            await asyncio.sleep(0.02)
    assert "d" not in (await door.get(f"/{ref}{JWKS}")).json()["keys"][0]
    assert (await door.http.post(f"/{ref}{JWKS}")).status_code == 405


async def test_a_paused_project_is_refused_within_a_second_and_served_again(door: Door, api: Client, ref: str) -> None:
    path = f"/{ref}/functions/v1/x"
    assert (await door.get(path)).status_code == 200
    assert (await api.post(f"/v1/projects/{ref}/pause")).status_code == 200
    async with asyncio.timeout(1):
        while (answer := await door.get(path)).status_code == 200:
            await asyncio.sleep(0.01)
    assert answer.status_code == 540
    assert answer.json()["code"] == "PROJECT_PAUSED"
    await api.drain()
    async with asyncio.timeout(1):
        while (await door.get(path)).json()["hint"] != "Restore it first.":
            await asyncio.sleep(0.01)
    preflight = await door.http.options(path, headers=PREFLIGHT)
    assert preflight.status_code == 204
    assert (await api.post(f"/v1/projects/{ref}/restore")).status_code == 200
    await api.drain()
    async with asyncio.timeout(1):
        while (await door.get(path)).status_code != 200:
            await asyncio.sleep(0.01)


async def test_a_project_that_comes_up_asks_for_patience(door: Door, api: Client) -> None:
    ref = (await api.create_project())["ref"]
    answer = await door.get(f"/{ref}/functions/v1/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "COMING_UP" in answer.json()["message"]
    await api.drain()


async def test_a_deleted_project_is_gone_within_a_second(door: Door, api: Client, ref: str) -> None:
    assert (await door.get(f"/{ref}/functions/v1/x")).status_code == 200
    assert (await api.call("DELETE", f"/v1/projects/{ref}")).status_code == 200
    await api.drain()
    async with asyncio.timeout(1):
        while (await door.get(f"/{ref}/functions/v1/x")).status_code != 404:
            await asyncio.sleep(0.01)


async def test_no_request_asks_the_database_as_long_as_nothing_changes(
    door: Door, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = snapshot.read

    async def counted(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read(*args)

    monkeypatch.setattr(snapshot, "read", counted)
    async with asyncio.timeout(5):  # until changes are heard of
        while True:
            await door.get(f"/{ref}/functions/v1/x")
            before = reads
            await door.get(f"/{ref}/functions/v1/x")
            if reads == before:
                break
    for _ in range(50):
        assert (await door.get(f"/{ref}/functions/v1/x")).status_code == 200
    assert reads == before


RAISED = {
    "Refused": (Refused("Invalid API key", "UNAUTHORIZED_INVALID_API_KEY", "Check it."), 401),
    "Invalid": (errors.Invalid("That is wrong."), 400),
    "Forbidden": (errors.Forbidden("Not you."), 403),
    "NotFound": (errors.NotFound("Function not found", code="NOT_FOUND"), 404),
    "TooLarge": (errors.TooLarge("Too much."), 413),
    "RateLimited": (errors.RateLimited("Too often.", 7, {}), 429),
    "Unavailable": (errors.Unavailable("It does not answer."), 503),
    "a bug": (RuntimeError("secret details"), 500),
}


@pytest.mark.parametrize("kind", RAISED)
async def test_what_a_service_raises_becomes_an_answer(kind: str, door: Door, ref: str) -> None:
    door.echo.raises, status = RAISED[kind]
    answer = await door.get(f"/{ref}/functions/v1/x")
    assert answer.status_code == status
    assert "secret details" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    if isinstance(door.echo.raises, errors.BaseplaneError):
        assert answer.json()["message"] == door.echo.raises.message
    if kind == "Refused":
        assert answer.json()["hint"] == "Check it."
        assert answer.headers["sb-error-code"] == "UNAUTHORIZED_INVALID_API_KEY"
        assert answer.headers["www-authenticate"] == "Bearer"
    if kind == "RateLimited":
        assert answer.headers["retry-after"] == "7"


async def test_every_request_becomes_a_line_of_the_log_without_keys(door: Door, ref: str) -> None:
    answer = await door.http.post(
        f"/{ref}/functions/v1/hello?apikey=sb_secret_xyz&a=1&token=abc",
        content=b"body",
        headers={
            "apikey": "sb_secret_xyz",
            "x-client-info": "supabase-js/2",
            "referer": "https://a/?apikey=sb_secret_xyz",
        },
    )
    line = await door.logged(answer)
    assert "sb_secret_xyz" not in orjson.dumps(line).decode()
    assert line["search"] == "apikey=***&a=1&token=***"
    assert (line["project_ref"], line["service"], line["method"]) == (ref, "functions/v1", "POST")
    assert (line["status"], line["received"], line["sent"]) == (200, 4, len(answer.content))
    assert (line["address"], line["client_info"]) == ("127.0.0.1", "supabase-js/2")
    assert line["about"] == {"key_prefix": "sb_secret_abcdef"}
    assert 0 < line["routed_ms"] <= line["execution_ms"]
    refused = await door.logged(await door.get("/nowhere"))
    assert (refused["status"], refused["project_ref"], refused["about"]["code"]) == (404, None, "PROJECT_NOT_NAMED")


async def test_caddy_learns_which_hosts_are_projects(door: Door, ref: str) -> None:
    async def status(domain: str) -> int:
        return (await door.http.get("/.baseplane/known-host", params={"domain": domain})).status_code

    assert await status(f"{ref}.{door.host}") == 200
    for unknown in (f"{'a' * 20}.{door.host}", door.host, f"db.{ref}.{door.host}", f"{ref}.example.com", ""):
        assert await status(unknown) == 404
    assert (await door.get("/.baseplane/known-host")).status_code == 404


async def test_the_gateway_says_that_it_is_healthy(door: Door) -> None:
    assert (await door.get("/health")).json() == {"healthy": True}
