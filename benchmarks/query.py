"""SQL through the API, beside the same SQL straight through psycopg."""

import time
from collections.abc import Callable

import psycopg

from baseplane.drivers.cluster.layout import Layout
from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation

QUERIES = {"select 1": "select 1 as n", "100 rows": "select g as n, 'row ' || g as t from generate_series(1, 100) g"}


def query(installation: Installation, times: int) -> list[Figure]:
    ref = installation.create("query")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    port, ca = installation.facts["ports"]["postgres"], installation.facts["ca"]
    door = f"host=127.0.0.1 port={port} user=postgres.{ref} dbname=postgres sslmode=verify-ca sslrootcert={ca}"
    sockets = f"host={Layout(installation.data_dir).cluster(ref).sockets} user=baseplane_query dbname=postgres"
    secret = installation.secret(ref, "secret")
    figures = []
    for name, text in QUERIES.items():
        ours = _median(lambda text=text: _through_api(installation, ref, text), times)
        fresh = _median(lambda text=text: _connect_and_ask(door, "correct horse", text), max(3, times // 10))
        with psycopg.connect(sockets, password=secret, autocommit=True) as open_connection:
            kept = _median(lambda text=text: open_connection.execute(text.encode()).fetchall(), times)
        figures += [
            Figure(f"database/query, {name}, p50", ours * 1000, "ms"),
            Figure("  over psycopg, connecting as a script does", ours / fresh, "x", 1.5, f"{fresh * 1000:.2f} ms"),
            Figure("  over psycopg on an open Unix socket", ours / kept, "x", 1.5, f"{kept * 1000:.2f} ms"),
        ]
    return figures


def _through_api(installation: Installation, ref: str, text: str) -> None:
    installation.http.post(f"/v1/projects/{ref}/database/query", json={"query": text}).raise_for_status()


def _connect_and_ask(conninfo: str, password: str, text: str) -> None:
    with psycopg.connect(conninfo, password=password) as connection:
        connection.execute(text.encode()).fetchall()


def _median(ask: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return quantile(taken, 0.5)
