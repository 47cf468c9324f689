"""A project's own settings of Postgres: what its users override, and what the platform puts above that."""

from collections.abc import Mapping

from baseplane.database import Connection, value

Overrides = Mapping[str, str | int | bool]
"""By parameter, as the API was sent them."""


async def read(db: Connection, ref: str) -> Overrides:
    overrides: Overrides | None = await value(db, "select settings from projects where ref = %s", [ref])
    return overrides or {}


async def in_force(db: Connection, ref: str, instead: Overrides | None = None) -> dict[str, str]:
    """As Postgres reads them, with ``instead`` in the place of the overrides. Being read-only is above them."""
    platform = await value(
        db,
        "select case when read_only then '{\"default_transaction_read_only\": \"on\"}' else '{}' end::jsonb"
        " || case when summarize_wal then '{\"summarize_wal\": \"on\"}' else '{}' end::jsonb from projects where ref = %s",
        [ref],
    )
    return {**as_text(await read(db, ref) if instead is None else instead), **(platform or {})}


async def fall_back(db: Connection, ref: str) -> bool:
    """Give up settings that Postgres has never served with; tells whether there were any."""
    cursor = await db.execute(
        "update projects set settings = settings_served where ref = %s and settings <> settings_served", [ref]
    )
    return cursor.rowcount == 1


async def inherit(db: Connection, ref: str, source: str) -> None:
    """Let a new project be set as ``source`` was when it last started."""
    await db.execute(
        "update projects p set settings = s.settings_served, settings_served = s.settings_served,"
        " summarize_wal = s.summarize_wal from projects s where p.ref = %s and s.ref = %s",
        [ref, source],
    )


def as_text(overrides: Overrides) -> dict[str, str]:
    """As Postgres reads them."""
    return {name: _text(given) for name, given in overrides.items()}


def _text(given: str | int | bool) -> str:
    if isinstance(given, bool):
        return "on" if given else "off"
    return str(given)
