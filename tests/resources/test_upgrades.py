"""Upgrades over remembered clusters: what is asked for, how far it is, and the way back from every place."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from baseplane.database import Connection
from baseplane.drivers.cluster import UpgradeRefused
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status
from baseplane.resources.upgrades import store, workflows
from baseplane.runtime import Runtime
from baseplane.workflows import Step, queue
from tests.conftest import Client, working
from tests.workflows.crashing import WHEN, crash

STEPS = [pytest.param(position, id=step.name) for position, step in enumerate(workflows.upgrade.steps[:-1])]
"""All from which there is a way back."""


@pytest.fixture
async def worker(api: Client) -> AsyncIterator[None]:
    async with working(api.queue):
        yield


async def status(api: Client, ref: str) -> Any:
    return (await api.get(f"/v1/projects/{ref}/upgrade/status"))["databaseUpgradeStatus"]


async def eligibility(api: Client, ref: str) -> Any:
    return await api.get(f"/v1/projects/{ref}/upgrade/eligibility")


async def wanted(api: Client) -> str:
    """A project whose upgrade is asked for and has not begun."""
    ref = await api.active_project()
    rt = api.queue.rt
    async with rt.database.transaction() as db:
        await projects.settle(db, ref, Status.UPGRADING, only_from={Status.ACTIVE_HEALTHY})
        await store.insert(db, ref, 18, "18.0")
        await queue.start(db, workflows.upgrade, ref)
    return ref


def failing(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this step fail for good, after it has done its work."""
    whole = workflows.upgrade.steps[step]

    async def do(rt: Runtime, ref: str) -> None:
        await whole.do(rt, ref)
        raise UpgradeRefused("it was told to")

    changed = list(workflows.upgrade.steps)
    changed[step] = Step(whole.name, do, whole.within, whole.undo, (*whole.final, UpgradeRefused))
    monkeypatch.setattr(workflows.upgrade, "steps", changed)


async def is_as_before(api: Client, memory: MemoryClusters, ref: str) -> None:
    project = await api.get(f"/v1/projects/{ref}")
    assert (project["status"], project["database"]["postgres_engine"]) == ("ACTIVE_HEALTHY", "17")
    assert ref in memory.running
    assert memory.data.get(ref) is None
    assert [label for of, label in memory.prepared if of == ref] == []


async def test_an_upgrade_passes_through_every_place_in_order(
    api: Client, memory: MemoryClusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach, seen = store.reach, []

    async def note(db: Connection, ref: str, progress: str) -> None:
        await reach(db, ref, progress)
        going_on = await store.latest(db, ref)
        assert going_on is not None
        seen.append(going_on.progress)

    monkeypatch.setattr(store, "reach", note)
    ref = await wanted(api)
    assert (await api.get(f"/v1/projects/{ref}"))["status"] == "UPGRADING"
    assert (await status(api, ref))["progress"] == "0_requested"
    await api.drain()
    assert seen == list(store.PROGRESS[1:])
    told = await status(api, ref)
    assert (told["status"], told["progress"], told["target_version"]) == (1, "9_completed_upgrade", 18)
    assert told["initiated_at"] < told["latest_status_at"]
    assert "error" not in told
    project = await api.get(f"/v1/projects/{ref}")
    assert project["status"] == "ACTIVE_HEALTHY"
    assert (project["database"]["postgres_engine"], project["database"]["version"]) == ("18", "18.0")


@pytest.mark.parametrize("step", STEPS)
async def test_whichever_step_fails_the_old_project_is_back_and_says_why(
    api: Client, memory: MemoryClusters, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await wanted(api)
    failing(step, monkeypatch)
    await api.drain()
    await is_as_before(api, memory, ref)
    told = await status(api, ref)
    assert (told["status"], told["cause"]) == (2, "it was told to")
    reached = int(told["progress"].split("_")[0])
    assert told["error"].startswith(f"{max(1, reached)}_")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", WHEN)
async def test_a_worker_that_dies_as_a_step_fails_leaves_the_way_back_to_the_next(
    api: Client, memory: MemoryClusters, step: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await wanted(api)
    with monkeypatch.context() as dying:
        failing(step, dying)
        await crash(api.queue.rt, workflows.upgrade, ref, step, when, dying)
    async with api.queue.rt.database.connection() as db:
        await db.execute("update runs set cancel = true where subject = %s and finished_at is null", [ref])
    await api.drain()
    await is_as_before(api, memory, ref)


async def test_a_project_that_is_deleted_meanwhile_is_gone_with_all_that_was_prepared(
    api: Client, memory: MemoryClusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await wanted(api)
    await crash(api.queue.rt, workflows.upgrade, ref, 4, WHEN[1], monkeypatch)
    assert (await api.call("DELETE", f"/v1/projects/{ref}")).status_code == 200
    await api.drain()
    assert (await api.call("GET", f"/v1/projects/{ref}")).status_code == 404
    assert ref not in memory.specs
    assert [label for of, label in memory.prepared if of == ref] == []


async def test_once_it_is_completed_nothing_is_taken_back(
    api: Client, memory: MemoryClusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await wanted(api)
    failing(len(workflows.upgrade.steps) - 1, monkeypatch)
    await api.drain()
    project = await api.get(f"/v1/projects/{ref}")
    assert (project["status"], project["database"]["postgres_engine"]) == ("ACTIVE_HEALTHY", "18")
    assert memory.data[ref] == 18
    assert (await status(api, ref))["status"] == 1


async def test_a_project_on_the_newest_postgres_here_is_told_so(api: Client) -> None:
    ref = await wanted(api)
    await api.drain()
    async with working(api.queue):
        told = await eligibility(api, ref)
    assert told["eligible"] is False
    assert told["obstacles"] == [
        "There is no Postgres newer than 18 here; `baseplane engines list` shows what there is."
    ]


async def test_a_project_that_can_be_upgraded_is_told_to_what(api: Client, worker: None) -> None:
    ref = (await api.create_project())["ref"]
    await api.becomes(ref, "ACTIVE_HEALTHY")
    told = await eligibility(api, ref)
    assert told["eligible"] is True
    assert told["current_app_version"] == "supabase-postgres-17.0"
    assert told["latest_app_version"] == "supabase-postgres-18.0"
    assert told["target_upgrade_versions"] == []  # the contract does not know 18
    assert (told["validation_errors"], told["obstacles"], told["warnings"]) == ([], [], [])
    assert 0 < told["duration_estimate_hours"] < 0.1


async def test_what_pg_upgrade_objects_to_is_told_and_keeps_the_project_as_it_is(
    api: Client, memory: MemoryClusters, worker: None
) -> None:
    ref = (await api.create_project())["ref"]
    await api.becomes(ref, "ACTIVE_HEALTHY")
    memory.upgrades.objections[ref, "prepare"] = "Your installation contains something."
    told = await eligibility(api, ref)
    assert (told["eligible"], told["obstacles"]) == (False, ["Your installation contains something."])
    refused = await api.post(f"/v1/projects/{ref}/upgrade", {"target_version": "18"})
    assert (refused.status_code, refused.json()["message"]) == (
        400,
        "The project cannot be upgraded: Your installation contains something.",
    )
    await is_as_before(api, memory, ref)
    assert await status(api, ref) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "target_version"),
        ({"target_version": 18}, "target_version"),
        ({"target_version": "latest"}, "target_version: must be a version of Postgres, such as 18 or 18.6"),
        ({"target_version": "18'; --"}, "target_version: must be a version"),
        ({"target_version": "1" * 4000}, "target_version: must be a version"),
        ({"target_version": "16"}, "target_version: 16 is not offered to this project; what is: 18.0"),
        ({"target_version": "17"}, "target_version: 17 is not offered"),
        ({"target_version": "18.9"}, "target_version: 18.9 is not offered to this project; what is: 18.0"),
        ({"target_version": "17-oriole"}, "target_version: must be a version"),
        ({"target_version": "18", "release_channel": "beta"}, "release_channel: beta is not offered here, only ga"),
        ({"target_version": "18", "release_channel": "stable"}, "release_channel"),
    ],
)
async def test_a_target_that_does_not_exist_is_refused(
    api: Client, worker: None, body: dict[str, Any], said: str
) -> None:
    ref = (await api.create_project())["ref"]
    await api.becomes(ref, "ACTIVE_HEALTHY")
    refused = await api.post(f"/v1/projects/{ref}/upgrade", body)
    assert refused.status_code == 400
    assert refused.json()["message"].startswith(said), refused.text
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_a_version_may_be_given_in_full_or_as_an_app_version(
    api: Client, memory: MemoryClusters, worker: None
) -> None:
    for target in ("18.0", "supabase-postgres-18.0"):
        ref = (await api.create_project())["ref"]
        await api.becomes(ref, "ACTIVE_HEALTHY")
        answer = await api.post(f"/v1/projects/{ref}/upgrade", {"target_version": target, "release_channel": "ga"})
        assert answer.status_code == 201
        await api.becomes(ref, "ACTIVE_HEALTHY")
        told = await api.get(f"/v1/projects/{ref}/upgrade/status?tracking_id={answer.json()['tracking_id']}")
        assert told["databaseUpgradeStatus"]["status"] == 1
        nothing = await eligibility(api, ref)
        assert (nothing["eligible"], nothing["latest_app_version"]) == (False, "supabase-postgres-18.0")


async def test_a_paused_project_is_called_hibernating(api: Client) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    told = await eligibility(api, ref)
    assert (told["eligible"], told["validation_errors"]) == (False, [{"type": "project_hibernating"}])
    refused = await api.post(f"/v1/projects/{ref}/upgrade", {"target_version": "18"})
    assert (refused.status_code, "Restore it first" in refused.text) == (400, True)


async def test_a_project_is_upgraded_once_at_a_time(api: Client) -> None:
    ref = await wanted(api)
    refused = await api.post(f"/v1/projects/{ref}/upgrade", {"target_version": "18"})
    assert (refused.status_code, "it is UPGRADING" in refused.text) == (400, True)
    assert (await eligibility(api, ref))["eligible"] is False
    for action in ("pause", "restart"):
        assert (await api.post(f"/v1/projects/{ref}/{action}")).status_code == 400


async def test_an_unknown_tracking_id_is_not_found(api: Client) -> None:
    ref = await api.active_project()
    assert await status(api, ref) is None
    path = f"/v1/projects/{ref}/upgrade/status?tracking_id="
    assert (await api.call("GET", path + "00000000-0000-0000-0000-000000000000")).status_code == 404
    assert (await api.call("GET", path + "no-uuid")).status_code == 400
