"""Network rules of a whole installation, whose ingress dies while it has to follow them."""

import os
import signal

import httpx
import psycopg
import pytest

from tests.e2e.installation import Installation, until

ONLY_ELSEWHERE = {"dbAllowedCidrs": ["203.0.113.0/24"], "dbAllowedCidrsV6": []}


def test_restrictions_are_applied_by_the_ingress_that_takes_a_dead_ones_place(installation: Installation) -> None:
    ref = installation.await_healthy(installation.create_project())
    path = f"/v1/projects/{ref}/network-restrictions"
    ingress = installation.part("ingress")
    assert ingress is not None
    os.kill(ingress, signal.SIGSTOP)
    with pytest.raises(httpx.ReadTimeout):
        installation.call("POST", f"{path}/apply", ONLY_ELSEWHERE, timeout=2)
    stored = installation.call("GET", path).json()
    assert (stored["status"], stored["config"]) == ("stored", ONLY_ELSEWHERE)
    installation.kill_part("ingress")

    def serves() -> bool:
        services = installation.call("GET", f"/v1/projects/{ref}/health?services=db").json()
        return bool(services[0]["status"] == "ACTIVE_HEALTHY")

    until(lambda: installation.call("GET", path).json()["status"] == "applied", 15, "applying the restrictions")
    until(serves, 15, "serving the platform")
    with pytest.raises(psycopg.OperationalError, match="in none of the networks"):
        installation.query(ref, "select 1")
