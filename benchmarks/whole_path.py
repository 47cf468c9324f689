"""A function as its callers have it, key and all: through the gateway, and through Caddy before it, in turn with the same
function in Deno alone and behind a Caddy of its own.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from baseplane.cli.ports import free_near, is_free
from baseplane.drivers import deno
from baseplane.drivers.caddy import program
from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation
from benchmarks.load import generate

SOURCE = 'Deno.serve(() => new Response("hello"));'
CONNECTIONS = 16


def whole_path(installation: Installation, seconds: float, rounds: int) -> list[Figure]:
    """The ways in turn, so that the machine's moods meet all of them."""
    ref = installation.create("whole-path")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    body = {"slug": "hello", "name": "hello", "body": SOURCE, "verify_jwt": True}
    installation.http.post(f"/v1/projects/{ref}/functions", json=body).raise_for_status()
    keys = installation.http.get(f"/v1/projects/{ref}/api-keys", params={"reveal": "true"}).json()
    key = next(each["api_key"] for each in keys if each["name"] == "anon")
    path = f"/{ref}/functions/v1/hello"
    rates: dict[str, list[float]] = {}
    alone: dict[str, list[float]] = {}
    with _deno_and_caddy() as (direct, behind_caddy):
        ways = {
            "Deno alone": f"http://127.0.0.1:{direct}/",
            "Caddy, Deno": f"http://127.0.0.1:{behind_caddy}/",
            "gateway": installation.facts["http_url"] + path,
            "Caddy with TLS, gateway": f"https://127.0.0.1:{installation.facts['ports']['https']}{path}",
        }
        for _ in range(rounds):
            for way, url in ways.items():
                generate(url, key, 0.5, 1)  # what has just started, or slept, is not what is measured
                rates.setdefault(way, []).append(len(generate(url, key, seconds, CONNECTIONS)) / seconds)
                alone.setdefault(way, []).extend(generate(url, key, seconds / 2, 1))
    return [figure for way in ways for figure in _figures(way, rates, alone)]


def _figures(way: str, rates: dict[str, list[float]], alone: dict[str, list[float]]) -> list[Figure]:
    rate, base = quantile(rates[way], 0.5), quantile(rates["Deno alone"], 0.5)
    p50, p99 = (quantile(alone[way], share) * 1000 for share in (0.5, 0.99))
    return [
        Figure(f"function, warm: {way}", rate, "req/s", None, f"{CONNECTIONS} connections; {rate / base:.2f} of Deno"),
        Figure(f"  p50 of {way}", p50, "ms", None, f"1 connection; p99 {p99:.2f} ms"),
    ]


@contextlib.contextmanager
def _deno_and_caddy() -> Iterator[tuple[int, int]]:
    """The ports of Deno, and of a Caddy before it, as somebody would set them up by hand."""
    with tempfile.TemporaryDirectory(prefix="bpway-") as directory, contextlib.ExitStack() as stack:
        source, config = Path(directory, "hello.ts"), Path(directory, "caddy.json")
        direct, front = free_near("127.0.0.1", 0), free_near("127.0.0.1", 0)
        source.write_text(SOURCE)
        proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": f"127.0.0.1:{direct}"}]}
        server = {
            "listen": [f"127.0.0.1:{front}"],
            "automatic_https": {"disable": True},
            "routes": [{"handle": [proxy]}],
        }
        config.write_text(json.dumps({"admin": {"disabled": True}, "apps": {"http": {"servers": {"front": server}}}}))
        commands = {
            direct: [str(deno.find()), "run", "--quiet", "--allow-net", str(source)],
            front: [str(program()), "run", "--config", str(config)],
        }
        environment = {**os.environ, "DENO_SERVE_ADDRESS": f"tcp:127.0.0.1:{direct}", "XDG_DATA_HOME": directory}
        for port, command in commands.items():
            process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            deadline = time.monotonic() + 20
            while is_free("127.0.0.1", port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise TimeoutError(command[0])
                time.sleep(0.05)
        yield direct, front
