"""Projects' HTTP addresses as users have them: by path, by host with TLS, and while the doors are killed."""

import contextlib
import os
import signal
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import psutil
import pytest
from click.testing import CliRunner

from baseplane.cli import main
from tests.e2e.installation import Installation, until
from tests.resources.metrics import PATH as METRICS
from tests.resources.metrics import parsed

JWKS = "/auth/v1/.well-known/jwks.json"


class Loopback(httpcore.SyncBackend):
    """Every host is this machine, at one port."""

    def __init__(self, port: int) -> None:
        self._port = port

    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return super().connect_tcp("127.0.0.1", self._port, *args, **options)


@contextlib.contextmanager
def browser(installation: Installation, ref: str) -> Iterator[httpx.Client]:
    """A client that finds the project by its host, and trusts the platform's CA alone."""
    facts = installation.ready
    transport = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=facts["ca"]))
    transport._pool._network_backend = Loopback(facts["ports"]["https"])  # type: ignore[attr-defined]
    with httpx.Client(transport=transport, base_url=f"https://{ref}.{facts['project_host']}", timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def ref(installation: Installation) -> str:
    return installation.await_healthy(installation.create_project())


def by_path(installation: Installation, ref: str, path: str = JWKS) -> httpx.Response:
    return httpx.get(f"{installation.ready['http_url']}/{ref}{path}", timeout=10)


def test_a_project_is_reached_by_path(installation: Installation, ref: str) -> None:
    answer = by_path(installation, ref)
    assert answer.status_code == 200
    assert answer.json()["keys"] == []
    assert answer.headers["cache-control"] == "public, max-age=600"


def test_a_project_is_reached_by_host_over_tls_that_the_ca_vouches_for(installation: Installation, ref: str) -> None:
    with browser(installation, ref) as client:
        answer = client.get(JWKS)
    assert (answer.status_code, answer.json()) == (200, {"keys": []})


def test_prometheus_reads_the_project_and_the_installation(installation: Installation, ref: str) -> None:
    keys = installation.call("GET", f"/v1/projects/{ref}/api-keys?reveal=true").json()
    (key,) = [key["api_key"] for key in keys if key["name"] == "service_role"]
    with browser(installation, ref) as client, installation.connect(ref):
        seen = parsed(client.get(METRICS, auth=("service_role", key)))
    assert seen("pg_up") == 1
    assert seen("connection_stats_connection_count", username="postgres") >= 1  # type: ignore[operator]
    made = CliRunner().invoke(main, ["token", "metrics", "--data-dir", str(installation.data_dir)])
    headers = {"Authorization": f"Bearer {made.output.strip()}"}
    whole = parsed(httpx.get(f"{installation.ready['api_url']}/metrics", headers=headers, timeout=10))
    assert whole("baseplane_projects", status="ACTIVE_HEALTHY") == 1
    assert whole("baseplane_workers") == 1
    assert whole("baseplane_api_request_duration_seconds_count", operation="v1-create-a-project", code="2xx") == 1


def test_http_2_is_offered(installation: Installation, ref: str) -> None:
    facts = installation.ready
    context = ssl.create_default_context(cafile=facts["ca"])
    context.set_alpn_protocols(["h2", "http/1.1"])
    backend = httpcore.SyncBackend().connect_tcp("127.0.0.1", facts["ports"]["https"])
    with contextlib.closing(backend.start_tls(context, f"{ref}.{facts['project_host']}")) as stream:
        assert stream.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"


def test_what_caddy_passes_on_is_in_the_log_with_the_clients_address(installation: Installation, ref: str) -> None:
    with browser(installation, ref) as client:
        seen = client.get("/rest/v1/x?apikey=sb_secret_abc", headers={"X-Forwarded-For": "6.6.6.6"})
    assert seen.status_code == 401
    log = installation.data_dir / "log" / "edge.jsonl"
    line = until(
        lambda: next((line for line in log.read_text().splitlines() if seen.headers["sb-request-id"] in line), ""),
        10,
        "writing the log",
    )
    assert '"address":"127.0.0.1"' in line
    assert '"protocol":"https"' in line
    assert "sb_secret_abc" not in line


def test_nobody_else_may_reach_caddys_sockets(installation: Installation) -> None:
    sockets = installation.data_dir / "run" / "caddy"
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert {path.name for path in sockets.iterdir()} == {"admin", "gateway"}
    pid = installation.part("caddy")
    assert pid is not None
    caddy = psutil.Process(pid)
    ports = {found.laddr.port for found in caddy.net_connections() if found.status == psutil.CONN_LISTEN}
    assert ports == {installation.ready["ports"]["https"]}
    if os.geteuid() == 0:
        assert caddy.uids().real == sockets.stat().st_uid != 0
    assert not list((installation.data_dir / "caddy").rglob("root.crt")), "Caddy made an authority of its own"


@pytest.mark.parametrize("part", ["gateway", "caddy"])
def test_a_killed_part_serves_again(part: str, installation: Installation, ref: str) -> None:
    installation.kill_part(part)

    def serves() -> bool:
        with contextlib.suppress(httpx.TransportError), browser(installation, ref) as client:
            return client.get(JWKS).status_code == 200 and by_path(installation, ref).status_code == 200
        return False

    until(serves, 10, "serving again")


def test_a_client_of_caddy_does_not_notice_a_killed_gateway(installation: Installation, ref: str) -> None:
    with browser(installation, ref) as client:
        assert client.get(JWKS).status_code == 200
        pid = installation.part("gateway")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 5, "dying")
        assert client.get(JWKS).status_code == 200  # it waits until the gateway is back


def test_caddy_ends_with_up(installation: Installation, ref: str) -> None:
    os.kill(installation.pid, signal.SIGKILL)
    assert installation.process is not None
    installation.process.wait()
    until(lambda: not any(map(installation.part, ("gateway", "caddy"))), 15, "the end of the parts")
    installation.up()
    assert by_path(installation, ref).status_code == 200
    with browser(installation, ref) as client:
        assert client.get(JWKS).status_code == 200
    assert Path(installation.ready["ca"]).is_file()
