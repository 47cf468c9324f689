"""Projects that are made from the archive of another, with everybody dying, going and failing in between."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from baseplane.drivers.archive.recovery import Recovery
from baseplane.resources.backups import clones, retention
from baseplane.resources.cloning.workflows import create_from
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.processes import kill
from tests.resources.archived import back_up, postmaster, run, start
from tests.resources.cloning import PASSWORD, SOURCE, Clone, asked, carry_on, cause, ids
from tests.workflows.crashing import WHEN, CrashError, crash


@pytest.mark.parametrize("position", range(len(create_from.steps)))
@pytest.mark.parametrize("when", WHEN)
async def test_a_clone_is_made_though_worker_and_postgres_die(
    kept: Client, kept_rt: Runtime, source: str, clone: Clone, position: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(kept, source, "truncate public.kept; insert into public.kept values (1)")
    ref = await asked(clone(source))
    await crash(kept_rt, create_from, ref, position, when, monkeypatch)
    with contextlib.suppress(FileNotFoundError):  # there is none yet
        kill(postmaster(kept_rt, ref))
    await kept.drain()
    await start(kept_rt, ref)
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    assert await ids(kept, ref) == [1]
    await kept_rt.door.probe(ref, "postgres", PASSWORD)


@pytest.mark.parametrize("position", range(len(create_from.steps)))
async def test_a_clone_that_is_deleted_meanwhile_leaves_nothing(
    kept: Client, kept_rt: Runtime, source: str, clone: Clone, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await asked(clone(source))
    await crash(kept_rt, create_from, ref, position, WHEN[1], monkeypatch)
    assert (await kept.call("DELETE", f"/v1/projects/{ref}")).status_code == 200
    await kept.drain()
    assert (await kept.call("GET", f"/v1/projects/{ref}")).status_code == 404
    layout = kept_rt.clusters.layout  # type: ignore[attr-defined]
    left = [
        layout.cluster(ref).home,
        layout.cluster(ref).sockets,
        layout.aside(ref, "clone").sockets,
        layout.spool(ref, ""),
    ]
    assert not [place for place in left if place.exists()]
    async with kept_rt.database.connection() as db:
        assert await clones.find(db, ref) is None
        assert not await clones.are_under_way(db, source)


async def test_a_clone_that_dies_in_its_replay_is_begun_anew(
    kept: Client, kept_rt: Runtime, source: str, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await asked(clone(source))
    replay = Recovery.replay

    async def die(*arguments: Any) -> Any:
        monkeypatch.setattr(Recovery, "replay", replay)
        recovery, postmaster, *_ = arguments
        await recovery._run_to(postmaster, {})  # it runs, and the worker is no more
        raise CrashError

    monkeypatch.setattr(Recovery, "replay", die)
    with pytest.raises(CrashError):
        await carry_on(kept_rt, ref)
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"


async def test_a_clone_of_a_damaged_backup_fails_with_the_cause_and_is_tried_again(
    kept: Client, kept_rt: Runtime, clone: Clone
) -> None:
    source = await kept.active_project()
    await run(kept, source, SOURCE)
    await back_up(kept, kept_rt, source)
    (data,) = kept_rt.archive.store.directory.glob(f"{source}/*/base/*/data.tar*")  # type: ignore[attr-defined]
    whole = data.read_bytes()
    data.write_bytes(whole[:-100] + bytes(100))
    ref = await asked(clone(source))
    await kept.drain()
    assert await kept.status(ref) == "INIT_FAILED"
    assert "damaged" in await cause(kept_rt, ref)
    assert not kept_rt.clusters.layout.cluster(ref).home.exists()  # type: ignore[attr-defined]
    data.write_bytes(whole)
    assert (await kept.post(f"/v1/projects/{ref}/restore")).status_code == 200
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    assert await ids(kept, ref) == [1]


async def test_an_archive_stays_while_a_clone_is_made_of_it_though_its_project_is_deleted(
    kept: Client, kept_rt: Runtime, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await kept.active_project()
    await run(kept, source, SOURCE)
    await back_up(kept, kept_rt, source)
    ref = await asked(clone(source))
    await crash(kept_rt, create_from, ref, 0, WHEN[1], monkeypatch)
    await kept.call("DELETE", f"/v1/projects/{source}")
    await carry_on(kept_rt, source)
    await retention.apply(kept_rt, timedelta(0))
    assert await kept_rt.archive.stored(source)
    await kept.drain()
    assert await kept.status(ref) == "ACTIVE_HEALTHY"
    assert await ids(kept, ref) == [1]
    await retention.apply(kept_rt, timedelta(0))
    assert not await kept_rt.archive.stored(source)
