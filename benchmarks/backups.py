"""Backups and the way back: how fast they are taken, how fast a project is what it was, and that it is exactly that."""

import contextlib
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.engines import pick
from baseplane.drivers.cluster.layout import Layout
from baseplane.settings import Settings
from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation

SCALE_PER_GB = 68
"""Of pgbench."""
WITHIN = 120.0  # seconds


@dataclass(frozen=True, slots=True)
class Tenant:
    """A project's database by its socket, and the platform's by its URL."""

    installation: Installation
    ref: str

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        sockets = Layout(self.installation.data_dir).cluster(self.ref).sockets
        secret = self.installation.secret(self.ref, "secret")
        return psycopg.connect(
            host=str(sockets), user=Role.ADMIN, password=secret, dbname="postgres", autocommit=True, connect_timeout=5
        )

    def ask(self, query: str) -> tuple[object, ...]:
        with self.connect() as db:
            cursor = db.execute(query.encode())
            return (cursor.fetchone() if cursor.description else None) or ()

    def platform(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect((self.installation.data_dir / "platform" / "url").read_text()) as db:
            cursor = db.execute(query.encode(), [self.ref])
            return cursor.fetchall() if cursor.description else []

    def fill(self, gigabytes: float) -> None:
        """By pgbench; its history is what load writes to."""
        self.pgbench("-i", "-q", "-s", str(max(1, round(SCALE_PER_GB * gigabytes))))
        self.ask("create table if not exists public.written (id bigint primary key, at timestamptz, v bigint)")

    def pgbench(self, *arguments: str) -> None:
        settings = Settings()
        engine = pick(settings.engine, settings.engines_dir)
        secret = self.installation.secret(self.ref, "secret")
        sockets = Layout(self.installation.data_dir).cluster(self.ref).sockets
        done = subprocess.run(
            [engine.program("pgbench"), "-h", str(sockets), "-U", Role.ADMIN, *arguments, "postgres"],
            env={**engine.environment, "PGPASSWORD": secret, "PGOPTIONS": "-c search_path=public"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def backup(self, kind: str) -> tuple[float, int, int]:
        """Have one more backup taken, as if its time had come; its seconds, its bytes and those stored."""
        settled = "select bool_and(status <> 'PENDING') from backups where project_ref = %s"
        await_true(lambda: self.platform(settled)[0][0], "the backup before")
        (last,) = self.platform("select coalesce(max(id), 0) from backups where project_ref = %s")[0]
        query = (
            "select extract(epoch from finished_at - inserted_at)::float8, size, stored, kind, cause from backups"
            f" where project_ref = %s and status <> 'PENDING' and id > {last}"
        )
        self.platform("update backups set finished_at = finished_at - interval '2 days' where project_ref = %s")
        if kind == "full":
            self.platform("update backups set inserted_at = inserted_at - interval '30 days' where project_ref = %s")
        self.platform("update archives set shipped_at = now() + interval '1 hour' where project_ref = %s")
        await_true(lambda: self.platform(query), f"{kind} backup")
        self.platform(
            f"update backups set finished_at = finished_at + interval '2 days' where project_ref = %s and id <= {last}"
        )
        seconds, size, stored, taken, cause = self.platform(query)[0]
        assert taken == kind, (taken, cause)
        return float(str(seconds)), int(str(size)), int(str(stored))


@contextlib.contextmanager
def writing(tenant: Tenant) -> Iterator[list[tuple[float, int]]]:
    """Two writers; gives the moment after each acknowledged transaction, and its id."""
    acknowledged: list[tuple[float, int]] = []
    ended = threading.Event()
    numbers = iter(range(1, 10**9))
    lock = threading.Lock()

    def write() -> None:
        while not ended.is_set():
            with contextlib.suppress(psycopg.Error, StopIteration), tenant.connect() as db:
                while not ended.is_set():
                    with lock:
                        number = next(numbers)
                    db.execute(
                        "insert into public.written values (%s, clock_timestamp(), %s)", [number, number * 7 % 1000]
                    )
                    acknowledged.append((time.time(), number))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def backups(installation: Installation, gigabytes: float, targets: int) -> list[Figure]:
    """A project of this size, backed up and brought back to random seconds while it is written to."""
    tenant = Tenant(installation, installation.create("backups"))
    installation.await_status(tenant.ref, "ACTIVE_HEALTHY")
    _track_commits(tenant)
    tenant.fill(gigabytes)
    await_true(lambda: tenant.platform("select summarize_wal from projects where ref = %s")[0][0], "summaries")
    seconds, size, stored = tenant.backup("full")
    figures = [
        Figure(
            "full backup", size / 2**20 / seconds, "MB/s", 200, f"{size / 2**20:.0f} MB, {stored / 2**20:.0f} stored"
        )
    ]
    with writing(tenant):
        time.sleep(5)
        tenant.pgbench("-c", "4", "-T", "15", "-n")
        seconds, size, stored = tenant.backup("incremental")
        note = f"{size / 2**20:.0f} MB, {stored / 2**20:.0f} stored, {seconds:.1f} s"
        figures.append(Figure("incremental backup", size / 2**20 / seconds, "MB/s", None, note))
        time.sleep(targets + 5)
        figures += _bring_back(tenant, targets)
    return figures


def _track_commits(tenant: Tenant) -> None:
    """The moment of each commit, so that what a second held is known exactly."""
    answer = tenant.installation.http.put(
        f"/v1/projects/{tenant.ref}/config/database/postgres",
        json={"track_commit_timestamp": True, "restart_database": True},
    )
    answer.raise_for_status()
    await_true(lambda: tenant.ask("show track_commit_timestamp") == ("on",), "tracking of commits")
    tenant.installation.await_status(tenant.ref, "ACTIVE_HEALTHY")


def await_true(find: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.Error):
            if find():
                return
        time.sleep(0.1)
    raise TimeoutError(what)


def _bring_back(tenant: Tenant, targets: int) -> list[Figure]:
    now = int(time.time())
    (first,) = tenant.ask("select extract(epoch from min(pg_xact_commit_timestamp(xmin)))::float8 from public.written")
    chosen = random.sample(range(int(float(str(first))) + 2, now - 1), targets)
    expected = {
        second: tenant.ask(
            "select count(*), sum(v), sum(id) from public.written"
            f" where pg_xact_commit_timestamp(xmin) <= to_timestamp({second})"
        )
        for second in chosen
    }
    taken, wrong = [], []
    for second in chosen:
        began = time.perf_counter()
        answer = tenant.installation.http.post(
            f"/v1/projects/{tenant.ref}/database/backups/restore-pitr", json={"recovery_time_target_unix": second}
        )
        assert answer.status_code == 201, answer.text
        tenant.installation.await_status(tenant.ref, "ACTIVE_HEALTHY")
        taken.append(time.perf_counter() - began)
        found = tenant.ask(f"select count(*), sum(v), sum(id) from public.written where at <= to_timestamp({second})")
        if found != expected[second]:
            wrong.append((second, expected[second], found))
    assert not wrong, wrong
    steps = tenant.platform(
        "select s.name, avg(extract(epoch from s.finished_at - s.started_at))::float8 from runs r"
        " join run_steps s on s.run_id = r.id where r.workflow = 'project.recover' and r.subject = %s group by s.name"
    )
    where = ", ".join(f"{name} {float(str(seconds)):.1f}" for name, seconds in steps)
    rows = max(int(str(count)) for count, *_ in expected.values())
    note = f"{targets} random seconds under load, sums exact, up to {rows} rows; {', '.join(f'{s:.1f}' for s in taken)}"
    return [
        Figure("PITR, p50", quantile(taken, 0.5), "s", 10, note),
        Figure("PITR, worst", max(taken), "s", 10, f"on average {where}"),
    ]


def loss(installation: Installation, seconds: float) -> list[Figure]:
    """Kill a cluster under load and delete its directory; then bring back what the archive has."""
    import os
    import shutil
    import signal

    tenant = Tenant(installation, installation.create("loss"))
    installation.await_status(tenant.ref, "ACTIVE_HEALTHY")
    tenant.ask("create table public.written (id bigint primary key, at timestamptz, v bigint)")
    await_true(
        lambda: tenant.platform("select 1 from backups where project_ref = %s and status = 'COMPLETED'"), "a backup"
    )
    home = Layout(installation.data_dir).cluster(tenant.ref).home
    with writing(tenant) as acknowledged:
        time.sleep(seconds)
        os.kill(int((home / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        killed = time.time()
        shutil.rmtree(home, ignore_errors=True)
    time.sleep(3)
    path = f"/v1/projects/{tenant.ref}/database/backups"
    latest = installation.http.get(path).json()["physical_backup_data"]["latest_physical_backup_date_unix"]
    installation.await_status(tenant.ref, "ACTIVE_UNHEALTHY")
    answer = installation.http.post(f"{path}/restore-pitr", json={"recovery_time_target_unix": latest})
    assert answer.status_code == 201, answer.text
    installation.await_status(tenant.ref, "ACTIVE_HEALTHY")
    with tenant.connect() as db:
        kept = {number for (number,) in db.execute("select id from public.written").fetchall()}
    sure = [(at, number) for at, number in acknowledged if at <= killed]
    lost = [at for at, number in sure if number not in kept]
    since = killed - min(lost) if lost else 0.0
    note = f"of {len(sure)} acknowledged in {seconds:g} s"
    return [
        Figure("RPO: lost with the cluster's directory", since, "s", 60, "kill -9 under load"),
        Figure("RPO: transactions lost", len(lost), "", None, note),
    ]
