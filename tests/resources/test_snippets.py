"""Snippets as the API shows them: to whom, in which order, page by page."""

import base64
import json
import secrets
from typing import Any
from uuid import UUID

import pytest

from baseplane.resources.accounts import store as accounts
from baseplane.resources.organizations import store as organizations
from baseplane.resources.projects import store as projects
from baseplane.resources.snippets import store
from tests.conftest import Client


async def add(owner: Client, ref: str, name: str = "orders", **fields: Any) -> str:
    async with owner.queue.rt.database.transaction() as db:
        sql = fields.pop("sql", "select 1;\n")
        return str(await store.insert(db, project_ref=ref, owner_id=UUID(owner.user_id), name=name, sql=sql, **fields))


async def new_ref(client: Client) -> str:
    return str((await client.create_project())["ref"])


async def listed(client: Client, **params: Any) -> list[str]:
    return [snippet["id"] for snippet in (await client.get("/v1/snippets", params=params))["data"]]


async def join(member: Client, other: Client) -> None:
    """Make ``member`` one of the organization of ``other``."""
    async with member.queue.rt.database.transaction() as db:
        await organizations.set_role(db, other.slug, UUID(member.user_id), "Read-only")


async def pages(client: Client, **params: Any) -> list[list[str]]:
    found, cursor = [], {}
    while True:
        page = await client.get("/v1/snippets", params={**params, **cursor})
        found.append([snippet["name"] for snippet in page["data"]])
        if "cursor" not in page:
            return found
        cursor = {"cursor": page["cursor"]}


async def test_a_snippet_is_shown_with_its_people_and_its_text(api: Client) -> None:
    project = await api.create_project()
    name = "Über \N{PILE OF POO}"
    snippet_id = await add(api, project["ref"], name, sql="select 'ä'\r\n", favorite=True)
    shown = await api.get(f"/v1/snippets/{snippet_id}")
    assert shown["name"] == name
    assert shown["content"] == {"schema_version": "1.0", "sql": "select 'ä'\r\n"}
    assert (shown["visibility"], shown["favorite"], shown["description"]) == ("user", True, None)
    assert shown["project"]["name"] == project["name"]
    assert shown["owner"] == shown["updated_by"]
    del shown["content"]
    assert (await api.get("/v1/snippets"))["data"] == [shown]


async def test_a_list_that_ends_has_no_cursor(api: Client) -> None:
    assert await api.get("/v1/snippets") == {"data": []}


@pytest.mark.parametrize(
    ("visibility", "in_list", "by_id"), [("user", False, 404), ("project", True, 200), ("org", True, 200)]
)
async def test_members_see_what_is_shared(
    api: Client, stranger: Client, visibility: str, in_list: bool, by_id: int
) -> None:
    snippet_id = await add(api, await new_ref(api), visibility=visibility, favorite=True)
    await join(stranger, api)
    assert (snippet_id in await listed(stranger)) == in_list
    answer = await stranger.call("GET", f"/v1/snippets/{snippet_id}")
    assert answer.status_code == by_id
    assert by_id == 404 or not answer.json()["favorite"], "a favourite is one's own mark"


@pytest.mark.parametrize("visibility", ["user", "project", "org"])
async def test_strangers_do_not_learn_that_a_snippet_exists(api: Client, stranger: Client, visibility: str) -> None:
    snippet_id = await add(api, await new_ref(api), visibility=visibility)
    answer = await stranger.call("GET", f"/v1/snippets/{snippet_id}")
    assert (answer.status_code, answer.json()["message"]) == (404, "Snippet not found")
    assert snippet_id not in await listed(stranger)


async def test_a_public_snippet_is_for_everybody_who_has_its_id(api: Client, stranger: Client) -> None:
    snippet_id = await add(api, await new_ref(api), visibility="public")
    assert (await stranger.get(f"/v1/snippets/{snippet_id}"))["id"] == snippet_id
    assert await listed(stranger) == []
    assert await listed(api) == [snippet_id]


async def test_who_left_the_organization_sees_no_snippet_of_it(api: Client, stranger: Client) -> None:
    await join(stranger, api)
    snippet_id = await add(stranger, await new_ref(api))
    assert await listed(stranger) == [snippet_id]
    async with api.queue.rt.database.transaction() as db:
        await organizations.set_role(db, api.slug, UUID(stranger.user_id), None)
    assert await listed(stranger) == []


async def test_a_narrowed_token_sees_the_snippets_of_its_places_alone(api: Client) -> None:
    mine, other = await new_ref(api), await new_ref(api)
    here, there = await add(api, mine), await add(api, other)
    async with api.queue.rt.database.transaction() as db:
        api.token = await accounts.insert_token(db, UUID(api.user_id), "narrow", projects=[mine])
    assert await listed(api) == [here]
    assert (await api.call("GET", f"/v1/snippets/{there}")).status_code == 404
    assert (await api.call("GET", "/v1/snippets", params={"project_ref": other})).status_code == 404


async def test_a_token_without_the_permission_is_refused(api: Client) -> None:
    snippet_id = await add(api, await new_ref(api))
    async with api.queue.rt.database.transaction() as db:
        api.token = await accounts.insert_token(db, UUID(api.user_id), "narrow", permissions=["projects_read"])
    for path in ("/v1/snippets", f"/v1/snippets/{snippet_id}"):
        answer = await api.call("GET", path)
        assert (answer.status_code, answer.json()["missing_permissions"]) == (403, ["snippets_read"])


async def test_the_list_is_narrowed_to_a_project(api: Client, stranger: Client) -> None:
    first, second = await new_ref(api), await new_ref(api)
    snippet_id = await add(api, first)
    await add(api, second)
    assert await listed(api, project_ref=first) == [snippet_id]
    for ref in (await new_ref(stranger), "a" * 20):
        answer = await api.call("GET", "/v1/snippets", params={"project_ref": ref})
        assert (answer.status_code, answer.json()["message"]) == (404, "Project not found")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "cab"),
        ({"sort_order": "asc"}, "bac"),
        ({"sort_by": "name"}, "abc"),
        ({"sort_by": "name", "sort_order": "desc"}, "cba"),
        ({"sort_by": "inserted_at", "sort_order": "desc"}, "cab"),
    ],
)
async def test_snippets_are_sorted(api: Client, params: dict[str, str], expected: str) -> None:
    ref = await new_ref(api)
    for name in "bac":
        await add(api, ref, name)
    assert await pages(api, **params) == [list(expected)]
    assert await pages(api, limit="1", **params) == [[name] for name in expected]


@pytest.mark.parametrize("sort_by", ["name", "inserted_at"])
async def test_pages_hold_every_snippet_once_though_others_come_between(api: Client, sort_by: str) -> None:
    ref = await new_ref(api)
    async with api.queue.rt.database.transaction() as db:  # one transaction: all have the same moment
        for name in "aabbcc":
            await store.insert(db, project_ref=ref, owner_id=UUID(api.user_id), name=name, sql="select 1")
    seen: list[str] = []
    params: dict[str, str] = {"sort_by": sort_by, "sort_order": "asc", "limit": "2"}
    while True:
        page = await api.get("/v1/snippets", params=params)
        seen += [snippet["id"] for snippet in page["data"] if snippet["name"] in "abc"]
        await add(api, ref, f"{page['data'][0]['name']} between")
        if "cursor" not in page or len(seen) > 6:
            break
        params["cursor"] = page["cursor"]
    assert (len(seen), len(set(seen))) == (6, 6)


def forged(*position: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


NOW, ID = "2026-01-01T00:00:00+00:00", str(UUID(int=7))


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "äöü", "!!!!", "e30", "bnVsbA", "A" * 5000,
        forged(), forged("inserted_at", "desc", NOW, "x"), forged("inserted_at", "desc", NOW, 5),
        forged("inserted_at", "desc", "yesterday", ID), forged("inserted_at", "desc", 7, ID),
        forged("inserted_at", "desc", "0001-01-01T00:00:00+23:59", ID),
        forged("inserted_at", "desc", [NOW], ID), forged("inserted_at", "asc", NOW, ID),
        forged("name", "asc", "a", ID), forged(["name"], {}, "a", ID),
    ],
)  # fmt: skip
async def test_a_cursor_that_is_none_of_ours_is_refused(api: Client, cursor: str) -> None:
    answer = await api.call("GET", "/v1/snippets", params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("cursor: ")


@pytest.mark.parametrize("key", ["a\0b", ["a"], None, "\ud800"])
async def test_a_forged_name_in_a_cursor_is_refused(api: Client, key: object) -> None:
    params = {"sort_by": "name", "cursor": forged("name", "asc", key, ID)}
    assert (await api.call("GET", "/v1/snippets", params=params)).status_code == 400


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"}, {"limit": "101"}, {"limit": "many"}, {"limit": ""}, {"sort_by": "sql"}, {"sort_order": "up"},
        {"project_ref": "short"}, {"project_ref": "A" * 20},
    ],
)  # fmt: skip
async def test_a_wrong_parameter_is_named(api: Client, params: dict[str, str]) -> None:
    answer = await api.call("GET", "/v1/snippets", params=params)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(next(iter(params)) + ": ")


async def test_what_is_no_uuid_is_refused(api: Client) -> None:
    answer = await api.call("GET", "/v1/snippets/orders")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("id: ")


async def test_a_removed_project_takes_its_snippets_along(api: Client) -> None:
    ref = await api.active_project()
    snippet_id = await add(api, ref, visibility="public")
    await api.call("DELETE", f"/v1/projects/{ref}")
    await api.drain()
    assert (await api.call("GET", f"/v1/snippets/{snippet_id}")).status_code == 404
    async with api.queue.rt.database.connection() as db:
        assert await store.list_all(db, ref) == []
        assert await projects.find(db, ref) is not None


async def test_a_deleted_user_takes_own_snippets_along_and_leaves_shared_ones(api: Client, stranger: Client) -> None:
    ref, email = await new_ref(api), f"{secrets.token_hex(6)}@example.test"
    async with api.queue.rt.database.transaction() as db:
        leaver = await accounts.insert_user(db, email, "leaver")
        await organizations.set_role(db, api.slug, leaver.id, "Developer")
        fields = {"project_ref": ref, "owner_id": leaver.id, "sql": "select 1"}
        private = await store.insert(db, name="mine", **fields)
        shared = await store.insert(db, name="ours", visibility="org", **fields)
        await accounts.delete_user(db, email)
        assert [snippet.id for snippet in await store.list_all(db, ref)] == [shared]
    left = await api.get(f"/v1/snippets/{shared}")
    assert left["owner"] == left["updated_by"]
    assert left["owner"]["username"] == "founder"
    assert (await api.call("GET", f"/v1/snippets/{private}")).status_code == 404
