"""A project's own settings of Postgres: what its users override of those that come with its size."""

from collections.abc import Mapping

from baseplane.database import Connection, value

Overrides = Mapping[str, str | int | bool]
"""By parameter, as the API was sent them."""


async def read(db: Connection, ref: str) -> Overrides:
    overrides: Overrides | None = await value(db, "select settings from projects where ref = %s", [ref])
    return overrides or {}


def as_text(overrides: Overrides) -> dict[str, str]:
    """As Postgres reads them."""
    return {name: _text(given) for name, given in overrides.items()}


def _text(given: str | int | bool) -> str:
    if isinstance(given, bool):
        return "on" if given else "off"
    return str(given)
