"""Deploying functions: what answers has loaded, and what does not load changes nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from baseplane.resources.functions import store
from tests.conftest import Client
from tests.resources.functions.deploying import BROKEN, HELLO, deployed, listed, send


async def test_a_function_is_deployed_listed_and_shown(api: Client, ref: str) -> None:
    assert await listed(api, ref) == []
    function = await deployed(api, ref, "hello")
    assert function["slug"] == function["name"] == "hello"
    assert (function["version"], function["status"], function["verify_jwt"]) == (1, "ACTIVE", True)
    assert function["entrypoint_path"] == f"file:///tmp/user_fn_{ref}_{function['id']}_1/source/index.ts"
    assert function["import_map"] is False
    assert "import_map_path" not in function
    assert function["created_at"] > 1_700_000_000_000
    assert await listed(api, ref) == [function]
    assert await api.get(f"/v1/projects/{ref}/functions/hello") == function


async def test_deploying_again_is_the_next_version_of_the_same_function(api: Client, ref: str) -> None:
    first = await deployed(api, ref, "hello", name="Hello", verify_jwt=False)
    second = await deployed(api, ref, "hello", {"index.ts": HELLO + "// two"})
    assert (second["id"], second["version"]) == (first["id"], 2)
    assert second["created_at"] == first["created_at"]
    assert second["updated_at"] > first["updated_at"]
    assert second["ezbr_sha256"] != first["ezbr_sha256"]
    assert (second["name"], second["verify_jwt"]) == ("Hello", False), "what is not said stays"
    assert await listed(api, ref) == [second]


async def test_the_same_files_have_the_same_checksum(api: Client, ref: str) -> None:
    files = {"index.ts": HELLO, "a.txt": "a"}
    first = await deployed(api, ref, "hello", files)
    second = await deployed(api, ref, "other", dict(reversed(files.items())), entrypoint_path="index.ts")
    assert first["ezbr_sha256"] == second["ezbr_sha256"]


async def test_an_import_map_and_static_files_of_the_users_own_are_used(api: Client, ref: str) -> None:
    function = await deployed(
        api,
        ref,
        "hello",
        {
            "supabase/functions/hello/index.ts": 'import { greet } from "shared/greet.ts";\n'
            'const text = await Deno.readTextFile(new URL("./static/a.txt", import.meta.url));\n'
            "Deno.serve(() => new Response(greet(text)));\n",
            "supabase/functions/hello/deno.json": '{"imports": {"shared/": "../_shared/"}}',
            "supabase/functions/hello/static/a.txt": "anna",
            "supabase/functions/_shared/greet.ts": "export const greet = (name: string) => `hi ${name}`;",
        },
        import_map_path="supabase/functions/hello/deno.json",
        static_patterns=["supabase/functions/hello/static/*"],
    )
    root = f"file:///tmp/user_fn_{ref}_{function['id']}_1/source/supabase/functions/hello"
    assert function["import_map"] is True
    assert function["entrypoint_path"] == f"{root}/index.ts"
    assert function["import_map_path"] == f"{root}/deno.json"


async def test_paths_in_urls_are_quoted(api: Client, ref: str) -> None:
    function = await deployed(api, ref, "hello", {"a b/%41 ü.ts": HELLO})
    assert function["entrypoint_path"].endswith("/source/a%20b/%2541%20%C3%BC.ts")


async def test_terraform_names_the_entrypoint_without_its_folder(api: Client, ref: str) -> None:
    files = {"functions/hello/index.ts": HELLO, "functions/hello/deno.json": "{}"}
    function = await deployed(api, ref, "hello", files, entrypoint_path="index.ts", import_map_path="deno.json")
    assert function["entrypoint_path"].endswith("/source/functions/hello/index.ts")
    assert function["import_map_path"].endswith("/source/functions/hello/deno.json")


async def test_metadata_may_be_a_blob_as_the_mcp_server_sends_it(api: Client, ref: str) -> None:
    metadata = json.dumps({"entrypoint_path": "index.ts", "verify_jwt": False, "name": "hello", "import_map_path": ""})
    parts: list[tuple[str, Any]] = [
        ("metadata", ("blob", metadata, "application/json")),
        ("file", ("index.ts", HELLO, "application/typescript")),
    ]
    answer = await api.call("POST", f"/v1/projects/{ref}/functions/deploy", files=parts)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["slug"], answer.json()["verify_jwt"]) == ("hello", False), "the name is the slug"


async def test_what_does_not_load_is_refused_by_file_and_line_and_the_old_version_stays(api: Client, ref: str) -> None:
    before = await deployed(api, ref, "hello")
    answer = await send(api, ref, "hello", {"lib/index.ts": BROKEN})
    assert answer.status_code == 400
    assert "lib/index.ts:1:" in answer.json()["message"]
    assert await listed(api, ref) == [before]
    answer = await send(api, ref, "other", {"index.ts": '\nthrow new Error("no such thing");'})
    assert answer.status_code == 400
    assert "no such thing" in answer.json()["message"]
    assert "index.ts:2:7" in answer.json()["message"]
    assert await listed(api, ref) == [before]
    again = await deployed(api, ref, "hello")
    assert again["id"] == before["id"]


async def test_deployments_that_fail_use_up_no_number(api: Client, ref: str) -> None:
    first = await deployed(api, ref, "hello")
    for _ in range(2):
        assert (await send(api, ref, "hello", {"index.ts": BROKEN})).status_code == 400
    second = await deployed(api, ref, "hello", {"index.ts": HELLO + "//"})
    assert second["version"] == 2
    assert f"_{second['id']}_2/" in second["entrypoint_path"]
    assert (await api.call("PUT", f"/v1/projects/{ref}/functions", json=[first])).status_code == 200
    assert (await listed(api, ref))[0]["version"] == 1
    assert (await send(api, ref, "hello", {"index.ts": BROKEN})).status_code == 400
    assert (await deployed(api, ref, "hello"))["version"] == 3
    assert (await api.call("PUT", f"/v1/projects/{ref}/functions", json=[second])).status_code == 200
    assert (await listed(api, ref))[0]["ezbr_sha256"] == second["ezbr_sha256"]


async def test_those_that_load_among_broken_ones_are_counted_in_the_order_of_asking(api: Client, ref: str) -> None:
    sources = [BROKEN if number in (0, 2) else f"{HELLO}// {number}" for number in range(5)]
    answers = await asyncio.gather(*(send(api, ref, "hello", {"index.ts": source}) for source in sources))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 400, 400]
    loaded = sorted((answer.json() for answer in answers if answer.status_code == 201), key=lambda one: one["version"])
    assert [one["version"] for one in loaded] == [1, 2, 3]
    (live,) = await listed(api, ref)
    assert (live["version"], live["ezbr_sha256"]) == (3, loaded[-1]["ezbr_sha256"])


@pytest.mark.parametrize(
    "source", [bytes(range(256)), "throw new Error('\\0 \\ud800');", "console.error('\\x1eB1\\0'); throw null;"]
)
async def test_what_a_source_says_that_cannot_be_kept_is_refused_as_any_other(
    api: Client, ref: str, source: str | bytes
) -> None:
    answer = await send(api, ref, "hello", {"index.ts": source})
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]
    assert (await deployed(api, ref, "hello"))["version"] == 1


async def test_settings_of_a_deployment_that_failed_are_not_those_of_the_next(api: Client, ref: str) -> None:
    await send(api, ref, "hello", {"index.ts": BROKEN}, verify_jwt=False, name="Broken")
    function = await deployed(api, ref, "hello")
    assert (function["verify_jwt"], function["name"]) == (True, "hello")


async def test_settings_that_change_while_a_version_loads_are_kept(api: Client, ref: str) -> None:
    await deployed(api, ref, "hello")
    slow = "await new Promise((done) => setTimeout(done, 700));\n" + HELLO
    loading = asyncio.create_task(deployed(api, ref, "hello", {"index.ts": slow}))
    async with api.queue.rt.database.connection() as db, asyncio.timeout(10):
        waiting = (
            "select from function_versions join functions on id = function_id where project_ref = %s and number = 2"
        )
        while not (await db.execute(waiting, [ref])).rowcount:
            await asyncio.sleep(0.01)
    await api.call("PATCH", f"/v1/projects/{ref}/functions/hello", json={"name": "Kept", "verify_jwt": False})
    function = await loading
    assert (function["version"], function["name"], function["verify_jwt"]) == (2, "Kept", False)


async def test_what_was_never_deployed_well_is_not_there(api: Client, ref: str) -> None:
    await send(api, ref, "hello", {"index.ts": BROKEN})
    for method, path in (("GET", ""), ("GET", "/body"), ("DELETE", ""), ("PATCH", "")):
        answer = await api.call(method, f"/v1/projects/{ref}/functions/hello{path}")
        assert answer.status_code == 404, method
        assert answer.json()["message"] == "Function hello not found"


async def test_many_deploy_the_same_function_at_once_and_the_last_one_serves(api: Client, ref: str) -> None:
    answers = await asyncio.gather(
        *(deployed(api, ref, "hello", {"index.ts": f"{HELLO}// {number}"}) for number in range(6))
    )
    assert sorted(answer["version"] for answer in answers) == [1, 2, 3, 4, 5, 6]
    assert len({answer["id"] for answer in answers}) == 1
    (live,) = await listed(api, ref)
    assert live["version"] == 6
    assert live["ezbr_sha256"] == max(answers, key=lambda answer: answer["version"])["ezbr_sha256"]


async def test_a_broken_one_among_many_breaks_no_other(api: Client, ref: str) -> None:
    sources = {f"f{number}": {"index.ts": BROKEN if number == 2 else HELLO} for number in range(5)}
    answers = await asyncio.gather(*(send(api, ref, slug, files) for slug, files in sources.items()))
    assert [answer.status_code for answer in answers] == [201, 201, 400, 201, 201]
    assert {function["slug"] for function in await listed(api, ref)} == set(sources) - {"f2"}


async def test_functions_see_the_projects_environment_when_they_load(api: Client, ref: str) -> None:
    await api.post(f"/v1/projects/{ref}/secrets", [{"name": "GREETING", "value": "hi"}])
    source = 'for (const name of ["GREETING", "SUPABASE_URL"]) if (!Deno.env.get(name)) throw new Error(name);' + HELLO
    await deployed(api, ref, "hello", {"index.ts": source})


async def test_a_function_may_be_deployed_while_its_project_is_paused(api: Client, ref: str) -> None:
    await api.post(f"/v1/projects/{ref}/pause")
    await api.becomes(ref, "INACTIVE")
    assert (await deployed(api, ref, "hello"))["version"] == 1


async def test_artifacts_that_nothing_refers_to_are_cleared_away(api: Client, ref: str) -> None:
    """What served stays for a restore that asks for it."""
    rt = api.queue.rt
    function = await deployed(api, ref, "hello")
    await rt.artifacts.put(f"{ref}/functions/{'0' * 64}", b"of a deployment that died")
    assert (await api.call("DELETE", f"/v1/projects/{ref}/functions/hello")).status_code == 200
    assert (await api.call("GET", f"/v1/projects/{ref}/functions/hello")).status_code == 404
    async with asyncio.timeout(20):
        while await rt.artifacts.list(ref) != [f"{ref}/functions/{function['ezbr_sha256']}"]:
            await asyncio.sleep(0.02)
    assert not (Path(rt.settings.data_dir) / "functions" / ref / function["id"]).exists()


async def test_more_versions_than_are_kept_for_restores_are_refused(
    api: Client, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_KEPT", 2)
    await deployed(api, ref, "hello")
    second = await deployed(api, ref, "hello", {"index.ts": HELLO + "// two"})
    answer = await send(api, ref, "hello", {"index.ts": HELLO + "// three"})
    assert answer.status_code == 402
    assert "at most 2 different versions" in answer.json()["message"]
    assert await listed(api, ref) == [second]
    assert (await deployed(api, ref, "hello"))["version"] == 3, "these files are kept already"


async def test_a_function_made_again_is_another_one(api: Client, ref: str) -> None:
    first = await deployed(api, ref, "hello")
    await api.call("DELETE", f"/v1/projects/{ref}/functions/hello")
    second = await deployed(api, ref, "hello")
    assert second["id"] != first["id"]
    assert second["version"] == 1


async def test_deleting_a_project_takes_its_functions_along(api: Client, ref: str) -> None:
    await deployed(api, ref, "hello")
    await api.call("DELETE", f"/v1/projects/{ref}")
    rt = api.queue.rt
    async with asyncio.timeout(20):
        while (await api.call("GET", f"/v1/projects/{ref}")).status_code == 200:
            await asyncio.sleep(0.02)
    assert await rt.artifacts.list(ref) == []
    assert not (Path(rt.settings.data_dir) / "functions" / ref).exists()
    async with rt.database.connection() as db:
        assert (
            await (await db.execute("select count(*) from functions where project_ref = %s", [ref])).fetchone()
        ) == (0,)


async def test_nothing_is_deployed_to_a_project_that_goes_down(api: Client) -> None:
    ref = await api.active_project()
    await api.call("DELETE", f"/v1/projects/{ref}")
    answer = await send(api, ref, "hello")
    assert answer.status_code == 400
    assert "being deleted" in answer.json()["message"]


@pytest.mark.parametrize("other", ["GET", "DELETE", "deploy"])
async def test_functions_of_others_are_not_there(api: Client, stranger: Client, ref: str, other: str) -> None:
    await deployed(api, ref, "hello")
    if other == "deploy":
        answer = await send(stranger, ref, "hello")
    else:
        answer = await stranger.call(other, f"/v1/projects/{ref}/functions/hello")
    assert answer.status_code == 404
    assert answer.json()["message"] == "Project not found"
