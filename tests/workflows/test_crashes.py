"""Every workflow of a project's life, killed around every step: whoever carries it on brings it to the same end."""

import pytest

from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.projects import workflows as projects
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
    "project.change_password": "ACTIVE_HEALTHY",
    "project.sleep": "ACTIVE_HEALTHY",
    "project.wake": "ACTIVE_HEALTHY",
    "project.delete": None,
}


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
        assert (ref in memory.running) == (expected == "ACTIVE_HEALTHY" and workflow is not projects.sleep)


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
