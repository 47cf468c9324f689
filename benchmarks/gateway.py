"""The HTTP door: what it costs beside the same upstream without it, and what Caddy adds, in the same run."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from baseplane.cli.ports import free_near, is_free
from benchmarks.figures import Figure, quantile
from benchmarks.front import REF
from benchmarks.idle import pss
from benchmarks.installation import Installation
from benchmarks.load import generate

CONNECTIONS = 16


def gateway(installation: Installation, seconds: float, rounds: int) -> list[Figure]:
    """A trivial function by every way, the ways in turn, so that the machine's moods meet all of them."""
    ref = installation.create("gateway")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    with _parts() as parts:
        ports, processes = parts
        path = f"/{REF}/functions/v1/hello"
        ways = {
            "the upstream": f"http://127.0.0.1:{ports['upstream']}{path}",
            "the gateway": f"http://127.0.0.1:{ports['gateway']}{path}",
            "Caddy and the gateway": f"https://127.0.0.1:{ports['caddy']}{path}",
            "public keys": f"{installation.facts['http_url']}/{ref}/auth/v1/.well-known/jwks.json",
        }
        rates: dict[str, list[float]] = {way: [] for way in ways}
        alone: dict[str, list[float]] = {way: [] for way in ways}
        per_core = []
        for _ in range(rounds):
            for way, url in ways.items():
                before = _cpu(processes["gateway"])
                count = len(generate(url, installation.token, seconds, CONNECTIONS))
                rates[way].append(count / seconds)
                if way == "the gateway":
                    per_core.append(count / (_cpu(processes["gateway"]) - before))
                alone[way] += generate(url, installation.token, seconds / 2, 1)
        memory = {name: pss(processes[name]) / 2**20 for name in ("gateway", "caddy")}
    return [*_rates(rates, quantile(per_core, 0.5)), *_latencies(alone), *_memory(memory)]


def _rates(rates: dict[str, list[float]], per_core: float) -> list[Figure]:
    rate = {way: quantile(values, 0.5) for way, values in rates.items()}
    direct = rate["the upstream"]
    return [
        Figure("requests per second of one core's time", per_core, "req/s", 5000, "a trivial function, gateway alone"),
        Figure("  as many as came through, gateway", rate["the gateway"], "req/s", None, f"{CONNECTIONS} connections"),
        Figure("  Caddy and gateway", rate["Caddy and the gateway"], "req/s", None, "TLS, HTTP/1.1"),
        Figure(
            "  the same upstream without either", direct, "req/s", None, f"gateway {rate['the gateway'] / direct:.2f}"
        ),
        Figure("  public keys, which it answers itself", rate["public keys"], "req/s"),
    ]


def _latencies(alone: dict[str, list[float]]) -> list[Figure]:
    p50 = {way: quantile(taken, 0.5) * 1000 for way, taken in alone.items()}
    direct = p50["the upstream"]
    return [
        Figure("added by the gateway, p50", p50["the gateway"] - direct, "ms", 1, f"to {direct:.3f} ms, 1 connection"),
        Figure("  p99", quantile(alone["the gateway"], 0.99) * 1000 - direct, "ms"),
        Figure("added by Caddy and the gateway, p50", p50["Caddy and the gateway"] - direct, "ms"),
    ]


def _memory(memory: dict[str, float]) -> list[Figure]:
    return [Figure(f"memory of {name} after that (PSS)", value, "MB") for name, value in memory.items()]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@contextlib.contextmanager
def _parts() -> Iterator[tuple[dict[str, int], dict[str, psutil.Process]]]:
    """The ports and processes of upstream, gateway and Caddy."""
    with tempfile.TemporaryDirectory(prefix="bpgw-") as directory, contextlib.ExitStack() as stack:
        Path(directory).chmod(0o711)
        ports: dict[str, int] = {}
        processes: dict[str, psutil.Process] = {}
        for name in ("upstream", "gateway", "caddy"):
            ports[name] = free_near("127.0.0.1", 0)
            command = [sys.executable, "-m", "benchmarks.front", name, directory, str(ports[name])]
            process = subprocess.Popen(command)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            processes[name] = psutil.Process(process.pid)
            deadline = time.monotonic() + 20
            while is_free("127.0.0.1", ports[name]):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise TimeoutError(name)
                time.sleep(0.05)
        yield ports, processes
