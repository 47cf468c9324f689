"""How many requests one API process answers, beside what uvicorn and FastAPI alone would."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation
from benchmarks.load import generate


def api(installation: Installation, seconds: float) -> list[Figure]:
    ref = installation.create("load")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    path = f"/v1/projects/{ref}"
    body = installation.http.get(path).text
    rates = {}
    for kind in ("asgi", "fastapi"):
        with _bare(kind, body) as base:
            rates[kind] = len(generate(base + path, installation.token, seconds)) / seconds
    taken = generate(installation.facts["api_url"] + path, installation.token, seconds)
    ours = len(taken) / seconds
    return [
        Figure("GET /v1/projects/{ref}, one process", ours, "req/s", 2500, "16 connections"),
        Figure("  the same, p50", quantile(taken, 0.5) * 1000, "ms"),
        Figure("  the same, p99", quantile(taken, 0.99) * 1000, "ms"),
        Figure(
            "  limit: FastAPI alone, constant answer",
            rates["fastapi"],
            "req/s",
            None,
            f"ours {ours / rates['fastapi']:.2f} of it",
        ),
        Figure(
            "  limit: uvicorn alone, constant answer",
            rates["asgi"],
            "req/s",
            None,
            f"ours {ours / rates['asgi']:.2f} of it",
        ),
    ]


@contextlib.contextmanager
def _bare(kind: str, body: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare", kind, str(port), body])
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(kind)
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
