"""Backups of a real installation: taken by themselves, and brought back by a worker that is killed meanwhile."""

import contextlib
import time

import pytest

from tests.e2e.installation import Installation, until
from tests.processes import kill


@pytest.fixture(scope="module")
def ref(installation: Installation) -> str:
    """A healthy project with one row in it."""
    ref = installation.await_healthy(installation.create_project())
    installation.query(ref, "create table kept as select 42 as answer")
    return ref


def is_backed_up(installation: Installation, ref: str) -> bool:
    """What the project is now, not what it was before a restore: that is backed up at once, and again if it failed."""
    backups = installation.call("GET", f"/v1/projects/{ref}/database/backups").json()["backups"]
    return bool(backups) and backups[0]["status"] == "COMPLETED"


def test_a_new_project_is_backed_up_by_itself(installation: Installation, ref: str) -> None:
    until(lambda: is_backed_up(installation, ref), 90, "the first backup")


@pytest.mark.parametrize("moment", [0.2, 1.5])
@pytest.mark.parametrize("victim", ["worker", "worker and Postgres"])
def test_a_restore_is_carried_on_by_the_next_worker(
    installation: Installation, ref: str, moment: float, victim: str
) -> None:
    until(lambda: is_backed_up(installation, ref), 180, "a backup of what it is")
    installation.query(ref, "drop table if exists late")
    second = int(time.time()) + 1
    until(lambda: time.time() > second + 0.1, 5, "a second")
    installation.query(ref, "create table late ()")
    body = {"recovery_time_target_unix": second}
    answer = installation.call("POST", f"/v1/projects/{ref}/database/backups/restore-pitr", body)
    assert answer.status_code == 201, answer.text
    time.sleep(moment)  # this is what the test is about: not a wait for something
    if victim != "worker":
        with contextlib.suppress(FileNotFoundError):  # it is just being replaced
            kill(installation.postmaster(ref))
    installation.kill_part("worker")
    until(lambda: installation.status(ref) != "RESTORING", 90, "the restore")
    installation.await_healthy(ref)
    assert installation.query(ref, "select answer, to_regclass('late') is null from kept") == [(42, True)]
