"""What every cluster driver promises, asked of the one that remembers and of the one that runs Postgres."""

import asyncio
import secrets
import string
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from baseplane.drivers.cluster import (
    ClusterDriver,
    ClusterMissing,
    ClusterSpec,
    Role,
    SettingsRefused,
    Slot,
    StandbySpec,
    State,
)
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.errors import Unavailable
from baseplane.settings import Settings


@pytest.fixture(params=["memory", "local"])
async def driver(request: pytest.FixtureRequest, settings: Settings, platform: str) -> ClusterDriver:
    if request.param == "memory":
        return MemoryClusters(platform)
    local: LocalClusters = request.getfixturevalue("local")
    await local.prepare(settings.engine, lambda _: None)
    return local


@pytest.fixture
async def spec(driver: ClusterDriver, settings: Settings) -> AsyncIterator[ClusterSpec]:
    """A cluster that is not there yet, and is gone after the test."""
    ref = "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))
    yield ClusterSpec(
        ref, settings.engine, "nano", secrets.token_urlsafe(32), "correct horse", (secrets.token_hex(32),)
    )
    await driver.remove(ref)


@pytest.fixture
async def running(driver: ClusterDriver, spec: ClusterSpec) -> ClusterSpec:
    await driver.create(spec)
    await driver.start(spec)
    return spec


async def answer(driver: ClusterDriver, spec: ClusterSpec, role: Role = Role.OWNER, query: str = "select 1") -> object:
    async with driver.connect(spec.ref, role, spec.secret) as db:
        cursor = await db.execute(query.encode())
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None


async def test_a_cluster_goes_from_missing_to_stopped_to_running_and_back(
    driver: ClusterDriver, spec: ClusterSpec
) -> None:
    seen = [await driver.observe(spec.ref)]
    for act in (driver.create(spec), driver.start(spec), driver.stop(spec.ref), driver.remove(spec.ref)):
        await act
        seen.append(await driver.observe(spec.ref))
    assert seen == [State.MISSING, State.STOPPED, State.RUNNING, State.STOPPED, State.MISSING]


async def test_a_second_create_and_start_change_nothing(driver: ClusterDriver, running: ClusterSpec) -> None:
    await driver.create(running)
    await driver.start(running)
    assert await driver.observe(running.ref) == State.RUNNING
    assert await answer(driver, running) == 1


async def test_a_second_stop_and_remove_change_nothing(driver: ClusterDriver, running: ClusterSpec) -> None:
    for _ in range(2):
        await driver.stop(running.ref)
        assert await driver.observe(running.ref) == State.STOPPED
    for _ in range(2):
        await driver.remove(running.ref)
        assert await driver.observe(running.ref) == State.MISSING


async def test_a_running_cluster_can_be_removed(driver: ClusterDriver, running: ClusterSpec) -> None:
    await driver.remove(running.ref)
    assert await driver.observe(running.ref) == State.MISSING


async def test_a_removed_cluster_can_be_made_again(driver: ClusterDriver, running: ClusterSpec) -> None:
    await driver.remove(running.ref)
    again = replace(running, secret=secrets.token_urlsafe(32))
    await driver.create(again)
    await driver.start(again)
    assert await answer(driver, again) == 1


async def test_what_is_missing_cannot_be_started_or_reached(driver: ClusterDriver, spec: ClusterSpec) -> None:
    with pytest.raises(ClusterMissing):
        await driver.start(spec)
    with pytest.raises(ClusterMissing):
        await answer(driver, spec)
    with pytest.raises(ClusterMissing):
        await driver.set_password(spec)


async def test_what_is_missing_can_be_stopped_and_removed(driver: ClusterDriver, spec: ClusterSpec) -> None:
    await driver.stop(spec.ref)
    await driver.remove(spec.ref)
    assert await driver.observe(spec.ref) == State.MISSING


async def test_a_stopped_cluster_cannot_be_reached(driver: ClusterDriver, running: ClusterSpec) -> None:
    assert await answer(driver, running) == 1
    await driver.stop(running.ref)
    with pytest.raises(Unavailable):
        await answer(driver, running)


async def test_a_wrong_secret_is_turned_away(driver: ClusterDriver, running: ClusterSpec) -> None:
    with pytest.raises(Unavailable):
        await answer(driver, replace(running, secret="another"))


async def test_every_cluster_is_observed_at_once(driver: ClusterDriver, running: ClusterSpec) -> None:
    stopped = replace(running, ref=running.ref[::-1])
    await driver.create(stopped)
    try:
        seen = await driver.observe_all()
        assert (seen[running.ref], seen[stopped.ref]) == (State.RUNNING, State.STOPPED)
    finally:
        await driver.remove(stopped.ref)
    assert stopped.ref not in await driver.observe_all()


async def test_each_role_is_let_in(driver: ClusterDriver, running: ClusterSpec) -> None:
    for role in Role:
        assert await answer(driver, running, role) == 1


async def test_a_closed_cluster_lets_nobody_in_but_the_platform_until_it_is_opened(
    driver: ClusterDriver, running: ClusterSpec
) -> None:
    await driver.stop(running.ref)
    for _ in range(2):
        await driver.start(running, closed=True)
        assert await answer(driver, running, Role.ADMIN) == 1
        for role in (Role.OWNER, Role.READER):
            with pytest.raises(Unavailable):
                await answer(driver, running, role)
    await driver.start(running)
    assert [await answer(driver, running, role) for role in Role] == [1, 1, 1]
    await driver.stop(running.ref)
    await driver.start(running, closed=True)
    await driver.stop(running.ref)
    await driver.start(running)
    assert await answer(driver, running) == 1


async def test_a_borrowed_connection_holds_nothing_of_the_last_borrower(
    driver: ClusterDriver, running: ClusterSpec
) -> None:
    await answer(driver, running, query="set work_mem = '7MB'")
    assert await answer(driver, running, query="show work_mem") != "7MB"
    async with driver.connect(running.ref, Role.OWNER, running.secret) as db:
        await db.set_autocommit(False)
        await db.execute("select 1")
    async with driver.connect(running.ref, Role.OWNER, running.secret) as db:
        assert db.autocommit


async def test_the_password_can_be_set_twice(driver: ClusterDriver, running: ClusterSpec) -> None:
    changed = replace(running, password="battery staple")
    await driver.set_password(changed)
    await driver.set_password(changed)
    assert await answer(driver, changed) == 1


async def test_data_survives_a_stop_and_a_start(driver: ClusterDriver, running: ClusterSpec) -> None:
    table = f"public.kept_{running.ref}"
    await answer(driver, running, Role.ADMIN, f"create table {table} as select 42 as answer")
    await driver.stop(running.ref)
    await driver.start(running)
    assert await answer(driver, running, Role.ADMIN, f"select answer from {table}") == 42
    await answer(driver, running, Role.ADMIN, f"drop table {table}")


async def test_the_version_of_a_new_cluster_is_known_in_full(driver: ClusterDriver, settings: Settings) -> None:
    major, _, minor = driver.version(settings.engine).partition(".")
    assert int(major) == settings.engine
    assert minor.isdigit()


async def test_settings_wait_for_a_start_only_where_they_must(driver: ClusterDriver, running: ClusterSpec) -> None:
    changed = replace(running, settings={"work_mem": "9MB", "max_connections": "70"})
    for _ in range(2):
        assert await driver.configure(changed) == {"max_connections"}
    await driver.stop(running.ref)
    assert await driver.configure(changed) == set()
    await driver.start(changed)
    assert await driver.configure(changed) == set()
    assert await driver.configure(running) == {"max_connections"}


async def test_a_rehearsal_refuses_what_would_not_start_and_changes_nothing(
    driver: ClusterDriver, running: ClusterSpec
) -> None:
    assert await driver.rehearse(replace(running, settings={"max_connections": "70"})) > 0
    with pytest.raises(SettingsRefused, match="superuser_reserved_connections"):
        await driver.rehearse(replace(running, settings={"max_connections": "3"}))
    assert await driver.configure(running) == set()


async def test_a_cluster_that_is_not_there_takes_no_settings(driver: ClusterDriver, spec: ClusterSpec) -> None:
    with pytest.raises(ClusterMissing):
        await driver.configure(spec)


async def test_what_a_cluster_takes_on_disk_is_measured(driver: ClusterDriver, spec: ClusterSpec) -> None:
    with pytest.raises(ClusterMissing):
        await driver.measure(spec.ref)
    await driver.create(spec)
    assert 20_000_000 < await driver.measure(spec.ref) < 60_000_000


async def follows(driver: ClusterDriver, standby: StandbySpec) -> None:
    async with asyncio.timeout(20):
        while not await driver.standbys.fill(standby):
            await asyncio.sleep(0.01)
        await driver.standbys.start(standby)
        while not (await driver.standbys.link(standby)).streams:
            await asyncio.sleep(0.01)


async def test_a_standby_is_a_cluster_of_its_own_that_follows(driver: ClusterDriver, running: ClusterSpec) -> None:
    standby = StandbySpec(f"{running.ref}-rr-eu-central-1-abcde", running)
    assert await driver.observe(standby.name) == State.MISSING
    for _ in range(2):
        await follows(driver, standby)
        assert (await driver.observe_all())[standby.name] == State.RUNNING
        link = await driver.standbys.link(standby)
        assert (link.slot, link.streams) == (Slot.KEPT, True)
        await driver.standbys.catch_up(standby, 5)
        assert await driver.standbys.is_current(standby)
    await driver.stop(running.ref)
    with pytest.raises(Unavailable):
        await driver.standbys.link(standby)
    await driver.start(running)
    await driver.stop(standby.name)
    assert await driver.observe(standby.name) == State.STOPPED
    await follows(driver, standby)
    for _ in range(2):
        await driver.standbys.remove(standby)
        assert await driver.observe(standby.name) == State.MISSING
    assert await driver.observe(running.ref) == State.RUNNING


async def test_a_standby_takes_the_settings_of_its_primary(driver: ClusterDriver, running: ClusterSpec) -> None:
    standby = StandbySpec(f"{running.ref}-rr-eu-central-1-abcde", running)
    await follows(driver, standby)
    primary = replace(running, settings={"max_connections": "70"})
    changed = replace(standby, primary=primary)
    assert not await driver.standbys.is_current(changed)
    await driver.standbys.follow(changed)
    assert await driver.standbys.is_current(changed)
    await driver.standbys.remove(changed)


async def test_a_standby_whose_files_are_gone_is_missing(driver: ClusterDriver, running: ClusterSpec) -> None:
    standby = StandbySpec(f"{running.ref}-rr-eu-central-1-abcde", running)
    await follows(driver, standby)
    await driver.remove(standby.name)
    with pytest.raises(ClusterMissing):
        await driver.standbys.start(standby)
    with pytest.raises(ClusterMissing):
        await driver.standbys.is_current(standby)
    await driver.standbys.remove(standby)


async def test_a_primary_that_is_gone_has_no_copy(driver: ClusterDriver, spec: ClusterSpec) -> None:
    with pytest.raises(ClusterMissing):
        await driver.standbys.fill(StandbySpec(f"{spec.ref}-rr-eu-central-1-abcde", spec))
