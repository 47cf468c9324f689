"""The Postgres door: what it costs beside a bare Postgres and beside PgBouncer, in the same run; what idle sessions and
sleep cost.
"""

import asyncio
import contextlib
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg

from baseplane.cli.ports import free_near
from baseplane.drivers.cluster.account import Account, account
from baseplane.drivers.cluster.engines import Engine, pick
from baseplane.settings import Settings
from benchmarks.figures import Figure, quantile
from benchmarks.idle import pss
from benchmarks.installation import Installation

CLIENTS = 8
SCALE = 5
PASSWORD = "correct horse"


def ingress(installation: Installation, seconds: int, rounds: int) -> list[Figure]:
    """``pgbench -S`` by every way, the ways in turn, so that the machine's moods meet all of them."""
    ref = installation.create("ingress")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    ports = installation.facts["ports"]
    user = f"postgres.{ref}"
    engine = pick(17, Settings().engines_dir)
    with _bare(engine) as bare:
        ways = {
            "a bare Postgres, Unix socket": f"host={bare.sockets} port={bare.port} user=postgres",
            "a bare Postgres, TCP": f"host=127.0.0.1 port={bare.port} user=postgres sslmode=disable",
            "the ingress": f"host=127.0.0.1 port={ports['postgres']} user={user} sslmode=disable",
            "the ingress, TLS": f"host=127.0.0.1 port={ports['postgres']} user={user} sslmode=require",
        }
        if bare.pooler_port:
            ways["PgBouncer, TCP"] = f"host=127.0.0.1 port={bare.pooler_port} user=postgres sslmode=disable"
            ways["the ingress and PgBouncer"] = f"host=127.0.0.1 port={ports['pooler']} user={user} sslmode=disable"
        for way in ("a bare Postgres, TCP", "the ingress"):
            _pgbench(engine, ways[way], "-i", "-q", "-s", str(SCALE))
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, target in ways.items():
                said = _pgbench(engine, target, "-n", "-S", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds))
                found = re.search(r"tps = ([\d.]+)", said)
                assert found, said
                taken[way].append(float(found[1]))
    medians = {way: quantile(values, 0.5) for way, values in taken.items()}
    direct = medians["a bare Postgres, TCP"]
    return [
        Figure(
            f"pgbench -S, {CLIENTS} clients, {way}",
            tps,
            "tps",
            direct * 0.6 if way == "the ingress" else None,
            f"{tps / direct:.2f} of bare TCP; median of {rounds}",
        )
        for way, tps in medians.items()
    ]


class _Bare:
    def __init__(self, sockets: Path, port: int, pooler_port: int | None) -> None:
        self.sockets, self.port, self.pooler_port = sockets, port, pooler_port


@contextlib.contextmanager
def _bare(engine: Engine) -> Iterator[_Bare]:
    """Postgres as it comes, and PgBouncer in front of it if there is one, each on a port of its own."""
    runs = account(Settings().postgres_user)
    root = Path(tempfile.mkdtemp(prefix="bpbare-"))
    runs.own(root, 0o755)
    port = free_near("127.0.0.1", 0)
    environment = {**os.environ, **engine.environment, "LC_ALL": "C"}
    initdb = [engine.program("initdb"), "-D", root / "data", "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, env=environment, cwd=root, **runs.process)
    options = {"port": port, "unix_socket_directories": root, "listen_addresses": "127.0.0.1"}
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    server = [engine.program("postgres"), "-D", root / "data", *arguments]
    log = (root / "log").open("wb")
    started = [subprocess.Popen(server, stdout=log, stderr=log, env=environment, cwd=root, **runs.process)]
    try:
        _await_port(port)
        pooler_port = _start_pooler(root, port, runs, started)
        yield _Bare(root, port, pooler_port)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)
        log.close()
        shutil.rmtree(root, ignore_errors=True)


def _start_pooler(root: Path, port: int, runs: Account, started: list[subprocess.Popen[bytes]]) -> int | None:
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        return None
    pooler_port = free_near("127.0.0.1", 0)
    ini = f"""[databases]
postgres = host={root} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {pooler_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
"""
    runs.write(root / "pgbouncer.ini", ini)
    started.append(subprocess.Popen([program, "-q", root / "pgbouncer.ini"], stderr=subprocess.DEVNULL, **runs.process))
    _await_port(pooler_port)
    return pooler_port


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres").close()
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


def _pgbench(engine: Engine, target: str, *arguments: str) -> str:
    environment = {**os.environ, **engine.environment, "PGPASSWORD": PASSWORD}
    command = [engine.program("pgbench"), *arguments, f"{target} dbname=postgres"]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def sessions(installation: Installation, count: int) -> list[Figure]:
    """What idle sessions cost the ingress. They come by the pooler, whose clients no backends limit."""
    ref = installation.create("sessions", desired_instance_size="4xlarge")  # takes 3,000 clients
    installation.await_status(ref, "ACTIVE_HEALTHY")
    part = next(p for p in psutil.Process(installation.facts["pid"]).children() if "ingress" in p.cmdline())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures = []
    for sslmode in ("disable", "require"):
        before = pss(part)
        held = asyncio.run(_hold(installation.facts["ports"]["pooler"], ref, count, sslmode, part))
        note = f"{before / 1e6:.0f} MB before"
        figures.append(Figure(f"ingress with {count} idle sessions, TLS {sslmode}d", held / 1e6, "MB", 200, note))
    return figures


async def _hold(port: int, ref: str, count: int, sslmode: str, part: psutil.Process) -> int:
    """Memory of the ingress while ``count`` sessions are open, each of which has had an answer."""
    gate = asyncio.Semaphore(20)

    async def enter() -> psycopg.AsyncConnection[Any]:
        async with gate:
            session = await psycopg.AsyncConnection.connect(
                f"host=127.0.0.1 port={port} user=postgres.{ref} dbname=postgres sslmode={sslmode}",
                password=PASSWORD,
                autocommit=True,
            )
            await session.execute("select 1")
            return session

    sessions = await asyncio.gather(*(enter() for _ in range(count)))
    held = pss(part)
    for session in sessions:
        await session.close()
    return held


def wake(installation: Installation, times: int) -> list[Figure]:
    """From the connection of a client to its first answer, on a project that sleeps."""
    ref = installation.create("wake")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    port, taken = installation.facts["ports"]["postgres"], []
    platform = (installation.data_dir / "platform" / "url").read_text()
    pid = installation.data_dir / "clusters" / ref / "data" / "postmaster.pid"
    for _ in range(times):
        with psycopg.connect(platform, autocommit=True) as db:
            db.execute("update projects set used_at = now() - interval '1 hour'")
        while pid.exists():
            time.sleep(0.05)
        time.sleep(0.3)  # until the run that put it to sleep has ended
        began = time.perf_counter()
        with psycopg.connect(
            host="127.0.0.1", port=port, user=f"postgres.{ref}", password=PASSWORD, dbname="postgres", sslmode="require"
        ) as session:
            session.execute("select 1")
            taken.append(time.perf_counter() - began)
    return [
        Figure("wake to first answer, p50", quantile(taken, 0.5) * 1000, "ms", 150, f"of {times}, TLS"),
        Figure("wake to first answer, slowest", max(taken) * 1000, "ms", 150, f"of {times}, TLS"),
    ]
