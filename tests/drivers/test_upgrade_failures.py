"""Upgrades that are refused or fail: the old cluster is never touched."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from baseplane.drivers.cluster import ClusterSpec, StartFailed, State, UpgradeRefused, pg_upgrade
from baseplane.drivers.cluster.engines import pick
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.settings import Settings
from tests.drivers.upgrading import (
    FILLED,
    LABEL,
    ask,
    back,
    dump,
    pg_upgrade_of,
    programs,
    upgrade,
)


async def test_a_slot_whose_reader_lags_is_refused_by_name_and_the_old_cluster_serves(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(clusters, seventeen, "create table public.t (id int)")
    await ask(clusters, seventeen, "select pg_create_logical_replication_slot('late', 'test_decoding')")
    await ask(clusters, seventeen, "insert into public.t values (1)")
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    with pytest.raises(UpgradeRefused, match='slot "late" has not consumed the WAL yet'):
        await clusters.upgrades.carry_over(seventeen, 18, LABEL)
    await back(clusters, seventeen)


async def test_a_library_that_the_new_engine_lacks_is_named_before_anything_stops(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(
        clusters, seventeen, "create function public.f() returns text language c as '$libdir/pgcrypto', 'pg_armor'"
    )
    await ask(clusters, seventeen, "update pg_proc set probin = '$libdir/nowhere' where proname = 'f'")
    with pytest.raises(UpgradeRefused, match=r'loadable libraries that are missing.*"\$libdir/nowhere"') as refused:
        await clusters.upgrades.prepare(seventeen, 18, LABEL)
    assert "/tmp" not in str(refused.value)
    assert await clusters.observe(seventeen.ref) == State.RUNNING
    await back(clusters, seventeen)


async def test_a_way_that_does_not_exist_is_refused(clusters: LocalClusters, seventeen: ClusterSpec) -> None:
    assert 18 in clusters.upgrades.offered(17)
    assert clusters.upgrades.offered(18) == {}
    for engine, said in ((17, "no way from Postgres 17 to 17"), (16, "no way"), (99, "no Postgres 99 on this machine")):
        with pytest.raises(UpgradeRefused, match=said):
            await clusters.upgrades.prepare(seventeen, engine, LABEL)


async def test_a_machine_without_room_for_the_copy_says_how_much_is_needed(
    clusters: LocalClusters, seventeen: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_upgrade, "ROOM", 2**60)
    with pytest.raises(UpgradeRefused, match=r"needs \d+ MB of disk; the machine has \d+ MB left"):
        await clusters.upgrades.prepare(seventeen, 18, LABEL)


async def test_a_failure_half_way_leaves_the_old_cluster_as_it_was(
    clusters: LocalClusters, seventeen: ClusterSpec, tmp_path: Path
) -> None:
    engine = pick(17, Settings().engines_dir)
    await ask(clusters, seventeen, FILLED.format(tables=50))
    before = dump(clusters, seventeen, engine, tmp_path)
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    work = asyncio.create_task(clusters.upgrades.carry_over(seventeen, 18, LABEL))
    os.kill((await pg_upgrade_of(clusters, seventeen, work)).pid, signal.SIGKILL)
    with pytest.raises(UpgradeRefused):
        await work
    await back(clusters, seventeen)
    assert dump(clusters, seventeen, engine, tmp_path) == before


async def test_what_a_dead_worker_left_running_is_ended_and_the_work_done_anew(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(clusters, seventeen, FILLED.format(tables=50))
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    work = asyncio.create_task(clusters.upgrades.carry_over(seventeen, 18, LABEL))
    await pg_upgrade_of(clusters, seventeen, work)
    await clusters.upgrades.carry_over(seventeen, 18, LABEL)
    with pytest.raises(UpgradeRefused):
        await work
    await clusters.upgrades.carry_over(seventeen, 18, LABEL)  # what is done is not done again
    await clusters.upgrades.finish(seventeen, 18, LABEL)
    await clusters.upgrades.finish(seventeen, 18, LABEL)
    await clusters.switch_in(seventeen.ref, LABEL)
    await clusters.start(seventeen)
    assert await ask(clusters, seventeen, "select count(*) from public.parts") == [(5000,)]


async def test_a_step_that_is_called_off_ends_its_programs(clusters: LocalClusters, seventeen: ClusterSpec) -> None:
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    work = asyncio.create_task(clusters.upgrades.carry_over(seventeen, 18, LABEL))
    await pg_upgrade_of(clusters, seventeen, work)
    work.cancel()
    await asyncio.wait([work])
    assert "pg_upgrade" not in programs(clusters, seventeen)
    await back(clusters, seventeen)


async def test_a_new_cluster_that_does_not_start_is_found_out_before_it_takes_the_place(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    await clusters.upgrades.carry_over(seventeen, 18, LABEL)
    broken = replace(seventeen, settings={"max_connections": "3"})
    with pytest.raises(StartFailed, match="superuser_reserved_connections"):
        await clusters.upgrades.finish(broken, 18, LABEL)
    await back(clusters, seventeen)


async def test_what_was_switched_in_is_switched_back(clusters: LocalClusters, seventeen: ClusterSpec) -> None:
    await ask(clusters, seventeen, "create table public.kept as select 42 as answer")
    await upgrade(clusters, seventeen, 18)
    await back(clusters, seventeen)
    assert await ask(clusters, seventeen, "select answer from public.kept") == [(42,)]
    await upgrade(clusters, seventeen, 18)
    assert await ask(clusters, seventeen, "select answer from public.kept") == [(42,)]


async def test_an_extension_without_a_way_to_its_new_version_stays_and_is_told(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(clusters, seventeen, "create extension hstore with schema extensions")
    await ask(clusters, seventeen, "update pg_extension set extversion = '0.1' where extname = 'hstore'")
    (sentence,) = await upgrade(clusters, seventeen, 18)
    assert sentence.startswith("Extension hstore in database postgres stays at 0.1, not 1.8: extension")
