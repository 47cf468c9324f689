"""The lints of a project's database: what lints.toml says of each, and its query in lints/."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from baseplane.resources.advisors.schemas import CONTRACT_NAMES, Category, Level, ProjectLint

DOCUMENTATION = "https://supabase.com/docs/guides/database/database-linter?lint="
"""Where the hosted platform explains each lint by number and name, and clients send their users."""

LISTED = 10
"""Names of a list that a detail spells out: a tenant may make any number of policies."""


@dataclass(frozen=True, slots=True)
class Needs:
    """A table and the types of those of its columns that a query reads."""

    table: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """``number`` and ``name`` are those of the query's file; lints.toml explains the rest."""

    number: str
    name: str
    query: str
    title: str
    level: Level
    category: Category
    description: str
    detail: str
    cache_key: str
    type: str | None = None
    metadata: tuple[str, ...] = ()
    needs: Needs | None = None

    @property
    def is_in_contract(self) -> bool:
        return self.name in CONTRACT_NAMES

    def finding(self, row: Mapping[str, Any]) -> ProjectLint:
        """What one row of the query says."""
        metadata = {"schema": row["schema"], "name": row["name"], "type": self.type or row.get("type")}
        metadata |= {key: row[key] for key in self.metadata}
        return ProjectLint(
            name=self.name,
            title=self.title,
            level=self.level,
            categories=[self.category],
            description=self.description,
            detail=self.detail.format_map({key: _in_words(value) for key, value in row.items()}),
            remediation=f"{DOCUMENTATION}{self.number}_{self.name}",
            metadata={key: value for key, value in metadata.items() if value is not None},
            cache_key=self.cache_key.format_map(row),
        )


def _in_words(value: object) -> object:
    """A list of names as `a`, `b`: ten, and that there are more."""
    if not isinstance(value, list):
        return value
    names = ", ".join(f"`{name}`" for name in value[:LISTED])
    return f"{names} and more" if len(value) > LISTED else names


def _read() -> Iterator[Lint]:
    here = resources.files("baseplane.resources.advisors")
    for key, entry in tomllib.loads(here.joinpath("lints.toml").read_text("utf-8")).items():
        number, _, name = key.partition("_")
        needs = Needs(**entry.pop("needs")) if "needs" in entry else None
        metadata = tuple(entry.pop("metadata", ()))
        query = here.joinpath("lints", f"{key}.sql").read_text("utf-8")
        yield Lint(number=number, name=name, query=query, needs=needs, metadata=metadata, **entry)


LINTS: Mapping[str, Lint] = {lint.name: lint for lint in _read()}
"""By name, in the order in which they are answered."""
SHARED = resources.files("baseplane.resources.advisors").joinpath("lints", "shared.sql").read_text("utf-8")
"""The common table expressions that every query is written over."""
