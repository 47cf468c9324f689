"""Another data directory in a cluster's place: broken off at any step, there is always one, and a second try ends it."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, Role, State, switching
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.cluster.switching import Switch, settle

MOMENTS = range(12)
"""More than there are renames and syncs in a switch."""


class CrashError(BaseException):
    """The process dies."""


@pytest.fixture
def switch(tmp_path: Path) -> Switch:
    """A cluster's home with its data, and other data prepared."""
    switch = Switch(tmp_path, "restore-1")
    for directory, contents in ((tmp_path / "data", "old"), (switch.prepared, "new")):
        directory.mkdir(parents=True)
        (directory / "contents").write_text(contents)
    return switch


def contents(switch: Switch) -> str:
    return (switch.home / "data" / "contents").read_text()


def die_at(moment: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> bool:
    """Do it, and die before the rename or sync at ``moment``; tells whether it came that far."""
    left = moment

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal left
            if left == 0:
                raise CrashError
            left -= 1
            return original(*arguments, **named)

        return call

    with monkeypatch.context() as dying:
        for place, name in ((switching, "_rename"), (switching, "_sync"), (switching, "_note"), (Path, "unlink")):
            dying.setattr(place, name, counted(getattr(place, name)))
        try:
            act()
        except CrashError:
            return True
    return False


def test_what_was_prepared_takes_the_place_and_the_old_data_is_kept(switch: Switch) -> None:
    switch.switch_in()
    assert (contents(switch), switch.is_in) == ("new", True)
    assert (switch.replaced / "contents").read_text() == "old"
    switch.switch_back()
    assert (contents(switch), switch.is_in) == ("old", False)
    assert (switch.prepared / "contents").read_text() == "new"


def test_each_is_done_once(switch: Switch) -> None:
    for _ in range(2):
        switch.switch_in()
        assert contents(switch) == "new"
    for _ in range(2):
        switch.switch_back()
        assert contents(switch) == "old"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_switch_that_dies_at_any_moment_leaves_one_of_the_two(
    switch: Switch, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = die_at(moment, monkeypatch, switch.switch_in)
    settle(switch.home)
    assert contents(switch) in ("old", "new")
    assert died or contents(switch) == "new"
    switch.switch_in()
    assert (contents(switch), switch.is_in) == ("new", True)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_way_back_that_dies_at_any_moment_leaves_one_of_the_two(
    switch: Switch, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch.switch_in()
    died = die_at(moment, monkeypatch, switch.switch_back)
    settle(switch.home)
    assert contents(switch) in ("old", "new")
    assert died or contents(switch) == "old"
    switch.switch_back()
    assert (contents(switch), switch.is_in) == ("old", False)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_switch_that_died_can_be_given_up(switch: Switch, moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    die_at(moment, monkeypatch, switch.switch_in)
    switch.switch_back()
    switch.discard()
    assert contents(switch) == "old"
    assert switching.all_aside(switch.home) == []


def test_discarding_deletes_what_is_not_in_the_place(switch: Switch) -> None:
    switch.switch_in()
    switch.discard()
    switch.discard()
    assert contents(switch) == "new"
    assert not switch.aside.exists()


def test_what_was_never_prepared_is_not_switched_in(switch: Switch) -> None:
    with pytest.raises(ClusterMissing, match="prepared as restore-2"):
        Switch(switch.home, "restore-2").switch_in()
    assert contents(switch) == "old"


def test_data_that_is_lost_is_not_replaced_by_what_an_ended_switch_left(switch: Switch) -> None:
    switch.switch_in()
    (switch.home / "data").rename(switch.home.with_name("lost"))
    settle(switch.home)
    assert not (switch.home / "data").exists()


def _own_all(clusters: LocalClusters, directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        clusters.account.give(path, 0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("moment", MOMENTS)
def test_lost_data_is_replaced_however_often_that_dies(
    switch: Switch, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(switch.home / "data")
    die_at(moment, monkeypatch, switch.switch_in)
    switch.switch_in()
    switch.switch_back()
    assert (contents(switch), switch.is_in) == ("new", True)
    switch.discard()
    assert contents(switch) == "new"


async def test_a_cluster_serves_what_was_switched_in_and_then_what_it_had(
    clusters: LocalClusters, cluster: ClusterSpec
) -> None:
    async def ask(query: bytes) -> object:
        async with clusters.connect(cluster.ref, Role.ADMIN, cluster.secret) as db:
            return await (await db.execute(query)).fetchone()

    await clusters.stop(cluster.ref)
    aside = clusters.layout.aside(cluster.ref, "copy").data
    clusters.account.own(aside.parent)
    await asyncio.to_thread(shutil.copytree, clusters.layout.cluster(cluster.ref).data, aside)
    await asyncio.to_thread(_own_all, clusters, aside)
    await clusters.start(cluster)
    async with clusters.connect(cluster.ref, Role.ADMIN, cluster.secret) as db:
        await db.execute("create table public.since ()")
    await clusters.switch_in(cluster.ref, "copy")
    assert await clusters.observe(cluster.ref) == State.STOPPED
    await clusters.start(cluster)
    assert await ask(b"select to_regclass('public.since')::text") == (None,)
    await clusters.switch_back(cluster.ref, "copy")
    await clusters.discard(cluster.ref, "copy")
    await clusters.start(cluster)
    assert await ask(b"select to_regclass('public.since')::text") == ("public.since",)
