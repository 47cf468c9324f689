"""One walk over the router's own list of routes, with every kind of caller."""

import json
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute

from baseplane import app
from baseplane.api.permissions import DEVELOPER, HELD, PERMISSIONS, READ_ONLY, REQUIREMENTS
from baseplane.database.secrets import digest
from baseplane.resources.accounts import store as accounts
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of
from tests.contract import validation

ROUTES = [route for router in app.ROUTERS for route in router.routes if isinstance(route, APIRoute)]
EVERY = [
    pytest.param(method, route.path, route.operation_id, id=route.operation_id)
    for route in ROUTES
    for method in sorted(route.methods or ())
]
OF_A_PLACE = [case for case in EVERY if re.search("{(ref|slug)}", str(case.values[1]))]


def _at(path: str, ref: str, slug: str) -> str:
    return path.replace("{ref}", ref).replace("{slug}", slug)


async def _call(client: Client, method: str, path: str, token: str | None, **options: Any) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await client.http.request(method, path, headers=headers, **options)


async def _token(client: Client, **narrowed: Any) -> str:
    async with client.queue.rt.database.transaction() as db:
        return await accounts.insert_token(db, UUID(client.user_id), "narrow", **narrowed)


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
async def test_nobody_calls_without_a_token_that_is_known(api: Client, method: str, path: str, operation: str) -> None:
    where = _at(path, "a" * 20, "nowhere")
    for token in (None, "", "sbp_short", "sbp_" + "0" * 40, "sbp_oauth_" + "0" * 40, f"{api.token}0"):
        assert (await _call(api, method, where, token)).status_code == 401, token


@pytest.mark.parametrize(("method", "path", "operation"), OF_A_PLACE)
async def test_what_belongs_to_others_is_not_there(
    api: Client, stranger: Client, method: str, path: str, operation: str
) -> None:
    ref = (await stranger.create_project())["ref"]
    answer = await api.call(method, _at(path, ref, stranger.slug), json={})
    assert answer.status_code == 404
    assert answer.json()["message"] in ("Project not found", "Organization not found")


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
async def test_an_oauth_token_needs_the_scope_of_the_operation(
    api: Client, method: str, path: str, operation: str
) -> None:
    token = "sbp_oauth_" + digest(operation).hex()[:40]
    scope = REQUIREMENTS[operation].scope
    others = sorted({r.scope for r in REQUIREMENTS.values() if r.scope} - {scope})
    async with api.queue.rt.database.connection() as db:
        await db.execute(
            "insert into access_tokens (user_id, digest, name, hint, kind, scopes) values (%s, %s, '', '', 'oauth', %s)"
            " on conflict (digest) do update set user_id = excluded.user_id",
            [api.user_id, digest(token), others],
        )
    answer = await _call(api, method, _at(path, "a" * 20, api.slug), token)
    assert answer.status_code == 403
    assert "scope" in answer.json()["message"]


@pytest.mark.parametrize(("method", "path", "operation"), OF_A_PLACE)
async def test_a_scoped_token_carries_what_it_was_given_and_no_more(
    api: Client, method: str, path: str, operation: str
) -> None:
    needed = frozenset[str]().union(*REQUIREMENTS[operation].permissions)
    ref = (await api.create_project())["ref"]
    token = await _token(api, permissions=sorted(PERMISSIONS - needed))
    answer = await _call(api, method, _at(path, ref, api.slug), token, json={})
    assert answer.status_code == 403
    assert set(answer.json()["missing_permissions"]) <= needed


@pytest.mark.parametrize(("method", "path", "operation"), OF_A_PLACE)
async def test_who_may_only_read_writes_nothing(rt: Runtime, method: str, path: str, operation: str) -> None:
    async with client_of(rt, role=READ_ONLY) as reader, client_of(rt) as owner:
        ref = (await owner.create_project())["ref"]
        async with rt.database.connection() as db:
            await db.execute("update projects set organization_slug = %s where ref = %s", [reader.slug, ref])
        allowed = any(needed <= HELD[READ_ONLY] for needed in REQUIREMENTS[operation].permissions)
        answer = await reader.call(method, _at(path, ref, reader.slug), json={})
        assert (answer.status_code != 403) == allowed
        if not allowed:
            assert answer.json()["missing_permissions"]


async def test_a_project_is_not_created_in_somebody_elses_organization(api: Client, stranger: Client) -> None:
    body = {"name": "p", "db_pass": "long enough", "organization_slug": stranger.slug}
    assert (await api.post("/v1/projects", body)).status_code == 404


async def test_a_token_for_one_project_sees_no_other(api: Client) -> None:
    mine, other = [(await api.create_project())["ref"] for _ in range(2)]
    token = await _token(api, projects=[mine])
    assert (await _call(api, "GET", f"/v1/projects/{mine}", token)).status_code == 200
    assert (await _call(api, "GET", f"/v1/projects/{other}", token)).status_code == 404
    listed = (await _call(api, "GET", "/v1/projects", token)).json()
    assert [project["ref"] for project in listed] == [mine]


async def test_a_token_for_another_organization_finds_nothing_here(api: Client) -> None:
    token = await _token(api, organizations=["elsewhere"])
    assert (await _call(api, "GET", f"/v1/organizations/{api.slug}", token)).status_code == 404
    assert (await _call(api, "GET", "/v1/organizations", token)).json() == []


async def test_an_expired_token_says_that_it_expired(api: Client) -> None:
    token = await _token(api, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    answer = await _call(api, "GET", "/v1/profile", token)
    assert answer.status_code == 401
    assert "expired" in answer.json()["message"]


def test_every_route_has_its_requirement_and_its_name() -> None:
    assert {route.operation_id for route in ROUTES} <= set(REQUIREMENTS)
    assert len({route.operation_id for route in ROUTES}) == len(ROUTES)


def test_stronger_roles_hold_what_weaker_ones_do() -> None:
    assert HELD[READ_ONLY] < HELD[DEVELOPER] < PERMISSIONS
    assert all(needed <= PERMISSIONS for row in REQUIREMENTS.values() for needed in row.permissions)


NEWER = {"v1-restart-a-project"}
"""Operations that the official CLI knows and the contract's document does not have yet."""


@pytest.mark.skipif(validation.contract() is None, reason="the contract is not beside this checkout")
def test_the_requirements_are_the_contracts() -> None:
    ours = json.loads(resources.files("baseplane.api").joinpath("requirements.json").read_text())
    theirs = {
        operation["operationId"]: {
            "scope": operation.get("x-oauth-scope"),
            "permissions": operation.get("x-fga-permissions", []),
            "public": not operation.get("security"),
        }
        for operation in validation.operations().values()
    }
    assert {name: needed for name, needed in ours.items() if name not in NEWER} == theirs
