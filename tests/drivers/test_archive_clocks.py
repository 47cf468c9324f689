"""Restores across a clock that was set while the cluster wrote.

It is the cluster's own clock that jumps, with which commits are stamped; that of the archive and of the files is the
machine's, and goes on.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import RecoveryFailed, Target
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.cluster.engines import Engine, pick
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.settings import Settings
from tests.drivers.conftest import new_spec
from tests.drivers.test_archive import Archived

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")


@dataclass(frozen=True)
class Skewed(Engine):
    """Its programs add to the time what the file ``offset`` says at that moment, in seconds, such as ``+300``."""

    offset: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **super().environment,
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@dataclass
class Written(Archived):
    """``offset`` is the file that sets its clock."""

    offset: Path

    async def write(self, number: int, *, seconds: int) -> None:
        """A row, committed when the clock is off by so many seconds."""
        self.offset.write_text(f"+{seconds}")
        shown = await self.ask("select extract(epoch from clock_timestamp())::float8")
        assert abs(shown - time.time() - seconds) < 60
        await self.ask(f"insert into public.kept values ({number})")

    async def rows(self) -> object:
        return await self.ask("select array_agg(id order by id) from public.kept")


@pytest.fixture
async def written(
    clusters: LocalClusters, settings: Settings, keyring: Keyring, tmp_path: Path
) -> AsyncIterator[Written]:
    driver = LocalClusters(clusters.layout, settings.engines_dir, clusters.account, rpo=60)
    spec = new_spec()
    offset = clusters.layout.root / f"offset-{spec.ref}"  # where the server may read it
    offset.write_text("+0")
    engine = pick(spec.engine, settings.engines_dir)
    driver._engine_of[spec.engine] = Skewed(engine.major, engine.version, engine.home, engine.origin, offset)
    await driver.create(spec)
    await driver.start(spec)
    yield Written(LocalArchive(driver, str(tmp_path / "archive"), keyring), spec, offset)
    await driver.remove(spec.ref)
    driver.close()


@pytest.mark.parametrize(
    "offsets",
    [pytest.param((0, 300, 0), id="set forward and back again"), pytest.param((0, 300, 300), id="set forward")],
)
async def test_nothing_that_was_committed_is_lost_when_the_clock_is_set(
    written: Written, offsets: tuple[int, ...]
) -> None:
    await written.ask("create table public.kept (id int)")
    backup = await written.backup()
    for number, seconds in enumerate(offsets, start=1):
        await written.write(number, seconds=seconds)
        if number == 1:
            first = await written.moment()
    await written.archive.mark(written.spec, "here")
    written.offset.write_text("+0")
    between, late = first + timedelta(seconds=150), first + timedelta(seconds=600)
    for label, target, expected in (
        ("end", Target(), [1, 2, 3]),
        ("point", Target(point="here"), [1, 2, 3]),
        ("late", Target(time=late, complete_until=late), [1, 2, 3]),
        ("between", Target(time=between), [1]),  # set back, the third is stamped before that, and still not in it
    ):
        await written.brought_back(backup.id, target, label)
        assert (label, await written.rows()) == (label, expected)
    with pytest.raises(RecoveryFailed, match="ends before a transaction after"):
        await written.archive.prepare(written.spec, "unknown", backup.id, Target(time=late))
