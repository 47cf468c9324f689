"""Read replicas of a whole installation, whose worker and Postgres die at any moment, all together and one by one."""

import contextlib
import os
import signal
import time

import psutil
import psycopg
import pytest

from tests.e2e.installation import Installation, until


@pytest.fixture(scope="module")
def ref(installation: Installation) -> str:
    """A project with some data, so that a copy takes a while."""
    ref = installation.await_healthy(installation.create_project())
    installation.query(ref, "create table kept as select n, repeat(md5(n::text), 4) from generate_series(1, 100000) n")
    return ref


def replicas(installation: Installation, ref: str) -> dict[str, str]:
    """Status by identifier."""
    slug = installation.call("GET", "/v1/organizations").json()[0]["slug"]
    (project,) = installation.call("GET", f"/v1/organizations/{slug}/projects?search={ref}").json()["projects"]
    return {each["identifier"]: each["status"] for each in project["databases"] if each["type"] == "READ_REPLICA"}


def set_up(installation: Installation, ref: str) -> str:
    before = replicas(installation, ref)
    body = {"read_replica_region": "eu-west-1"}
    assert installation.call("POST", f"/v1/projects/{ref}/read-replicas/setup", body).status_code == 201
    (added,) = replicas(installation, ref).keys() - before.keys()
    return added


def remove(installation: Installation, ref: str, identifier: str) -> None:
    body = {"database_identifier": identifier}
    assert installation.call("POST", f"/v1/projects/{ref}/read-replicas/remove", body).status_code == 201
    until(lambda: identifier not in replicas(installation, ref), 60, "removing it")


def await_healthy(installation: Installation, ref: str, identifier: str) -> None:
    def serves() -> bool:
        if replicas(installation, ref)[identifier] != "ACTIVE_HEALTHY":
            return False
        with contextlib.suppress(psycopg.Error):
            return installation.query(identifier, "select count(*), pg_is_in_recovery() from kept") == [(100_000, True)]
        return False

    until(serves, 60, "getting healthy")


def kill_postgres(installation: Installation, name: str) -> None:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
        pid = installation.postmaster(name)
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("after", [0.0, 0.4, 1.0])
def test_worker_primary_and_standby_may_be_killed_at_any_moment_of_a_setup(
    installation: Installation, ref: str, after: float
) -> None:
    identifier = set_up(installation, ref)
    time.sleep(after)  # some moment of it, whichever that is on this machine
    for name in (ref, identifier):
        kill_postgres(installation, name)
    installation.kill_part("worker")
    await_healthy(installation, ref, identifier)
    installation.await_healthy(ref)
    remove(installation, ref, identifier)
    assert not list((installation.data_dir / "clusters").glob(f"*{identifier}*"))


@pytest.mark.parametrize("after", [0.0, 0.1])
def test_worker_and_primary_may_be_killed_at_any_moment_of_a_removal(
    installation: Installation, ref: str, after: float
) -> None:
    identifier = set_up(installation, ref)
    await_healthy(installation, ref, identifier)
    body = {"database_identifier": identifier}
    assert installation.call("POST", f"/v1/projects/{ref}/read-replicas/remove", body).status_code == 201
    time.sleep(after)
    kill_postgres(installation, ref)
    installation.kill_part("worker")
    until(lambda: identifier not in replicas(installation, ref), 60, "removing it")
    installation.await_healthy(ref)
    assert not list((installation.data_dir / "clusters").glob(f"*{identifier}*"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_after_the_end_of_everything_it_comes_back(installation: Installation, ref: str, how: signal.Signals) -> None:
    identifier = set_up(installation, ref)
    await_healthy(installation, ref, identifier)
    assert installation.process is not None
    os.kill(installation.pid, how)
    installation.process.wait(30)
    if how == signal.SIGINT:
        assert not installation.processes()
    else:
        until(lambda: not any(map(installation.part, ("api", "worker", "ingress"))), 15, "the end of the parts")
        kill_postgres(installation, identifier)
    installation.up()
    installation.await_healthy(ref)
    await_healthy(installation, ref, identifier)
    remove(installation, ref, identifier)
