"""What served when: rows that a trigger writes, and all other SQL on their table.

An artifact stays as long as a row here refers to it, so that a restore can let the function serve again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from baseplane.database import Connection, rows
from baseplane.resources.functions import store


@dataclass(frozen=True, slots=True)
class Served:
    """A version as it served, or does; its numbers are as in ``store.Function``."""

    project_ref: str
    function_id: UUID
    slug: str
    name: str
    verify_jwt: bool
    created_at: datetime
    number: int
    version: int
    format: str
    entrypoint: str
    import_map: str | None
    digest: str
    since: datetime
    archived: bool

    @property
    def artifact(self) -> str:
        return store.artifact(self.project_ref, self.digest)


_SERVED: LiteralString = (
    "h.project_ref, function_id, slug, h.name, verify_jwt, h.created_at, number, version, format, entrypoint, import_map,"
    " digest, since, archived"
)
_AT: LiteralString = "h.project_ref = %(ref)s and since <= %(moment)s and (until is null or until > %(moment)s)"


async def at(db: Connection, ref: str, moment: datetime) -> list[Served]:
    """What served at a moment."""
    query: LiteralString = f"select {_SERVED} from function_history h where {_AT} order by slug"
    return await rows(db, Served, query, {"ref": ref, "moment": moment})


async def waiting(db: Connection) -> list[Served]:
    """What is not in the archive yet, one version for each file, those that wait longest first."""
    query: LiteralString = (
        f"select {_SERVED} from (select distinct on (project_ref, digest) * from function_history where not archived"
        "  order by project_ref, digest, since) h join projects p on p.ref = h.project_ref"
        " where p.status not in ('GOING_DOWN', 'REMOVED') order by since"
    )
    return await rows(db, Served, query)


async def lacking(db: Connection, ref: str, moment: datetime) -> list[tuple[str, int, str | None]]:
    """Slug, version and why, of what served then and is not in the archive."""
    query: LiteralString = f"select slug, version, error from function_history h where not archived and {_AT}"
    return list(await (await db.execute(query, {"ref": ref, "moment": moment})).fetchall())


async def record_known(db: Connection) -> None:
    """A file that is in the archive for what served before need not be taken there again."""
    await db.execute(
        "update function_history h set archived = true, error = null where not archived and exists"
        " (select from function_history k where k.project_ref = h.project_ref and k.digest = h.digest and k.archived)"
    )


async def record_archived(db: Connection, version: Served) -> bool:
    """Tells whether anything still refers to it."""
    cursor = await db.execute(
        "update function_history set archived = true, error = null where project_ref = %s and digest = %s",
        [version.project_ref, version.digest],
    )
    return cursor.rowcount > 0


async def record_error(db: Connection, version: Served, error: str) -> None:
    await db.execute(
        "update function_history set error = %s where project_ref = %s and digest = %s and not archived",
        [error, version.project_ref, version.digest],
    )


async def record_damage(db: Connection, version: Served, error: str) -> None:
    """What the archive has of it is of no use."""
    await db.execute(
        "update function_history set archived = false, error = %s where project_ref = %s and digest = %s",
        [error, version.project_ref, version.digest],
    )


async def give_up(db: Connection, ref: str, slug: str) -> int:
    """Let no restore ask for what served as ``slug`` and does not any more; gives how many spans of time that is of."""
    cursor = await db.execute(
        "update function_history set since = until where project_ref = %s and slug = %s and since < until", [ref, slug]
    )
    return cursor.rowcount


async def outlived(db: Connection, ref: str, before: datetime) -> list[str]:
    """Digests of files in the archive that nothing refers to but what ended before this moment."""
    cursor = await db.execute(
        "select digest from function_history where project_ref = %s group by digest"
        " having bool_or(archived) and max(coalesce(until, 'infinity')) < %s",
        [ref, before],
    )
    return [digest for (digest,) in await cursor.fetchall()]


async def forget(db: Connection, ref: str, before: datetime, *, archived: bool = True) -> bool:
    """What ended before this moment; tells whether there was any. With ``archived`` false, not what the archive has."""
    cursor = await db.execute(
        "delete from function_history where project_ref = %s and until < %s and (%s or not archived)",
        [ref, before, archived],
    )
    return cursor.rowcount > 0


async def bring_back(db: Connection, ref: str, moment: datetime) -> bool:
    """Let serve what served at ``moment``, and nothing else; tells whether anything changed. Its artifacts must be there.

    What serves in its stead loses its name, if that is needed, or else waits as versions that do not serve.
    """
    await store.lock(db, ref)
    then = {each.function_id: each for each in await at(db, ref, moment)}
    now = {each.id: each for each in await store.list_of(db, ref)}
    wanted = [each for each in then.values() if not _serves(each, now.get(each.function_id))]
    cursor = await db.execute(
        "update functions set live = null, removed = removed or id = any(%(back)s) or slug = any(%(slugs)s), updated_at = now()"
        " where project_ref = %(ref)s and not removed and id <> all(%(same)s)"
        " and (live is not null or id = any(%(back)s) or slug = any(%(slugs)s))",
        {
            "ref": ref,
            "back": [each.function_id for each in wanted],
            "slugs": [each.slug for each in then.values()],
            "same": [each.function_id for each in then.values() if each not in wanted],
        },
    )
    for each in wanted:
        await _let_serve(db, each)
    return bool(wanted) or cursor.rowcount > 0


def _serves(then: Served, now: store.Function | None) -> bool:
    return now is not None and (then.slug, then.name, then.verify_jwt, then.number) == (
        now.slug,
        now.name,
        now.verify_jwt,
        now.number,
    )


async def _let_serve(db: Connection, version: Served) -> None:
    await db.execute(
        "insert into functions (id, project_ref, slug, name, verify_jwt, created_at, live, versions)"
        " select %(id)s, %(ref)s, %(slug)s, %(name)s, %(verify_jwt)s, %(created_at)s, %(number)s, max(version)"
        " from function_history where function_id = %(id)s"
        " on conflict (id) do update set slug = excluded.slug, name = excluded.name, verify_jwt = excluded.verify_jwt,"
        " live = excluded.live, removed = false, updated_at = now()",
        _parameters(version),
    )
    await db.execute(
        "insert into function_versions (function_id, number, version, name, verify_jwt, format, entrypoint, import_map,"
        " digest, state, goes_live) values (%(id)s, %(number)s, %(version)s, %(name)s, %(verify_jwt)s, %(format)s,"
        " %(entrypoint)s, %(import_map)s, %(digest)s, 'ready', true) on conflict (function_id, number) do nothing",
        _parameters(version),
    )


def _parameters(version: Served) -> dict[str, object]:
    return {
        "id": version.function_id,
        "ref": version.project_ref,
        "slug": version.slug,
        "name": version.name,
        "verify_jwt": version.verify_jwt,
        "created_at": version.created_at,
        "number": version.number,
        "version": version.version,
        "format": version.format,
        "entrypoint": version.entrypoint,
        "import_map": version.import_map,
        "digest": version.digest,
    }
