"""Edge functions: deployment, cold start, warm requests through the socket, memory. The driver alone, without the gateway."""

import asyncio
import hashlib
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from baseplane.drivers.functions import FunctionSpec
from baseplane.drivers.functions.local import LocalFunctions
from benchmarks.figures import Figure, quantile
from benchmarks.idle import pss
from benchmarks.installation import Installation

REF = "abcdefghijklmnopqrst"
PLAIN = b"Deno.serve((request: Request) => new Response('function'));"
CLIENT = b"""import { createClient } from "npm:@supabase/supabase-js@2";
const client = createClient("http://127.0.0.1", "key");
Deno.serve(() => new Response(client ? 'function' : ''));"""
BODY = b"\r\n\r\nfunction"
REQUEST = b"GET / HTTP/1.1\r\nHost: function\r\n\r\n"


def functions(_: Installation, starts: int, requests: int) -> list[Figure]:
    root = Path(tempfile.mkdtemp(prefix="bpfn-"))
    root.chmod(0o711)
    try:
        return asyncio.run(_measure(root, starts, requests))
    finally:
        shutil.rmtree(root, ignore_errors=True)


async def _measure(root: Path, starts: int, requests: int) -> list[Figure]:
    driver = LocalFunctions(root, root / "run")
    try:
        plain = [_spec("plain", PLAIN, version) for version in range(starts + 1)]
        prepared = [await _timed(driver.prepare(spec, {"index.ts": PLAIN}, {})) for spec in plain]
        client = _spec("client", CLIENT, 1)
        await driver.prepare(client, {"index.ts": CLIENT}, {})
        figures = [
            Figure("deploy a function of one file, p50", _ms(prepared[1:], 0.5), "ms", 350, f"of {starts}"),
            *await _cold(driver, plain[-1], starts, "one file", 80),
            *await _cold(driver, client, starts, "supabase-js", None),
        ]
        return [*figures, *await _warm(driver, plain[-1], requests)]
    finally:
        await driver.close()


def _spec(slug: str, source: bytes, version: int) -> FunctionSpec:
    digest = hashlib.sha256(source).hexdigest()
    return FunctionSpec(REF, slug, slug, version, entrypoint="index.ts", import_map=None, digest=digest)


async def _cold(driver: LocalFunctions, spec: FunctionSpec, starts: int, what: str, aim: float | None) -> list[Figure]:
    """Nothing runs, until the first byte of the answer."""
    taken = []
    for _ in range(starts):
        await driver.stop(spec.ref)
        began = time.perf_counter()
        async with driver.lease(spec, {}) as lease:
            with _connected(lease.socket) as connection:
                _ask(connection)
            taken.append(time.perf_counter() - began)
            # In the binary that all of them share, a part is counted to each.
            held = sum(pss(process) for process in psutil.Process().children() if process.name() == "deno")
    return [
        Figure(f"cold start to first byte, {what}, p50", _ms(taken, 0.5), "ms", aim, f"of {starts}"),
        Figure(f"cold start to first byte, {what}, p99", _ms(taken, 0.99), "ms"),
        Figure(f"memory (PSS) of a warm function, {what}", held / 1e6, "MB", None, "alone on the machine"),
    ]


async def _warm(driver: LocalFunctions, spec: FunctionSpec, requests: int) -> list[Figure]:
    """A lease for each request over a kept connection, beside the same requests without the driver."""
    environment: Mapping[str, str] = {}
    direct, leased = [], []
    async with driver.lease(spec, environment) as lease:
        with _connected(lease.socket) as connection:
            for _ in range(requests):
                began = time.perf_counter()
                _ask(connection)
                direct.append(time.perf_counter() - began)
                began = time.perf_counter()
                async with driver.lease(spec, environment):
                    _ask(connection)
                leased.append(time.perf_counter() - began)
    added = (quantile(leased, 0.5) - quantile(direct, 0.5)) * 1000
    return [
        Figure("warm request through the socket, p50", _ms(direct, 0.5), "ms", None, f"of {requests}, one at a time"),
        Figure("warm request through the socket, p99", _ms(direct, 0.99), "ms"),
        Figure("what the driver adds to a warm request", added, "ms", 1, "a lease, p50"),
    ]


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(str(path))
    return connection


def _ask(connection: socket.socket) -> None:
    """Reads the answer to its end: what is left over would be taken for the next one."""
    connection.sendall(REQUEST)
    answer = connection.recv(65_536)
    while not answer.endswith(BODY):
        if not (piece := connection.recv(65_536)):
            raise RuntimeError(answer.decode(errors="replace"))
        answer += piece


async def _timed(work) -> float:  # noqa: ANN001
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _ms(values: list[float], share: float) -> float:
    return quantile(values, share) * 1000
