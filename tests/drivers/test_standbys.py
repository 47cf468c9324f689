"""Read replicas as processes: how they are made, follow, fall behind, and come through the death of everybody involved."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import psutil
import psycopg
import pytest

from baseplane.drivers.cluster import (
    ClusterSpec,
    DriverUnavailable,
    Role,
    Slot,
    StandbyRefused,
    StandbySpec,
    State,
    streaming,
)
from baseplane.drivers.cluster.base_backup import BaseBackup
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.errors import Unavailable
from tests.drivers.conftest import new_spec
from tests.drivers.test_local_clusters import ask, postmaster
from tests.processes import kill


@pytest.fixture
async def primary(clusters: LocalClusters) -> AsyncIterator[ClusterSpec]:
    """A small bound on slots, so that one is soon lost."""
    spec = new_spec(settings={"max_slot_wal_keep_size": "8MB", "max_wal_size": "8MB", "wal_keep_size": "0"})
    await clusters.create(spec)
    await clusters.start(spec)
    yield spec
    await clusters.remove(spec.ref)


@pytest.fixture
async def spec(clusters: LocalClusters, primary: ClusterSpec) -> AsyncIterator[StandbySpec]:
    """A standby that is not made yet."""
    spec = StandbySpec(f"{primary.ref}-rr-eu-central-1-abcde", primary)
    yield spec
    await clusters.standbys.remove(spec)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has a copy made looks at once how it stands."""
    monkeypatch.setattr(streaming, "PATIENCE", 0)


@pytest.fixture
async def standby(clusters: LocalClusters, spec: StandbySpec) -> StandbySpec:
    await fill(clusters, spec)
    await clusters.standbys.start(spec)
    await follows(clusters, spec)
    return spec


async def until(ask: Callable[[], Awaitable[Any]], within: float = 20) -> None:
    async with asyncio.timeout(within):
        while not await ask():
            await asyncio.sleep(0.01)


async def fill(clusters: LocalClusters, spec: StandbySpec) -> None:
    await until(lambda: clusters.standbys.fill(spec))


async def follows(clusters: LocalClusters, spec: StandbySpec) -> None:
    async def streams() -> bool:
        link = await clusters.standbys.link(spec)
        return link.streams and link.bytes == 0

    await until(streams)


def own(spec: StandbySpec) -> ClusterSpec:
    """The standby as a cluster of its own."""
    return replace(spec.primary, ref=spec.name)


async def slots(clusters: LocalClusters, primary: ClusterSpec) -> object:
    return await ask(clusters, primary, "select count(*) from pg_replication_slots")


def copying(clusters: LocalClusters, spec: StandbySpec) -> BaseBackup:
    return clusters.standbys._backup(spec)


async def test_what_is_committed_is_read_there_and_nothing_is_written(
    clusters: LocalClusters, standby: StandbySpec
) -> None:
    await ask(clusters, standby.primary, "create table public.kept as select generate_series(1, 1000) as id")
    await clusters.standbys.catch_up(standby, 5)
    assert await ask(clusters, own(standby), "select count(*) from public.kept") == 1000
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await ask(clusters, own(standby), "insert into public.kept values (0)")
    link = await clusters.standbys.link(standby)
    assert (link.slot, link.streams, link.bytes, link.seconds) == (Slot.KEPT, True, 0, 0)


async def test_a_tenant_does_not_learn_where_its_primary_has_its_socket(
    clusters: LocalClusters, standby: StandbySpec
) -> None:
    secret = clusters.layout.cluster(standby.primary.ref).sockets.name
    async with clusters.connect(standby.name, Role.OWNER, standby.primary.secret) as db:
        shown = await (await db.execute("select conninfo || sender_host from pg_stat_wal_receiver")).fetchone()
        assert shown is not None
        assert "application_name" in shown[0]
        assert secret not in shown[0]
        assert standby.primary.secret not in shown[0]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await db.execute("show primary_conninfo")


@pytest.mark.parametrize("whose", ["standby", "primary"])
async def test_a_killed_postmaster_comes_back_and_the_standby_follows(
    clusters: LocalClusters, standby: StandbySpec, whose: str
) -> None:
    killed = own(standby) if whose == "standby" else standby.primary
    kill(postmaster(clusters, killed))
    assert await clusters.observe(killed.ref) == State.STOPPED
    await (clusters.standbys.start(standby) if whose == "standby" else clusters.start(standby.primary))
    await ask(clusters, standby.primary, "create table public.later ()")
    await follows(clusters, standby)
    assert await ask(clusters, own(standby), "select to_regclass('public.later')::text") == "public.later"


@pytest.mark.parametrize("whose", ["the copy", "the primary"])
async def test_a_copy_that_is_broken_off_is_made_anew(
    clusters: LocalClusters, spec: StandbySpec, whose: str, impatient: None
) -> None:
    await ask(clusters, spec.primary, "create table public.big as select generate_series(1, 1000000) as id")
    assert not await clusters.standbys.fill(spec)
    pid = int(copying(clusters, spec)._pid.read_text())
    kill(pid if whose == "the copy" else postmaster(clusters, spec.primary))
    await clusters.start(spec.primary)
    with pytest.raises(DriverUnavailable, match="Copying the primary broke off"):
        await fill(clusters, spec)
    await fill(clusters, spec)
    await clusters.standbys.start(spec)
    await follows(clusters, spec)
    assert await ask(clusters, own(spec), "select count(*) from public.big") == 1_000_000


async def test_a_copy_goes_on_without_us_and_is_found_again(
    clusters: LocalClusters, spec: StandbySpec, settings: Any, impatient: None
) -> None:
    assert not await clusters.standbys.fill(spec)
    other = LocalClusters(clusters.layout, settings.engines_dir, clusters.account)
    try:
        await fill(other, spec)
    finally:
        other.close()
    assert (clusters.layout.cluster(spec.name).data / "PG_VERSION").exists()


async def test_removing_it_leaves_no_slot_no_file_and_no_process(clusters: LocalClusters, standby: StandbySpec) -> None:
    pid = postmaster(clusters, own(standby))
    for _ in range(2):
        await clusters.standbys.remove(standby)
        assert await slots(clusters, standby.primary) == 0
        assert not list(clusters.layout.clusters.glob(f"*{standby.name}*"))
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_removing_it_while_it_is_copied_ends_the_copy(
    clusters: LocalClusters, spec: StandbySpec, impatient: None
) -> None:
    await ask(clusters, spec.primary, "create table public.big as select generate_series(1, 1000000) as id")
    assert not await clusters.standbys.fill(spec)
    assert copying(clusters, spec).is_running
    await clusters.standbys.remove(spec)
    assert not copying(clusters, spec).is_running
    assert await slots(clusters, spec.primary) == 0
    assert not list(clusters.layout.clusters.glob(f"*{spec.name}*"))


async def test_a_stopped_primary_loses_the_slot_of_a_removed_standby(
    clusters: LocalClusters, standby: StandbySpec
) -> None:
    await clusters.stop(standby.primary.ref)
    await clusters.standbys.remove(standby)
    await clusters.start(standby.primary)
    assert await slots(clusters, standby.primary) == 0


async def test_a_standby_whose_files_are_gone_is_removed(clusters: LocalClusters, standby: StandbySpec) -> None:
    await clusters.remove(standby.name)
    await clusters.standbys.remove(standby)
    assert await slots(clusters, standby.primary) == 0


async def test_a_standby_that_falls_too_far_behind_loses_its_slot_and_not_the_primarys_disk(
    clusters: LocalClusters, standby: StandbySpec
) -> None:
    await clusters.stop(standby.name)
    for _ in range(6):
        await ask(
            clusters,
            standby.primary,
            "create table public.heap as select repeat('x', 900) from generate_series(1, 9000)",
        )
        await ask(clusters, standby.primary, "drop table public.heap")
        await ask(clusters, standby.primary, "checkpoint")
    kept = await ask(clusters, standby.primary, "select sum(size)::bigint from pg_ls_waldir()")
    assert isinstance(kept, int)
    assert kept < 40 * 2**20
    await clusters.standbys.start(standby)
    assert (await clusters.standbys.link(standby)).slot == Slot.LOST


async def test_settings_of_the_primary_are_followed_up_and_down(clusters: LocalClusters, standby: StandbySpec) -> None:
    for connections in ("90", "40"):
        primary = replace(standby.primary, settings={**standby.primary.settings, "max_connections": connections})
        wanted = StandbySpec(standby.name, primary)
        await clusters.configure(primary)
        await clusters.stop(primary.ref)
        await clusters.start(primary)
        await ask(clusters, primary, "create table if not exists public.mark ()")

        async def takes_them(wanted: StandbySpec = wanted, connections: str = connections) -> bool:
            """Less is taken only when it has replayed that the primary takes less."""
            if not await clusters.standbys.is_current(wanted):
                await clusters.standbys.follow(wanted)
            return await ask(clusters, own(wanted), "show max_connections") == connections

        await until(takes_them)
        await follows(clusters, wanted)


async def test_a_standby_that_was_down_while_its_primary_took_less_starts(
    clusters: LocalClusters, standby: StandbySpec
) -> None:
    await clusters.stop(standby.name)
    primary = replace(standby.primary, settings={**standby.primary.settings, "max_connections": "40"})
    await clusters.stop(primary.ref)
    await clusters.start(primary)
    await clusters.standbys.start(StandbySpec(standby.name, primary))
    await follows(clusters, standby)


async def test_a_new_root_key_opens_secrets_there(clusters: LocalClusters, standby: StandbySpec) -> None:
    await ask(clusters, standby.primary, "select vault.create_secret('hidden', 'a name')::text")
    await clusters.standbys.catch_up(standby, 5)
    read = "select decrypted_secret from vault.decrypted_secrets where name = 'a name'"
    assert await ask(clusters, own(standby), read) == "hidden"
    await clusters.give_root_keys(replace(standby.primary, root_keys=("11" * 32, *standby.primary.root_keys)))
    await ask(clusters, standby.primary, "select vault._rotate()")
    await clusters.standbys.catch_up(standby, 5)
    assert await ask(clusters, own(standby), read) == "hidden"


async def test_a_primary_without_a_free_slot_says_so(clusters: LocalClusters, spec: StandbySpec) -> None:
    for number in range(5):
        await ask(clusters, spec.primary, f"select pg_create_physical_replication_slot('own_{number}')::text")
    with pytest.raises(StandbyRefused, match="raise max_replication_slots"):
        await clusters.standbys.fill(spec)


async def test_without_an_answering_primary_nothing_is_known(clusters: LocalClusters, standby: StandbySpec) -> None:
    await clusters.stop(standby.primary.ref)
    with pytest.raises(Unavailable):
        await clusters.standbys.link(standby)
    assert await ask(clusters, own(standby), "select 1") == 1


async def test_it_follows_on_another_major(clusters: LocalClusters) -> None:
    spec = new_spec(engine=18)
    standby = StandbySpec(f"{spec.ref}-rr-eu-central-1-abcde", spec)
    try:
        await clusters.create(spec)
        await clusters.start(spec)
        await fill(clusters, standby)
        await clusters.standbys.start(standby)
        await follows(clusters, standby)
        assert str(await ask(clusters, own(standby), "show server_version")).startswith("18")
    finally:
        await clusters.standbys.remove(standby)
        await clusters.remove(spec.ref)


async def test_the_way_to_a_primary_that_has_moved_is_made_anew(clusters: LocalClusters, standby: StandbySpec) -> None:
    await clusters.stop(standby.name)
    way = clusters.layout.cluster(standby.name).home / "primary"
    way.unlink()
    way.symlink_to("/nowhere")
    await clusters.standbys.start(standby)
    await follows(clusters, standby)
