import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.metadata import version

import httpx
import pytest

from baseplane import app
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of


@contextlib.asynccontextmanager
async def limited(rt: Runtime, per_minute: int) -> AsyncIterator[Client]:
    settings = rt.settings.model_copy(update={"rate_limit": per_minute})
    async with client_of(replace(rt, settings=settings)) as client:
        yield client


def body(api: Client, **fields: object) -> dict[str, object]:
    return {"name": "p", "db_pass": "long enough", "organization_slug": api.slug, **fields}


async def test_a_request_id_is_echoed_or_made(api: Client) -> None:
    given = await api.call("GET", "/v1/profile", headers={"X-Request-Id": "my-request-1"})
    assert given.headers["x-request-id"] == "my-request-1"
    hostile = await api.call("GET", "/v1/profile", headers={"X-Request-Id": "a b"})
    assert hostile.headers["x-request-id"] not in ("", "a b")


async def test_what_is_not_offered_is_said_to_be_missing(api: Client) -> None:
    message = (await api.call("GET", "/v1/nothing")).json()["message"]
    assert message.startswith("Cannot GET /v1/nothing: ")
    assert "/openapi.json" in message


async def test_a_method_that_is_not_taken_is_told_those_that_are(api: Client) -> None:
    path = f"/v1/projects/{'a' * 20}"
    answer = await api.call("PUT", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PATCH")
    assert answer.json() == {"message": f"Cannot PUT {path}: this address takes DELETE, GET, PATCH."}


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/"])
async def test_whoever_finds_the_address_is_told_what_it_is_and_where_to_go_on(api: Client, path: str) -> None:
    answer = await api.http.get(path, follow_redirects=True)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["name"], found["version"]) == ("Baseplane Management API", version("baseplane"))
    assert (await api.http.head("/")).status_code == 200
    for place in ("docs", "openapi", "health"):
        assert (await api.http.get(found[place])).status_code == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"db_pass": "abc"}, "db_pass: must be at least 4 characters long"),
        ({"name": 7}, "name: input should be a valid string"),
        ({"name": " "}, "name: must not be empty"),
        ({"name": "x" * 257}, "name: string should have at most 256 characters"),
        ({"size": "micro"}, "size: is not a field of this operation"),
        ({"region": "mars"}, "region: input should be 'us-east-1'"),
        ({"region_selection": {"type": "smartGroup", "code": "mars"}}, "region_selection.code: input should be 'am"),
        ({"desired_instance_size": "huge"}, "desired_instance_size: input should be 'nano'"),
        ({"template_url": "https://example.test/x"}, "template_url: templates are not supported here"),
        ({"organization_slug": "a b"}, "organization_slug: string should match pattern"),
    ],
)
async def test_a_bad_field_is_named_with_its_rule(api: Client, fields: dict[str, object], message: str) -> None:
    answer = await api.post("/v1/projects", body(api, **fields))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(message)
    assert await api.get("/v1/projects") == []


async def test_every_bad_field_is_named(api: Client) -> None:
    message = (await api.post("/v1/projects", {"db_pass": "abc", "x": 1})).json()["message"]
    for field in ("db_pass", "name", "organization_slug", "x"):
        assert f"{field}: " in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"name":', "The body is not JSON"),
        (b"[]", "The body must be a JSON object"),
        (b"", "A JSON body is required"),
        (b"\xff\xfe", "The body is not JSON"),
    ],
)
async def test_a_body_that_is_no_object_is_told_so(api: Client, content: bytes, message: str) -> None:
    answer = await api.call("POST", "/v1/projects", content=content)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(message)


async def test_json_is_read_whatever_it_is_called(api: Client) -> None:
    answer = await api.call(
        "POST", "/v1/organizations", content=b'{"name": "plain"}', headers={"Content-Type": "text/plain;charset=UTF-8"}
    )
    assert answer.status_code == 201


async def test_a_body_over_the_limit_is_refused(api: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 1024 * 1024

    announced = await api.call("POST", "/v1/projects", content=b"x" * 11 * 1024 * 1024)
    chunked = await api.call("POST", "/v1/projects", content=chunks())
    for answer in (announced, chunked):
        assert answer.status_code == 413
        assert "10 MB" in answer.json()["message"]


async def test_answers_are_packed_when_asked(api: Client) -> None:
    path = f"/v1/organizations/{api.slug}/entitlements"
    assert (await api.call("GET", path)).headers["content-encoding"] == "gzip"
    plain = await api.call("GET", path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_the_api_page_needs_no_internet(api: Client) -> None:
    page = (await api.http.get("/docs")).text
    assert "://" not in page.replace("http://api", "")
    assert len((await api.http.get("/openapi.json")).json()["paths"]) > 15


async def test_what_breaks_says_where_to_look_and_nothing_more(rt: Runtime, api: Client) -> None:
    broken = app.build_api(rt)

    async def burst() -> None:
        raise ZeroDivisionError("secret detail")

    broken.add_api_route("/burst", burst)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(broken), base_url="http://api") as http:
        answer = await http.get("/burst", headers={"X-Request-Id": "find-me-123"})
    assert answer.status_code == 500
    assert "find-me-123" in answer.json()["message"]
    assert "secret detail" not in answer.text


async def test_requests_are_counted_per_user_over_all_tokens(rt: Runtime) -> None:
    async with limited(rt, 3) as client:
        for remaining in ("2", "1", "0"):
            answer = await client.call("GET", "/v1/profile")
            assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, remaining)
        refused = await client.call("GET", "/v1/profile")
        assert refused.status_code == 429
        assert refused.headers["x-ratelimit-limit"] == "3"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["x-ratelimit-reset"] == refused.headers["retry-after"]


async def test_wrong_tokens_are_counted_per_address(rt: Runtime) -> None:
    async with limited(rt, 2) as client:
        wrong = {"Authorization": "Bearer sbp_" + "0" * 40}
        statuses = [(await client.http.get("/v1/profile", headers=wrong)).status_code for _ in range(3)]
        assert statuses == [401, 401, 429]
        assert (await client.call("GET", "/v1/profile")).status_code == 200


async def test_a_repeated_post_gets_the_first_answer(api: Client) -> None:
    key = {"Idempotency-Key": "once"}
    first = await api.post("/v1/projects", body(api), headers=key)
    again = await api.post("/v1/projects", body(api), headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert len(await api.get("/v1/projects")) == 1


async def test_two_posts_at_once_with_one_key_act_once(api: Client) -> None:
    key = {"Idempotency-Key": "at once"}
    answers = await asyncio.gather(*(api.post("/v1/projects", body(api), headers=key) for _ in range(4)))
    assert len({answer.text for answer in answers}) == 1
    assert len(await api.get("/v1/projects")) == 1


async def test_a_key_is_for_one_request_and_one_user(api: Client, stranger: Client) -> None:
    key = {"Idempotency-Key": "mine"}
    await api.post("/v1/projects", body(api), headers=key)
    other = await api.post("/v1/projects", body(api, name="q"), headers=key)
    assert other.status_code == 400
    assert "Idempotency-Key" in other.json()["message"]
    assert (await stranger.post("/v1/projects", body(stranger), headers=key)).status_code == 201


async def test_a_request_that_failed_leaves_its_key_free(api: Client) -> None:
    key = {"Idempotency-Key": "again"}
    assert (await api.post("/v1/projects", body(api, db_pass="x"), headers=key)).status_code == 400
    assert (await api.post("/v1/projects", body(api), headers=key)).status_code == 201
