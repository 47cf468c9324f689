"""SQL snippets: texts that people keep with a project, for themselves or for others."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from baseplane.database import Connection, one, rows, value
from baseplane.errors import NotFound
from baseplane.resources.snippets.cursor import Position, Sorting

Visibility = Literal["user", "project", "org", "public"]
"""To whom a snippet is shown: its owner, members of the project, of its organization, everybody who has its id."""
MISSING = "Snippet not found"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A snippet without its text, as one user sees it."""

    id: UUID
    inserted_at: datetime
    updated_at: datetime
    visibility: Visibility
    name: str
    description: str | None
    project_id: int
    project_name: str
    project_ref: str
    organization_slug: str
    owner_number: int
    owner_name: str
    editor_number: int
    editor_name: str
    favorite: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A line for the operator, who sees all."""

    id: UUID
    project_ref: str
    visibility: Visibility
    email: str
    name: str


_SNIPPET: LiteralString = """
    select s.id, s.inserted_at, s.updated_at, s.visibility, s.name, s.description,
           p.id as project_id, p.name as project_name, p.ref as project_ref, p.organization_slug,
           o.number as owner_number, o.name as owner_name, e.number as editor_number, e.name as editor_name,
           exists (select from snippet_favorites where snippet_id = s.id and user_id = %(user)s) as favorite
      from snippets s
      join projects p on p.ref = s.project_ref and p.status <> 'REMOVED'
      join users o on o.id = s.owner_id
      join users e on e.id = coalesce(s.updated_by, s.owner_id)
      left join members m on m.organization_slug = p.organization_slug and m.user_id = %(user)s"""

# Members of the organization see what is theirs or shared; who left it sees nothing of it any more.
_OF_MEMBER: LiteralString = "(m.user_id is not null and (s.owner_id = m.user_id or s.visibility <> 'user'))"

SORTINGS: dict[Sorting, tuple[LiteralString, LiteralString]] = {
    Sorting("name", "asc"): ("(s.name, s.id) > (%(key)s, %(id)s)", "s.name, s.id"),
    Sorting("name", "desc"): ("(s.name, s.id) < (%(key)s, %(id)s)", "s.name desc, s.id desc"),
    Sorting("inserted_at", "asc"): ("(s.inserted_at, s.id) > (%(key)s, %(id)s)", "s.inserted_at, s.id"),
    Sorting("inserted_at", "desc"): ("(s.inserted_at, s.id) < (%(key)s, %(id)s)", "s.inserted_at desc, s.id desc"),
}
"""What lies behind a position, and the order."""


async def insert(
    db: Connection,
    *,
    project_ref: str,
    owner_id: UUID,
    name: str,
    sql: str,
    description: str | None = None,
    visibility: Visibility = "user",
    favorite: bool = False,
) -> UUID:
    """Keep a snippet; ``favorite`` marks it as one of its owner's. Gives its id."""
    snippet_id: UUID = await value(
        db,
        "insert into snippets (project_ref, owner_id, updated_by, name, sql, description, visibility)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning id",
        [project_ref, owner_id, owner_id, name, sql, description, visibility],
    )
    if favorite:
        await db.execute("insert into snippet_favorites (snippet_id, user_id) values (%s, %s)", [snippet_id, owner_id])
    return snippet_id


async def get(db: Connection, snippet_id: UUID, user_id: str) -> tuple[Snippet, str]:
    """The snippet and its text. Raises NotFound, also when the user may not see it."""
    query = _SNIPPET + " where s.id = %(id)s and (s.visibility = 'public' or " + _OF_MEMBER + ")"
    snippet = await one(db, Snippet, query, {"id": snippet_id, "user": user_id}, missing=MISSING)
    return snippet, await value(db, "select sql from snippets where id = %s", [snippet_id])


async def page(
    db: Connection,
    user_id: str,
    *,
    project_ref: str | None,
    organizations: Collection[str] | None,
    projects: Collection[str] | None,
    sorting: Sorting,
    after: Position | None,
    limit: int,
) -> list[Snippet]:
    """At most ``limit`` snippets that a member sees, narrowed to these organizations and projects."""
    behind, order = SORTINGS[sorting]
    where: LiteralString = (
        " and (%(ref)s::text is null or p.ref = %(ref)s)"
        " and (%(organizations)s::text[] is null or p.organization_slug = any(%(organizations)s))"
        " and (%(projects)s::text[] is null or p.ref = any(%(projects)s))"
    )
    query = _SNIPPET + " where " + _OF_MEMBER + where + (" and " + behind if after else "")
    params = {
        "user": user_id,
        "ref": project_ref,
        "organizations": _array(organizations),
        "projects": _array(projects),
        "key": after and after.key,
        "id": after and after.id,
        "limit": limit,
    }
    return await rows(db, Snippet, query + " order by " + order + " limit %(limit)s", params)


def _array(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else list(values)


async def list_all(db: Connection, project_ref: str | None) -> list[Listed]:
    """All, or all of one project, whoever may see them."""
    return await rows(
        db,
        Listed,
        "select s.id, s.project_ref, s.visibility, u.email, s.name from snippets s join users u on u.id = s.owner_id"
        " where %(ref)s::text is null or s.project_ref = %(ref)s order by s.inserted_at, s.id",
        {"ref": project_ref},
    )


async def delete(db: Connection, snippet_id: UUID) -> None:
    """Raises NotFound."""
    cursor = await db.execute("delete from snippets where id = %s", [snippet_id])
    if not cursor.rowcount:
        raise NotFound(f"There is no snippet {snippet_id}; `baseplane snippet list` shows those there are.")
