import pytest

from baseplane.resources.projects.status import Status
from baseplane.runtime import Runtime
from tests.conftest import Client


async def test_a_project_is_paused_and_restored(api: Client) -> None:
    ref = await api.active_project()
    assert (await api.post(f"/v1/projects/{ref}/pause")).status_code == 200
    assert await api.status(ref) == "PAUSING"
    await api.drain()
    assert await api.status(ref) == "INACTIVE"
    assert (await api.post(f"/v1/projects/{ref}/restore")).status_code == 200
    await api.drain()
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_what_the_status_does_not_allow_is_refused_with_the_next_step(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    response = await api.post(f"/v1/projects/{ref}/pause")
    assert response.status_code == 400
    said = "This project cannot be paused: it is COMING_UP. Wait until it is ACTIVE_HEALTHY."
    assert response.json() == {"message": said, "project_status": "COMING_UP"}
    assert (await api.post(f"/v1/projects/{ref}/restore")).status_code == 400


RUNS = "It runs; to bring back what its data was, restore one of its backups."
PITR = "database/backups/restore-pitr"
SAID = [
    ("pause", Status.INACTIVE, "It is paused already."),
    ("pause", Status.PAUSING, "It is being paused; wait until it is INACTIVE."),
    ("pause", Status.RESTORE_FAILED, "Restore it again; then it can be paused."),
    ("pause", Status.GOING_DOWN, "It is being deleted."),
    ("restore", Status.ACTIVE_HEALTHY, RUNS),
    ("restore", Status.ACTIVE_UNHEALTHY, f"{RUNS} If it does not answer, restart it."),
    ("restore", Status.RESTORING, "What brings it back is under way; wait until it is ACTIVE_HEALTHY."),
    ("restore", Status.PAUSING, "It may take a while to pause fully; restore it afterwards."),
    ("restart", Status.INACTIVE, "Restore it: that starts it."),
    ("restart", Status.RESTARTING, "Wait until it is ACTIVE_HEALTHY."),
    (PITR, Status.PAUSING, "Wait until it is INACTIVE."),
    (PITR, Status.RESTORING, "What brings it back is under way; wait until it is ACTIVE_HEALTHY."),
    ("upgrade", Status.INACTIVE, "Restore it first."),
]
BODIES = {PITR: {"recovery_time_target_unix": 1}, "upgrade": {"target_version": "18"}}


@pytest.mark.parametrize(("operation", "status", "hint"), SAID)
async def test_a_refusal_says_what_helps_with_what_was_wanted(
    api: Client, rt: Runtime, operation: str, status: Status, hint: str
) -> None:
    ref = (await api.create_project())["ref"]
    await api.drain()
    async with rt.database.connection() as db:
        await db.execute("update projects set status = %s where ref = %s", [status, ref])
    answer = await api.post(f"/v1/projects/{ref}/{operation}", BODIES.get(operation))
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"].endswith(f": it is {status}. {hint}")


@pytest.mark.parametrize("operation", ["pause", "restore", "restart"])
async def test_every_refusal_says_something_that_helps(api: Client, rt: Runtime, operation: str) -> None:
    ref = (await api.create_project())["ref"]
    await api.drain()
    for status in set(Status) - {Status.REMOVED}:
        async with rt.database.connection() as db:
            await db.execute("update projects set status = %s where ref = %s", [status, ref])
        answer = await api.post(f"/v1/projects/{ref}/{operation}")
        if answer.status_code != 200:
            assert not answer.json()["message"].endswith(f"it is {status}."), status
        await api.drain()
