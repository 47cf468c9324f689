from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field

from baseplane.api.bodies import Body, Text, at_most
from baseplane.resources.functions.store import Function

Status = Literal["ACTIVE", "REMOVED", "THROTTLED"]
NEW_SLUG = r"^[A-Za-z][A-Za-z0-9_-]*$"
SLUG = r"^[A-Za-z0-9_-]+$"
MOST_TEXT = 1000


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


Slug = Annotated[str, Field(pattern=NEW_SLUG), at_most(200)]
AnySlug = Annotated[str, Field(pattern=SLUG), at_most(200)]
"""As the contract has it in paths, and for functions of old."""
Name = Annotated[Text, AfterValidator(_not_empty), at_most(256)]
Path = Annotated[Text, Field(min_length=1, max_length=MOST_TEXT)]


class FunctionResponse(Body):
    """Times are in milliseconds since 1970. The paths are URLs, which clients take apart (clients.md, section 5.6)."""

    id: str
    slug: str
    name: str
    status: Status
    version: int
    created_at: int
    updated_at: int
    verify_jwt: bool
    import_map: bool
    entrypoint_path: str
    import_map_path: str | None = None
    ezbr_sha256: str

    @classmethod
    def of(cls, function: Function, status: Status = "ACTIVE") -> Self:
        return cls(
            id=str(function.id),
            slug=function.slug,
            name=function.name,
            status=status,
            version=function.version,
            created_at=_milliseconds(function.created_at),
            updated_at=_milliseconds(function.updated_at),
            verify_jwt=function.verify_jwt,
            import_map=function.import_map is not None,
            entrypoint_path=_url(function, function.entrypoint),
            import_map_path=_url(function, function.import_map) if function.import_map else None,
            ezbr_sha256=function.digest,
        )


class FunctionSlugResponse(FunctionResponse):
    pass


class DeployFunctionResponse(FunctionResponse):
    pass


class BulkUpdateFunctionResponse(Body):
    functions: list[FunctionResponse]


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _url(function: Function, path: str) -> str:
    return f"file:///tmp/user_fn_{function.project_ref}_{function.id}_{function.version}/source/{quote(path)}"


class DeployMetadata(Body):
    """``import_map_path`` is empty where there is none: the official CLI sends it so."""

    entrypoint_path: Path
    import_map_path: Annotated[Path | None, BeforeValidator(_none_if_empty)] = None
    static_patterns: Annotated[list[Text], Field(max_length=1000)] | None = None
    verify_jwt: bool | None = None
    name: Annotated[Name | None, BeforeValidator(_none_if_empty)] = None


class FunctionParameters(Body):
    """In the query, beside a bundle; with a JSON body, what that does not say. Paths are those inside the bundle."""

    slug: AnySlug | None = None
    name: Name | None = None
    verify_jwt: bool | None = None
    import_map: bool | None = None
    entrypoint_path: str | None = None
    import_map_path: str | None = None
    ezbr_sha256: str | None = None


class V1CreateFunctionBody(Body):
    """``body`` is the source of a function of one file."""

    slug: Slug
    name: Name
    body: str
    verify_jwt: bool | None = None


class V1UpdateFunctionBody(Body):
    name: Name | None = None
    body: str | None = None
    verify_jwt: bool | None = None


class BulkUpdateFunction(Body):
    """What deploying it answered. The paths and the checksum are those of the version, and cannot be changed here."""

    id: Text
    slug: Slug
    name: Name
    status: Status
    version: Annotated[int, at_most(2**31 - 1)]
    created_at: int | None = None
    verify_jwt: bool | None = None
    import_map: bool | None = None
    entrypoint_path: str | None = None
    import_map_path: str | None = None
    ezbr_sha256: str | None = None
