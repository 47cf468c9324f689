"""Creating from JSON, changing, bundling for later, and handing the source out."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser

from tests.conftest import Client
from tests.resources.functions.deploying import BROKEN, HELLO, deployed, listed, send

BODY = {"slug": "hello", "name": "Hello", "body": HELLO}


async def test_a_function_is_created_from_json(api: Client, ref: str) -> None:
    answer = await api.post(f"/v1/projects/{ref}/functions", BODY | {"verify_jwt": False})
    assert answer.status_code == 201, answer.text
    assert answer.json()["entrypoint_path"].endswith("/source/index.ts")
    assert (answer.json()["name"], answer.json()["verify_jwt"]) == ("Hello", False)
    assert await listed(api, ref) == [answer.json()]


async def test_json_that_is_called_text_is_read_as_the_sdk_sends_it(api: Client, ref: str) -> None:
    answer = await api.call(
        "POST",
        f"/v1/projects/{ref}/functions",
        content=json.dumps(BODY),
        headers={"Content-Type": "text/plain;charset=UTF-8"},
    )
    assert answer.status_code == 201, answer.text


async def test_a_function_is_created_once(api: Client, ref: str) -> None:
    await api.post(f"/v1/projects/{ref}/functions", BODY)
    answer = await api.post(f"/v1/projects/{ref}/functions", BODY)
    assert answer.status_code == 409
    assert "Duplicated function slug" in answer.json()["message"]


async def test_a_bundle_that_nobody_activated_is_in_nobodys_way(api: Client, ref: str) -> None:
    bundle = await deployed(api, ref, "hello", bundle_only=True)
    answer = await api.post(f"/v1/projects/{ref}/functions", BODY)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["id"], answer.json()["version"]) == (bundle["id"], 2)


async def test_two_who_create_the_same_function_at_once_make_one(api: Client, ref: str) -> None:
    answers = await asyncio.gather(*(api.post(f"/v1/projects/{ref}/functions", BODY) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_settings_change_without_a_new_version(api: Client, ref: str) -> None:
    before = await deployed(api, ref, "hello")
    answer = await api.call("PATCH", f"/v1/projects/{ref}/functions/hello", json={"name": "Hi", "verify_jwt": False})
    assert answer.status_code == 200
    after = answer.json()
    assert (after["name"], after["verify_jwt"], after["version"]) == ("Hi", False, 1)
    assert after["updated_at"] > before["updated_at"]
    assert await listed(api, ref) == [after]
    answer = await api.call("PATCH", f"/v1/projects/{ref}/functions/hello?verify_jwt=true&slug=other")
    assert (answer.json()["slug"], answer.json()["verify_jwt"]) == ("other", True)
    assert [function["slug"] for function in await listed(api, ref)] == ["other"]


async def test_a_slug_that_is_taken_is_not_given_again(api: Client, ref: str) -> None:
    await deployed(api, ref, "hello")
    await deployed(api, ref, "other")
    answer = await api.call("PATCH", f"/v1/projects/{ref}/functions/hello?slug=other")
    assert answer.status_code == 409


async def test_a_new_body_is_a_new_version_and_a_broken_one_changes_nothing(api: Client, ref: str) -> None:
    await deployed(api, ref, "hello")
    path = f"/v1/projects/{ref}/functions/hello"
    answer = await api.call("PATCH", path, json={"body": HELLO + "// 2", "name": "Two"})
    assert (answer.json()["version"], answer.json()["name"]) == (2, "Two")
    answer = await api.call("PATCH", path, json={"body": BROKEN, "name": "Three"})
    assert answer.status_code == 400
    assert "index.ts:1:" in answer.json()["message"]
    assert ((await api.get(path))["version"], (await api.get(path))["name"]) == (2, "Two")


async def test_a_new_body_under_a_new_slug_is_refused_as_a_whole(api: Client, ref: str) -> None:
    before = await deployed(api, ref, "hello")
    answer = await api.call("PATCH", f"/v1/projects/{ref}/functions/hello?slug=other", json={"body": HELLO + "//"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("slug: ")
    assert await listed(api, ref) == [before]


async def test_a_bundle_waits_until_it_is_activated(api: Client, ref: str) -> None:
    old = await deployed(api, ref, "old")
    bundles = [await deployed(api, ref, slug, bundle_only=True, verify_jwt=False) for slug in ("old", "new")]
    assert [bundle["version"] for bundle in bundles] == [2, 1]
    assert await listed(api, ref) == [old]
    answer = await api.call("PUT", f"/v1/projects/{ref}/functions", json=bundles)
    assert answer.status_code == 200, answer.text
    assert [function["version"] for function in answer.json()["functions"]] == [2, 1]
    assert await listed(api, ref) == answer.json()["functions"]
    assert {function["verify_jwt"] for function in await listed(api, ref)} == {False}


async def test_a_bulk_update_removes_and_goes_back(api: Client, ref: str) -> None:
    first = await deployed(api, ref, "hello")
    await deployed(api, ref, "hello", {"index.ts": HELLO + "//"})
    other = await deployed(api, ref, "other")
    changes = [first, other | {"status": "REMOVED"}]
    answer = await api.call("PUT", f"/v1/projects/{ref}/functions", json=changes)
    assert [function["status"] for function in answer.json()["functions"]] == ["ACTIVE", "REMOVED"]
    assert [(function["slug"], function["version"]) for function in await listed(api, ref)] == [("hello", 1)]
    assert (await deployed(api, ref, "hello"))["version"] == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "no-id"}, "there is no function with this id"),
        ({"id": "00000000-0000-4000-8000-000000000000"}, "there is no version 1 of it"),
        ({"version": 7}, "there is no version 7"),
        ({"version": 0}, "there is no version 0"),
        ({"version": 2**40}, "version: "),
        ({"slug": "third"}, "is called second"),
        ({"slug": "9"}, "slug: "),
        ({"status": "THROTTLED"}, "THROTTLED is for the platform to set"),
        ({"status": "GONE"}, "status: "),
        ({"name": ""}, "name: "),
    ],
)
async def test_a_bulk_update_that_is_wrong_in_one_changes_none(
    api: Client, ref: str, change: dict[str, Any], words: str
) -> None:
    bundles = [await deployed(api, ref, slug, bundle_only=True) for slug in ("first", "second")]
    answer = await api.call("PUT", f"/v1/projects/{ref}/functions", json=[bundles[0], bundles[1] | change])
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert await listed(api, ref) == []


async def test_a_version_that_did_not_load_is_not_activated(api: Client, ref: str) -> None:
    function = await deployed(api, ref, "hello")
    await send(api, ref, "hello", {"index.ts": BROKEN}, bundle_only=True)
    answer = await api.call("PUT", f"/v1/projects/{ref}/functions", json=[function | {"version": 2}])
    assert answer.status_code == 400
    assert "there is no version 2" in answer.json()["message"]


async def test_the_same_function_twice_in_a_bulk_update_is_refused(api: Client, ref: str) -> None:
    function = await deployed(api, ref, "hello")
    answer = await api.call("PUT", f"/v1/projects/{ref}/functions", json=[function, function])
    assert answer.status_code == 400
    assert "given 2 times" in answer.json()["message"]


async def test_functions_of_another_project_are_not_activated(api: Client, stranger: Client, ref: str) -> None:
    other = (await stranger.create_project())["ref"]
    await stranger.becomes(other, "ACTIVE_HEALTHY")
    theirs = await deployed(stranger, other, "hello")
    answer = await api.call("PUT", f"/v1/projects/{ref}/functions", json=[theirs])
    assert answer.status_code == 400
    assert "there is no version 1 of it here" in answer.json()["message"]


FILES: dict[str, str | bytes] = {
    "supabase/functions/hello/index.ts": HELLO,
    "supabase/functions/hello/deno.json": "{}",
    "supabase/functions/_shared/lo go ü.png": bytes(range(256)) + b"\r\n--b\r\n",
}


async def test_the_source_is_downloaded_as_it_was_sent(api: Client, ref: str) -> None:
    await deployed(api, ref, "hello", FILES)
    answer = await api.call(
        "GET", f"/v1/projects/{ref}/functions/hello/body", headers={"Accept": "multipart/form-data"}
    )
    assert answer.status_code == 200
    form = await MultiPartParser(Headers(answer.headers), _once(answer.content)).parse()
    entrypoint = "source/supabase/functions/hello/index.ts"
    assert json.loads(str(form["metadata"])) == {"entrypoint_path": entrypoint, "deno2_entrypoint_path": entrypoint}
    files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
    found = {part.headers["supabase-path"].encode("latin-1").decode(): await part.read() for part in files}
    assert found == {f"source/{path}": data.encode() if isinstance(data, str) else data for path, data in FILES.items()}
    assert [part.filename for part in files] == list(found)
    await form.close()


async def _once(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data


async def test_without_asking_for_parts_the_entrypoint_is_downloaded(api: Client, ref: str) -> None:
    await deployed(api, ref, "hello", FILES)
    answer = await api.call("GET", f"/v1/projects/{ref}/functions/hello/body", headers={"Accept": "*/*"})
    assert answer.text == HELLO
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_what_is_not_there_is_not_found(api: Client, ref: str) -> None:
    for path in ("hello", "hello/body"):
        assert (await api.call("GET", f"/v1/projects/{ref}/functions/{path}")).status_code == 404
    assert (await api.call("GET", f"/v1/projects/{ref}/functions/a.b")).status_code == 400


async def test_a_repeated_deployment_with_the_same_key_is_answered_once(api: Client, ref: str) -> None:
    key = {"Idempotency-Key": "deploy-hello"}
    body = {"slug": "hello", "name": "hello", "body": HELLO}
    first = await api.post(f"/v1/projects/{ref}/functions", body, headers=key)
    second = await api.post(f"/v1/projects/{ref}/functions", body, headers=key)
    assert first.json() == second.json()
    assert (await listed(api, ref))[0]["version"] == 1
