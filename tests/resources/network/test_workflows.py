"""Network rules whose worker dies while they are applied, on clusters that are only remembered."""

import pytest

from baseplane.database import Connection
from baseplane.drivers.ingress.memory import MemoryDoor
from baseplane.errors import Unavailable
from baseplane.resources.network import restrictions, ssl_enforcement, workflows
from baseplane.resources.network.addresses import EVERYWHERE
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, queue
from tests.conftest import Client
from tests.workflows.crashing import WHEN, crash

EVERY = [workflows.enforce_restrictions, workflows.enforce_ssl]


async def ask_for(db: Connection, ref: str, workflow: Workflow) -> None:
    await restrictions.change(db, ref, lambda _: EVERYWHERE[:1])
    await ssl_enforcement.want(db, ref, enforced=True)
    await queue.start(db, workflow, ref)


async def applied(rt: Runtime, ref: str, workflow: Workflow) -> bool:
    async with rt.database.connection() as db:
        if workflow is workflows.enforce_ssl:
            return await ssl_enforcement.is_enforced(db, ref)
        return (await restrictions.get(db, ref)).is_applied and await restrictions.are_set(db, ref)


@pytest.mark.parametrize("workflow", EVERY, ids=lambda workflow: workflow.name)
@pytest.mark.parametrize("when", WHEN)
async def test_they_are_applied_though_the_worker_died(
    api: Client, rt: Runtime, workflow: Workflow, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await api.active_project()
    assert isinstance(rt.door, MemoryDoor)
    rt.door.encrypted_only.add(ref)
    async with rt.database.transaction() as db:
        await ask_for(db, ref, workflow)
    assert not await applied(rt, ref, workflow)
    await crash(rt, workflow, ref, len(workflow.steps) - 1, when, monkeypatch)
    await api.drain()
    assert await applied(rt, ref, workflow)


async def test_tls_is_not_called_enforced_when_plaintext_gets_in(api: Client, rt: Runtime) -> None:
    ref = await api.active_project()
    async with rt.database.transaction() as db:
        await ssl_enforcement.want(db, ref, enforced=True)
    with pytest.raises(Unavailable, match="without TLS was let in"):
        await workflows.end_plaintext_sessions(rt, ref)
    found = await api.get(f"/v1/projects/{ref}/ssl-enforcement")
    assert found == {"currentConfig": {"database": False}, "appliedSuccessfully": False}


async def test_of_a_removed_project_nothing_stays(api: Client, rt: Runtime) -> None:
    ref = await api.active_project()
    async with rt.database.transaction() as db:
        await ask_for(db, ref, workflows.enforce_restrictions)
    await api.call("DELETE", f"/v1/projects/{ref}")
    await api.drain()
    async with rt.database.connection() as db:
        for table in ("network_restrictions", "ssl_enforcement", "login_failures"):
            cursor = await db.execute(f"select count(*) from {table} where ref = %s".encode(), [ref])
            assert await cursor.fetchone() == (0,)
