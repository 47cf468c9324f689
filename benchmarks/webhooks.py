"""Webhooks: how many a second arrive, and what a trigger costs the transaction that fires it."""

import subprocess
import sys
import threading
import time
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
        return [*_delivered(db, receiver.port, rows), *_cost(db, sockets, secret, rows)]


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
    lost = "select last_value - (select count(*) from net._http_response) from net.http_request_queue_id_seq"
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
                times.append(_write(table, sockets, secret, writers, max(20, rows // 50)))
                _drain(db)
        ours, bare = quantile(taken["hooked"], 0.5), quantile(taken["empty"], 0.5)
        figures.append(Figure(f"{name}, over an empty trigger", ours / bare, "x", AIM_COST, f"{bare * 1000:.2f} ms"))
    bulk: dict[str, list[float]] = {"empty": [], "hooked": []}
    for _ in range(3):
        for table, times in bulk.items():
            began = time.perf_counter()
            db.execute(f"insert into {table} (item) select 'row' from generate_series(1, {rows})".encode())
            times.append(time.perf_counter() - began)
            _drain(db)
    ours, bare = quantile(bulk["hooked"], 0.5), quantile(bulk["empty"], 0.5)
    each = f"{ours / rows * 1e6:.0f} µs a row"
    figures.append(Figure(f"{rows} rows in one insert, over an empty trigger", ours / bare, "x", None, each))
    return figures


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
