import hashlib
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from baseplane.resources.projects import api_keys, store
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.keys import legacy, move, new_key, new_signing_key, signing, switch_legacy


async def test_keys_are_signed_with_the_projects_secret_and_shown_on_request(api: Client, rt: Runtime) -> None:
    ref = (await api.create_project())["ref"]
    async with rt.database.connection() as db:
        secret = (await store.read_secrets(db, rt.keyring, ref)).jwt_secret
    for name, text in (await legacy(api, ref)).items():
        claims = jwt.decode(text, OctKey.import_key(secret.encode()), algorithms=["HS256"]).claims
        assert (claims["ref"], claims["role"]) == (ref, name)


async def test_a_new_project_has_a_publishable_and_a_secret_key(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    *_, publishable, secret = await api.get(f"/v1/projects/{ref}/api-keys", params={"reveal": "true"})
    assert (publishable["type"], publishable["name"], publishable["secret_jwt_template"]) == (
        "publishable", "default", None,
    )  # fmt: skip
    assert (secret["type"], secret["name"], secret["secret_jwt_template"]) == (
        "secret", "default", {"role": "service_role"},
    )  # fmt: skip
    for key in (publishable, secret):
        assert key["api_key"].startswith(f"sb_{key['type']}_")
    hidden = (await api.get(f"/v1/projects/{ref}/api-keys"))[-1]["api_key"]
    assert hidden == secret["prefix"] + "·" * 16


async def test_a_secret_key_is_masked_unless_it_is_to_be_revealed(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    text = (await new_key(api, ref))["api_key"]
    anon, service, _, _, secret = await api.get(f"/v1/projects/{ref}/api-keys")
    assert len(anon["api_key"].split(".")) == 3
    assert service["api_key"] == service["prefix"] + "·" * 16
    assert secret["api_key"] == secret["prefix"] + "·" * 16
    assert text.startswith(secret["prefix"])
    one = f"/v1/projects/{ref}/api-keys/{secret['id']}"
    assert (await api.get(one))["api_key"] == secret["api_key"]
    assert (await api.get(one, params={"reveal": "true"}))["api_key"] == text


async def test_a_publishable_key_is_for_everybody_to_see(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    made = await new_key(api, ref, "publishable", "shop", description="for the shop")
    assert made["api_key"].startswith("sb_publishable_")
    assert made["hash"] == hashlib.sha256(made["api_key"].encode()).hexdigest()
    assert (made["secret_jwt_template"], made["description"]) == (None, "for the shop")
    assert (await api.get(f"/v1/projects/{ref}/api-keys/{made['id']}")) == made


async def test_a_secret_key_acts_as_service_role_unless_its_template_says_otherwise(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    assert (await new_key(api, ref, name="first"))["secret_jwt_template"] == {"role": "service_role"}
    template = {"role": "reporter", "tenant": 7}
    assert (await new_key(api, ref, name="second", secret_jwt_template=template))["secret_jwt_template"] == template


async def test_a_patch_changes_what_it_names_and_keeps_the_key(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    made = await new_key(api, ref, description="old")
    path = f"/v1/projects/{ref}/api-keys/{made['id']}"
    changed = (await api.call("PATCH", path, json={"name": "renamed"}, params={"reveal": "true"})).json()
    assert (changed["name"], changed["description"], changed["api_key"]) == ("renamed", "old", made["api_key"])
    template = {"secret_jwt_template": {"role": "reporter"}, "description": None}
    changed = (await api.call("PATCH", path, json=template)).json()
    assert (changed["secret_jwt_template"], changed["description"]) == ({"role": "reporter"}, None)


async def test_a_deleted_key_is_gone(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    made = await new_key(api, ref)
    path = f"/v1/projects/{ref}/api-keys/{made['id']}"
    gone = await api.call("DELETE", path, params={"was_compromised": "true", "reason": "it leaked"})
    assert (gone.status_code, gone.json()["id"]) == (200, made["id"])
    for method in ("GET", "PATCH", "DELETE"):
        assert (await api.call(method, path, json={})).status_code == 404


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "type: is required; name: is required"),
    ({"type": "legacy", "name": "abcd"}, "type"),
    ({"type": "secret", "name": "abc"}, "name"),
    ({"type": "secret", "name": "Upper"}, "name"),
    ({"type": "secret", "name": "line\n"}, "name"),
    ({"type": "secret", "name": "a" * 65}, "name"),
    ({"type": "secret", "name": "good", "description": "a\0b"}, "description: must not contain the null character"),
    ({"type": "secret", "name": "good", "description": "x" * 1001}, "description"),
    ({"type": "publishable", "name": "good", "secret_jwt_template": {"role": "anon"}}, "secret_jwt_template: is for"),
    ({"type": "secret", "name": "good", "secret_jwt_template": {}}, 'must have a "role"'),
    ({"type": "secret", "name": "good", "secret_jwt_template": {"role": 1}}, 'must have a "role"'),
    ({"type": "secret", "name": "good", "secret_jwt_template": {"role": "a", "exp": 1}}, "must not set exp"),
    ({"type": "secret", "name": "good", "secret_jwt_template": {"role": "a", "x": "\0"}}, "null character"),
    ({"type": "secret", "name": "good", "secret_jwt_template": {"role": "a", "x": 2**70}}, "cannot be kept"),
    ({"type": "secret", "name": "good", "secret_jwt_template": {"role": "a", "x": "y" * 5000}}, "larger than 4096"),
    ({"type": "secret", "name": "good", "secret_jwt_template": {"role": "\ud800"}}, "cannot be kept"),
]


@pytest.mark.parametrize(("body", "said"), BAD)
async def test_a_bad_key_is_refused_by_field_and_rule(api: Client, body: dict[str, Any], said: str) -> None:
    ref = (await api.create_project())["ref"]
    answer = await api.post(f"/v1/projects/{ref}/api-keys", content=json.dumps(body))
    assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text
    assert len(await api.get(f"/v1/projects/{ref}/api-keys")) == 4


async def test_a_name_is_given_once_to_each_type(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    await new_key(api, ref, "secret", "server")
    other = await new_key(api, ref, "publishable", "server")
    again = await api.post(f"/v1/projects/{ref}/api-keys", {"type": "secret", "name": "server"})
    assert (again.status_code, "server already" in again.json()["message"]) == (409, True)
    await new_key(api, ref, "publishable", "taken")
    renamed = await api.call("PATCH", f"/v1/projects/{ref}/api-keys/{other['id']}", json={"name": "taken"})
    assert renamed.status_code == 409


async def test_there_is_a_most_of_keys(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MOST", 4)
    ref = (await api.create_project())["ref"]
    for name in ("first", "second"):
        await new_key(api, ref, name=name)
    answer = await api.post(f"/v1/projects/{ref}/api-keys", {"type": "secret", "name": "third"})
    assert (answer.status_code, "4 API keys" in answer.json()["message"]) == (400, True)


async def test_a_publishable_key_gets_no_template_later(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    made = await new_key(api, ref, "publishable")
    body = {"secret_jwt_template": {"role": "service_role"}}
    assert (await api.call("PATCH", f"/v1/projects/{ref}/api-keys/{made['id']}", json=body)).status_code == 400


async def test_a_key_is_of_one_project_only(api: Client) -> None:
    one, other = [(await api.create_project())["ref"] for _ in range(2)]
    made = await new_key(api, one)
    assert (await api.call("GET", f"/v1/projects/{other}/api-keys/{made['id']}")).status_code == 404
    assert (await api.call("DELETE", f"/v1/projects/{other}/api-keys/{made['id']}")).status_code == 404


async def test_legacy_keys_can_be_switched_off_and_on(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    assert await api.get(f"/v1/projects/{ref}/api-keys/legacy") == {"enabled": True}
    assert (await switch_legacy(api, ref, enabled=False)).json() == {"enabled": False}
    assert await api.get(f"/v1/projects/{ref}/api-keys/legacy") == {"enabled": False}
    assert (await switch_legacy(api, ref, enabled=True)).json() == {"enabled": True}
    assert (await api.call("PUT", f"/v1/projects/{ref}/api-keys/legacy")).status_code == 400


async def test_legacy_keys_stay_off_while_their_secret_is_revoked(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    old = (await api.post(signing(ref, "legacy"))).json()["id"]
    await new_signing_key(api, ref, status="in_use")
    await switch_legacy(api, ref, enabled=False)
    assert (await move(api, ref, old, "revoked")).status_code == 200
    answer = await switch_legacy(api, ref, enabled=True)
    assert (answer.status_code, "is revoked" in answer.json()["message"]) == (409, True)


async def test_nothing_of_a_key_lies_open_in_the_database(api: Client, rt: Runtime) -> None:
    ref = (await api.create_project())["ref"]
    key = await new_key(api, ref)
    await api.post(f"/v1/projects/{ref}/secrets", [{"name": "TOKEN", "value": "plain-to-see"}])
    await new_signing_key(api, ref, "HS256")
    async with rt.database.connection() as db:
        for table in ("api_keys", "secrets", "signing_keys"):
            kept = str(await (await db.execute(f"select * from {table}".encode())).fetchall())
            for secret in (key["api_key"], "plain-to-see", '"k"'):
                assert secret not in kept


async def test_a_deleted_project_leaves_no_keys(api: Client, rt: Runtime) -> None:
    ref = await api.active_project()
    await new_key(api, ref)
    await new_signing_key(api, ref)
    await api.post(f"/v1/projects/{ref}/secrets", [{"name": "TOKEN", "value": "v"}])
    await api.call("DELETE", f"/v1/projects/{ref}")
    await api.drain()
    async with rt.database.connection() as db:
        for table in ("api_keys", "secrets", "signing_keys", "third_party_auth"):
            query = f"select count(*) from {table} where project_ref = '{ref}'".encode()
            assert await (await db.execute(query)).fetchone() == (0,)
