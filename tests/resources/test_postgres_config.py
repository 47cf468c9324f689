"""What a project overrides of Postgres' settings, on a real cluster behind a real ingress."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest

from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.resources.postgres_config import workflows
from baseplane.resources.projects import monitor
from baseplane.runtime import Runtime
from baseplane.workflows import journal
from tests.conftest import Client
from tests.processes import kill


@pytest.fixture(scope="module", autouse=True)
async def worker(real: Client) -> AsyncIterator[None]:
    task = asyncio.create_task(real.queue.work())
    yield
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture(scope="module")
async def own(real: Client) -> str:
    """A project that these tests may restart."""
    ref = str((await real.create_project())["ref"])
    await reach(real, ref, "ACTIVE_HEALTHY")
    return ref


@pytest.fixture
async def ref(real: Client, own: str) -> AsyncIterator[str]:
    """The same, without overrides before and after the test."""
    yield own
    assert (await put(real, own, {})).status_code == 200


def path(ref: str) -> str:
    return f"/v1/projects/{ref}/config/database/postgres"


async def put(client: Client, ref: str, body: object) -> httpx.Response:
    return await client.call("PUT", path(ref), json=body)


async def show(client: Client, ref: str, setting: str) -> str:
    answer = await client.query(ref, f"select current_setting('{setting}') as value")
    assert answer.status_code == 201, answer.text
    return str(answer.json()[0]["value"])


async def reach(client: Client, ref: str, status: str) -> None:
    async with asyncio.timeout(60):
        while await client.status(ref) != status:
            await asyncio.sleep(0.05)


def postmaster(rt: Runtime, ref: str) -> int:
    data = Layout(rt.settings.data_dir).cluster(ref).data
    return int((data / "postmaster.pid").read_text().split()[0])


async def connect(rt: Runtime, ref: str) -> psycopg.AsyncConnection[Any]:
    assert isinstance(rt.door, TlsDoor)
    return await rt.door.connect(ref, "postgres", "correct horse")


async def test_a_new_project_overrides_nothing(real: Client, ref: str) -> None:
    assert await real.get(path(ref)) == {}


async def test_what_needs_no_restart_is_in_force_at_once_for_open_sessions_too(
    real: Client, real_rt: Runtime, ref: str
) -> None:
    before = postmaster(real_rt, ref)
    async with await connect(real_rt, ref) as session:
        answer = await put(real, ref, {"statement_timeout": "90s", "work_mem": "8MB"})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"statement_timeout": "90s", "work_mem": "8MB"}
        shown = await (await session.execute("show work_mem")).fetchone()
    assert shown == ("8MB",)
    assert postmaster(real_rt, ref) == before
    assert await real.get(path(ref)) == {"statement_timeout": "90s", "work_mem": "8MB"}


async def test_what_needs_a_restart_gets_one_and_the_project_is_healthy_again(
    real: Client, real_rt: Runtime, ref: str
) -> None:
    before = postmaster(real_rt, ref)
    body = {"max_connections": 80, "track_commit_timestamp": True, "session_replication_role": "replica"}
    answer = await put(real, ref, body)
    assert answer.status_code == 200, answer.text
    assert await real.status(ref) == "ACTIVE_HEALTHY"
    assert postmaster(real_rt, ref) != before
    assert [await show(real, ref, name) for name in body] == ["80", "on", "replica"]


async def test_a_put_replaces_all_that_was_overridden(real: Client, ref: str) -> None:
    await put(real, ref, {"work_mem": "8MB", "statement_timeout": "60s"})
    await put(real, ref, {"statement_timeout": "61s", "work_mem": None})
    assert await real.get(path(ref)) == {"statement_timeout": "61s"}
    assert await show(real, ref, "work_mem") == "4MB"


async def test_without_a_restart_a_setting_is_stored_and_waits_for_the_next(
    real: Client, real_rt: Runtime, ref: str
) -> None:
    before, was = postmaster(real_rt, ref), await show(real, ref, "max_connections")
    answer = await put(real, ref, {"max_connections": 77, "work_mem": "9MB", "restart_database": False})
    assert answer.json() == {"max_connections": 77, "work_mem": "9MB"}
    assert postmaster(real_rt, ref) == before
    assert (await show(real, ref, "max_connections"), await show(real, ref, "work_mem")) == (was, "9MB")
    await real.post(f"/v1/projects/{ref}/pause")
    await reach(real, ref, "INACTIVE")
    refused = await put(real, ref, {"work_mem": "8MB"})
    assert (refused.status_code, "Restore it first" in refused.text) == (400, True)
    await real.post(f"/v1/projects/{ref}/restore")
    await reach(real, ref, "ACTIVE_HEALTHY")
    assert await show(real, ref, "max_connections") == "77"
    assert await real.get(path(ref)) == {"max_connections": 77, "work_mem": "9MB"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"work_mem": "1kB"}, "work_mem: 1kB is out of range: it must be between 64 and 2147483647 (in kB)"),
        ({"work_mem": "8 parsecs"}, "work_mem: 'parsecs' is not a unit of it; it takes a number in kB, or with one of"),
        ({"work_mem": "8s"}, "work_mem: 's' is not a unit of it"),
        ({"work_mem": "8mb"}, "work_mem: 'mb' is not a unit of it"),
        ({"work_mem": "010kB"}, "work_mem: '010kB' is not a number"),
        ({"work_mem": "8MB'\nfsync = off #"}, "work_mem: "),
        ({"work_mem": "8MB\0"}, "work_mem: must not contain the null character"),
        ({"work_mem": "9" * 5000}, "work_mem: "),
        ({"max_connections": 0}, "max_connections: "),
        ({"max_connections": "80"}, "max_connections: "),
        ({"max_connections": True}, "max_connections: "),
        ({"max_wal_senders": -1}, "max_wal_senders: -1 is out of range: it must be between 0 and 262143"),
        ({"statement_timeout": "60 s; drop table x"}, "statement_timeout: "),
        ({"wal_sender_timeout": "30d"}, "wal_sender_timeout: 30d is out of range"),
        ({"session_replication_role": "none"}, "session_replication_role: "),
        ({"fsync": False}, "fsync: is not a field of this operation"),
        ({"shared_preload_libraries": "x"}, "shared_preload_libraries: is not a field"),
        ([], "The body must be a JSON object"),
    ],
)
async def test_a_value_that_postgres_would_not_take_is_refused_by_name_and_rule(
    real: Client, own: str, body: object, said: str
) -> None:
    answer = await put(real, own, body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]
    assert await real.get(path(own)) == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"max_connections": 3}, '"superuser_reserved_connections" (3) plus "reserved_connections" (0) must be less'),
        ({"shared_buffers": "4GB"}, "the compute size nano has 512 MB in all"),
        ({"max_worker_processes": 262143}, 'invalid value for parameter "max_worker_processes": 262143'),
    ],
)
@pytest.mark.parametrize("restart", [True, False])
async def test_values_that_do_not_go_together_are_refused_and_nothing_restarts(
    real: Client, real_rt: Runtime, own: str, body: dict[str, Any], said: str, restart: bool
) -> None:
    before = postmaster(real_rt, own)
    answer = await put(real, own, {**body, "restart_database": restart})
    assert answer.status_code == 409, answer.text
    assert said in answer.json()["message"]
    assert str(real_rt.settings.data_dir) not in answer.text
    assert await real.get(path(own)) == {}
    assert await real.status(own) == "ACTIVE_HEALTHY"
    assert postmaster(real_rt, own) == before


async def test_a_postgres_that_does_not_come_up_gets_its_old_settings_back(
    real: Client, real_rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past a rehearsal that finds nothing, as there may be faults that only a start shows."""

    async def nothing_found(_spec: object) -> int:
        return 1

    await put(real, ref, {"work_mem": "8MB"})
    monkeypatch.setattr(real_rt.clusters, "rehearse", nothing_found)
    answer = await put(real, ref, {"max_connections": 3})
    assert answer.status_code == 409, answer.text
    assert "superuser_reserved_connections" in answer.json()["message"]
    assert str(real_rt.settings.data_dir) not in answer.text
    assert await real.status(ref) == "ACTIVE_HEALTHY"
    assert await real.get(path(ref)) == {"work_mem": "8MB"}
    assert (await show(real, ref, "work_mem"), await show(real, ref, "max_connections")) == ("8MB", "60")


async def test_settings_with_which_nobody_gets_in_are_taken_back(real: Client, ref: str) -> None:
    """Four connections: three are reserved, and what is left is taken by a session of ours."""
    answer = await put(real, ref, {"statement_timeout": "1ms", "max_connections": 4})
    assert answer.status_code in (200, 409), answer.text
    assert await real.status(ref) == "ACTIVE_HEALTHY"


@pytest.mark.parametrize("step", ["rehearse", "apply"])
async def test_postgres_killed_between_two_steps_comes_up_with_the_new_settings(
    real: Client, real_rt: Runtime, ref: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = journal.end_step
    names = [step.name for step in workflows.configure.steps]

    async def record_and_kill(db: Any, run: journal.Run, at: int, *rest: Any) -> None:
        await record(db, run, at, *rest)
        if (run.subject, run.workflow, names[at]) == (ref, "project.configure", step):
            kill(postmaster(real_rt, ref))

    with monkeypatch.context() as killing:
        killing.setattr(journal, "end_step", record_and_kill)
        answer = await put(real, ref, {"max_connections": 82})
    assert answer.status_code == 200, answer.text
    assert await real.status(ref) == "ACTIVE_HEALTHY"
    assert await show(real, ref, "max_connections") == "82"


async def test_postgres_killed_instead_of_stopped_comes_up_with_the_new_settings(
    real: Client, real_rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = real_rt.clusters.stop

    async def kill_and_stop(ref: str) -> None:
        kill(postmaster(real_rt, ref))
        await stop(ref)

    with monkeypatch.context() as killing:
        killing.setattr(real_rt.clusters, "stop", kill_and_stop)
        answer = await put(real, ref, {"max_connections": 83})
    assert answer.status_code == 200, answer.text
    assert await show(real, ref, "max_connections") == "83"


async def test_settings_that_waited_and_keep_postgres_from_starting_are_given_up(
    real: Client, real_rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_found(_spec: object) -> int:
        return 1

    await put(real, ref, {"work_mem": "8MB"})
    with monkeypatch.context() as patched:
        patched.setattr(real_rt.clusters, "rehearse", nothing_found)
        answer = await put(real, ref, {"max_connections": 3, "restart_database": False})
    assert answer.status_code == 200, answer.text
    kill(postmaster(real_rt, ref))
    await monitor.look(real_rt)
    await reach(real, ref, "ACTIVE_HEALTHY")
    assert await real.get(path(ref)) == {"work_mem": "8MB"}
    assert await show(real, ref, "work_mem") == "8MB"


async def test_a_second_change_while_one_is_applied_is_refused(real: Client, ref: str) -> None:
    answers = await asyncio.gather(*(put(real, ref, {"max_connections": 61 + n}) for n in range(3)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {200, 409, 400, 503}
    good = [answer.json() for answer in answers if answer.status_code == 200]
    assert await real.get(path(ref)) in good
