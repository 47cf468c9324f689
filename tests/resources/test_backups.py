"""Backups over the API: what is listed, refused and done, on clusters that are only remembered."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baseplane.drivers.archive import BackupDamaged, BackupId, Progress, Target
from baseplane.drivers.archive.memory import MemoryArchive
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.backups import archives, retention, watch
from baseplane.resources.backups.left_serving import left_serving
from baseplane.resources.backups.store import Backup
from baseplane.resources.projects import monitor
from baseplane.runtime import Runtime
from tests.conftest import Client

pytestmark = pytest.mark.usefixtures("alone")


def path(ref: str, rest: str = "") -> str:
    return f"/v1/projects/{ref}/database/backups{rest}"


@pytest.fixture
async def backed_up(api: Client, rt: Runtime) -> str:
    """The ref of a project with a backup that was complete a minute ago, and an archive that was looked at since."""
    ref = await api.active_project()
    await watch.look(rt)
    await api.drain()
    async with rt.database.connection() as db:
        await db.execute(
            "update backups set finished_at = finished_at - interval '1 minute' where project_ref = %s", [ref]
        )
    await watch.carry(rt)
    return ref


async def refusal(api: Client, ref: str, rest: str, body: object, status: int = 400) -> str:
    response = await api.post(path(ref, rest), body)
    assert response.status_code == status, response.text
    return str(response.json()["message"])


async def test_a_project_is_backed_up_without_being_asked(api: Client, backed_up: str) -> None:
    listed = await api.get(path(backed_up))
    assert (listed["walg_enabled"], listed["pitr_enabled"]) == (True, True)
    (backup,) = listed["backups"]
    assert (backup["status"], backup["is_physical_backup"]) == ("COMPLETED", True)
    data = listed["physical_backup_data"]
    assert data["earliest_physical_backup_date_unix"] <= data["latest_physical_backup_date_unix"] <= time.time()


async def test_a_backup_is_taken_once(api: Client, rt: Runtime, backed_up: str) -> None:
    await watch.look(rt)
    await api.drain()
    assert len((await api.get(path(backed_up)))["backups"]) == 1


async def test_another_is_taken_at_its_time_of_the_day_if_something_was_written(
    api: Client, rt: Runtime, backed_up: str
) -> None:
    async with rt.database.connection() as db:
        await db.execute(
            "update backups set finished_at = now() - interval '25 hours' where project_ref = %s", [backed_up]
        )
        await db.execute(
            "update archives set shipped_at = now() - interval '25 hours' where project_ref = %s", [backed_up]
        )
    await watch.look(rt)
    await api.drain()
    assert len((await api.get(path(backed_up)))["backups"]) == 1
    async with rt.database.connection() as db:
        await db.execute("update archives set shipped_at = now() where project_ref = %s", [backed_up])
    await watch.look(rt)
    await api.drain()
    assert len((await api.get(path(backed_up)))["backups"]) == 2


async def test_a_project_comes_back_to_a_second(
    api: Client, rt: Runtime, memory: MemoryClusters, backed_up: str
) -> None:
    second = int(time.time()) - 5
    response = await api.post(path(backed_up, "/restore-pitr"), {"recovery_time_target_unix": second})
    assert (response.status_code, response.content) == (201, b"")
    assert await api.status(backed_up) == "RESTORING"
    await api.drain()
    assert await api.status(backed_up) == "ACTIVE_HEALTHY"
    target, _ = memory.data[backed_up]  # type: ignore[misc]
    assert target.time == datetime.fromtimestamp(second, UTC)
    assert len((await api.get(path(backed_up)))["backups"]) == 2  # one of the new data was taken at once


@pytest.mark.parametrize(
    ("offset", "reason"),
    [(3600, "lies in the future"), (-7200, "is outside of what is archived"), (10**15, "year 9999")],
)
async def test_a_second_outside_the_window_is_refused_with_the_window(
    api: Client, backed_up: str, offset: int, reason: str
) -> None:
    body = {"recovery_time_target_unix": int(time.time()) + offset}
    message = await refusal(api, backed_up, "/restore-pitr", body)
    assert message.startswith("recovery_time_target_unix: ")
    assert reason in message
    assert "The project can be brought back to any second from " in message
    assert await api.status(backed_up) == "ACTIVE_HEALTHY"


async def test_without_a_backup_there_is_no_way_back(api: Client) -> None:
    ref = await api.active_project()
    message = await refusal(api, ref, "/restore-pitr", {"recovery_time_target_unix": int(time.time()) - 1})
    assert "no complete backup" in message
    assert "no complete backup" in await refusal(api, ref, "/restore-point", {"name": "early"})
    assert (await api.get(path(ref)))["physical_backup_data"] == {}


@pytest.mark.parametrize("value", [-1, 1.5, "soon", None, True])
async def test_a_target_that_is_no_second_is_refused(api: Client, backed_up: str, value: object) -> None:
    message = await refusal(api, backed_up, "/restore-pitr", {"recovery_time_target_unix": value})
    assert "recovery_time_target_unix" in message


async def test_what_was_not_archived_when_the_cluster_was_lost_is_not_promised(
    api: Client, rt: Runtime, memory: MemoryClusters, backed_up: str
) -> None:
    async with rt.database.connection() as db:
        await db.execute(
            "update archives set complete_until = null, behind_since = now() - interval '30 seconds'"
            " where project_ref = %s", [backed_up]
        )  # fmt: skip
    await memory.remove(backed_up)
    body = {"recovery_time_target_unix": int(time.time()) - 2}
    assert (await api.post(path(backed_up, "/restore-pitr"), body)).status_code == 201
    await api.drain()
    assert await api.status(backed_up) == "RESTORE_FAILED"
    async with rt.database.connection() as db:
        cursor = await db.execute("select cause from projects where ref = %s", [backed_up])
        (cause,) = await cursor.fetchone() or ("",)
    assert "The project can be brought back to any second from" in cause


async def test_a_backup_is_brought_back_as_it_is(api: Client, memory: MemoryClusters, backed_up: str) -> None:
    (backup,) = (await api.get(path(backed_up)))["backups"]
    assert (await api.post(path(backed_up, "/restore"), {"id": backup["id"]})).status_code == 201
    await api.drain()
    target, _ = memory.data[backed_up]  # type: ignore[misc]
    assert target == Target(as_backed_up=True)


async def test_a_backup_that_is_not_there_is_not_found(api: Client, backed_up: str) -> None:
    assert "no such backup" in await refusal(api, backed_up, "/restore", {"id": 10**12}, 404)
    assert "id: is no number" in await refusal(api, backed_up, "/restore", {"id": 10**30}, 400)
    assert "id" in await refusal(api, backed_up, "/restore", {"id": 2**70})


async def test_a_restore_point_is_made_and_come_back_to(api: Client, memory: MemoryClusters, backed_up: str) -> None:
    response = await api.post(path(backed_up, "/restore-point"), {"name": "before the deploy"})
    assert response.status_code == 201
    assert response.json() == {"name": "before the deploy", "status": "PENDING", "completed_on": None}
    assert "PENDING" in await refusal(api, backed_up, "/undo", {"name": "before the deploy"})
    await api.drain()
    point = await api.get(path(backed_up, "/restore-point"), params={"name": "before the deploy"})
    assert (point["status"], point["completed_on"] is not None) == ("AVAILABLE", True)
    assert await api.get(path(backed_up, "/restore-point")) == point
    assert "already" in await refusal(api, backed_up, "/restore-point", {"name": "before the deploy"}, 409)
    assert (await api.post(path(backed_up, "/undo"), {"name": "before the deploy"})).status_code == 201
    await api.drain()
    assert await api.status(backed_up) == "ACTIVE_HEALTHY"
    target, _ = memory.data[backed_up]  # type: ignore[misc]
    assert target.point.startswith("baseplane-")


@pytest.mark.parametrize("name", ["", "   ", "x" * 21, "null\0", None])
async def test_a_restore_point_needs_a_name(api: Client, backed_up: str, name: object) -> None:
    assert "name" in await refusal(api, backed_up, "/restore-point", {"name": name})


async def test_there_is_no_undo_to_what_was_never_marked(api: Client, backed_up: str) -> None:
    assert "no restore point" in await refusal(api, backed_up, "/undo", {"name": "never"}, 404)
    assert (await api.call("GET", path(backed_up, "/restore-point"))).status_code == 404


async def test_the_time_of_the_day_is_chosen(api: Client, backed_up: str) -> None:
    before = await api.get(path(backed_up, "/schedule"))
    assert before["schedule_for"] < "06:00"
    response = await api.call("PATCH", path(backed_up, "/schedule"), json={"schedule_for": "13:45:00Z"})
    assert response.json()["schedule_for"] == "13:45"
    after = await api.get(path(backed_up, "/schedule"))
    assert (after["schedule_for"], after["updated_at"] > before["updated_at"]) == ("13:45", True)


@pytest.mark.parametrize("at", ["24:00", "0 3 * * *", "noon", "", "03:30+02:00", 3])
async def test_a_schedule_that_is_no_time_of_the_day_is_refused(api: Client, backed_up: str, at: object) -> None:
    response = await api.call("PATCH", path(backed_up, "/schedule"), json={"schedule_for": at})
    assert response.status_code == 400
    assert "schedule_for" in response.json()["message"]


async def test_a_restore_that_fails_leaves_the_project_as_it_was(
    api: Client, rt: Runtime, memory: MemoryClusters, backed_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged(*_: Any) -> None:
        raise BackupDamaged("data.tar.zst is damaged.")

    monkeypatch.setattr(MemoryArchive, "prepare", damaged)
    await api.post(path(backed_up, "/restore-pitr"), {"recovery_time_target_unix": int(time.time()) - 5})
    await api.drain()
    assert await api.status(backed_up) == "RESTORE_FAILED"
    assert backed_up in memory.running
    assert (await api.query(backed_up, "select 1 as one")).json() == [{"one": 1}]
    (db,) = await api.get(f"/v1/projects/{backed_up}/health?services=db")
    told = "It was not brought back: data.tar.zst is damaged. The database is as it was before; restore the project"
    assert (db["healthy"], db["error"].startswith(told)) == (True, True)
    assert (await api.post(f"/v1/projects/{backed_up}/restore")).status_code == 200
    await api.drain()
    assert await api.status(backed_up) == "ACTIVE_HEALTHY"
    assert backed_up not in memory.data


async def _fail_to_bring_back(api: Client, ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def damaged(*_: Any) -> None:
        raise BackupDamaged("data.tar.zst is damaged.")

    with monkeypatch.context() as failing:
        failing.setattr(MemoryArchive, "prepare", damaged)
        await api.post(path(ref, "/restore-pitr"), {"recovery_time_target_unix": int(time.time()) - 5})
        await api.drain()
    assert await api.status(ref) == "RESTORE_FAILED"


async def test_what_serves_after_a_restore_that_failed_is_kept_alive_however_often_it_fails(
    api: Client, rt: Runtime, memory: MemoryClusters, backed_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "TRY_AGAIN", timedelta(0))
    for _ in range(2):
        await _fail_to_bring_back(api, backed_up, monkeypatch)
        assert backed_up in memory.running
        await memory.stop(backed_up)
        refused = await api.query(backed_up, "select 1")
        assert (refused.status_code, "Restore it to go on with the data" in refused.text) == (400, True)
        await monitor.look(rt, left_serving)
        await api.drain()
        assert backed_up in memory.running
        assert await api.status(backed_up) == "RESTORE_FAILED"


async def test_what_was_paused_before_a_restore_that_failed_stays_stopped(
    api: Client, rt: Runtime, memory: MemoryClusters, backed_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "TRY_AGAIN", timedelta(0))
    await api.post(f"/v1/projects/{backed_up}/pause")
    await api.drain()
    await _fail_to_bring_back(api, backed_up, monkeypatch)
    await monitor.look(rt, left_serving)
    await api.drain()
    assert backed_up not in memory.running


async def test_a_restore_that_does_not_serve_is_taken_back(
    api: Client, rt: Runtime, memory: MemoryClusters, backed_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = MemoryClusters.start

    async def fails_with_new_data(self: MemoryClusters, spec: Any) -> None:
        if isinstance(self.data.get(spec.ref), tuple):
            raise BackupDamaged("It does not start.")
        await start(self, spec)

    monkeypatch.setattr(MemoryClusters, "start", fails_with_new_data)
    from baseplane.resources.backups.recovering import recover

    steps = list(recover.steps)
    monkeypatch.setattr(recover, "steps", [_impatient(step) for step in steps])
    await api.post(path(backed_up, "/restore-pitr"), {"recovery_time_target_unix": int(time.time()) - 5})
    await api.drain()
    assert await api.status(backed_up) == "RESTORE_FAILED"
    assert memory.data.get(backed_up) is None
    assert backed_up in memory.running


def _impatient(step: Any) -> Any:
    import dataclasses

    return dataclasses.replace(step, final=(*step.final, BackupDamaged))


async def test_a_restore_of_a_paused_project_is_cancelled(api: Client, backed_up: str) -> None:
    await api.post(f"/v1/projects/{backed_up}/pause")
    await api.drain()
    versions = await api.get(f"/v1/projects/{backed_up}/restore")
    assert versions["available_versions"] == [{"version": "17.0", "release_channel": "ga", "postgres_engine": "17"}]
    response = await api.post(f"/v1/projects/{backed_up}/restore/cancel")
    assert response.status_code == 400
    await api.post(f"/v1/projects/{backed_up}/restore")
    assert (await api.post(f"/v1/projects/{backed_up}/restore/cancel")).status_code == 200
    await api.drain()
    assert await api.status(backed_up) == "INACTIVE"
    await api.post(path(backed_up, "/restore-pitr"), {"recovery_time_target_unix": int(time.time()) - 5})
    assert (await api.post(f"/v1/projects/{backed_up}/restore/cancel")).status_code == 200
    await api.drain()
    assert await api.status(backed_up) == "INACTIVE"
    assert (await api.get(f"/v1/projects/{backed_up}/restore"))["available_versions"]


async def test_what_waits_for_the_archive_is_written_down_and_told(
    api: Client, rt: Runtime, backed_up: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(rt.archive, MemoryArchive)
    since = datetime.now(UTC) - timedelta(minutes=5)
    rt.archive.waiting = [Progress(backed_up, "first", 7, since, 0, "The archive does not take what is to be kept")]
    told: dict[str, float] = {}
    watch._tell(rt, await watch.carry(rt), told)
    assert "7 segments wait" in caplog.text
    async with rt.database.connection() as db:
        await db.execute("update archives set complete_until = null where project_ref = %s", [backed_up])
        (window,) = await archives.windows(db, rt.settings, backed_up)
    assert window.latest == window.earliest
    rt.archive.waiting = []
    await watch.carry(rt)
    async with rt.database.connection() as db:
        cursor = await db.execute("select behind_since, error from archives where project_ref = %s", [backed_up])
        assert await cursor.fetchone() == (None, None)


async def test_a_drill_brings_the_newest_backup_back_and_says_how_it_went(
    api: Client, rt: Runtime, backed_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drilled() -> Any:
        async with rt.database.connection() as db:
            cursor = await db.execute(
                "select passed, cause from drills where project_ref = %s order by id desc limit 1", [backed_up]
            )
            return await cursor.fetchone()

    await watch.look(rt)
    await api.drain()
    assert await drilled() == (True, None)

    async def damaged(*_: Any) -> None:
        raise BackupDamaged("data.tar.zst is damaged.")

    monkeypatch.setattr(MemoryArchive, "rehearse", damaged)
    async with rt.database.connection() as db:
        await db.execute("update drills set started_at = now() - interval '8 days' where project_ref = %s", [backed_up])
    await watch.look(rt)
    await api.drain()
    assert await drilled() == (False, "data.tar.zst is damaged.")


async def test_old_backups_go_and_those_that_reach_back_stay(api: Client, rt: Runtime, backed_up: str) -> None:
    assert isinstance(rt.archive, MemoryArchive)
    async with rt.database.connection() as db:
        await db.execute(
            "update backups set finished_at = now() - interval '20 days', inserted_at = now() - interval '20 days'"
            " where project_ref = %s", [backed_up]
        )  # fmt: skip
    for _ in range(2):
        async with rt.database.connection() as db:
            await db.execute(
                "update backups set finished_at = finished_at - interval '5 days' where project_ref = %s", [backed_up]
            )
            await db.execute(
                "update archives set shipped_at = now() + interval '1 hour' where project_ref = %s", [backed_up]
            )
        await watch.look(rt)
        await api.drain()
    assert len((await api.get(path(backed_up)))["backups"]) == 3
    async with rt.database.connection() as db:
        await db.execute(
            "update backups set finished_at = now() - interval '8 days' where id ="
            " (select id from backups where project_ref = %s order by id offset 1 limit 1)", [backed_up]
        )  # fmt: skip
    await retention.apply(rt, timedelta(days=7))
    assert len((await api.get(path(backed_up)))["backups"]) == 2
    assert len([backup for backup in rt.archive.backups if backup.ref == backed_up]) == 2


async def test_the_archive_of_a_deleted_project_is_deleted(api: Client, rt: Runtime, backed_up: str) -> None:
    assert isinstance(rt.archive, MemoryArchive)
    await api.call("DELETE", f"/v1/projects/{backed_up}")
    await api.drain()
    await retention.apply(rt, timedelta(days=7))
    assert not [backup for backup in rt.archive.backups if backup.ref == backed_up]


async def test_an_archive_is_read_once_a_day_for_what_nobody_knows_of(
    rt: Runtime, backed_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(rt.archive, MemoryArchive)
    (known,) = [backup for backup in rt.archive.backups if backup.ref == backed_up]
    left = BackupId(backed_up, known.generation, "of a backup that broke off")
    rt.archive.backups[left] = rt.archive.backups[known]
    read, stored = [], MemoryArchive.stored

    async def counted(self: MemoryArchive, ref: str) -> Any:
        read.append(ref)
        return await stored(self, ref)

    monkeypatch.setattr(MemoryArchive, "stored", counted)
    keep, begin = timedelta(days=7), datetime.now(UTC)
    await retention.apply(rt, keep)
    assert (read, left in rt.archive.backups) == ([], True)
    for hour in range(24):
        end = begin + timedelta(hours=1, microseconds=hour)
        await retention.reconcile(rt, keep, begin, end)
        begin = end
    assert read.count(backed_up) == 1
    assert [backup for backup in rt.archive.backups if backup.ref == backed_up] == [known]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-3600, "the clock was set back, from 12:00:00 to 11:00:00: what is in between comes twice"),
        (3600, "the clock was set forward, from 12:00:00 to 13:00:00: nothing was committed in between"),
    ],
)
def test_a_clock_that_is_set_is_noticed_and_the_seconds_named_that_are_no_good_targets(
    seconds: int, told: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(time, "time", lambda: noon)
    clock = watch.Clock()
    clock.look()
    assert not caplog.records
    monkeypatch.setattr(time, "time", lambda: noon + seconds)
    clock.look()
    assert told in caplog.text.replace("2026-03-01 ", "").replace(" UTC", "")
    caplog.clear()
    clock.look()
    assert not caplog.records


def backup(number: int, kind: str, days: float) -> Backup:
    then = datetime.now(UTC) - timedelta(days=days)
    return Backup(number, "ref", "first", kind, "COMPLETED", then, then, f"{number:024X}", 1, None)


def test_an_increment_is_kept_with_all_that_it_needs() -> None:
    backups = [
        backup(5, "incremental", 1),
        backup(4, "full", 3),
        backup(3, "incremental", 8),
        backup(2, "full", 10),
        backup(1, "full", 17),
    ]
    kept = retention.needed(backups, datetime.now(UTC) - timedelta(days=7))
    assert [each.id for each in kept] == [5, 4, 3, 2]
    assert retention.needed(backups[:2], datetime.now(UTC) - timedelta(days=7)) == backups[:2]
