"""The root key of a project's vault, on real clusters."""

import secrets

import pytest

from baseplane.database import value
from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.layout import Layout
from baseplane.resources import vault
from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from baseplane.workflows import queue
from tests.conftest import Client
from tests.workflows.crashing import WHEN, crash


@pytest.fixture
async def ref(real: Client) -> str:
    return await real.active_project()


async def change(real: Client, ref: str, key: str) -> int:
    return (await real.call("PUT", f"/v1/projects/{ref}/pgsodium", json={"root_key": key})).status_code


async def keep(real: Client, ref: str, text: str) -> str:
    answer = await real.query(ref, "select vault.create_secret($1) as id", parameters=[text])
    assert answer.status_code == 201, answer.text
    return str(answer.json()[0]["id"])


async def opened(real: Client, ref: str, secret_id: str) -> str:
    query = "select decrypted_secret from vault.decrypted_secrets where id = $1"
    return str((await real.query(ref, query, parameters=[secret_id])).json()[0]["decrypted_secret"])


async def test_every_project_has_a_key_of_its_own(real: Client, project: str, ref: str) -> None:
    keys = [(await real.get(f"/v1/projects/{each}/pgsodium"))["root_key"] for each in (project, ref)]
    assert len(set(keys)) == 2
    assert all(len(bytes.fromhex(key)) == 32 for key in keys)


async def test_secrets_outlive_a_change_of_key_and_a_restart(real: Client, ref: str, worker: None) -> None:
    secret_id, key = await keep(real, ref, "s3cret"), secrets.token_hex(32)
    sealed = "select secret from vault.secrets"
    before = (await real.query(ref, sealed)).json()
    assert await change(real, ref, key) == 200
    assert (await real.get(f"/v1/projects/{ref}/pgsodium"))["root_key"] == key
    assert (await real.query(ref, sealed)).json() != before
    assert await opened(real, ref, secret_id) == "s3cret"
    for operation, status in (("pause", "INACTIVE"), ("restore", "ACTIVE_HEALTHY")):
        await real.post(f"/v1/projects/{ref}/{operation}")
        await real.becomes(ref, status)
    assert await opened(real, ref, secret_id) == "s3cret"


async def test_the_same_key_again_changes_nothing(real: Client, ref: str) -> None:
    key = (await real.get(f"/v1/projects/{ref}/pgsodium"))["root_key"]
    assert await change(real, ref, key) == 200


async def test_a_change_that_fails_loses_nothing_and_may_be_tried_again(
    real: Client, real_rt: Runtime, ref: str, worker: None
) -> None:
    secret_id = await keep(real, ref, "s3cret")
    async with real_rt.database.connection() as db:
        platform = (await store.read_secrets(db, real_rt.keyring, ref)).secret
    async with real_rt.clusters.connect(ref, Role.ADMIN, platform) as admin:
        await admin.execute("insert into vault.secrets (name, secret) values ('foreign', 'AAAABBBB')")
    path = f"/v1/projects/{ref}/pgsodium"
    failed = await real.call("PUT", path, json={"root_key": "ab" * 32})
    assert failed.status_code >= 400
    assert "another root key" in failed.json()["message"]
    assert await opened(real, ref, secret_id) == "s3cret"
    assert await opened(real, ref, await keep(real, ref, "made meanwhile")) == "made meanwhile"
    await real.query(ref, "delete from vault.secrets where name = 'foreign'")
    assert await change(real, ref, "cd" * 32) == 200
    assert await opened(real, ref, secret_id) == "s3cret"


@pytest.mark.parametrize("position", range(len(vault.rotate.steps)))
@pytest.mark.parametrize("when", WHEN)
async def test_a_worker_may_die_while_the_key_is_changed(
    real: Client, real_rt: Runtime, project: str, position: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_id, key = await keep(real, project, "s3cret"), secrets.token_hex(32)
    async with real_rt.database.transaction() as db:
        await store.change_root_key(db, real_rt.keyring, project, key)
        await queue.start(db, vault.rotate, project)
    await crash(real_rt, vault.rotate, project, position, when, monkeypatch)
    assert await opened(real, project, secret_id) == "s3cret"
    await real.drain()
    assert await opened(real, project, secret_id) == "s3cret"
    files = Layout(real_rt.settings.data_dir).cluster(project)
    assert files.root_keys.read_text().split() == [key]


@pytest.mark.parametrize("key", ["", "ab", "AB" * 32, "xy" * 32, "ab" * 33])
async def test_what_is_no_key_is_refused(real: Client, project: str, key: str) -> None:
    before = await real.get(f"/v1/projects/{project}/pgsodium")
    answer = await real.call("PUT", f"/v1/projects/{project}/pgsodium", json={"root_key": key})
    assert (answer.status_code, "root_key" in answer.json()["message"]) == (400, True)
    assert await real.get(f"/v1/projects/{project}/pgsodium") == before


async def test_the_key_is_sealed_in_the_platform_database(real: Client, real_rt: Runtime, project: str) -> None:
    key = (await real.get(f"/v1/projects/{project}/pgsodium"))["root_key"]
    async with real_rt.database.connection() as db:
        stored = await value(db, "select root_key from projects where ref = %s", [project])
    assert bytes.fromhex(key) not in stored
    assert key.encode() not in stored
