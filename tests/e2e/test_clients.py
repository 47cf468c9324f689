"""The official JavaScript clients against a whole installation, with every kind of key and token."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from baseplane.drivers import deno
from tests.e2e.installation import Installation
from tests.resources.keys import issuer_key, public_set, signed

CLIENTS = Path(__file__).parent / "clients"
SCHEMA = """
    create table todos (id int primary key, task text, owner text);
    insert into todos values (1, 'for all', 'everybody'), (2, 'for one', 'u1');
    alter table todos enable row level security;
    create policy seen on todos for select to anon using (owner = 'everybody');
    create policy own on todos to authenticated
        using (owner = current_setting('request.jwt.claims', true)::json->>'sub');
    create function who() returns text language sql as 'select current_user::text';
"""
EVERYBODYS = {"id": 1, "task": "for all", "owner": "everybody"}
ONES = {"id": 2, "task": "for one", "owner": "u1"}
MINE = {"id": 10, "task": "mine", "owner": "u1"}
BY = {"publishable": "anon", "anon": "anon", "secret": "service_role", "service_role": "service_role"}
"""As which role a key is taken."""


def create(installation: Installation, path: str, body: object) -> Any:
    answer = installation.call("POST", path, body, timeout=60)
    assert answer.status_code == 201, answer.text
    return answer.json()


def deploy(installation: Installation, ref: str, slug: str, source: str, *, verify_jwt: bool) -> None:
    answer = httpx.post(
        f"{installation.ready['api_url']}/v1/projects/{ref}/functions/deploy",
        params={"slug": slug},
        headers={"Authorization": f"Bearer {Path(installation.ready['access_token']).read_text().strip()}"},
        files={"file": ("index.ts", source)},
        data={"metadata": json.dumps({"name": slug, "entrypoint_path": "index.ts", "verify_jwt": verify_jwt})},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def seen(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each call, by whose it was."""
    ref = installation.await_healthy(installation.create_project())
    installation.query(ref, SCHEMA)
    source = (CLIENTS / "whoami.ts").read_text()
    deploy(installation, ref, "whoami", source, verify_jwt=True)
    deploy(installation, ref, "open", source, verify_jwt=False)
    project = f"/v1/projects/{ref}"
    issuer = issuer_key()
    create(installation, f"{project}/config/auth/third-party-auth", {"custom_jwks": public_set(issuer)})
    listed = installation.call("GET", f"{project}/api-keys?reveal=true").json()
    keys = {key["name"] if key["type"] == "legacy" else key["type"]: key["api_key"] for key in listed}
    shown = {name: {"key": keys[name]} for name in BY}
    shown["third party"] = {"key": keys["publishable"], "token": signed(issuer, kid="k1")}
    shown["stranger"] = {"key": keys["publishable"], "token": signed(issuer_key(), kid="k1")}
    shown["nobody"] = {}
    question = {"url": f"{installation.ready['http_url']}/{ref}", "shown": shown}
    return run(question, tmp_path_factory.mktemp("deno"))


def run(question: object, cache: Path) -> dict[str, dict[str, Any]]:
    program = deno.find()
    assert program is not None
    script = [str(CLIENTS / "supabase.mjs"), json.dumps(question)]
    options = [
        "--quiet",
        "--allow-net",
        "--allow-env",
        "--allow-read",
        f"--config={CLIENTS / 'deno.json'}",
        "--no-lock",
    ]
    done = subprocess.run(
        [str(program), "run", *options, *script],
        env={**os.environ, "DENO_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("who", [*BY, "third party"])
@pytest.mark.parametrize("call", ["functions_js", "invoke", "open_function"])
def test_functions_are_invoked_and_reach_their_own_project(
    seen: dict[str, dict[str, Any]], who: str, call: str
) -> None:
    answer = {"asks": "who", "todos": [1, 2], "user": "postgres"}
    assert seen[who][call] == {"status": 200, "data": answer}


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_a_function_that_verifies_refuses(seen: dict[str, dict[str, Any]], who: str) -> None:
    found = seen[who]["functions_js"]
    assert (found["status"], found["error"]) == (401, "FunctionsHttpError")
    assert "UNAUTHORIZED" in json.loads(found["body"])["code"]


def test_a_function_that_does_not_verify_takes_everybody(seen: dict[str, dict[str, Any]]) -> None:
    assert seen["nobody"]["open_function"]["status"] == 200


@pytest.mark.parametrize("who", ["publishable", "anon"])
def test_public_keys_see_what_everybody_may_and_change_nothing(seen: dict[str, dict[str, Any]], who: str) -> None:
    assert seen[who]["select"] == {"status": 200, "data": [EVERYBODYS]}
    assert "row-level security" in seen[who]["insert"]["error"]
    assert seen[who]["remove"]["data"] == []


@pytest.mark.parametrize("who", ["secret", "service_role"])
def test_secret_keys_go_past_row_level_security(seen: dict[str, dict[str, Any]], who: str) -> None:
    assert seen[who]["select"]["data"] == [EVERYBODYS, ONES]
    assert_changes(seen[who])


def test_somebody_signed_in_elsewhere_has_their_own_rows(seen: dict[str, dict[str, Any]]) -> None:
    assert seen["third party"]["select"]["data"] == [ONES]
    assert_changes(seen["third party"])


def assert_changes(found: dict[str, Any]) -> None:
    assert found["insert"] == {"status": 201, "data": [MINE]}
    assert found["upsert"]["data"] == [{**MINE, "task": "still mine"}]
    assert found["update"]["data"] == found["remove"]["data"] == [{**MINE, "task": "done"}]


@pytest.mark.parametrize(("who", "role"), [*BY.items(), ("third party", "authenticated")])
def test_a_database_function_runs_as_the_role_of_the_key(seen: dict[str, dict[str, Any]], who: str, role: str) -> None:
    assert seen[who]["rpc"]["data"] == role


def test_a_token_of_an_unknown_issuer_opens_nothing(seen: dict[str, dict[str, Any]]) -> None:
    assert seen["stranger"]["select"]["status"] == 401
