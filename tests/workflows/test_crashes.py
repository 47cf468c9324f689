"""Every workflow of a project's life, killed around every step: whoever carries it on brings it to the same end."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from baseplane.database import Connection
from baseplane.drivers.archive import Target
from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.resources.backups import choosing
from baseplane.resources.backups import store as backups
from baseplane.resources.backups.recovering import recover
from baseplane.resources.backups.taking import drill, mark, subject, take
from baseplane.resources.cloning import asking
from baseplane.resources.cloning.workflows import create_from
from baseplane.resources.disk import store as disks
from baseplane.resources.disk.workflows import PARAMETER, enforce
from baseplane.resources.functions import history
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
from tests.resources.functions.deploying import given
from tests.workflows.crashing import WHEN, crash

EVERY = [
    pytest.param(workflow, position, id=f"{workflow.name}-{step.name}")
    for workflow in WORKFLOWS.values()
    if workflow.name.startswith("project.")
    for position, step in enumerate(workflow.steps)
]
ENDS = {
    "project.create": "ACTIVE_HEALTHY",
    "project.create_from": "ACTIVE_HEALTHY",
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
    "project.recover": "ACTIVE_HEALTHY",
    "project.summarize_wal": "ACTIVE_HEALTHY",
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
    elif workflow is create_from:
        await back_up(api, ref)
        return await _ask_for_clone(api, ref)
    elif workflow is recover:
        await given(api.queue.rt, ref, "hello", "old")
        await back_up(api, ref)
        await given(api.queue.rt, ref, "hello", "new")
        await given(api.queue.rt, ref, "late", "late")
        (backup,) = (await api.get(f"/v1/projects/{ref}/database/backups"))["backups"]
        response = await api.post(f"/v1/projects/{ref}/database/backups/restore", {"id": backup["id"]})
        assert response.status_code == 201
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


async def _ask_for_clone(api: Client, ref: str) -> str:
    rt = api.queue.rt
    async with rt.database.transaction() as db:
        source = await projects_store.get(db, ref)
        chosen = await choosing.newest(db, rt.settings, source)
        clone = await asking.ask(db, rt.keyring, source, chosen, name=f"{ref}-copy", password="battery staple")
    return clone.ref


async def back_up(api: Client, ref: str) -> None:
    async with api.queue.rt.database.transaction() as db:
        await backups.ask_for_backup(db, ref, await api.queue.rt.archive.generation(ref) or "")
        await queue.start(db, take, subject("backup", ref))
    await api.drain()


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
    if workflow is recover:
        target, _ = memory.data[ref]  # type: ignore[misc]
        assert target.as_backed_up
        listed = (await api.get(f"/v1/projects/{ref}/database/backups"))["backups"]
        assert [backup["status"] for backup in listed] == ["COMPLETED", "COMPLETED"]
        assert await serve(api, ref) == {"hello": "old"}
    if workflow is create_from:
        target, _ = memory.data[ref]  # type: ignore[misc]
        assert target == Target()
        assert memory.specs[ref].password == "battery staple"
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


async def serve(api: Client, ref: str) -> dict[str, str]:
    """The functions, and what they are."""
    path = f"/v1/projects/{ref}/functions"
    slugs = [each["slug"] for each in await api.get(path)]
    return {slug: (await api.call("GET", f"{path}/{slug}/body")).text for slug in slugs}


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
    if workflow not in (projects.delete, recover, create_from):  # what their steps load is gone afterwards
        await step.do(api.queue.rt, ref)
    assert (dict(memory.specs), set(memory.running)) == before
    await _is_at_its_end(api, memory, workflow, ref)


BESIDE = [
    pytest.param(workflow, position, id=f"{workflow.name}-{step.name}")
    for workflow in (take, mark, drill)
    for position, step in enumerate(workflow.steps)
]


@pytest.mark.parametrize(("workflow", "position"), BESIDE)
@pytest.mark.parametrize("when", WHEN)
async def test_a_worker_may_die_around_what_goes_on_beside(
    api: Client, workflow: Workflow, position: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await api.active_project()
    path = f"/v1/projects/{ref}/database/backups"
    if workflow is not take:
        await back_up(api, ref)
    await given(api.queue.rt, ref, "hello", "old")
    async with api.queue.rt.database.transaction() as db:
        if workflow is take:
            await backups.ask_for_backup(db, ref, await api.queue.rt.archive.generation(ref) or "")
        elif workflow is drill:
            (backup,) = await backups.list_backups(db, ref)
            await backups.begin_drill(db, ref, backup.id)
        else:
            await backups.insert_point(db, ref, "here")
        await queue.start(db, workflow, subject("trial", ref))
    await crash(api.queue.rt, workflow, subject("trial", ref), position, when, monkeypatch)
    await api.drain()
    assert [backup["status"] for backup in (await api.get(path))["backups"]] == ["COMPLETED"]
    if workflow is take:
        async with api.queue.rt.database.connection() as db:
            assert await history.lacking(db, ref, datetime.now(UTC)) == []
    if workflow is mark:
        assert (await api.get(f"{path}/restore-point"))["status"] == "AVAILABLE"
    if workflow is drill:
        async with api.queue.rt.database.connection() as db:
            cursor = await db.execute("select passed from drills where project_ref = %s", [ref])
            assert await cursor.fetchall() == [(True,)]


@pytest.mark.parametrize("position", range(len(recover.steps)))
async def test_a_restore_that_is_given_up_after_any_step_leaves_the_project_as_it_was(
    api: Client, memory: MemoryClusters, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await _ask_for(api, memory, recover)
    await crash(api.queue.rt, recover, ref, position, WHEN[1], monkeypatch)
    response = await api.post(f"/v1/projects/{ref}/restore/cancel")
    ended = position == len(recover.steps) - 1  # the last step had recorded what came of it
    assert response.status_code == (400 if ended else 200)
    await api.drain()
    assert await api.status(ref) == "ACTIVE_HEALTHY"
    assert ref in memory.running
    assert isinstance(memory.data.get(ref), tuple) == ended
    assert await serve(api, ref) == ({"hello": "old"} if ended else {"hello": "new", "late": "late"})
