"""Migrations of a project's database. The history is in the database itself, where the official CLI has it."""

from typing import Annotated

from fastapi import Header, Path, Query

from baseplane.api import idempotency
from baseplane.api.answers import Empty
from baseplane.api.context import Context, Ctx
from baseplane.api.route import RecordedOperation, operations
from baseplane.drivers.cluster import Role
from baseplane.errors import NotFound
from baseplane.resources.migrations import changes, history
from baseplane.resources.migrations.changes import Wanted
from baseplane.resources.migrations.schemas import (
    Listed,
    V1CreateMigrationBody,
    V1GetMigrationResponse,
    V1PatchMigrationBody,
    V1UpsertMigrationBody,
)
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.queries import bounded
from baseplane.resources.projects.store import Project

PREFIX = "/v1/projects/{ref}/database/migrations"
router = operations(PREFIX, "Database", route=RecordedOperation)

Key = Annotated[str | None, Header(alias="Idempotency-Key")]
Version = Annotated[str, Path(pattern=r"^\d+$")]


@router.get("", operation_id="v1-list-migration-history", response_model_exclude_none=True)
async def list_migration_history(project: InProject, ctx: Ctx) -> list[Listed]:
    """The migrations in the history, by version."""
    found = await _read(ctx, project, "true", [], ("version", "name"))
    return [Listed(version=row.version, name=row.name) for row in found]


@router.get("/{version}", operation_id="v1-get-a-migration", response_model_exclude_none=True)
async def get_migration(project: InProject, version: Version, ctx: Ctx) -> V1GetMigrationResponse:
    """One migration with its statements."""
    for row in await _read(ctx, project, "version = %s", [version], changes.COLUMNS):
        return V1GetMigrationResponse.model_validate(row, from_attributes=True)
    raise NotFound(changes.MISSING.format(version))


@router.post("", operation_id="v1-apply-a-migration", response_class=Empty)
async def apply_migration(project: InProject, body: V1CreateMigrationBody, ctx: Ctx, key: Key = None) -> Empty:
    """Apply a migration and record it, in one transaction. The same Idempotency-Key applies it once."""
    version, replayed = await changes.apply(ctx, project, await Wanted.read(ctx, body, key))
    return _done(project, version, replayed=replayed)


@router.put("", operation_id="v1-upsert-a-migration", response_class=Empty)
async def upsert_migration(project: InProject, body: V1UpsertMigrationBody, ctx: Ctx, key: Key = None) -> Empty:
    """Record a migration that was applied by other means. One of the same version is replaced."""
    version, replayed = await changes.record(ctx, project, await Wanted.read(ctx, body, key))
    return _done(project, version, replayed=replayed)


@router.patch("/{version}", operation_id="v1-patch-a-migration", response_class=Empty)
async def patch_migration(project: InProject, version: Version, body: V1PatchMigrationBody, ctx: Ctx) -> Empty:
    """Change the name or the rollback of a migration in the history."""
    await changes.amend(ctx, project, version, body)
    return Empty()


@router.delete("", operation_id="v1-rollback-migrations", response_class=Empty)
async def rollback_migrations(project: InProject, gte: Annotated[str, Query(pattern=r"^\d+$")], ctx: Ctx) -> Empty:
    """Run the rollbacks of all migrations from version ``gte`` on, the newest first, and remove them."""
    await changes.roll_back(ctx, project, gte)
    return Empty()


def _done(project: Project, version: str, *, replayed: bool) -> Empty:
    place = {"Location": f"{PREFIX.format(ref=project.ref)}/{version}"}
    return Empty(headers=place | idempotency.REPLAYED if replayed else place)


async def _read(
    ctx: Context, project: Project, where: str, parameters: list[str], columns: tuple[str, ...]
) -> list[history.Migration]:
    """In a transaction that only reads: the table may be a view with functions behind it."""
    settings = ctx.rt.settings
    async with inside(ctx, project, Role.OWNER) as db, bounded(db, settings.query_timeout):
        with history.told():
            await db.execute(f"set statement_timeout = {int(settings.query_timeout * 1000)}; begin read only".encode())
            return await history.find(db, where, parameters, columns, settings.query_max_bytes)
