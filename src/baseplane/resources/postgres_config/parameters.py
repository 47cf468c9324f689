"""Holds values against what the project's own Postgres says of its parameters: type, unit, range, words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from baseplane.database import Connection, rows
from baseplane.errors import Invalid
from baseplane.resources.projects.settings import Overrides, as_text

# Units and their factors: https://www.postgresql.org/docs/current/config-setting.html, "Numeric with Unit".
BYTES = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
MICROSECONDS = {
    "us": 1,
    "ms": 1000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_QUANTITY = re.compile(r"\s*(-?(?:0|[1-9]\d*)(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_UNIT = re.compile(r"(\d*)(\w+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A row of pg_settings. ``unit`` may be a multiple, such as 8kB."""

    name: str
    vartype: str
    unit: str | None
    min_val: str | None
    max_val: str | None
    enumvals: list[str] | None

    def objection(self, text: str) -> str | None:
        """What is wrong with this value, or None."""
        if self.vartype == "enum":
            return None if text in (self.enumvals or ()) else f"must be one of {', '.join(self.enumvals or ())}"
        return self._number(text) if self.vartype in ("integer", "real") else None

    def _number(self, text: str) -> str | None:
        found = _QUANTITY.fullmatch(text)
        if found is None:
            return f"{text!r} is not a number{self._with_unit()}, between {self._range()}"
        number, unit = Decimal(found[1]), found[2]
        if unit:
            multiple, units = self._units()
            if unit not in units:
                return f"{unit!r} is not a unit of it; it takes a number{self._with_unit()}"
            number = number * units[unit] / multiple
        if self.vartype == "integer":
            number = number.to_integral_value()
        if not Decimal(self.min_val or 0) <= number <= Decimal(self.max_val or 0):
            return f"{text} is out of range: it must be between {self._range()}"
        return None

    def _units(self) -> tuple[int, dict[str, int]]:
        """The size of one of this parameter, and what else it may be given in."""
        if self.unit is None or (found := _UNIT.fullmatch(self.unit)) is None:
            return 1, {}
        units = BYTES if found[2] in BYTES else MICROSECONDS
        return int(found[1] or 1) * units[found[2]], units

    def _with_unit(self) -> str:
        _, units = self._units()
        return f" in {self.unit}, or with one of the units {', '.join(units)}" if units else " without a unit"

    def _range(self) -> str:
        unit = f" (in {self.unit})" if self.unit else ""
        return f"{self.min_val} and {self.max_val}{unit}"


async def check(db: Connection, overrides: Overrides) -> None:
    """Raises Invalid, naming each value that the Postgres behind ``db`` would not take, and which it would."""
    known = await rows(
        db,
        Parameter,
        "select name, vartype, unit, min_val, max_val, enumvals from pg_catalog.pg_settings where name = any(%s)",
        [list(overrides)],
    )
    if objections := list(_objections({parameter.name: parameter for parameter in known}, overrides)):
        raise Invalid("; ".join(objections))


def _objections(known: dict[str, Parameter], overrides: Overrides) -> Iterator[str]:
    for name, text in as_text(overrides).items():
        if name not in known:
            yield f"{name}: the project's version of Postgres has no such setting"
        elif objection := known[name].objection(text):
            yield f"{name}: {objection}"
