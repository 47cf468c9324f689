"""Webhooks: how many a second arrive, and what a trigger costs the transaction that fires it."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Self

import psycopg

from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation

WRITERS = 8
AIM_PER_SECOND, AIM_COST = 500, 1.3


def webhooks(installation: Installation, rows: int) -> list[Figure]:
    """The receiver is a process of its own; everything shares the machine's cores."""
    ref = installation.create("webhooks")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    installation.http.post(f"/v1/projects/{ref}/database/webhooks/enable").raise_for_status()
    sockets = f"host={installation.data_dir}/run/{ref} user=baseplane_query dbname=postgres"
    secret = installation.secret(ref, "secret")
    with _Receiver() as receiver, psycopg.connect(sockets, password=secret, autocommit=True) as db:
        _make(db, receiver.port)
        figures = _delivered(db, receiver.port, rows)
        with _undelivered(sockets, secret):
            return figures + _cost(db, sockets, secret, rows)


def _make(db: psycopg.Connection[tuple[object, ...]], port: int) -> None:
    arguments = "'POST', '{\"Content-Type\":\"application/json\"}', '{}', '5000'"
    db.execute("create function nothing() returns trigger language plpgsql as $$ begin return new; end $$")
    for name, function in {
        "empty": "nothing()",
        "hooked": f"supabase_functions.http_request('http://127.0.0.1:{port}/', {arguments})",
    }.items():
        db.execute(f"create table {name} (id int generated always as identity, item text)".encode())
        db.execute(f"create trigger t after insert on {name} for each row execute function {function}".encode())


def _delivered(db: psycopg.Connection[tuple[object, ...]], port: int, rows: int) -> list[Figure]:
    """From before the insert until the last answer is written down."""
    figures = []
    for name, query in {
        "webhooks to one URL, in order": "insert into hooked (item) select 'row ' || n from generate_series(1, %s) n",
        "net.http_post, in no order": (
            f"select count(net.http_post('http://127.0.0.1:{port}/', '{{}}')) from generate_series(1, %s)"
        ),
    }.items():
        began = time.perf_counter()
        db.execute(query.encode(), [rows])
        _drain(db)
        figures.append(Figure(name, rows / (time.perf_counter() - began), "/s", AIM_PER_SECOND, f"{rows} end to end"))
    return figures


def _drain(db: psycopg.Connection[tuple[object, ...]]) -> None:
    deadline = time.monotonic() + 60
    while db.execute("select exists (select from net.http_request_queue)").fetchone() != (False,):
        if time.monotonic() > deadline:
            raise TimeoutError(db.execute("select count(*), max(attempts) from net.http_request_queue").fetchone())
        time.sleep(0.01)
    failed = "select count(*) from net._http_response where status_code is distinct from 200"
    lost = "select max(id) - count(*) from net._http_response"
    for query in (failed, lost):
        if (count := db.execute(query.encode()).fetchone()) != (0,):
            raise RuntimeError(f"{count} from {query}")


def _cost(db: psycopg.Connection[tuple[object, ...]], sockets: str, secret: str, rows: int) -> list[Figure]:
    """Beside a trigger that does nothing, in turn, so that both see the same machine."""
    figures = []
    for name, writers in (("insert and commit", 1), (f"the same, {WRITERS} writers", WRITERS)):
        taken: dict[str, list[float]] = {"empty": [], "hooked": []}
        for _ in range(5):
            for table, times in taken.items():
                times.append(_write(table, sockets, secret, writers, max(20, rows // 25)))
        ours, empty = (quantile(taken[table], 0.5) for table in ("hooked", "empty"))
        figures.append(Figure(f"{name}, over an empty trigger", ours / empty, "x", AIM_COST, f"{empty * 1000:.2f} ms"))
    began = time.perf_counter()
    db.execute(f"insert into hooked (item) select 'row' from generate_series(1, {rows})".encode())
    each = (time.perf_counter() - began) / rows * 1e6
    figures.append(Figure("a row of one large insert", each, "µs", None, f"of {rows} rows"))
    return figures


@contextlib.contextmanager
def _undelivered(sockets: str, secret: str) -> Iterator[None]:
    """Keep the worker from the queue, as another worker would: receiver and worker want the same cores."""
    lock = "classid = 1852142695 and objid = 1 and locktype = 'advisory'"
    with psycopg.connect(sockets, user="supabase_admin", password=secret, autocommit=True) as admin:
        while admin.execute("select pg_try_advisory_lock(1852142695, 1)").fetchone() != (True,):
            admin.execute(f"select pg_terminate_backend(pid, 1000) from pg_locks where {lock}".encode())
        yield


def _write(table: str, sockets: str, secret: str, writers: int, times: int) -> float:
    """Seconds for one insert, by each of so many writers at a time."""
    insert = f"insert into {table} (item) values ('an item of some length')".encode()

    def write(connection: psycopg.Connection[tuple[object, ...]]) -> None:
        for _ in range(times):
            connection.execute(insert)

    connections = [psycopg.connect(sockets, password=secret, autocommit=True) for _ in range(writers)]
    threads = [threading.Thread(target=write, args=[connection]) for connection in connections]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return taken / times


class _Receiver:
    """Answers every POST with 200."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen([sys.executable, "-m", "benchmarks.receiver"], stdout=subprocess.PIPE)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
