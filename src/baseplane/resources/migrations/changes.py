"""What may be done to a project's migrations: apply, record, amend, roll back."""

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Self

import psycopg

from baseplane.api import idempotency
from baseplane.api.context import Context
from baseplane.errors import BaseplaneError, Conflict, Invalid, NotFound
from baseplane.resources.migrations import history, running, script
from baseplane.resources.migrations.history import Migration
from baseplane.resources.migrations.running import NOTHING, Session, turn
from baseplane.resources.migrations.schemas import V1CreateMigrationBody, V1PatchMigrationBody
from baseplane.resources.migrations.script import Script
from baseplane.resources.projects.store import Project

VERSIONED = re.compile(r"(\d{14})_(.+?)(\.sql)?")
COLUMNS = (*history.TEXTS, *history.LISTS)
MISSING = "There is no migration {} in the history of this project."


@dataclass(frozen=True, slots=True)
class Wanted:
    """``row`` is what is to be recorded; its version is empty unless the name gives one."""

    script: Script
    row: Migration

    @classmethod
    async def read(cls, ctx: Context, body: V1CreateMigrationBody, key: str | None) -> Self:
        """A name in the form of the CLI's files, ``20241124130501_orders``, gives the version. Raises Invalid."""
        if key is not None:
            idempotency.check_key(key)
        query = await asyncio.to_thread(script.read, body.query, "query")
        undo = await asyncio.to_thread(script.read, body.rollback, "rollback") if body.rollback else None
        named = VERSIONED.fullmatch(body.name or "")
        version, name = (named[1], named[2]) if named else ("", body.name)
        return cls(query, Migration(version, name, query.texts, undo.texts if undo else None, ctx.caller.email, key))


async def apply(ctx: Context, project: Project, wanted: Wanted) -> tuple[str, bool]:
    """The version, and whether it had been applied before. Raises Invalid, Conflict, Unavailable."""
    async with turn(ctx, project) as session:
        if earlier := await _earlier(session, wanted.row):
            return earlier.version, True
        try:
            row = await _apply(session, wanted)
        except psycopg.errors.ActiveSqlTransaction:
            row = await _apply_alone(session, wanted)
        return row.version, False


async def _apply(session: Session, wanted: Wanted) -> Migration:
    with history.told(NOTHING):
        await session.db.execute(b"begin")
    await running.run(session, wanted.script, _title(wanted.row))
    await running.settle(session)
    with history.told(NOTHING):
        row = await _insert(session, wanted.row)
    await running.commit(session, row)
    return row


async def _apply_alone(session: Session, wanted: Wanted) -> Migration:
    """A single statement that Postgres refuses inside of a transaction runs outside of one, and is recorded after it."""
    with history.told(NOTHING):
        await session.db.execute(b"rollback")
    try:
        await running.run(session, wanted.script, _title(wanted.row))
    except psycopg.errors.ActiveSqlTransaction as again:
        raise running.failure(again, wanted.script, 0, _title(wanted.row), "") from again
    except BaseplaneError as failed:
        left = "\nIt ran outside of a transaction: Postgres may keep a part of it, such as an invalid index."
        raise type(failed)(failed.message.replace(NOTHING, " It is not recorded.") + left, **failed.extra) from failed
    unrecorded = " The statement was applied, but is not in the history: record it with PUT."
    with history.told(unrecorded):
        await session.db.execute(running.SETTLE)
        return await _insert(session, wanted.row)


async def record(ctx: Context, project: Project, wanted: Wanted) -> tuple[str, bool]:
    """Write it into the history without running it; a version that is there is replaced."""
    async with turn(ctx, project) as session:
        row = wanted.row
        with history.told():
            if row.version and await _find(session, "version = %s", row.version):
                await history.update(
                    session.db, row.version, name=row.name, statements=row.statements, rollback=row.rollback
                )
                return row.version, False
        if earlier := await _earlier(session, row):
            return earlier.version, True
        with history.told():
            return (await _insert(session, row)).version, False


async def amend(ctx: Context, project: Project, version: str, body: V1PatchMigrationBody) -> None:
    """Raises NotFound."""
    fields: dict[str, object] = body.model_dump(include={"name"}, exclude_none=True)
    if body.rollback is not None:
        undo = await asyncio.to_thread(script.read, body.rollback, "rollback") if body.rollback else None
        fields["rollback"] = undo.texts if undo else None
    async with turn(ctx, project) as session:
        with history.told():
            if not await _find(session, "version = %s", version):
                raise NotFound(MISSING.format(version))
            if fields:
                await history.update(session.db, version, **fields)


async def roll_back(ctx: Context, project: Project, gte: str) -> None:
    """Undo every migration from this version on, the newest first, in one transaction. Raises NotFound, Invalid."""
    async with turn(ctx, project) as session:
        with history.told():
            rows = await _find(session, 'version collate "C" >= %s', gte)
        if not rows:
            raise NotFound(f"There is no migration of version {gte} or later in the history of this project.")
        if final := [row.title for row in rows if not row.rollback]:
            raise Invalid(f"Without a rollback, these cannot be rolled back: {', '.join(final)}. Nothing was changed.")
        with history.told():
            await session.db.execute(b"begin")
        for row in reversed(rows):
            await _undo(session, row)
        await running.commit(session)


async def _undo(session: Session, row: Migration) -> None:
    name = f"the rollback of {row.title}"
    undo = await asyncio.to_thread(script.read, "\n;\n".join(row.rollback or ()), name)
    try:
        await running.run(session, undo, name)
    except psycopg.errors.ActiveSqlTransaction as error:
        raise running.failure(error, undo, 0, name, "") from error
    await running.settle(session)
    with history.told(" Nothing was changed."):
        await history.delete(session.db, row.version)
        await session.set_up()


async def _earlier(session: Session, row: Migration) -> Migration | None:
    """What this request has done before: the same key, or the same version. Raises Invalid, Conflict."""
    with history.told(NOTHING):
        if row.idempotency_key is not None:
            for found in await _find(session, "idempotency_key = %s", row.idempotency_key):
                if not _is_same(found, row):
                    raise Invalid(idempotency.REUSED)
                return found
        for found in await _find(session, "version = %s", row.version):
            if found.statements != row.statements:
                raise Conflict(f"Version {found.title} is in the history already, with other statements.{NOTHING}")
            return found
    return None


def _is_same(found: Migration, row: Migration) -> bool:
    return found == replace(row, version=row.version or found.version, created_by=found.created_by)


async def _find(session: Session, where: str, value: str) -> list[Migration]:
    return await history.find(session.db, where, [value], COLUMNS, session.max_bytes)


async def _insert(session: Session, row: Migration) -> Migration:
    row = replace(row, version=row.version or await history.free_version(session.db))
    await history.insert(session.db, row)
    return row


def _title(row: Migration) -> str:
    return f"migration {row.name}" if row.name else "the migration"
