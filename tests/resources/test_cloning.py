"""Projects that are made from the archive of another, by the command that asks for them, on real clusters."""

import dataclasses
import secrets
import shutil

import pytest

from baseplane.errors import BaseplaneError
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.workflows import sleep
from baseplane.runtime import Runtime
from baseplane.workflows import queue
from tests.conftest import Client, working
from tests.processes import kill
from tests.resources.archived import back_up, next_second, postmaster, run
from tests.resources.cloning import PASSWORD, SOURCE, Clone, asked, ids, superuser


async def test_a_clone_has_what_the_source_has_and_none_of_its_passwords(
    kept: Client, kept_rt: Runtime, source: str, clone: Clone
) -> None:
    await run(kept, source, "create table public.late as select 1 as id")
    ref = await asked(clone(source))
    assert await kept.status(ref) == "COMING_UP"
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    assert await run(kept, ref, "select id from public.late") == [{"id": 1}]
    assert await run(kept, ref, "select extname from pg_extension where extname = 'pg_trgm'") == [
        {"extname": "pg_trgm"}
    ]
    await kept_rt.door.probe(ref, "postgres", PASSWORD)
    await kept_rt.door.probe(source, "app", "horse correct")
    for user, password in (("postgres", "correct horse"), ("app", "horse correct")):
        with pytest.raises(BaseplaneError, match="password"):
            await kept_rt.door.probe(ref, user, password)
    async with kept_rt.database.connection() as db:
        mine, theirs = [
            dataclasses.astuple(await projects.read_secrets(db, kept_rt.keyring, each)) for each in (ref, source)
        ]
    assert not set(mine) & set(theirs)
    own = [await kept_rt.archive.generation(each) for each in (ref, source)]
    assert len({None, *own}) == 3
    assert not (kept_rt.clusters.layout.cluster(ref).home / "aside" / "clone").exists()  # type: ignore[attr-defined]
    await run(kept, source, "drop table public.late")


async def test_a_clone_does_not_do_what_is_the_sources_to_do(kept: Client, kept_rt: Runtime, clone: Clone) -> None:
    source = await kept.active_project()
    await kept.post(f"/v1/projects/{source}/database/webhooks/enable")
    await run(kept, source, "select net.http_post('http://192.0.2.1/')")
    role = (await kept.post(f"/v1/projects/{source}/cli/login-role", {"read_only": False})).json()["role"]
    await superuser(
        kept_rt, source,
        "create subscription foreign_news connection 'host=/nowhere dbname=postgres' publication p with (connect = false)",
    )  # fmt: skip
    await superuser(kept_rt, source, "alter subscription foreign_news enable")
    await superuser(kept_rt, source, "select pg_create_physical_replication_slot('kept_for_a_replica', true)")
    await back_up(kept, kept_rt, source)
    ref = await asked(clone(source))
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    found = (
        "select (select count(*) from net.http_request_queue), (select count(*) from pg_replication_slots),"
        " (select count(*) from pg_subscription where subenabled or subslotname is not null),"
        f" (select count(*) from pg_subscription), (select count(*) from pg_roles where rolname = '{role}')"
    )
    assert await superuser(kept_rt, source, found) == [(1, 1, 1, 1, 1)]
    assert await superuser(kept_rt, ref, found) == [(0, 0, 0, 1, 0)]
    async with kept_rt.database.connection() as db:
        cursor = await db.execute("select count(*) from webhooks where project_ref = any(%s)", [[source, ref]])
        assert await cursor.fetchone() == (2,)  # what its own users do is told, as the source's is
    await superuser(kept_rt, source, "alter subscription foreign_news disable")


async def test_a_vault_opens_with_the_clones_own_key_alone(
    kept: Client, kept_rt: Runtime, source: str, clone: Clone
) -> None:
    await run(kept, source, "select vault.create_secret('changed key', 'earlier')")
    async with kept_rt.database.connection() as db:
        spec = await projects.cluster_spec(db, kept_rt.keyring, source)
    ref = await asked(clone(source))
    await kept.drain()
    opened = "select decrypted_secret from vault.decrypted_secrets order by created_at limit 2"
    assert [row["decrypted_secret"] for row in await run(kept, ref, opened)] == ["s3cret", "changed key"]
    async with kept_rt.database.connection() as db:
        own = await projects.cluster_spec(db, kept_rt.keyring, ref)
    assert len(own.root_keys) == 1
    assert not set(own.root_keys) & set(spec.root_keys)


async def test_settings_and_rules_come_along(kept: Client, kept_rt: Runtime, source: str, clone: Clone) -> None:
    path = f"/v1/projects/{source}"
    async with working(kept.queue):
        settings = await kept.call("PUT", f"{path}/config/database/postgres", json={"work_mem": "7MB"})
    assert settings.status_code == 200, settings.text
    networks = {"dbAllowedCidrs": ["127.0.0.0/8"], "dbAllowedCidrsV6": []}
    assert (await kept.post(f"{path}/network-restrictions/apply", networks)).status_code == 201
    ref = await asked(clone(source, "--size", "micro", "--region", "eu-west-1"))
    await kept.drain()
    assert await run(kept, ref, "show work_mem") == [{"work_mem": "7MB"}]
    rules = await kept.get(f"/v1/projects/{ref}/network-restrictions")
    assert rules["config"]["dbAllowedCidrs"] == ["127.0.0.0/8"]
    assert (await kept.get(f"/v1/projects/{ref}"))["region"] == "eu-west-1"


@pytest.mark.parametrize("target", ["moment", "point", "backup"])
async def test_a_clone_is_of_the_time_that_was_chosen(
    kept: Client, kept_rt: Runtime, source: str, clone: Clone, target: str
) -> None:
    await run(kept, source, "truncate public.kept; insert into public.kept values (1)")
    if target == "backup":
        await back_up(kept, kept_rt, source)
        chosen = str((await kept.get(f"/v1/projects/{source}/database/backups"))["backups"][0]["id"])
    elif target == "point":
        chosen = secrets.token_hex(4)
        await kept.post(f"/v1/projects/{source}/database/backups/restore-point", {"name": chosen})
        await kept.drain()
    else:
        chosen = str(await next_second())
    await run(kept, source, "insert into public.kept values (2)")
    ref = await asked(clone(source, f"--{target.replace('moment', 'at')}", chosen))
    await kept.drain()
    assert await ids(kept, ref) == [1]
    assert await ids(kept, source) == [1, 2]


@pytest.mark.parametrize("state", ["paused", "asleep", "lost"])
async def test_a_source_need_not_run(
    kept: Client, kept_rt: Runtime, clone: Clone, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await kept.active_project()
    await run(kept, source, SOURCE)
    await back_up(kept, kept_rt, source)
    if state == "paused":
        await run(kept, source, "insert into public.kept values (2)")
        await kept.post(f"/v1/projects/{source}/pause")
    elif state == "asleep":
        await run(kept, source, "insert into public.kept values (2)")
        await put_to_sleep(kept_rt, source)
    await kept.drain()
    if state == "lost":
        kill(postmaster(kept_rt, source))
        await kept_rt.clusters.stop(source)
        shutil.rmtree(kept_rt.clusters.layout.cluster(source).home)  # type: ignore[attr-defined]
    before = await kept_rt.clusters.observe(source)
    ref = await asked(clone(source))
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    assert await ids(kept, ref) == ([1] if state == "lost" else [1, 2])
    assert await kept_rt.clusters.observe(source) == before


async def put_to_sleep(rt: Runtime, ref: str) -> None:
    async with rt.database.transaction() as db:
        await db.execute("update projects set used_at = now() - interval '1 day' where ref = %s", [ref])
        await queue.start(db, sleep, ref)


async def test_what_cannot_be_cloned_is_refused(kept: Client, kept_rt: Runtime, source: str, clone: Clone) -> None:
    for arguments, reason in (
        (["--at", "2026-01-01 00:00"], "--at: is outside of what is archived. The project can be brought back to"),
        (["--at", "9999-01-01"], "--at: lies in the future. The project can be brought back to"),
        (["--at", "soon"], "is no time such as"),
        (["--backup", "999999999"], "no such backup"),
        (["--point", "never"], "no restore point"),
        (["--point", "never", "--backup", "1"], "Choose one of"),
        (["--region", "mars"], "--region: mars is not offered here"),
        (["--size", "tiny"], "--size: tiny is not offered here"),
        (["--org", "nobody"], "--org: there is no organization"),
        (["--db-password", "abc"], "at least 4 characters"),
        (["--name", " "], "--name"),
    ):
        refused = await clone(source, *arguments)
        assert (refused.exit_code != 0, reason in refused.output) == (True, True), refused.output
    assert "Project not found" in (await clone("a" * 20)).output
    young = await kept.active_project()
    assert "no complete backup" in (await clone(young)).output
