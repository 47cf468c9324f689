"""How long a project takes no connections while it goes from Postgres 17 to 18."""

import threading
import time
from dataclasses import dataclass, field

import psycopg

from benchmarks.figures import Figure
from benchmarks.installation import Installation

ROWS_OF_A_MEGABYTE = 6_400
"""Of the table below, with its index."""
FILL = (
    "create table accounts as select n as id, n %% 1000 as branch, repeat(md5(n::text), 3) as filler"
    " from generate_series(1, %s::int) n"
)
TABLES = """do $$ begin
  for n in 1..500 loop execute format('create table t%s (id int primary key)', n); end loop;
end $$"""


def connect(installation: Installation, ref: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1", port=installation.facts["ports"]["postgres"], user=f"postgres.{ref}", password="correct horse",
        dbname="postgres", sslmode="require", autocommit=True, connect_timeout=5,
    )  # fmt: skip


@dataclass
class Client:
    """Asks all the time; ``gap`` is the longest time between two answers."""

    installation: Installation
    ref: str
    answers: list[float] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                with connect(self.installation, self.ref) as db:
                    while not self.stopped.is_set():
                        db.execute("select 1")
                        self.answers.append(time.perf_counter())
                        time.sleep(0.005)
            except psycopg.Error:
                time.sleep(0.02)

    @property
    def gap(self) -> float:
        return max(after - before for before, after in zip(self.answers, self.answers[1:], strict=False))


def upgrades(installation: Installation, megabytes: int) -> list[Figure]:
    """A table and an index of that size in all, and 500 small tables."""
    ref = installation.create("upgrade", desired_instance_size="small")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    size = _fill(installation, ref, megabytes)
    client = Client(installation, ref)
    thread = threading.Thread(target=client.run)
    thread.start()
    began = time.perf_counter()
    installation.http.post(f"/v1/projects/{ref}/upgrade", json={"target_version": "18"}).raise_for_status()
    installation.await_status(ref, "ACTIVE_HEALTHY", within=600)
    whole = time.perf_counter() - began
    time.sleep(0.5)
    client.stopped.set()
    thread.join()
    told = installation.http.get(f"/v1/projects/{ref}/upgrade/status").json()["databaseUpgradeStatus"]
    if told["status"] != 1:
        raise RuntimeError(f"the upgrade failed: {told}")
    note = f"{size:.2f} GB, 500 tables"
    return [
        Figure("upgrade 17 to 18, without an answer", client.gap, "s", 15.0, note),
        Figure("upgrade 17 to 18, from the POST to ACTIVE_HEALTHY", whole, "s", None, note),
    ]


def _fill(installation: Installation, ref: str, megabytes: int) -> float:
    """Gives the size of the database in gigabytes."""
    with connect(installation, ref) as db:
        db.execute(FILL, [megabytes * ROWS_OF_A_MEGABYTE])
        db.execute("create index on accounts (id)")
        db.execute(TABLES)
        db.execute("analyze")
        row = db.execute("select pg_database_size('postgres') / 1024.0 ^ 3").fetchone()
    assert row is not None
    return float(str(row[0]))
