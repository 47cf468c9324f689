"""Secrets of a project: what its functions find in their environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from baseplane.database import Connection, rows, value
from baseplane.database.secrets import Keyring
from baseplane.errors import Invalid

MOST = 100
"""Secrets of one project (platform.md, section 3)."""


@dataclass(frozen=True, slots=True)
class Secret:
    name: str
    value: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class _Sealed:
    name: str
    sealed: bytes
    updated_at: datetime


def _purpose(ref: str, name: str) -> str:
    return f"secrets.value:{ref}:{name}"


async def list_of(db: Connection, keyring: Keyring, ref: str) -> list[Secret]:
    """By name. Raises Unavailable."""
    query = "select name, sealed, updated_at from secrets where project_ref = %s order by name"
    return [
        Secret(row.name, keyring.open(row.sealed, _purpose(ref, row.name)), row.updated_at)
        for row in await rows(db, _Sealed, query, [ref])
    ]


async def merge(db: Connection, keyring: Keyring, ref: str, values: Mapping[str, str]) -> None:
    """Set these, keep the others. The caller holds the project's lock. Raises Invalid when there are too many."""
    names = list(values)
    sealed = [keyring.seal(text, _purpose(ref, name)) for name, text in values.items()]
    await db.execute(
        "insert into secrets (project_ref, name, sealed)"
        " select %s, name, sealed from unnest(%s::text[], %s::bytea[]) as given(name, sealed)"
        " on conflict (project_ref, name) do update set sealed = excluded.sealed, updated_at = now()",
        [ref, names, sealed],
    )
    if (count := await value(db, "select count(*) from secrets where project_ref = %s", [ref])) > MOST:
        raise Invalid(f"A project has at most {MOST} secrets; with these it would have {count}. None was set.")


async def delete(db: Connection, ref: str, names: Sequence[str]) -> None:
    """What is not there counts as deleted."""
    await db.execute("delete from secrets where project_ref = %s and name = any(%s)", [ref, list(names)])
