"""Backups of a real installation: taken by themselves, and brought back by a worker that is killed meanwhile."""

import contextlib
import shutil
import subprocess
import sys
import time

import pytest

from tests.e2e.installation import PASSWORD, Installation, until
from tests.processes import kill


def source(text: str) -> str:
    return f'Deno.serve(() => new Response("{text}"));'


@pytest.fixture(scope="module")
def ref(installation: Installation) -> str:
    """A healthy project with one row in it, and a function."""
    ref = installation.await_healthy(installation.create_project())
    installation.query(ref, "create table kept as select 42 as answer")
    deploy(installation, ref, "old")
    return ref


def deploy(installation: Installation, ref: str, text: str) -> None:
    body = {"slug": "hello", "name": "hello", "body": source(text)}
    path = f"/v1/projects/{ref}/functions"
    answer = installation.call("POST", path, body, timeout=60)
    if answer.status_code == 409:
        answer = installation.call("PATCH", f"{path}/hello", body, timeout=60)
    assert answer.is_success, answer.text


def deployed(installation: Installation, ref: str) -> str:
    return installation.call("GET", f"/v1/projects/{ref}/functions/hello/body").text


def restore(installation: Installation, ref: str, second: int) -> None:
    body = {"recovery_time_target_unix": second}
    answer = installation.call("POST", f"/v1/projects/{ref}/database/backups/restore-pitr", body)
    assert answer.status_code == 201, answer.text


def is_backed_up(installation: Installation, ref: str) -> bool:
    """What the project is now, not what it was before a restore: that is backed up at once, and again if it failed."""
    backups = installation.call("GET", f"/v1/projects/{ref}/database/backups").json()["backups"]
    return bool(backups) and backups[0]["status"] == "COMPLETED"


def test_a_new_project_is_backed_up_by_itself(installation: Installation, ref: str) -> None:
    until(lambda: is_backed_up(installation, ref), 90, "the first backup")
    (kept,) = (installation.data_dir / "archive" / ref / "files" / "functions").iterdir()
    assert kept.name.endswith(".zst.aes")
    assert b"Deno" not in kept.read_bytes()


@pytest.mark.parametrize("moment", [0.2, 1.5])
@pytest.mark.parametrize("victim", ["worker", "worker and Postgres"])
def test_a_restore_is_carried_on_by_the_next_worker(
    installation: Installation, ref: str, moment: float, victim: str
) -> None:
    until(lambda: is_backed_up(installation, ref), 180, "a backup of what it is")
    installation.query(ref, "drop table if exists late")
    rename(installation, ref, "in time")
    second = int(time.time()) + 1
    until(lambda: time.time() > second + 0.1, 5, "a second")
    installation.query(ref, "create table late ()")
    rename(installation, ref, "late")
    restore(installation, ref, second)
    time.sleep(moment)  # this is what the test is about: not a wait for something
    if victim != "worker":
        with contextlib.suppress(FileNotFoundError):  # it is just being replaced
            kill(installation.postmaster(ref))
    installation.kill_part("worker")
    until(lambda: installation.status(ref) != "RESTORING", 90, "the restore")
    installation.await_healthy(ref)
    assert installation.query(ref, "select answer, to_regclass('late') is null from kept") == [(42, True)]
    (function,) = installation.call("GET", f"/v1/projects/{ref}/functions").json()
    assert function["name"] == "in time"


def rename(installation: Installation, ref: str, name: str) -> None:
    answer = installation.call("PATCH", f"/v1/projects/{ref}/functions/hello", {"name": name})
    assert answer.status_code == 200, answer.text


def test_functions_come_back_out_of_the_archive_when_their_artifacts_are_lost(
    installation: Installation, ref: str
) -> None:
    until(lambda: is_backed_up(installation, ref), 180, "a backup of what it is")
    kept = installation.data_dir / "archive" / ref / "files" / "functions"
    until(lambda: len(list(kept.iterdir())) == 1, 10, "the first version in the archive")
    second = int(time.time()) + 1
    until(lambda: time.time() > second + 0.1, 5, "a second")
    deploy(installation, ref, "new")
    until(lambda: len(list(kept.iterdir())) == 2, 10, "the second version in the archive")
    shutil.rmtree(installation.data_dir / "artifacts")
    restore(installation, ref, second)
    until(lambda: installation.status(ref) != "RESTORING", 90, "the restore")
    installation.await_healthy(ref)
    assert deployed(installation, ref) == source("old")


def test_a_clone_is_carried_on_by_the_next_worker_and_the_command_tells(installation: Installation, ref: str) -> None:
    until(lambda: is_backed_up(installation, ref), 180, "a backup of what it is")
    installation.query(ref, "create table latest as select 43 as answer")
    command = ["backups", "clone", ref, "--name", "copy", "--db-password", PASSWORD]
    with subprocess.Popen(
        [sys.executable, "-m", "baseplane", *command, "--data-dir", str(installation.data_dir)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as cloning:
        assert cloning.stdout is not None
        copy = cloning.stdout.readline().strip()
        time.sleep(0.3)  # this is what the test is about: not a wait for something
        installation.kill_part("worker")
        _, told = cloning.communicate(timeout=120)
    assert cloning.returncode == 0, told
    assert "ACTIVE_HEALTHY after" in told
    installation.await_healthy(copy)
    assert installation.query(copy, "select (select answer from kept), (select answer from latest)") == [(42, 43)]
    assert installation.status(ref) == "ACTIVE_HEALTHY"
    until(lambda: is_backed_up(installation, copy), 90, "its own first backup")
