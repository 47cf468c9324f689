"""Every workflow of a read replica, killed around every step: whoever carries it on brings it to the same end."""

import pytest

from baseplane.drivers.cluster import Slot
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.projects import replicas
from baseplane.resources.projects import workflows as projects
from baseplane.resources.projects.replicas import ReplicaStatus
from baseplane.resources.replicas import workflows
from baseplane.workflows import WORKFLOWS, Workflow, queue
from tests.conftest import Client
from tests.resources.replicas import remove, set_up, status
from tests.workflows.crashing import WHEN, crash

EVERY = [
    pytest.param(workflow, position, id=f"{workflow.name}-{step.name}")
    for workflow in WORKFLOWS.values()
    if workflow.name.startswith("replica.")
    for position, step in enumerate(workflow.steps)
]
ENDS = {
    "replica.setup": "ACTIVE_HEALTHY",
    "replica.rebuild": "ACTIVE_HEALTHY",
    "replica.restart": "ACTIVE_HEALTHY",
    "replica.follow": "ACTIVE_HEALTHY",
    "replica.give_up": "INIT_READ_REPLICA_FAILED",
    "replica.remove": None,
}


async def _ask_for(api: Client, memory: MemoryClusters, workflow: Workflow) -> str:
    """Bring a replica to where this workflow begins, and start it as users or the monitor would."""
    ref = await api.active_project()
    identifier = await set_up(api, ref)
    if workflow is workflows.setup:
        return identifier
    await api.drain()
    if workflow is workflows.remove:
        await remove(api, ref, identifier)
        return identifier
    begins_as = {
        workflows.restart.name: ReplicaStatus.RESTARTING,
        workflows.rebuild.name: ReplicaStatus.INIT_READ_REPLICA,
        workflows.give_up.name: ReplicaStatus.INIT_READ_REPLICA_FAILED,
    }
    if workflow is workflows.restart:
        await memory.stop(identifier)
    async with api.queue.rt.database.transaction() as db:
        if workflow is workflows.follow:
            await db.execute("""update projects set settings = '{"max_connections": 80}' where ref = %s""", [ref])
        if to := begins_as.get(workflow.name):
            await replicas.settle(db, identifier, to, only_from=replicas.UP)
        await queue.start(db, workflow, identifier)
    return identifier


async def _is_at_its_end(api: Client, memory: MemoryClusters, workflow: Workflow, identifier: str) -> None:
    expected = ENDS[workflow.name]
    assert await status(api, identifier) == expected
    serves = expected == "ACTIVE_HEALTHY"
    assert (identifier in memory.running) == serves
    assert (memory.slots.get(identifier) == Slot.KEPT) == serves
    if workflow is workflows.follow:
        assert memory.started[identifier].settings == {"max_connections": "80"}
    assert await api.status(identifier[:20]) == "ACTIVE_HEALTHY"


def test_every_workflow_is_walked() -> None:
    assert {workflow.name for workflow in WORKFLOWS.values() if workflow.name.startswith("replica.")} == set(ENDS)


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
    identifier = await _ask_for(api, memory, workflow)
    await crash(api.queue.rt, workflow, identifier, position, when, monkeypatch)
    await api.drain()
    await _is_at_its_end(api, memory, workflow, identifier)


@pytest.mark.parametrize(("workflow", "position"), EVERY)
async def test_a_worker_may_die_around_any_step_of_what_is_then_removed(
    api: Client, memory: MemoryClusters, workflow: Workflow, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = await _ask_for(api, memory, workflow)
    await crash(api.queue.rt, workflow, identifier, position, WHEN[0], monkeypatch)
    if workflow is not workflows.remove:
        await remove(api, identifier[:20], identifier)
    await api.drain()
    assert await status(api, identifier) is None
    assert (identifier in memory.specs, identifier in memory.slots) == (False, False)
    assert await api.status(identifier[:20]) == "ACTIVE_HEALTHY"


@pytest.mark.parametrize(("workflow", "position"), EVERY)
async def test_a_step_done_twice_changes_nothing(
    api: Client, memory: MemoryClusters, workflow: Workflow, position: int
) -> None:
    identifier = await _ask_for(api, memory, workflow)
    await api.drain()
    step = workflow.steps[position]
    if workflow is not workflows.remove and step.do is not workflows.remove_cluster:
        await step.do(api.queue.rt, identifier)
    await _is_at_its_end(api, memory, workflow, identifier)


ALONG = [
    pytest.param(workflow, position, id=f"{workflow.name}-{step.name}")
    for workflow in (projects.pause, projects.delete)
    for position, step in enumerate(workflow.steps)
]


@pytest.mark.parametrize(("workflow", "position"), ALONG)
@pytest.mark.parametrize("when", WHEN)
async def test_a_worker_may_die_around_any_step_that_takes_replicas_along(
    api: Client,
    memory: MemoryClusters,
    workflow: Workflow,
    position: int,
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ref = await api.active_project()
    serving = await set_up(api, ref)
    await api.drain()
    await set_up(api, ref)
    if workflow is projects.pause:
        await api.post(f"/v1/projects/{ref}/pause")
    else:
        await api.call("DELETE", f"/v1/projects/{ref}")
    await crash(api.queue.rt, workflow, ref, position, when, monkeypatch)
    await api.drain()
    assert memory.running == set()
    if workflow is projects.delete:
        assert (memory.specs, memory.slots) == ({}, {})
    else:
        assert await api.status(ref) == "INACTIVE"
        assert set(memory.specs) == set(memory.slots) | {ref} == {ref, serving}
