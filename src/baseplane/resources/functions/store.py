"""Functions and their versions: every SQL statement on the two tables."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

import psycopg

from baseplane.database import Connection, maybe, one, rows, storable, value
from baseplane.drivers.functions import FunctionSpec
from baseplane.errors import Conflict, NotFound
from baseplane.resources.functions.source import Packed

KEPT_FOR = timedelta(days=1)
KEPT = 10
"""Versions of a function that do not serve: so long, and so many, can they still be activated."""
MOST_KEPT = 10_000
"""Different artifacts of a project, with those that are kept for its restores."""
_LOCK = 0x6675_6E63


@dataclass(frozen=True, slots=True)
class Function:
    """One version of a function. ``number`` is the order in which it was asked for, ``version`` what is shown: counted
    among those that load, and before that what it will be if it is the next. ``import_map`` is the path of one.
    """

    id: UUID
    project_ref: str
    slug: str
    name: str
    verify_jwt: bool
    created_at: datetime
    updated_at: datetime
    number: int
    version: int
    format: str
    entrypoint: str
    import_map: str | None
    digest: str
    state: str
    cause: str | None
    is_live: bool

    @property
    def artifact(self) -> str:
        return artifact(self.project_ref, self.digest)

    @property
    def spec(self) -> FunctionSpec:
        return FunctionSpec(
            self.project_ref,
            str(self.id),
            self.slug,
            self.number,
            self.version,
            self.entrypoint,
            self.import_map,
            self.digest,
        )


@dataclass(frozen=True, slots=True)
class New:
    """What a deployment asks for. None for ``name`` and ``verify_jwt`` means as before."""

    slug: str
    name: str | None
    verify_jwt: bool | None
    packed: Packed
    goes_live: bool = True


def artifacts(ref: str) -> str:
    """The folder of a project's artifacts."""
    return f"{ref}/functions"


def artifact(ref: str, digest: str) -> str:
    return f"{artifacts(ref)}/{digest}"


_LIVE: LiteralString = (
    "select f.id, project_ref, slug, f.name, f.verify_jwt, f.created_at, f.updated_at, number, version, format, entrypoint,"
    " import_map, digest, state, cause, true as is_live from functions f"
    " join function_versions v on function_id = id and number = live where not removed"
)
_VERSION: LiteralString = (
    "select f.id, project_ref, slug, case when number = live then f.name else coalesce(v.name, f.name) end as name,"
    " case when number = live then f.verify_jwt else coalesce(v.verify_jwt, f.verify_jwt) end as verify_jwt, f.created_at,"
    " case when number = live then f.updated_at else v.created_at end as updated_at, number,"
    " coalesce(version, versions + 1) as version, format,"
    " entrypoint, import_map, digest, state, cause, number is not distinct from live as is_live"
    " from functions f join function_versions v on function_id = id where not removed"
)


async def lock(db: Connection, ref: str) -> None:
    """One change of a project's functions and artifacts at a time, until the transaction ends."""
    await db.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, ref])


async def list_of(db: Connection, ref: str) -> list[Function]:
    """Those that serve, the oldest first."""
    return await rows(db, Function, _LIVE + " and project_ref = %s order by f.created_at, slug", [ref])


async def get(db: Connection, ref: str, slug: str) -> Function:
    """Raises NotFound."""
    found = await maybe(db, Function, _LIVE + " and project_ref = %s and slug = %s", [ref, slug])
    if found is None:
        raise NotFound(f"Function {slug} not found")
    return found


async def exists(db: Connection, ref: str, slug: str) -> bool:
    """Whether a function of this name serves, or is about to."""
    query = (
        "select exists (select from functions where project_ref = %s and slug = %s and not removed and (live is not null"
        " or exists (select from function_versions where function_id = id and state = 'pending' and goes_live)))"
    )
    return bool(await value(db, query, [ref, slug]))


async def count(db: Connection, ref: str) -> int:
    return int(await value(db, "select count(*) from functions where project_ref = %s and not removed", [ref]))


async def find_version(db: Connection, function_id: UUID, version: int) -> Function | None:
    """One that has loaded, by what users call it."""
    return await maybe(db, Function, _VERSION + " and id = %s and version = %s", [function_id, version])


async def find_numbered(db: Connection, function_id: UUID, number: int) -> Function | None:
    return await maybe(db, Function, _VERSION + " and id = %s and number = %s", [function_id, number])


async def pending(db: Connection, ref: str) -> list[Function]:
    """By function, and in the order in which they were asked for."""
    return await rows(db, Function, _VERSION + " and project_ref = %s and state = 'pending' order by id, number", [ref])


async def insert_version(db: Connection, ref: str, new: New) -> Function:
    """A new version, pending, of a function that is made if need be. The caller holds the lock."""
    packed = new.packed
    found = await value(
        db, "select id from functions where project_ref = %s and slug = %s and not removed", [ref, new.slug]
    )
    function_id = found or await value(
        db,
        "insert into functions (project_ref, slug, name, verify_jwt) values (%s, %s, %s, %s) returning id",
        [ref, new.slug, new.name or new.slug, new.verify_jwt is not False],
    )
    number = await value(
        db,
        "insert into function_versions"
        " (function_id, number, name, verify_jwt, format, entrypoint, import_map, digest, goes_live)"
        " select id, 1 + greatest((select max(number) from function_versions where function_id = id),"
        " (select max(number) from function_history where function_id = functions.id), 0),"  # a restore may bring that back
        " coalesce(%s, case when live is null then slug end), coalesce(%s, case when live is null then true end),"
        " %s, %s, %s, %s, %s"
        " from functions where id = %s returning number",
        [
            new.name, new.verify_jwt, packed.format, packed.source.entrypoint, packed.source.import_map,
            packed.digest, new.goes_live, function_id,
        ],
    )  # fmt: skip
    return await one(db, Function, _VERSION + " and id = %s and number = %s", [function_id, number], missing="")


async def succeed(db: Connection, version: Function) -> None:
    """It loads, and is the function's next version: let it serve, if that is wanted and no later one serves already."""
    key = [version.id, version.number]
    counted = await db.execute(
        "update function_versions set state = 'ready', version = versions + 1 from functions"
        " where id = function_id and function_id = %s and number = %s and state = 'pending'",
        key,
    )
    if counted.rowcount:
        await db.execute("update functions set versions = versions + 1 where id = %s", [version.id])
        await db.execute(
            "update functions set live = number, name = coalesce(loaded.name, functions.name),"
            " verify_jwt = coalesce(loaded.verify_jwt, functions.verify_jwt), updated_at = now()"
            " from function_versions loaded where id = function_id and function_id = %s and number = %s"
            " and goes_live and coalesce(live, 0) < number and not removed",
            key,
        )


async def refuse(db: Connection, version: Function, cause: str) -> None:
    """It does not load, by its own fault."""
    await db.execute(
        "update function_versions set state = 'broken', cause = %s"
        " where function_id = %s and number = %s and state = 'pending'",
        [storable(cause), version.id, version.number],
    )


async def fail_pending(db: Connection, ref: str, cause: str) -> None:
    """The platform could not tell whether they load."""
    await db.execute(
        "update function_versions set state = 'failed', cause = %s from functions"
        " where id = function_id and project_ref = %s and state = 'pending'",
        [storable(cause), ref],
    )


async def activate(db: Connection, version: Function, *, name: str, verify_jwt: bool) -> None:
    await db.execute(
        "update functions set live = %s, name = %s, verify_jwt = %s, updated_at = now() where id = %s",
        [version.number, name, verify_jwt, version.id],
    )


async def update(
    db: Connection, function_id: UUID, *, slug: str | None, name: str | None, verify_jwt: bool | None
) -> None:
    """Raises Conflict when the slug is taken."""
    try:
        await db.execute(
            "update functions set slug = coalesce(%s, slug), name = coalesce(%s, name),"
            " verify_jwt = coalesce(%s, verify_jwt), updated_at = now() where id = %s",
            [slug, name, verify_jwt, function_id],
        )
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(duplicated(slug or "")) from error


def duplicated(slug: str) -> str:
    """Clients look for these words (platform.md, section 1)."""
    return (
        f"Duplicated function slug: the project has a function {slug} already. Update that one, or take another slug."
    )


async def remove(db: Connection, function_id: UUID) -> None:
    """From now on it does not serve; ``removed`` lists what is to be cleared away."""
    await db.execute("update functions set removed = true, updated_at = now() where id = %s", [function_id])


async def removed(db: Connection, ref: str) -> list[UUID]:
    cursor = await db.execute("select id from functions where project_ref = %s and removed", [ref])
    return [found[0] for found in await cursor.fetchall()]


async def forget(db: Connection, ref: str, gone: list[UUID]) -> None:
    """Delete the functions in ``gone``, and versions that nobody will activate any more."""
    await db.execute("delete from functions where id = any(%s)", [gone])
    await db.execute(
        "with others as (select function_id, number, coalesce((select max(coalesce(until, now())) from function_history h"
        "  where h.function_id = v.function_id and h.number = v.number), v.created_at) as needed_at,"
        " row_number() over (partition by function_id order by number desc) as place"
        " from function_versions v join functions on id = function_id"
        " where project_ref = %s and number is distinct from live and state <> 'pending')"
        " delete from function_versions v using others o where o.function_id = v.function_id and o.number = v.number"
        " and (place > %s or o.needed_at < now() - %s)",
        [ref, KEPT, KEPT_FOR],
    )
    await db.execute(
        "delete from functions where project_ref = %s and live is null"
        " and not exists (select from function_versions where function_id = id)",
        [ref],
    )


async def artifacts_of(db: Connection, ref: str) -> set[str]:
    """The keys of artifacts that are referred to, by what serves or did."""
    cursor = await db.execute(
        "select digest from function_versions join functions on id = function_id where project_ref = %(ref)s"
        " union select digest from function_history where project_ref = %(ref)s",
        {"ref": ref},
    )
    return {artifact(ref, found[0]) for found in await cursor.fetchall()}
