"""The loss of a whole machine: everything comes back from the archive and the copy of platform.key."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, until


@pytest.fixture
def archive() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bp-archive-") as directory:
        yield Path(directory)


@pytest.fixture
def machine(archive: Path) -> Iterator[Installation]:
    """One that is lost in the course of the test."""
    installation = Installation(ARCHIVE=str(archive), ARCHIVE_RPO="4")
    try:
        yield installation
    finally:
        installation.end()


@pytest.fixture
def another(archive: Path) -> Iterator[Installation]:
    """An empty machine."""
    installation = Installation(ARCHIVE=str(archive), ARCHIVE_RPO="4")
    try:
        yield installation
    finally:
        installation.end()


def packs(machine: Installation, name: str = "platform") -> int:
    """Objects with log of one cluster."""
    return len(list(archive_of(machine).glob(f"{name}/*/log/*")))


def is_backed_up(machine: Installation, ref: str) -> bool:
    backups = machine.call("GET", f"/v1/projects/{ref}/database/backups").json()["backups"]
    return any(backup["status"] == "COMPLETED" for backup in backups)


def begin(machine: Installation, projects: int) -> list[str]:
    """So many projects with data, which are backed up."""
    machine.up()
    refs = [machine.create_project() for _ in range(projects)]
    for ref in refs:
        machine.await_healthy(ref)
        machine.query(ref, "create table kept (answer int)")
        until(lambda ref=ref: is_backed_up(machine, ref), 120, "the first backup")
        machine.query(ref, "insert into kept values (42)")
    until(lambda: list(archive_of(machine).glob("platform/*/base/*/backup.json")), 60, "the platform's backup")
    return refs


def archive_of(machine: Installation) -> Path:
    return Path(machine.environment["ARCHIVE"])


def has_all(machine: Installation, ref: str) -> bool:
    return machine.query(ref, "select answer from kept") == [(42,)]


def identity(machine: Installation, refs: list[str]) -> dict[str, object]:
    """What clients have been told to use."""
    keys = [machine.call("GET", f"/v1/projects/{ref}/api-keys?reveal=true").json() for ref in refs]
    files = [Path(machine.ready[name]).read_text() for name in ("access_token", "ca")]
    return {"keys": keys, "files": files}


def hand_over_key(machine: Installation, another: Installation) -> None:
    (another.data_dir / "platform.key").write_text((machine.data_dir / "platform.key").read_text())


def await_archive(machine: Installation, refs: list[str]) -> None:
    """Wait until everything until now is in the archive: the segment before this one may be on its way."""
    before = {ref: packs(machine, ref) for ref in refs}
    for ref in refs:
        machine.query(ref, "create table noise ()")
    count = packs(machine)
    until(lambda: packs(machine) > count + 1, 60, "archiving the platform database")
    until(lambda: all(packs(machine, ref) > before[ref] for ref in refs), 60, "archiving the projects")


def test_a_machine_that_died_comes_back_on_another(machine: Installation, another: Installation) -> None:
    *serving, paused = refs = begin(machine, 3)
    assert machine.call("POST", f"/v1/projects/{paused}/pause").status_code == 200
    until(lambda: machine.status(paused) == "INACTIVE", 30, "pausing")
    before = identity(machine, refs)
    await_archive(machine, serving)
    shown = machine.run("backups").stdout
    assert shown.startswith("platform  the platform database\n    backup   full, ")
    hand_over_key(machine, another)
    assert "The archive is in use by" in another.run("recover").stderr
    machine.kill()

    done = another.run("recover")
    assert done.returncode == 0, done.stderr
    assert all(ref in done.stdout for ref in refs)
    another.up()
    for ref in serving:
        another.await_healthy(ref)
        assert has_all(another, ref)
    assert another.status(paused) == "INACTIVE"
    assert another.call("POST", f"/v1/projects/{paused}/restore").status_code == 200
    another.await_healthy(paused)
    assert has_all(another, paused)
    assert identity(another, refs) == before
    assert "belongs to the installation in" in machine.refused()  # it comes back, and finds itself replaced


def test_a_planned_stop_loses_nothing_even_if_the_recovery_is_killed(
    machine: Installation, another: Installation
) -> None:
    (ref,) = begin(machine, 1)
    before = identity(machine, [ref])
    machine.query(ref, "insert into kept values (43)")
    machine.stop()
    hand_over_key(machine, another)
    with subprocess.Popen(**another.command("recover"), stdout=subprocess.DEVNULL) as broken_off:
        until((another.data_dir / "platform" / "aside").exists, 60, "beginning to recover")
        broken_off.kill()
    assert "run `baseplane recover` once more" in another.refused()
    done = another.run("recover")
    assert done.returncode == 0, done.stderr
    another.up()
    another.await_healthy(ref)
    assert another.query(ref, "select answer from kept") == [(42,), (43,)]
    assert identity(another, [ref]) == before
