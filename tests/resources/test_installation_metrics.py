"""What the operator's Prometheus sees at /metrics of the API."""

from datetime import UTC, datetime, timedelta

import pytest

from baseplane.drivers.archive import Progress
from baseplane.drivers.archive.memory import MemoryArchive
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.accounts import store as accounts
from baseplane.resources.backups import watch
from baseplane.resources.disk import watch as disks
from baseplane.resources.disk.store import GB
from baseplane.resources.projects import monitor as projects
from baseplane.resources.replicas import monitor as replicas
from baseplane.runtime import Runtime
from tests.conftest import Client, Limited, working
from tests.resources.metrics import Scraped, parsed
from tests.resources.replicas import set_up

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
async def token(rt: Runtime) -> str:
    async with rt.database.transaction() as db:
        return await accounts.insert_metrics_token(db, "prometheus")


@pytest.fixture
async def ref(api: Client) -> str:
    return await api.active_project()


async def read(api: Client, token: str) -> Scraped:
    return parsed(await api.call("GET", "/metrics", headers={"Authorization": f"Bearer {token}"}))


async def test_only_a_token_for_it_opens_it(api: Client, rt: Runtime, token: str) -> None:
    async with rt.database.transaction() as db:
        expired = await accounts.insert_metrics_token(db, "old", datetime.now(UTC) - timedelta(seconds=1))
    basic = {"headers": {"Authorization": f"Basic {token}"}}
    wrong = [api.token, expired, "", "bpm_" + "0" * 40, token[:-1]]
    for given in [{"headers": {"Authorization": f"Bearer {text}"}} for text in wrong] + [basic]:
        answer = await api.call("GET", "/metrics", **given)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "baseplane_" not in answer.text
    assert (await api.http.get("/metrics")).status_code == 401
    assert (await read(api, token))("baseplane_info") == 1
    async with rt.database.transaction() as db:
        (made,) = [found for found in await accounts.list_tokens(db) if found.hint == token[:10]]
        await accounts.delete_token(db, str(made.id))
    answer = await api.call("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_it_opens_nothing_else(api: Client, token: str, ref: str) -> None:
    for path in ("/v1/projects", "/v1/profile", f"/v1/projects/{ref}"):
        assert (await api.call("GET", path, headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_those_who_guess_are_slowed_down(limited: Limited) -> None:
    async with limited(rate_limit=3) as client:
        headers = {"Authorization": "Bearer bpm_" + "0" * 40}
        codes = [(await client.http.get("/metrics", headers=headers)).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]


async def test_projects_are_counted_by_status(api: Client, token: str, ref: str) -> None:
    before = await read(api, token)
    assert before("baseplane_projects", status="ACTIVE_HEALTHY") == 1
    assert (await api.post(f"/v1/projects/{ref}/pause")).status_code == 200
    await api.drain()
    after = await read(api, token)
    assert after("baseplane_projects", status="ACTIVE_HEALTHY") == 0
    assert after("baseplane_projects", status="INACTIVE") == 1


async def test_runs_that_wait_and_workers_are_seen(api: Client, rt: Runtime, token: str) -> None:
    first = (await api.create_project())["ref"]
    async with rt.database.connection() as db:
        await db.execute("update runs set created_at = created_at - interval '1 minute' where subject = %s", [first])
    waiting = await read(api, token)
    create = {"workflow": "project.create"}
    assert waiting("baseplane_runs", state="queued", **create) == 1
    assert waiting("baseplane_runs_oldest_seconds", state="queued", **create) >= 60  # type: ignore[operator]
    assert waiting("baseplane_queue_lag_seconds") >= 60  # type: ignore[operator]
    async with working(api.queue):
        await api.becomes(first, "ACTIVE_HEALTHY")
        served = await read(api, token)
    assert served("baseplane_workers") >= 1  # type: ignore[operator]
    done = await read(api, token)
    assert (done("baseplane_runs", **create), done("baseplane_queue_lag_seconds")) == (None, 0)


async def test_a_cluster_that_cannot_come_back_is_named(
    api: Client, rt: Runtime, memory: MemoryClusters, token: str, ref: str
) -> None:
    before = await read(api, token)
    assert before.samples.get("baseplane_project_problem") is None
    await memory.remove(ref)
    await projects.look(rt)
    await api.drain()
    after = await read(api, token)
    assert after("baseplane_projects", status="ACTIVE_UNHEALTHY") == 1
    assert after("baseplane_project_problem", ref=ref, problem="status") == 1
    failed = after("baseplane_runs_failed", workflow="project.restart") or 0
    assert failed == (before("baseplane_runs_failed", workflow="project.restart") or 0) + 1


async def test_backups_drills_and_what_is_wrong_with_them(api: Client, rt: Runtime, token: str, ref: str) -> None:
    before = await read(api, token)
    assert (before("baseplane_backups_missing"), before("baseplane_drills", result="passed")) == (1, 0)
    for _ in range(2):
        await watch.look(rt)
        await api.drain()
    after = await read(api, token)
    assert (after("baseplane_backups_missing"), after("baseplane_drills", result="passed")) == (0, 1)
    assert after("baseplane_backup_stored_bytes") == 3_000_000
    assert after("baseplane_backup_oldest_end_timestamp_seconds") == pytest.approx(
        datetime.now(UTC).timestamp(), abs=60
    )
    assert isinstance(rt.archive, MemoryArchive)
    rt.archive.backups.clear()
    async with rt.database.connection() as db:
        await db.execute("update drills set started_at = now() - interval '8 days' where project_ref = %s", [ref])
    await watch.look(rt)
    await api.drain()
    failed = await read(api, token)
    assert failed("baseplane_drills", result="failed") == 1
    assert failed("baseplane_project_problem", ref=ref, problem="drill") == 1


async def test_archives_that_are_behind_are_counted(api: Client, rt: Runtime, token: str, ref: str) -> None:
    assert isinstance(rt.archive, MemoryArchive)
    since = datetime.now(UTC) - timedelta(seconds=30)
    rt.archive.waiting = [Progress(ref, "first", waiting=1, oldest=since)]
    await watch.carry(rt)
    usual = await read(api, token)
    assert (usual("baseplane_archives_behind"), usual("baseplane_project_problem", ref=ref)) == (0, None)
    assert usual("baseplane_archive_behind_max_seconds") >= 30  # type: ignore[operator]
    rt.archive.waiting = [Progress(ref, "first", waiting=1, oldest=since - timedelta(seconds=60))]
    await watch.carry(rt)
    late = await read(api, token)
    assert (late("baseplane_archives_behind"), late("baseplane_archives_failing")) == (1, 0)
    assert late("baseplane_project_problem", ref=ref, problem="archive") == 1
    rt.archive.waiting = [Progress(ref, "first", waiting=1, oldest=datetime.now(UTC), error="The archive is full")]
    await watch.carry(rt)
    failing = await read(api, token)
    assert (failing("baseplane_archives_behind"), failing("baseplane_archives_failing")) == (1, 1)


def difference(before: Scraped, after: Scraped, name: str, **labels: str) -> float:
    """By how much it has grown; other tests have projects, too."""
    return (after(name, **labels) or 0) - (before(name, **labels) or 0)


async def test_full_disks_and_ill_replicas(
    api: Client, rt: Runtime, memory: MemoryClusters, token: str, ref: str
) -> None:
    before = await read(api, token)
    identifier = await set_up(api, ref)
    await api.drain()
    healthy = await read(api, token)
    assert difference(before, healthy, "baseplane_replicas", status="ACTIVE_HEALTHY") == 1
    memory.used[ref] = 64 * GB
    await disks.measure(rt, ref)
    await disks.look(rt)
    await memory.stop(identifier)
    await replicas.look(rt)
    async with rt.database.connection() as db:
        await db.execute(
            "update replicas set bytes_behind = 1000, measured_at = now() where identifier = %s", [identifier]
        )
    after = await read(api, token)
    assert difference(before, after, "baseplane_replicas", status="RESTARTING") == 1
    assert after("baseplane_replica_lag_max_bytes") >= 1000  # type: ignore[operator]
    assert difference(before, after, "baseplane_disk_used_bytes") == pytest.approx(64 * GB, rel=0.01)
    await api.drain()
    full = await read(api, token)
    assert difference(before, full, "baseplane_projects_read_only") == 1
    assert full("baseplane_project_problem", ref=ref, problem="disk") == 1


async def test_requests_are_counted_by_operation_and_status(api: Client, token: str, ref: str) -> None:
    await api.get(f"/v1/projects/{ref}")
    await api.call("GET", f"/v1/projects/{'a' * 20}")
    await api.call("GET", "/nowhere")
    found = await read(api, token)
    name = "baseplane_api_request_duration_seconds_count"
    assert found(name, operation="v1-get-project", code="2xx") >= 1  # type: ignore[operator]
    assert found(name, operation="v1-get-project", code="4xx") == 1
    assert found(name, operation="other", code="4xx") == 1
    assert found("process_resident_memory_bytes") > 1_000_000  # type: ignore[operator]
