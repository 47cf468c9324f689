"""Bodies of the migrations, named as in the contract."""

from typing import Annotated

from pydantic import Field

from baseplane.api.bodies import Body, Text


class V1PatchMigrationBody(Body):
    name: Text | None = None
    rollback: Text | None = None


class V1CreateMigrationBody(V1PatchMigrationBody):
    query: Annotated[Text, Field(min_length=1)]


class V1UpsertMigrationBody(V1CreateMigrationBody):
    pass


class Listed(Body):
    version: str
    name: str | None = None


class V1GetMigrationResponse(Listed):
    statements: list[str] | None = None
    rollback: list[str] | None = None
    created_by: str | None = None
    idempotency_key: str | None = None
