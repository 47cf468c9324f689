"""Projects. Callers write what is wanted; ``settle`` alone writes the status, and only workflows call it."""

import secrets
import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from baseplane.database import Connection, maybe, one, rows, value
from baseplane.database.secrets import Keyring
from baseplane.drivers.cluster import ClusterSpec
from baseplane.errors import Conflict, NotFound
from baseplane.resources.projects import settings
from baseplane.resources.projects.status import Status

Ref = str
MISSING = "Project not found"


@dataclass(frozen=True, slots=True)
class Project:
    """A project without its secrets. ``cause`` says why it is in a failed or unhealthy state.

    One that is ``asleep`` is as good as running: its cluster is started when somebody comes.
    """

    id: int
    ref: Ref
    organization_slug: str
    name: str
    region: str
    size: str
    engine: int
    created_at: datetime
    status: Status
    cause: str | None
    postgres_version: str | None
    asleep: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status(self.status))


@dataclass(frozen=True, slots=True)
class SeenProject(Project):
    """A project as a member of its organization sees it, in this role."""

    user_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class ProjectSecrets:
    """``password`` is that of role postgres, ``secret`` that of the platform's own roles inside the cluster."""

    password: str
    secret: str
    jwt_secret: str
    root_key: str


PROJECT: LiteralString = (
    "p.id, p.ref, p.organization_slug, p.name, p.region, p.size, p.engine, p.created_at, p.status, p.cause,"
    " p.postgres_version, p.asleep"
)


async def insert(
    db: Connection,
    keyring: Keyring,
    *,
    organization_slug: str,
    name: str,
    region: str,
    size: str,
    engine: int,
    password: str,
    made_by: str = "project.create",
) -> Project:
    """Write down what is wanted; the workflow ``made_by`` makes it. Raises Conflict when the name is taken."""
    ref = "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))
    try:
        return await one(
            db,
            Project,
            "insert into projects as p (ref, organization_slug, name, region, size, engine,"
            " password, secret, jwt_secret, root_key, made_by)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning " + PROJECT,
            [
                ref,
                organization_slug,
                name,
                region,
                size,
                engine,
                keyring.seal(password, f"projects.password:{ref}"),
                keyring.seal(secrets.token_urlsafe(32), f"projects.secret:{ref}"),
                keyring.seal(secrets.token_urlsafe(48), f"projects.jwt_secret:{ref}"),
                keyring.seal(secrets.token_hex(32), f"projects.root_key:{ref}"),
                made_by,
            ],
            missing="",
        )
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(_taken(name)) from error


async def get(db: Connection, ref: Ref) -> Project:
    """Raises NotFound."""
    query: LiteralString = "select " + PROJECT + " from projects p where ref = %s and status <> 'REMOVED'"
    return await one(db, Project, query, [ref], missing=MISSING)


async def find(db: Connection, ref: Ref) -> Project | None:
    return await maybe(db, Project, "select " + PROJECT + " from projects p where ref = %s", [ref])


async def made_by(db: Connection, ref: Ref) -> str:
    """The name of the workflow that makes the project."""
    return str(await value(db, "select made_by from projects where ref = %s", [ref]))


async def get_of_member(db: Connection, ref: Ref, user_id: str) -> SeenProject:
    """Raises NotFound, also when the user is no member."""
    seen = await find_of_members(db, [(ref, user_id)])
    if not seen:
        raise NotFound(MISSING)
    return seen[ref, user_id]


async def find_of_members(db: Connection, wanted: Sequence[tuple[Ref, str]]) -> dict[tuple[Ref, str], SeenProject]:
    """The projects with these refs, each as this user sees it; those that he does not see are left out."""
    seen = await rows(
        db,
        SeenProject,
        "select " + PROJECT + ", m.user_id, m.role from unnest(%s::text[], %s::uuid[]) wanted (ref, user_id)"
        " join projects p using (ref) join members m using (organization_slug, user_id) where p.status <> 'REMOVED'",
        [[ref for ref, _ in wanted], [user_id for _, user_id in wanted]],
    )
    return {(each.ref, str(each.user_id)): each for each in seen}


async def list_of_user(db: Connection, user_id: str) -> list[Project]:
    return await rows(
        db,
        Project,
        "select " + PROJECT + " from projects p join members m using (organization_slug)"
        " where m.user_id = %s and status <> 'REMOVED' order by p.id",
        [user_id],
    )


ORDERS: dict[str, LiteralString] = {
    "name_asc": "p.name, p.id",
    "name_desc": "p.name desc, p.id desc",
    "created_asc": "p.id",
    "created_desc": "p.id desc",
}


async def page_of_organization(
    db: Connection,
    slug: str,
    *,
    search: str | None,
    statuses: Sequence[str],
    only: Collection[Ref] | None,
    sort: str,
    limit: int,
    offset: int,
) -> tuple[list[Project], int]:
    """One page and the count of all that match. ``search`` finds part of a name, or a ref; ``only`` narrows to these."""
    where: LiteralString = (
        " from projects p where organization_slug = %(slug)s and status <> 'REMOVED'"
        " and (%(search)s::text is null or position(lower(%(search)s) in lower(name)) > 0 or ref = %(search)s)"
        " and (cardinality(%(statuses)s::text[]) = 0 or status = any(%(statuses)s))"
        " and (%(only)s::text[] is null or ref = any(%(only)s))"
    )
    params = {
        "slug": slug,
        "search": search or None,
        "statuses": list(statuses),
        "only": None if only is None else list(only),
        "limit": limit,
        "offset": offset,
    }
    order = ORDERS[sort]
    query: LiteralString = "select " + PROJECT + where + " order by " + order + " limit %(limit)s offset %(offset)s"
    found = await rows(db, Project, query, params)
    return found, await value(db, "select count(*)" + where, params)


async def list_in(db: Connection, statuses: Collection[Status]) -> list[Project]:
    query: LiteralString = "select " + PROJECT + " from projects p where status = any(%s) order by p.id"
    return await rows(db, Project, query, [list(statuses)])


async def rename(db: Connection, ref: Ref, name: str) -> None:
    """Raises Conflict."""
    try:
        await db.execute("update projects set name = %s where ref = %s", [name, ref])
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(_taken(name)) from error


def _taken(name: str) -> str:
    return f"Project with name {name} already exists in your organization. Choose another name."


async def set_password(db: Connection, keyring: Keyring, ref: Ref, password: str) -> None:
    sealed = keyring.seal(password, f"projects.password:{ref}")
    await db.execute("update projects set password = %s where ref = %s", [sealed, ref])


async def read_secrets(db: Connection, keyring: Keyring, ref: Ref) -> ProjectSecrets:
    """Raises Unavailable when the platform key is not the one they were sealed with."""
    names = ("password", "secret", "jwt_secret", "root_key")
    sealed = await value(db, "select array[password, secret, jwt_secret, root_key] from projects where ref = %s", [ref])
    opened = (keyring.open(text, f"projects.{name}:{ref}") for name, text in zip(names, sealed, strict=True))
    return ProjectSecrets(*opened)


async def cluster_spec(db: Connection, keyring: Keyring, ref: Ref) -> ClusterSpec:
    """What the cluster should be. Raises NotFound."""
    project = await get(db, ref)
    hidden = await read_secrets(db, keyring, ref)
    retiring = await value(db, "select retiring_root_keys from projects where ref = %s", [ref])
    keys = (hidden.root_key, *(keyring.open(key, f"projects.root_key:{ref}") for key in retiring))
    in_force = await settings.in_force(db, ref)
    return ClusterSpec(ref, project.engine, project.size, hidden.secret, hidden.password, keys, in_force)


async def change_root_key(db: Connection, keyring: Keyring, ref: Ref, key: str) -> None:
    """The key until now opens what it encrypted until ``retire_root_keys``."""
    await db.execute(
        "update projects set retiring_root_keys = retiring_root_keys || root_key, root_key = %s where ref = %s",
        [keyring.seal(key, f"projects.root_key:{ref}"), ref],
    )


async def keep_root_keys(db: Connection, keyring: Keyring, ref: Ref, keys: Collection[str]) -> None:
    """Let these open what they encrypted, beside the current one, until ``retire_root_keys``."""
    known = (await cluster_spec(db, keyring, ref)).root_keys
    fresh = [keyring.seal(key, f"projects.root_key:{ref}") for key in keys if key not in known]
    await db.execute("update projects set retiring_root_keys = retiring_root_keys || %s where ref = %s", [fresh, ref])


async def retire_root_keys(db: Connection, ref: Ref) -> None:
    await db.execute("update projects set retiring_root_keys = '{}' where ref = %s", [ref])


async def settle(
    db: Connection, ref: Ref, to: Status, *, only_from: Collection[Status], cause: str | None = None
) -> bool:
    """Write the status that was observed, unless the project has moved on meanwhile; tells whether it was written."""
    cursor = await db.execute(
        "update projects set status = %s, cause = %s, status_since = now() where ref = %s and status = any(%s)",
        [to, cause, ref, list(only_from)],
    )
    return cursor.rowcount == 1


async def tell(db: Connection, beginning: str, causes: Mapping[str, str]) -> None:
    """Let these projects have these causes, which all have the same ``beginning``; no other has one of them any more."""
    await db.execute(
        "update projects set cause = %(causes)s ->> ref"
        " where (%(causes)s ? ref or starts_with(cause, %(beginning)s)) and cause is distinct from %(causes)s ->> ref",
        {"causes": Jsonb(causes), "beginning": beginning},
    )


async def fall_asleep(db: Connection, ref: Ref, idle: timedelta) -> bool:
    """Call it asleep unless it was used meanwhile, or is about to be something else; tells whether it is."""
    cursor = await db.execute(
        "update projects p set asleep = true where ref = %s and status = 'ACTIVE_HEALTHY'"
        " and (asleep or used_at < now() - %s::interval and not exists (select from replicas r where r.ref = p.ref))",
        [ref, idle],
    )
    return cursor.rowcount == 1


async def wake_up(db: Connection, ref: Ref) -> None:
    """It has just been started, and serves with its settings."""
    await db.execute(
        "update projects set asleep = false, used_at = now(), settings_served = settings where ref = %s", [ref]
    )


async def record_version(db: Connection, ref: Ref, version: str) -> None:
    await db.execute("update projects set postgres_version = %s where ref = %s", [version, ref])


async def record_engine(db: Connection, ref: Ref, engine: int, version: str) -> None:
    """It serves with another major now, and with the settings that it has."""
    await db.execute(
        "update projects set engine = %s, postgres_version = %s, settings_served = settings where ref = %s",
        [engine, version, ref],
    )


async def resize_paused(db: Connection, ref: Ref, size: str) -> bool:
    """Give a paused project the size that it is restored with; tells whether it is still paused."""
    cursor = await db.execute(
        "update projects set size = %s where ref = %s and status = %s", [size, ref, Status.INACTIVE]
    )
    return cursor.rowcount == 1


async def erase(db: Connection, ref: Ref) -> None:
    """What is left of a removed project is its ref, never given again, and when it was there; no secret stays."""
    await db.execute(
        "update projects set status = 'REMOVED', cause = null, status_since = now(),"
        " password = '', secret = '', jwt_secret = '', root_key = '', retiring_root_keys = '{}', lost = false where ref = %s",
        [ref],
    )
