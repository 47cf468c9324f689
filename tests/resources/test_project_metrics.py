"""What a project's Prometheus sees at its HTTP address, on clusters that are only remembered."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baseplane.drivers.archive import Progress
from baseplane.drivers.archive.memory import MemoryArchive
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.backups import watch
from baseplane.resources.disk import watch as disks
from baseplane.resources.disk.store import GB
from baseplane.resources.replicas import monitor
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.keys import BROWSER, legacy, new_key, switch_legacy
from tests.resources.metrics import PATH, scrape
from tests.resources.replicas import set_up
from tests.resources.rest_door import Door, opened

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
async def door(rt: Runtime) -> AsyncIterator[Door]:
    async with opened(rt, install=False) as door:
        yield door


@pytest.fixture
async def ref(api: Client) -> str:
    return await api.active_project()


async def test_it_is_reached_by_path_and_by_host_with_any_secret_key(
    rt: Runtime, api: Client, door: Door, ref: str
) -> None:
    made = await new_key(api, ref, secret_jwt_template={"role": "service_role"})
    for password in (made["api_key"], (await legacy(api, ref))["service_role"]):
        for path, host in ((f"/{ref}{PATH}", None), (PATH, f"{ref}.{rt.settings.project_host}")):
            headers = {"host": host} if host else {}
            answer = await door.http.get(path, auth=("service_role", password), headers=headers)
            assert answer.status_code == 200, answer.text
            assert f'supabase_project_ref="{ref}"' in answer.text


async def test_strangers_are_refused(api: Client, stranger: Client, door: Door, ref: str) -> None:
    own, other = await legacy(api, ref), await legacy(stranger, await stranger.active_project())
    publishable = (await new_key(api, ref, "publishable", "website"))["api_key"]
    secret = (await new_key(api, ref))["api_key"]
    refused: dict[str, dict[str, Any]] = {
        "nothing": {},
        "another project's key": {"auth": ("service_role", other["service_role"])},
        "the anonymous key": {"auth": ("service_role", own["anon"])},
        "a publishable key": {"auth": ("service_role", publishable)},
        "another user": {"auth": ("postgres", secret)},
        "no password": {"auth": ("service_role", "")},
        "a password that is not ASCII": {"auth": ("service_role", "schlüssel".encode())},
        "a bearer token": {"headers": {"authorization": f"Bearer {secret}"}},
        "an apikey": {"headers": {"apikey": secret}},
        "no base64": {"headers": {"authorization": "Basic ###"}},
        "no colon": {"headers": {"authorization": "Basic c2VydmljZV9yb2xl"}},
        "no text": {"headers": {"authorization": "Basic //79"}},
        "a browser": {"auth": ("service_role", secret), "headers": {"user-agent": BROWSER}},
    }
    for case, given in refused.items():
        answer = await door.http.get(f"/{ref}{PATH}", **given)
        assert answer.status_code == 401, case
        assert answer.headers["www-authenticate"].startswith("Basic "), case
        assert answer.json().keys() == {"message", "code", "hint"}, case
        assert answer.headers["sb-error-code"] == "UNAUTHORIZED_INVALID_API_KEY"
        assert "baseplane_" not in answer.text
    assert (await door.http.get(f"/{'a' * 20}{PATH}", auth=("service_role", secret))).status_code == 404


async def test_keys_that_are_switched_off_open_nothing(api: Client, door: Door, ref: str) -> None:
    auth = ("service_role", (await legacy(api, ref))["service_role"])
    assert (await door.http.get(f"/{ref}{PATH}", auth=auth)).status_code == 200
    assert (await switch_legacy(api, ref, enabled=False)).status_code == 200
    async with asyncio.timeout(1):
        while (await door.http.get(f"/{ref}{PATH}", auth=auth)).status_code != 401:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", PATH, 405), ("GET", "/customer/v1/privileged", 404), ("GET", PATH + "/x", 404)],
)
async def test_there_is_nothing_else(door: Door, ref: str, method: str, path: str, status: int) -> None:
    answer = await door.http.request(method, f"/{ref}{path}")
    assert answer.status_code == status
    assert answer.json()["message"]


async def test_a_paused_project_says_so(api: Client, door: Door, ref: str) -> None:
    before = await scrape(door, api, ref)
    assert (before("baseplane_project_status", status="ACTIVE_HEALTHY"), before("pg_up")) == (1, 1)
    assert (await api.post(f"/v1/projects/{ref}/pause")).status_code == 200
    await api.drain()
    after = await scrape(door, api, ref)
    assert after("baseplane_project_status", status="INACTIVE") == 1
    assert after("baseplane_project_status", status="ACTIVE_HEALTHY") == 0
    assert after("pg_up") == 0
    assert after("pg_stat_database_num_backends") is None
    assert after("node_filesystem_size_bytes", mountpoint="/data") == 8 * GB


async def test_a_cluster_that_does_not_run_is_not_called_up(
    api: Client, memory: MemoryClusters, door: Door, ref: str
) -> None:
    await memory.stop(ref)
    assert (await scrape(door, api, ref))("pg_up") == 0


async def test_the_disk_is_told(api: Client, rt: Runtime, memory: MemoryClusters, door: Door, ref: str) -> None:
    before = await scrape(door, api, ref)
    assert before("node_filesystem_avail_bytes") is None  # nobody has measured it yet
    assert before("pg_settings_default_transaction_read_only") == 0
    memory.used[ref] = 64 * GB
    await disks.measure(rt, ref)
    await disks.look(rt)
    await api.drain()
    after = await scrape(door, api, ref)
    assert after("baseplane_disk_used_bytes") == 64 * GB
    assert after("node_filesystem_avail_bytes", mountpoint="/data") == 0
    assert after("pg_settings_default_transaction_read_only") == 1


async def test_backups_and_drills_are_told(api: Client, rt: Runtime, door: Door, ref: str) -> None:
    before = await scrape(door, api, ref)
    assert before("baseplane_backup_end_timestamp_seconds") is None
    assert before("baseplane_backup_stored_bytes") == 0
    await watch.look(rt)
    await api.drain()
    async with rt.database.connection() as db:
        await db.execute("update backups set finished_at = now() - interval '1 minute' where project_ref = %s", [ref])
    await watch.carry(rt)
    await watch.look(rt)
    await api.drain()
    after = await scrape(door, api, ref)
    window = (await api.get(f"/v1/projects/{ref}/database/backups"))["physical_backup_data"]
    earliest = window["earliest_physical_backup_date_unix"]
    assert after("baseplane_restore_earliest_timestamp_seconds") == earliest
    assert after("baseplane_restore_latest_timestamp_seconds") >= earliest  # type: ignore[operator]
    assert after("baseplane_backup_end_timestamp_seconds", kind="full") == pytest.approx(earliest, abs=1)
    assert (after("baseplane_backup_size_bytes"), after("baseplane_backup_stored_bytes")) == (30_000_000, 3_000_000)
    assert (after("baseplane_drill_passed"), after("baseplane_archive_error")) == (1, 0)
    assert isinstance(rt.archive, MemoryArchive)
    rt.archive.backups.clear()
    async with rt.database.connection() as db:
        await db.execute("update drills set started_at = now() - interval '8 days' where project_ref = %s", [ref])
    await watch.look(rt)
    await api.drain()
    failed = await scrape(door, api, ref)
    assert failed("baseplane_drill_passed") == 0
    assert failed("baseplane_drill_end_timestamp_seconds") > after("baseplane_drill_end_timestamp_seconds")  # type: ignore[operator]


async def test_an_archive_that_is_behind_is_told(api: Client, rt: Runtime, door: Door, ref: str) -> None:
    await watch.look(rt)
    await api.drain()
    assert isinstance(rt.archive, MemoryArchive)
    since = datetime.now(UTC) - timedelta(minutes=5)
    rt.archive.waiting = [Progress(ref, "first", waiting=3, oldest=since, error="The archive is full")]
    await watch.carry(rt)
    behind = await scrape(door, api, ref)
    assert behind("baseplane_archive_error") == 1
    assert 300 <= (behind("baseplane_archive_behind_seconds") or 0) < 360
    rt.archive.waiting = []
    await watch.carry(rt)
    caught_up = await scrape(door, api, ref)
    assert (caught_up("baseplane_archive_error"), caught_up("baseplane_archive_behind_seconds")) == (0, 0)


async def test_replicas_are_told(api: Client, rt: Runtime, memory: MemoryClusters, door: Door, ref: str) -> None:
    identifier = await set_up(api, ref)
    await api.drain()
    await monitor.look(rt)
    own = {"supabase_identifier": identifier}
    well = await scrape(door, api, ref)
    assert well("baseplane_replica_status", status="ACTIVE_HEALTHY", **own) == 1
    assert well("physical_replication_lag_physical_replication_lag_seconds", **own) == 0
    assert well("baseplane_replica_lag_bytes", **own) == 0
    await memory.stop(identifier)
    await monitor.look(rt)
    async with rt.database.connection() as db:
        await db.execute(
            "update replicas set measured_at = now() - interval '2 minutes' where identifier = %s", [identifier]
        )
    ill = await scrape(door, api, ref)
    assert ill("baseplane_replica_status", status="ACTIVE_HEALTHY", **own) == 0
    assert ill("baseplane_replica_status", status="RESTARTING", **own) == 1
    assert ill("baseplane_replica_lag_bytes", **own) is None
