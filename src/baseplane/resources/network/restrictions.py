"""The networks from which a project's database may be reached: a row and all SQL on its table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from baseplane.database import Connection, maybe, one
from baseplane.errors import Invalid
from baseplane.resources.network.addresses import EVERYWHERE, Network

MOST = 1000
"""Networks of one project."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """``allowed`` is what is wanted, ``applied`` what was last enforced on every session; the times belong to them."""

    allowed: Sequence[Network]
    version: int
    updated_at: datetime | None
    applied: Sequence[Network]
    applied_version: int
    applied_at: datetime | None

    @property
    def is_applied(self) -> bool:
        return self.version == self.applied_version


NONE = Restrictions(EVERYWHERE, 0, None, EVERYWHERE, 0, None)

_COLUMNS = "allowed, version, updated_at, applied, applied_version, applied_at"


async def get(db: Connection, ref: str) -> Restrictions:
    query = f"select {_COLUMNS} from network_restrictions where ref = %s"
    return await maybe(db, Restrictions, query, [ref]) or NONE


async def are_set(db: Connection, ref: str) -> bool:
    """Whether some address is kept out."""
    return not set(EVERYWHERE) <= set((await get(db, ref)).allowed)


async def change(db: Connection, ref: str, to: Callable[[Sequence[Network]], Sequence[Network]]) -> None:
    """Replace what is wanted by ``to`` of it; changes at the same time wait for each other. Raises Invalid."""
    await db.execute(
        "insert into network_restrictions (ref, allowed, applied, version, applied_version)"
        " values (%(ref)s, %(open)s::text[]::cidr[], %(open)s::text[]::cidr[], 0, 0) on conflict do nothing",
        {"ref": ref, "open": _texts(EVERYWHERE)},
    )
    query = f"select {_COLUMNS} from network_restrictions where ref = %s for update"
    now = await one(db, Restrictions, query, [ref], missing="")
    wanted = list(dict.fromkeys(to(now.allowed)))
    if len(wanted) > MOST:
        raise Invalid(
            f"A project has at most {MOST} allowed networks; these would be {len(wanted)}. Join some of them."
        )
    if wanted != list(now.allowed):
        await db.execute(
            "update network_restrictions set allowed = %s::text[]::cidr[], version = version + 1, updated_at = now()"
            " where ref = %s",
            [_texts(wanted), ref],
        )


async def inherit(db: Connection, ref: str, source: str) -> None:
    """Let a new project be reached from where ``source`` is. Nobody is inside, so that it is applied."""
    await db.execute(
        "insert into network_restrictions (ref, allowed, applied, applied_version, applied_at)"
        " select %s, allowed, allowed, 1, now() from network_restrictions where ref = %s",
        [ref, source],
    )


def _texts(networks: Sequence[Network]) -> list[str]:
    return [str(network) for network in networks]


async def unapplied(db: Connection) -> list[str]:
    cursor = await db.execute("select ref from network_restrictions where applied_version <> version")
    return [ref for (ref,) in await cursor.fetchall()]


async def mark_applied(db: Connection, ref: str, version: int) -> None:
    await db.execute(
        "update network_restrictions set applied = allowed, applied_version = version, applied_at = now()"
        " where ref = %s and version = %s",
        [ref, version],
    )
