from datetime import datetime
from typing import Literal, Self

from baseplane.api.bodies import Body
from baseplane.resources.snippets.store import Snippet, Visibility

CONTENT_VERSION = "1.0"
"""Of the shape of ``content``; there is one."""


class SnippetProject(Body):
    id: int
    name: str


class SnippetUser(Body):
    id: int
    username: str


class SnippetMeta(Body):
    """A snippet without its text. ``favorite`` is the caller's own mark."""

    id: str
    inserted_at: datetime
    updated_at: datetime
    type: Literal["sql"] = "sql"
    visibility: Visibility
    name: str
    description: str | None
    project: SnippetProject
    owner: SnippetUser
    updated_by: SnippetUser
    favorite: bool

    @classmethod
    def of(cls, snippet: Snippet) -> Self:
        return cls.model_validate(_fields(snippet))


class SnippetContent(Body):
    schema_version: str
    sql: str


class SnippetResponse(SnippetMeta):
    content: SnippetContent

    @classmethod
    def with_text(cls, snippet: Snippet, sql: str) -> Self:
        content = SnippetContent(schema_version=CONTENT_VERSION, sql=sql)
        return cls.model_validate({**_fields(snippet), "content": content})


class SnippetList(Body):
    """``cursor`` asks for the next page; without it there is none."""

    data: list[SnippetMeta]
    cursor: str | None = None


def _fields(snippet: Snippet) -> dict[str, object]:
    return {
        "id": str(snippet.id),
        "inserted_at": snippet.inserted_at,
        "updated_at": snippet.updated_at,
        "type": "sql",
        "visibility": snippet.visibility,
        "name": snippet.name,
        "description": snippet.description,
        "project": SnippetProject(id=snippet.project_id, name=snippet.project_name),
        "owner": SnippetUser(id=snippet.owner_number, username=snippet.owner_name),
        "updated_by": SnippetUser(id=snippet.editor_number, username=snippet.editor_name),
        "favorite": snippet.favorite,
    }
