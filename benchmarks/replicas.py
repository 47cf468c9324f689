"""How soon a read replica follows, by how much it lags, and what it takes."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from benchmarks.figures import Figure, quantile
from benchmarks.idle import processes, pss, settle
from benchmarks.installation import Installation

POLL = 0.005  # seconds


def _replicas(installation: Installation, ref: str) -> dict[str, str]:
    """Status by identifier."""
    path = f"/v1/organizations/{installation.slug}/projects"
    (project,) = installation.http.get(path, params={"search": ref}).json()["projects"]
    return {each["identifier"]: each["status"] for each in project["databases"] if each["type"] == "READ_REPLICA"}


def _set_up(installation: Installation, ref: str) -> tuple[str, float]:
    """The identifier, and the seconds from the POST to the first answer that says ACTIVE_HEALTHY."""
    before, began = _replicas(installation, ref), time.perf_counter()
    body = {"read_replica_region": "eu-central-1"}
    installation.http.post(f"/v1/projects/{ref}/read-replicas/setup", json=body).raise_for_status()
    while True:
        found = {name: status for name, status in _replicas(installation, ref).items() if name not in before}
        (identifier, status), *_ = found.items()
        if status == "ACTIVE_HEALTHY":
            return identifier, time.perf_counter() - began
        if status != "INIT_READ_REPLICA" or time.perf_counter() - began > 300:
            raise RuntimeError(f"the read replica is {status}")
        time.sleep(POLL)


def _remove(installation: Installation, ref: str, identifier: str) -> float:
    began = time.perf_counter()
    body = {"database_identifier": identifier}
    installation.http.post(f"/v1/projects/{ref}/read-replicas/remove", json=body).raise_for_status()
    while identifier in _replicas(installation, ref):
        time.sleep(POLL)
    return time.perf_counter() - began


def _connect(installation: Installation, name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1",
        port=installation.facts["ports"]["postgres"],
        user=f"postgres.{name}",
        password="correct horse",
        dbname="postgres",
        autocommit=True,
    )


def _seen_after(primary: psycopg.Connection[Any], standby: psycopg.Connection[Any], number: int) -> float:
    """Seconds from a commit to the first answer of the standby that has it."""
    primary.execute("insert into public.marks values (%s)", [number])
    began = time.perf_counter()
    while not standby.execute("select from public.marks where id = %s", [number]).rowcount:
        pass
    return time.perf_counter() - began


def _write(installation: Installation, ref: str, seconds: float) -> None:
    with _connect(installation, ref) as writer:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            writer.execute("insert into public.load select md5(n::text) from generate_series(1, 500) n")


def replicas(installation: Installation, times: int, megabytes: int) -> list[Figure]:
    ref = installation.create("replicated")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    up, down = [], []
    for _ in range(times):
        identifier, taken = _set_up(installation, ref)
        up.append(taken)
        down.append(_remove(installation, ref, identifier))
    with _connect(installation, ref) as primary:
        primary.execute("create table public.marks (id int primary key)")
        primary.execute("create table public.load (text text)")
        identifier, _ = _set_up(installation, ref)
        home = installation.data_dir / "clusters" / identifier
        settle([home])
        memory = sum(map(pss, processes(home))) / 1e6
        with _connect(installation, identifier) as standby:
            idle = [_seen_after(primary, standby, number) for number in range(100)]
            with ThreadPoolExecutor(1) as pool:
                load = pool.submit(_write, installation, ref, 3)
                busy = [_seen_after(primary, standby, number) for number in range(100, 200)]
                load.result()
        _remove(installation, ref, identifier)
        primary.execute("alter table public.load alter text set storage plain")
        primary.execute(
            "insert into public.load select repeat(md5(n::text), 30) from generate_series(1, %s) n", [megabytes * 1000]
        )
        _, large = _set_up(installation, ref)
    return [
        Figure("read replica: POST to ACTIVE_HEALTHY, p50", quantile(up, 0.5), "s", 2.0, f"of {times}, 30 MB"),
        Figure("read replica: POST to ACTIVE_HEALTHY, slowest", max(up), "s", 2.0, f"of {times}"),
        Figure(f"read replica of {megabytes} MB more", large, "s"),
        Figure("read replica: removed, p50", quantile(down, 0.5), "s", None, f"of {times}"),
        Figure("commit to visible there, idle, p50", quantile(idle, 0.5) * 1000, "ms", None, "of 100"),
        Figure("commit to visible there, under writes, p50", quantile(busy, 0.5) * 1000, "ms", None, "of 100"),
        Figure("commit to visible there, under writes, p95", quantile(busy, 0.95) * 1000, "ms", None, "of 100"),
        Figure("memory (PSS) of an idle read replica", memory, "MB", 20),
    ]
