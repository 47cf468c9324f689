"""The tables of net in a project's database, as the worker uses them. enable.sql makes them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from baseplane.database import value
from baseplane.errors import Conflict
from baseplane.resources.projects.inside import Connection

CHANNEL = "baseplane_net"
KEY, LEADER, ASLEEP = 0x6E65_7467, 1, 2
"""Advisory locks in the project's database: who serves it, and whether that one sleeps. enable.sql has the same."""
MAX_BODY = 1024 * 1024
MAX_TEXT = 64 * 1024
"""Bytes of a body, and of a URL or of headers: what is larger stays in the database and is refused."""
FETCH_BYTES = 4 * 1024 * 1024
KEEP_RESPONSES, KEEP_HOOKS = "6 hours", "30 days"
"""As on the hosted platform; there, hooks are kept for ever."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A request that waits. None stands for what is larger than it may be; times are in seconds.

    ``is_hook`` says that it comes from a webhook; ``wait`` how long it is until it may be tried again.
    """

    id: int
    method: str
    url: str | None
    headers: object
    body: bytes | None
    body_size: int
    timeout_milliseconds: int
    is_hook: bool
    attempts: int
    age: float
    wait: float


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request, for good."""

    id: int
    status: int | None = None
    content_type: str | None = None
    headers: dict[str, str] | None = None
    content: str | None = None
    timed_out: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """A request that is to be sent again, ``wait`` seconds from now."""

    id: int
    wait: float


class NotOursError(Exception):
    """The tables are not those that enable.sql made: what a tenant made, a superuser must not write to."""


async def enable(db: Connection) -> None:
    """Make the schemas of webhooks or bring them up to date, whole or not at all; ``db`` is supabase_admin's.

    Raises Conflict when the project has something else of that name.
    """
    text = resources.files(__package__).joinpath("enable.sql").read_text(encoding="utf-8")
    try:
        async with db.transaction():
            await db.execute("select pg_advisory_xact_lock(%s, 0)", [KEY])
            await db.execute(text.encode())
    except (psycopg.errors.ProgrammingError, psycopg.errors.DependentObjectsStillExist) as error:
        hint = error.diag.message_hint or "Rename or drop what is in the way in schemas net and supabase_functions."
        raise Conflict(f"Webhooks cannot be enabled: {error.diag.message_primary}. {hint}") from error


async def lead(db: Connection) -> bool:
    """Become the one that serves this database, until the connection ends. Raises NotOursError."""
    if not await _are_ours(db):
        raise NotOursError
    # What is lost with the last milliseconds before a crash is the record of answers: those requests are sent again.
    await db.execute("set synchronous_commit = off; set statement_timeout = '20s'")
    return bool(await value(db, "select pg_try_advisory_lock(%s, %s)", [KEY, LEADER]))


async def _are_ours(db: Connection) -> bool:
    query = (
        "select count(*) = 3 from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'net'"
        " and relname in ('http_request_queue', '_http_response', '_hooks')"
        " and relowner = to_regrole('supabase_admin') and nspowner = relowner"
    )
    return bool(await value(db, query))


async def drop_queued(db: Connection) -> None:
    """Send nothing of what waits: in a copy of a database, it is the original's to send."""
    if await _are_ours(db):
        await db.execute("delete from net.http_request_queue")


async def listen(db: Connection) -> None:
    await db.execute(f"listen {CHANNEL}".encode())


async def fall_asleep(db: Connection) -> bool:
    """From now on, whoever queues a request notifies. False while a transaction that has queued one is open."""
    return bool(await value(db, "select pg_try_advisory_lock(%s, %s)", [KEY, ASLEEP]))


async def wake_up(db: Connection) -> None:
    await db.execute("select pg_advisory_unlock(%s, %s)", [KEY, ASLEEP])


async def fetch(db: Connection, *, known: Collection[int], closed: Collection[str], limit: int) -> list[Queued]:
    """The next requests in their order: none of those ``known`` and no hooks of the URLs that are ``closed``."""
    async with db.cursor(row_factory=class_row(Queued)) as cursor:
        await cursor.execute(
            """
            with next as materialized (
              select *, octet_length(body) <= %(max_body)s as fits from net.http_request_queue
              where id <> all(%(known)s) and not (hook_name is not null and url = any(%(closed)s))
              order by id limit %(limit)s
            )
            select id, method, case when octet_length(url) <= %(max_text)s then url end as url,
              case when pg_column_size(headers) <= %(max_text)s then coalesce(headers, '{}') end as headers,
              case when fits then body end as body, coalesce(octet_length(body), 0) as body_size,
              timeout_milliseconds, hook_name is not null as is_hook, attempts,
              extract(epoch from now() - created)::float8 as age,
              coalesce(extract(epoch from due - now()), 0)::float8 as wait
            from (select *, sum(case when fits then octet_length(body) else 0 end) over (order by id) as bytes,
                         row_number() over (order by id) as place from next) as counted
            where bytes <= %(bytes)s or place = 1
            order by id
            """,
            {
                "known": list(known),
                "closed": list(closed),
                "limit": limit,
                "max_body": MAX_BODY,
                "max_text": MAX_TEXT,
                "bytes": FETCH_BYTES,
            },
        )
        return await cursor.fetchall()


async def record(db: Connection, done: Sequence[Done], again: Sequence[Again]) -> None:
    """In one transaction: requests go as their responses come, and those that failed for now say when they are due."""
    async with db.transaction():
        if done:
            await db.execute(
                """
                with done as (
                  select * from unnest(%s::bigint[], %s::int[], %s::text[], %s::jsonb[], %s::text[], %s::bool[], %s::text[])
                    as done (id, status_code, content_type, headers, content, timed_out, error_msg)
                ), gone as (
                  delete from net.http_request_queue as q using done where q.id = done.id
                  returning q.id, hook_table_id, hook_name, created
                ), hooks as (
                  insert into net._hooks (request_id, hook_table_id, hook_name, created_at)
                  select id, coalesce(hook_table_id, 0), hook_name, created from gone where hook_name is not null
                  on conflict do nothing
                )
                insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
                select * from done
                """,
                [
                    [one.id for one in done],
                    [one.status for one in done],
                    [one.content_type for one in done],
                    [None if one.headers is None else Jsonb(one.headers) for one in done],
                    [one.content for one in done],
                    [one.timed_out for one in done],
                    [one.error for one in done],
                ],
            )
        if again:
            await db.execute(
                "update net.http_request_queue as q set attempts = attempts + 1, due = now() + wait * interval '1 s'"
                " from unnest(%s::bigint[], %s::float8[]) as again (id, wait) where q.id = again.id",
                [[one.id for one in again], [one.wait for one in again]],
            )


async def clean(db: Connection) -> None:
    """Forget what is older than it is kept."""
    await db.execute(f"delete from net._http_response where created < now() - interval '{KEEP_RESPONSES}'".encode())
    await db.execute(f"delete from net._hooks where created_at < now() - interval '{KEEP_HOOKS}'".encode())
