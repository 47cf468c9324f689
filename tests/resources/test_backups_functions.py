"""Functions as part of backups: what served comes back, from the archive if need be, and nothing is kept for ever."""

import dataclasses
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import ArchiveUnavailable
from baseplane.drivers.archive.absent import NoArchive
from baseplane.drivers.archive.files import StoredFiles
from baseplane.drivers.archive.memory import MemoryArchive
from baseplane.drivers.artifacts.directory import Directory
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.backups import functions, retention, watch
from baseplane.resources.backups import store as backups
from baseplane.resources.backups.report import Report, report
from baseplane.resources.backups.taking import drill, subject, take
from baseplane.resources.functions import history, store
from baseplane.runtime import Runtime
from baseplane.workflows import queue
from tests.conftest import Client, client_of
from tests.resources.functions.deploying import given, listed

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def rt_of(rt: Runtime, memory: MemoryClusters, keyring: Keyring, tmp_path: Path) -> Runtime:
    """Files, at least, are in a real archive, and artifacts where a test may lose them."""
    archive = MemoryArchive(memory, keyring, str(tmp_path / "archive"))
    return dataclasses.replace(rt, archive=archive, artifacts=Directory(tmp_path / "artifacts"))


@pytest.fixture
async def own(rt_of: Runtime) -> AsyncIterator[Client]:
    async with client_of(rt_of) as client:
        yield client


@pytest.fixture
async def ref(own: Client, rt_of: Runtime) -> str:
    """A project with a backup from before anything that a test does."""
    ref = await own.active_project()
    await watch.look(rt_of)
    await own.drain()
    await watch.carry(rt_of)
    await a_minute_passes(rt_of, ref)
    return ref


async def a_minute_passes(rt: Runtime, ref: str) -> None:
    await time_passes(rt, ref, timedelta(minutes=1))


async def time_passes(rt: Runtime, ref: str, by: timedelta) -> None:
    """What was done until now, was done that much earlier."""
    async with rt.database.connection() as db:
        await db.execute("update backups set finished_at = finished_at - %s where project_ref = %s", [by, ref])
        await db.execute(
            "update function_history set since = since - %(by)s, until = until - %(by)s where project_ref = %(ref)s",
            {"by": by, "ref": ref},
        )
        await db.execute(
            "update function_versions v set created_at = v.created_at - %s from functions where id = function_id"
            " and project_ref = %s",
            [by, ref],
        )


async def restore(own: Client, ref: str, ago: float = 30) -> str:
    """Bring the project back to where it was so many seconds ago; gives its status."""
    body = {"recovery_time_target_unix": int(time.time() - ago)}
    answer = await own.post(f"/v1/projects/{ref}/database/backups/restore-pitr", body)
    assert answer.status_code == 201, answer.text
    await own.drain()
    return await own.status(ref)


async def text(own: Client, ref: str, slug: str) -> str:
    return (await own.call("GET", f"/v1/projects/{ref}/functions/{slug}/body")).text


async def change(own: Client, ref: str, of: str, **fields: Any) -> None:
    answer = await own.call("PATCH", f"/v1/projects/{ref}/functions/{of}", params=fields)
    assert answer.status_code == 200, answer.text


async def delete(own: Client, ref: str, slug: str) -> None:
    assert (await own.call("DELETE", f"/v1/projects/{ref}/functions/{slug}")).status_code == 200
    await own.drain()


async def cause(rt: Runtime, ref: str) -> str:
    async with rt.database.connection() as db:
        row = await (await db.execute("select cause from projects where ref = %s", [ref])).fetchone()
    return str(row and row[0])


async def reported(rt: Runtime, ref: str) -> Report:
    async with rt.database.connection() as db:
        return next(each for each in await report(db, rt.settings) if each.ref == ref)


def archived(tmp_path: Path, ref: str) -> list[Path]:
    return sorted((tmp_path / "archive" / ref).rglob("*.zst*"))


async def test_everything_comes_back_that_was_changed_since(own: Client, rt_of: Runtime, ref: str) -> None:
    for slug in ("deployed", "renamed", "deleted", "same"):
        await given(rt_of, ref, slug, f"old {slug}", verify_jwt=slug != "deployed")
    before = await listed(own, ref)
    await a_minute_passes(rt_of, ref)
    await given(rt_of, ref, "deployed", "new", verify_jwt=True, name="New")
    await change(own, ref, "renamed", slug="other")
    await delete(own, ref, "deleted")
    await given(rt_of, ref, "late", "late")
    assert [each["slug"] for each in await listed(own, ref)] == ["deployed", "other", "same", "late"]
    assert await restore(own, ref) == "ACTIVE_HEALTHY"
    after = await listed(own, ref)
    told = ("id", "slug", "name", "version", "verify_jwt", "created_at", "ezbr_sha256")
    assert [{key: each[key] for key in told} for each in after] == [{key: each[key] for key in told} for each in before]
    assert after[3]["updated_at"] == before[3]["updated_at"], "it was not touched"
    for slug in ("deployed", "renamed", "deleted", "same"):
        assert await text(own, ref, slug) == f"old {slug}"
    assert (await given(rt_of, ref, "deployed", "newer")).number == 3, "no number means two things"


async def test_names_that_were_exchanged_are_exchanged_again(own: Client, rt_of: Runtime, ref: str) -> None:
    await given(rt_of, ref, "one", "first")
    await given(rt_of, ref, "two", "second")
    await a_minute_passes(rt_of, ref)
    for slug, to in (("one", "aside"), ("two", "one"), ("aside", "two")):
        await change(own, ref, slug, slug=to)
    assert await restore(own, ref) == "ACTIVE_HEALTHY"
    assert [await text(own, ref, slug) for slug in ("one", "two")] == ["first", "second"]


async def test_what_was_made_later_gives_its_name_back_and_can_be_had_again(
    own: Client, rt_of: Runtime, ref: str
) -> None:
    await given(rt_of, ref, "hello", "old")
    await a_minute_passes(rt_of, ref)
    await delete(own, ref, "hello")
    await given(rt_of, ref, "hello", "later")
    late = await given(rt_of, ref, "late", "late")
    async with rt_of.database.connection() as db:
        await db.execute(
            "update function_versions set created_at = now() - interval '3 days' where function_id = %s", [late.id]
        )
    await a_minute_passes(rt_of, ref)
    assert await restore(own, ref, 90) == "ACTIVE_HEALTHY"
    assert [(each["slug"], await text(own, ref, "hello")) for each in await listed(own, ref)] == [("hello", "old")]
    again = [{"id": str(late.id), "slug": "late", "name": "late", "status": "ACTIVE", "version": 1}]
    assert (await own.call("PUT", f"/v1/projects/{ref}/functions", json=again)).status_code == 200
    assert await text(own, ref, "late") == "late", "versions that do not serve stay for a day"
    await a_minute_passes(rt_of, ref)
    await own.drain()
    assert await restore(own, ref, 90) == "ACTIVE_HEALTHY"
    assert [await text(own, ref, slug) for slug in ("hello", "late")] == ["later", "late"], "the restore is taken back"


async def test_what_was_lost_comes_from_the_archive(own: Client, rt_of: Runtime, ref: str, tmp_path: Path) -> None:
    await given(rt_of, ref, "lost", "lost")
    await given(rt_of, ref, "damaged", "damaged")
    await a_minute_passes(rt_of, ref)
    assert await functions.carry(rt_of) == []
    objects = archived(tmp_path, ref)
    assert [path.suffix for path in objects] == [".aes", ".aes"]
    assert not any(slug in path.read_bytes() for path in objects for slug in (b"lost", b"damaged"))
    await lose(rt_of, ref, "lost")
    async with rt_of.database.connection() as db:
        await rt_of.artifacts.put((await store.get(db, ref, "damaged")).artifact, b"something else")
    assert await restore(own, ref) == "ACTIVE_HEALTHY"
    assert [await text(own, ref, slug) for slug in ("lost", "damaged")] == ["lost", "damaged"]


async def lose(rt: Runtime, ref: str, slug: str) -> None:
    async with rt.database.connection() as db:
        await rt.artifacts.delete((await store.get(db, ref, slug)).artifact)


@pytest.mark.parametrize("how", ["missing", "damaged"])
async def test_what_is_nowhere_fails_the_restore_before_anything_is_replaced(
    own: Client, rt_of: Runtime, ref: str, how: str, tmp_path: Path
) -> None:
    await given(rt_of, ref, "hello", "old")
    await a_minute_passes(rt_of, ref)
    await functions.carry(rt_of)
    (kept,) = archived(tmp_path, ref)
    if how == "missing":
        kept.unlink()
    else:
        kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    await lose(rt_of, ref, "hello")
    await given(rt_of, ref, "hello", "new")
    assert await restore(own, ref) == "RESTORE_FAILED"
    told = await cause(rt_of, ref)
    assert "function hello, version 1, are lost" in told
    assert how in told
    assert await text(own, ref, "hello") == "new"
    assert ref not in rt_of.clusters.data  # type: ignore[attr-defined]
    if how == "missing":
        await given(rt_of, ref, "again", "old")  # the same files, whatever they are called
    else:
        async with rt_of.database.connection() as db:
            assert await history.give_up(db, ref, "hello") == 1
    assert await restore(own, ref) == "ACTIVE_HEALTHY"
    assert [each["slug"] for each in await listed(own, ref)] == (["hello"] if how == "missing" else [])


async def test_a_backup_is_complete_when_its_functions_are_in_the_archive(
    own: Client, rt_of: Runtime, ref: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given(rt_of, ref, "hello", "old")
    async with rt_of.database.connection() as db:
        await db.execute("update archives set ended_at = now() where project_ref = %s", [ref])
    await watch.look(rt_of)
    put = StoredFiles.put

    async def full(*_: Any) -> None:
        raise ArchiveUnavailable("The archive is full.")

    monkeypatch.setattr(StoredFiles, "put", full)
    keep = next(step for step in take.steps if step.name == "keep_functions")
    impatient = dataclasses.replace(keep, within=timedelta(seconds=0.3))
    monkeypatch.setattr(take, "steps", [impatient if step is keep else step for step in take.steps])
    await own.drain()
    path = f"/v1/projects/{ref}/database/backups"
    assert [each["status"] for each in (await own.get(path))["backups"]] == ["FAILED", "COMPLETED"]
    found = await reported(rt_of, ref)
    assert (found.files_kept, found.files_waiting, found.files_error) == (0, 1, "The archive is full.")
    assert "function hello, version 1, are not in the archive: The archive is full." in (found.failure or "")
    monkeypatch.setattr(StoredFiles, "put", put)
    async with rt_of.database.connection() as db:
        await db.execute("update backups set finished_at = now() - interval '2 hours' where status = 'FAILED'")
        await db.execute("update archives set ended_at = now() where project_ref = %s", [ref])
    await watch.look(rt_of)
    await own.drain()
    assert [each["status"] for each in (await own.get(path))["backups"]] == ["COMPLETED", "FAILED", "COMPLETED"]
    found = await reported(rt_of, ref)
    assert (found.files_kept, found.files_waiting, found.files_error) == (1, 0, None)
    assert len(archived(tmp_path, ref)) == 1


async def test_a_file_that_is_nowhere_keeps_no_other_from_the_archive(
    own: Client, rt_of: Runtime, ref: str, tmp_path: Path
) -> None:
    await given(rt_of, ref, "lost", "lost")
    await given(rt_of, ref, "hello", "hello")
    await lose(rt_of, ref, "lost")
    (error,) = await functions.carry(rt_of) or ()
    assert f"lost of project {ref}: There is no artifact" in error
    found = await reported(rt_of, ref)
    assert (found.files_kept, found.files_waiting) == (1, 1)
    await given(rt_of, ref, "lost", "lost")
    assert await functions.carry(rt_of) == []
    assert (await reported(rt_of, ref)).files_error is None


async def test_a_drill_tells_what_is_damaged_in_the_archive_and_it_is_taken_there_again(
    own: Client, rt_of: Runtime, ref: str, tmp_path: Path
) -> None:
    async def drilled() -> tuple[bool, str | None]:
        async with rt_of.database.transaction() as db:
            (backup,) = await backups.list_backups(db, ref)
            await backups.begin_drill(db, ref, backup.id)
            await queue.start(db, drill, subject("drill", ref))
        await own.drain()
        found = await reported(rt_of, ref)
        return bool(found.drill_passed), found.drill_cause

    await given(rt_of, ref, "hello", "old")
    await a_minute_passes(rt_of, ref)
    await functions.carry(rt_of)
    async with rt_of.database.connection() as db:
        await db.execute("update backups set finished_at = now() where project_ref = %s", [ref])
    assert await drilled() == (True, None)
    (kept,) = archived(tmp_path, ref)
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    passed, told = await drilled()
    assert not passed
    assert "function hello, version 1" in str(told)
    assert "damaged" in str(told)
    assert await functions.carry(rt_of) == []
    assert await drilled() == (True, None)


async def test_what_no_restore_can_ask_for_goes_from_archive_and_artifacts(
    own: Client, rt_of: Runtime, ref: str, tmp_path: Path
) -> None:
    await given(rt_of, ref, "hello", "old")
    await given(rt_of, ref, "hello", "new")
    await given(rt_of, ref, "twin", "old")
    await functions.carry(rt_of)
    await delete(own, ref, "twin")
    assert len(archived(tmp_path, ref)) == len(await rt_of.artifacts.list(ref)) == 2
    await time_passes(rt_of, ref, timedelta(days=3))
    await retention.apply(rt_of, timedelta(days=7))
    await own.drain()
    assert len(archived(tmp_path, ref)) == len(await rt_of.artifacts.list(ref)) == 2, "the backup reaches back to it"
    async with rt_of.database.connection() as db:
        await db.execute("update backups set finished_at = now() - interval '2 days' where project_ref = %s", [ref])
    await retention.apply(rt_of, timedelta(days=7))
    await own.drain()
    (kept,) = archived(tmp_path, ref)
    (artifact,) = await rt_of.artifacts.list(ref)
    async with rt_of.database.connection() as db:
        (served,) = await history.at(db, ref, datetime.now(UTC))
    assert kept.name.startswith(served.digest)
    assert artifact == served.artifact
    assert await text(own, ref, "hello") == "new"


async def test_a_restore_under_way_keeps_what_it_needs(own: Client, rt_of: Runtime, ref: str, tmp_path: Path) -> None:
    await given(rt_of, ref, "hello", "old")
    await a_minute_passes(rt_of, ref)
    await given(rt_of, ref, "hello", "new")
    await functions.carry(rt_of)
    body = {"recovery_time_target_unix": int(time.time() - 30)}
    assert (await own.post(f"/v1/projects/{ref}/database/backups/restore-pitr", body)).status_code == 201
    async with rt_of.database.connection() as db:
        assert ref not in await retention.reaching_back(db)
    await own.drain()
    async with rt_of.database.connection() as db:
        assert ref in await retention.reaching_back(db)


async def test_the_files_of_a_deleted_project_go(own: Client, rt_of: Runtime, ref: str, tmp_path: Path) -> None:
    await given(rt_of, ref, "hello", "old")
    await functions.carry(rt_of)
    await given(rt_of, ref, "hello", "new")
    await own.call("DELETE", f"/v1/projects/{ref}")
    await own.drain()
    await functions.carry(rt_of)
    await retention.apply(rt_of, timedelta(days=7))
    assert archived(tmp_path, ref) == []
    async with rt_of.database.connection() as db:
        cursor = await db.execute("select from function_history where project_ref = %s", [ref])
        assert cursor.rowcount == 0


async def test_where_nothing_is_archived_what_served_is_forgotten_after_a_day(rt: Runtime) -> None:
    without = dataclasses.replace(rt, archive=NoArchive())
    async with client_of(without) as own:
        ref = await own.active_project()
        await given(without, ref, "hello", "old")
        await given(without, ref, "hello", "new")
        await given(without, ref, "gone", "gone")
        await delete(own, ref, "gone")
        assert len(await without.artifacts.list(ref)) == 3
        await time_passes(without, ref, timedelta(days=2))
        await given(without, ref, "gone", "other")
        await delete(own, ref, "gone")
        assert len(await without.artifacts.list(ref)) == 2
