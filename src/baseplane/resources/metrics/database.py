"""What a project's own database says of itself, asked in one session, under the names that postgres_exporter and the
hosted platform have for it (supabase-grafana, docs/metrics.md).

It is asked as supabase_admin, for which a connection is left when the tenant's sessions have taken all others: that is
when somebody looks.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import LiteralString

import psycopg

from baseplane.drivers.cluster import ClusterMissing, DriverUnavailable, Role
from baseplane.errors import Unavailable
from baseplane.resources.metrics.page import Page
from baseplane.runtime import Runtime

WITHIN = 4.0
"""Seconds for everything."""
STATEMENT_WITHIN = 2000
"""Milliseconds for one statement, which ends by itself when we have given up."""
MOST = 50
"""Databases that are shown by name, the largest; the tenant may have any number."""


@dataclass(frozen=True, slots=True)
class Measure:
    """``expression`` is SQL over all rows ``d`` of pg_stat_database."""

    name: str
    about: str
    expression: LiteralString

    @property
    def is_counter(self) -> bool:
        return self.name.endswith("_total")


def _of_databases(column: LiteralString, about: str) -> Measure:
    return Measure(f"pg_stat_database_{column}_total", about, "sum(d." + column + ")")


MEASURES = (
    _of_databases("xact_commit", "Transactions committed, in all databases."),
    _of_databases("xact_rollback", "Transactions rolled back."),
    _of_databases("blks_hit", "Blocks found in shared buffers."),
    _of_databases("blks_read", "Blocks read from disk or the system's cache."),
    _of_databases("tup_returned", "Rows that scans returned."),
    _of_databases("tup_fetched", "Rows that index scans fetched."),
    _of_databases("tup_inserted", "Rows inserted."),
    _of_databases("tup_updated", "Rows updated."),
    _of_databases("tup_deleted", "Rows deleted."),
    _of_databases("conflicts", "Queries cancelled because of conflicts with recovery."),
    _of_databases("deadlocks", "Deadlocks detected."),
    _of_databases("temp_files", "Temporary files that queries wrote."),
    _of_databases("temp_bytes", "Bytes that queries wrote to temporary files."),
    Measure("pg_stat_database_num_backends", "Sessions, the platform's own among them.", "sum(d.numbackends)"),
    Measure(
        "pg_stat_database_most_recent_reset",
        "When statistics of a database were last reset, in Unix time.",
        "extract(epoch from max(d.stats_reset))",
    ),
    Measure("max_connections_connection_count", "Sessions that there may be.", "current_setting('max_connections')::int"),
    Measure("pg_settings_max_connections", "The same as postgres_exporter calls it.", "current_setting('max_connections')::int"),
    Measure("pg_status_in_recovery", "Whether the database is in recovery.", "pg_is_in_recovery()::int"),
    Measure(
        "pg_postmaster_start_time_seconds",
        "When Postgres was started, in Unix time.",
        "extract(epoch from pg_postmaster_start_time())",
    ),
    Measure(
        "pg_stat_activity_max_tx_duration",
        "Seconds that the oldest transaction of a client has been open.",
        "(select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0) from pg_stat_activity"
        " where backend_type = 'client backend' and pid <> pg_backend_pid())",
    ),
    Measure(
        "baseplane_xid_age",
        "Transactions since the oldest id that is not frozen, of the database where that is most; writing ends at 2^31.",
        "(select max(age(datfrozenxid)) from pg_database)",
    ),
    Measure("pg_wal_size_bytes", "Bytes of write-ahead log on disk.", "(select sum(size) from pg_ls_waldir())"),
    Measure(
        "pg_wal_segments",
        "Files of write-ahead log on disk.",
        "(select count(*) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$')",
    ),
    Measure(
        "baseplane_wal_written_bytes_total",
        "Bytes of write-ahead log written since the cluster was made.",
        "pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, '0/0')",
    ),
)  # fmt: skip

_STATISTICS = "select " + ", ".join(measure.expression for measure in MEASURES) + " from pg_stat_database d"
KNOWN_USERS = (
    "postgres",
    "authenticator",
    "supabase_auth_admin",
    "supabase_storage_admin",
    "supabase_admin",
    "pgbouncer",
)
"""Roles that are shown by name; others have names that are the tenant's, or are gone within the hour."""
_USERS: LiteralString = (
    "select u.name, count(a.pid) from unnest(%(known)s || array['other']) as u (name)"
    " left join pg_stat_activity a on a.backend_type = 'client backend'"
    "  and u.name = case when a.usename = any(%(known)s) then a.usename::text else 'other' end group by u.name order by u.name"
)
_SIZES: LiteralString = (
    "select namesend(datname), size, sum(size) over () from ("
    " select datname, pg_database_size(oid) as size from pg_database) d where size is not null order by size desc limit %s"
)

Row = tuple[float | Decimal | None, ...]
Sizes = Sequence[tuple[bytes, int, Decimal]]


@dataclass(frozen=True, slots=True)
class Answered:
    """``sizes`` is empty where counting took too long: that is a look at each file."""

    measures: Row
    users: Sequence[tuple[str, int]]
    sizes: Sizes


async def ask(rt: Runtime, ref: str, secret: str) -> Answered | None:
    """None if there was no answer in time, whatever the cause."""
    try:
        async with asyncio.timeout(WITHIN), rt.clusters.connect(ref, Role.ADMIN, secret) as db:
            await db.execute(f"set statement_timeout = {STATEMENT_WITHIN}".encode())
            measures = await (await db.execute(_STATISTICS.encode())).fetchone()
            users = await (await db.execute(_USERS, {"known": list(KNOWN_USERS)})).fetchall()
            try:
                sizes = await (await db.execute(_SIZES, [MOST])).fetchall()
            except psycopg.Error:
                sizes = []
            await db.close()  # kept for the next scrape, it would hold a process and a slot of the tenant's meanwhile
    except (TimeoutError, Unavailable, ClusterMissing, DriverUnavailable, psycopg.Error):
        return None
    return Answered(measures, users, sizes)  # type: ignore[arg-type]


def show(page: Page, found: Answered | None) -> None:
    page.gauge("pg_up", "Whether the project's Postgres answered when it was asked for this.", found is not None)
    if found is None:
        return
    for measure, value in zip(MEASURES, found.measures, strict=True):
        add = page.counter if measure.is_counter else page.gauge
        add(measure.name, measure.about, None if value is None else float(value))
    for user, count in found.users:
        page.gauge("connection_stats_connection_count", "Sessions of clients by role.", count, username=user)
    for name, size, _ in found.sizes:
        datname = name.decode(errors="backslashreplace")  # databases of other encodings may be called anything
        page.gauge("pg_database_size_bytes", "Bytes that a database takes; the largest ones.", size, datname=datname)
    for *_, total in found.sizes[:1]:
        page.gauge("pg_database_size_mb", "Megabytes (of 2**20 bytes) of all databases.", float(total) / 2**20)
