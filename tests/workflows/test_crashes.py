"""Every workflow of a project's life, killed around every step: whoever carries it on brings it to the same end."""

from collections.abc import Awaitable, Callable

import pytest

from baseplane.database import Connection
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.disk import store as disks
from baseplane.resources.disk.workflows import PARAMETER, enforce
from baseplane.resources.postgres_config import store as changes
from baseplane.resources.postgres_config.store import Change
from baseplane.resources.postgres_config.workflows import configure, resize
from baseplane.resources.projects import store as projects_store
from baseplane.resources.projects import workflows as projects
from baseplane.resources.projects.settings import as_text
from baseplane.resources.projects.status import Status
from baseplane.resources.upgrades import store as upgrades_store
from baseplane.resources.upgrades import workflows as upgrades
from baseplane.workflows import WORKFLOWS, Workflow, queue
from tests.conftest import Client
from tests.workflows.crashing import WHEN, crash

EVERY = [
    pytest.param(workflow, position, id=f"{workflow.name}-{step.name}")
    for workflow in WORKFLOWS.values()
    if workflow.name.startswith("project.")
    for position, step in enumerate(workflow.steps)
]
ENDS = {
    "project.create": "ACTIVE_HEALTHY",
    "project.pause": "INACTIVE",
    "project.restore": "ACTIVE_HEALTHY",
    "project.restart": "ACTIVE_HEALTHY",
    "project.stop_and_start": "ACTIVE_HEALTHY",
    "project.resize": "ACTIVE_HEALTHY",
    "project.upgrade": "ACTIVE_HEALTHY",
    "project.check_upgrade": "ACTIVE_HEALTHY",
    "project.tidy_upgrade": "ACTIVE_HEALTHY",
    "project.change_password": "ACTIVE_HEALTHY",
    "project.configure": "ACTIVE_HEALTHY",
    "project.enforce_disk": "ACTIVE_HEALTHY",
    "project.sleep": "ACTIVE_HEALTHY",
    "project.wake": "ACTIVE_HEALTHY",
    "project.delete": None,
}


SETTINGS = {"max_connections": 80, "work_mem": "8MB"}


async def _upgrading(db: Connection, ref: str) -> None:
    await projects_store.settle(db, ref, Status.UPGRADING, only_from={Status.ACTIVE_HEALTHY})
    await upgrades_store.insert(db, ref, 18, "18.0")


async def _restarting(db: Connection, ref: str) -> None:
    await projects_store.settle(db, ref, Status.RESTARTING, only_from={Status.ACTIVE_HEALTHY})


WANTED: dict[str, Callable[[Connection, str], Awaitable[object]]] = {
    "project.configure": lambda db, ref: changes.insert(db, ref, Change(SETTINGS, restart=True)),
    "project.resize": lambda db, ref: changes.insert(db, ref, Change(None, restart=True, size="large")),
    "project.enforce_disk": lambda db, ref: disks.record_use(db, ref, 2**40),
    "project.stop_and_start": _restarting,
    "project.upgrade": _upgrading,
    "project.check_upgrade": lambda db, ref: upgrades_store.ask(db, ref, None),
}
"""What is written down in the transaction that starts the run."""


async def _ask_for(api: Client, memory: MemoryClusters, workflow: Workflow) -> str:
    """Bring a project to where this workflow begins, and start it as users or the monitor would."""
    if workflow is projects.create:
        return str((await api.create_project())["ref"])
    ref = await api.active_project()
    if workflow is projects.restore:
        await api.post(f"/v1/projects/{ref}/pause")
        await api.drain()
        await api.post(f"/v1/projects/{ref}/restore")
    elif workflow is projects.pause:
        await api.post(f"/v1/projects/{ref}/pause")
    elif workflow is projects.delete:
        await api.call("DELETE", f"/v1/projects/{ref}")
    else:
        if workflow is projects.restart:
            await memory.stop(ref)
        if workflow is projects.wake:
            await projects.stop_if_idle(api.queue.rt, ref)
        async with api.queue.rt.database.transaction() as db:
            if workflow.name in WANTED:
                await WANTED[workflow.name](db, ref)
            await queue.start(db, workflow, ref)
    return ref


async def _is_at_its_end(api: Client, memory: MemoryClusters, workflow: Workflow, ref: str) -> None:
    expected = ENDS[workflow.name]
    answer = await api.call("GET", f"/v1/projects/{ref}")
    if expected is None:
        assert answer.status_code == 404
        assert ref not in memory.specs
    else:
        assert answer.json()["status"] == expected
        runs = expected == "ACTIVE_HEALTHY" and workflow is not projects.sleep
        assert (ref in memory.running) == runs
    if workflow is enforce:
        assert (await api.get(f"/v1/projects/{ref}/readonly"))["enabled"]
        assert memory.specs[ref].settings == {PARAMETER: "on"}
    if workflow is configure:
        assert await api.get(f"/v1/projects/{ref}/config/database/postgres") == SETTINGS
        assert memory.started[ref].settings == as_text(SETTINGS)
    if workflow is resize:
        assert await _size(api, ref) == "ci_large"
        assert memory.started[ref].size == "large"
    if workflow is upgrades.upgrade:
        assert answer.json()["database"]["postgres_engine"] == "18"
        assert memory.data[ref] == 18
    if workflow is upgrades.check:
        async with api.queue.rt.database.connection() as db:
            assert await upgrades_store.asked(db, ref) == []
    if workflow in (upgrades.upgrade, upgrades.check, upgrades.tidy):
        assert [label for of, label in memory.prepared if of == ref] == []


async def _size(api: Client, ref: str) -> str:
    (addon,) = (await api.get(f"/v1/projects/{ref}/billing/addons"))["selected_addons"]
    return str(addon["variant"]["id"])


def test_every_workflow_is_walked() -> None:
    assert {workflow.name for workflow in WORKFLOWS.values() if workflow.name.startswith("project.")} == set(ENDS)


@pytest.mark.parametrize(("workflow", "position"), EVERY)
@pytest.mark.parametrize("when", WHEN)
async def test_a_worker_may_die_around_any_step(
    api: Client,
    memory: MemoryClusters,
    workflow: Workflow,
    position: int,
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ref = await _ask_for(api, memory, workflow)
    await crash(api.queue.rt, workflow, ref, position, when, monkeypatch)
    await api.drain()
    await _is_at_its_end(api, memory, workflow, ref)


@pytest.mark.parametrize(("workflow", "position"), EVERY)
async def test_a_step_done_twice_changes_nothing(
    api: Client, memory: MemoryClusters, workflow: Workflow, position: int
) -> None:
    ref = await _ask_for(api, memory, workflow)
    await api.drain()
    before = dict(memory.specs), set(memory.running)
    step = workflow.steps[position]
    if workflow is not projects.delete:  # of a deleted project nothing is left that a step could load
        await step.do(api.queue.rt, ref)
    assert (dict(memory.specs), set(memory.running)) == before
    await _is_at_its_end(api, memory, workflow, ref)
