"""The Data API of a real installation: by the keys that the API tells, and while the gateway is killed."""

import os
import signal

import httpx
import psutil
import pytest

from baseplane.drivers.rest import program
from tests.e2e.installation import Installation, until

pytestmark = pytest.mark.skipif(program._here() not in program.PACKAGES, reason="PostgREST is not made for this")


@pytest.fixture(scope="module")
def ref(installation: Installation) -> str:
    ref = installation.await_healthy(installation.create_project())
    installation.query(ref, "create table things (id int primary key); insert into things values (1), (2)")
    return ref


def things(installation: Installation, ref: str) -> httpx.Response:
    keys = installation.call("GET", f"/v1/projects/{ref}/api-keys?reveal=true").json()
    key = next(key["api_key"] for key in keys if key["name"] == "anon")
    url = f"{installation.ready['http_url']}/{ref}/rest/v1/things?select=id"
    return httpx.get(url, headers={"apikey": key}, timeout=10)


def servers(installation: Installation) -> list[int]:
    """The living REST servers of this installation."""
    sockets = str(installation.data_dir / "run")
    found = []
    for process in psutil.process_iter(["name", "pid"]):
        if str(process.info["name"]).startswith("postgrest"):
            try:
                if sockets in process.environ().get("PGHOST", ""):
                    found.append(process.pid)
            except psutil.Error:
                continue
    return found


def test_rows_come_through_the_door_and_health_says_so(installation: Installation, ref: str) -> None:
    assert things(installation, ref).json() == [{"id": 1}, {"id": 2}]
    (health,) = installation.call("GET", f"/v1/projects/{ref}/health?services=rest").json()
    assert (health["healthy"], health["status"]) == (True, "ACTIVE_HEALTHY")


def test_a_killed_gateway_takes_its_servers_along_and_the_next_one_serves(installation: Installation, ref: str) -> None:
    things(installation, ref)
    before = servers(installation)
    assert len(before) == 1
    installation.kill_part("gateway")
    until(lambda: before[0] not in servers(installation), 5, "the server's end")

    def serves() -> bool:
        try:
            return things(installation, ref).status_code == 200
        except httpx.TransportError:
            return False

    until(serves, 10, "serving again")


def test_no_server_outlives_the_installation(installation: Installation, ref: str) -> None:
    things(installation, ref)
    assert servers(installation)
    os.kill(installation.pid, signal.SIGINT)
    assert installation.process is not None
    installation.process.wait(60)
    assert servers(installation) == []
