"""Runs a script in a transaction together with what is written into the history, or, for want of one, before it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import psycopg
from psycopg import pq

from baseplane.api.context import Context
from baseplane.drivers.cluster import Role
from baseplane.errors import BaseplaneError, Conflict, Invalid, Unavailable
from baseplane.resources.migrations import history, locks
from baseplane.resources.migrations.script import Script, Statement
from baseplane.resources.projects.inside import Connection, inside, refusal
from baseplane.resources.projects.queries import bounded, break_off, send
from baseplane.resources.projects.store import Project

NOTHING = " Nothing was applied or recorded."
SETTLE = b"set role postgres; set search_path = pg_catalog, pg_temp; set client_encoding = 'UTF8'"
"""What a script may have changed and the history must not be written with. It could not do more than role postgres can,
but would fail to write it, or write another schema's table."""


@dataclass(slots=True)
class Session:
    """A connection as role postgres that has its turn: no other migration runs in this database."""

    db: Connection
    ctx: Context
    project: Project
    holders: locks.Holders = field(default_factory=locks.Holders)
    deadline: asyncio.Timeout | None = None

    async def set_up(self) -> None:
        """What a script starts with."""
        settings = self.ctx.rt.settings
        await self.db.execute(
            f"reset all; set role postgres; set client_encoding = 'UTF8';"
            f" set lock_timeout = {int(settings.migration_lock_timeout * 1000)};"
            f" set statement_timeout = {int(settings.migration_timeout * 1000)}".encode()
        )

    @property
    def max_bytes(self) -> int:
        return self.ctx.rt.settings.query_max_bytes


@contextlib.asynccontextmanager
async def turn(ctx: Context, project: Project) -> AsyncIterator[Session]:
    """Raises Conflict when another migration does not end in time, Invalid when the block takes too long."""
    settings = ctx.rt.settings
    async with inside(ctx, project, Role.OWNER) as db:
        session = Session(db, ctx, project)
        with history.told(NOTHING):
            await session.set_up()
            await locks.take_turn(db, settings.migration_lock_timeout)
        async with (
            bounded(db, settings.migration_timeout, "the migration") as session.deadline,
            locks.watching(session.holders, ctx, project, db),
        ):
            with history.told(NOTHING):
                await history.ensure(db)
            yield session


async def run(session: Session, script: Script, name: str) -> None:
    """Run the script, in the transaction that is open.

    Raises Invalid, naming the statement; Unavailable; ActiveSqlTransaction if its only statement refuses transactions.
    """
    done = 0

    def count(result: pq.abc.PGresult) -> None:
        nonlocal done
        done += result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)

    try:
        await send(session.db, script.text, (), count)
    except psycopg.Error as error:
        if isinstance(error, psycopg.errors.ActiveSqlTransaction) and len(script.statements) == 1:
            raise  # it may run alone
        raise failure(error, script, done, name, session.holders.said) from error
    except Invalid as error:  # COPY
        raise Invalid(error.message + NOTHING) from error


def failure(error: psycopg.Error, script: Script, done: int, name: str, held: str) -> BaseplaneError:
    """What Postgres said, and of which statement."""
    said = refusal(error, script.text)
    if not isinstance(said, Invalid):
        return type(said)(said.message + NOTHING)
    number, position = done + 1, int(error.diag.statement_position or 0)
    if position:  # a syntax error comes before the first statement runs
        number = sum(statement.start < position for statement in script.statements)
    number = min(max(number, 1), len(script.statements))
    statement = script.statements[number - 1]
    which = f"Statement {number} of {len(script.statements)} of {name}, on line {script.line(statement)}, failed."
    if position and not statement.start < position <= statement.end + 1:  # it could not be split
        which = f"{name[0].upper()}{name[1:]} failed."
    text = "" if position else f"\nSTATEMENT: {_shortened(statement)}"
    held = held if isinstance(error, psycopg.errors.LockNotAvailable) else ""
    if isinstance(error, psycopg.errors.ActiveSqlTransaction):
        text += "\nHINT: Apply it as a migration of its own."
    return Invalid(f"{which}{NOTHING}\n{said.message}{text}{held}", statement=number, **said.extra)


def _shortened(statement: Statement) -> str:
    return statement.text[:200] + ("…" if len(statement.text) > 200 else "")


async def settle(session: Session) -> None:
    """Be role postgres again, in the transaction that was begun. Raises Invalid when the script has ended it."""
    if session.db.pgconn.transaction_status != pq.TransactionStatus.INTRANS:
        raise Invalid(
            "The migration ended its own transaction: what it committed stays, and is not in the history. Leave COMMIT and"
            " ROLLBACK out; to record what was applied, use PUT."
        )
    await session.db.execute(SETTLE)


async def commit(session: Session, row: history.Migration | None = None) -> None:
    """Raises Invalid when a deferred constraint refuses, Unavailable when the connection is lost.

    With ``row``, the new row of the history, a lost answer of Postgres is looked for there.
    """
    db = session.db
    if session.deadline:
        session.deadline.reschedule(None)  # broken off there, the outcome would not be known
    try:
        async with asyncio.timeout(session.ctx.rt.settings.migration_timeout):
            await db.execute(b"commit")
    except (psycopg.Error, TimeoutError) as error:
        if not db.closed and isinstance(error, psycopg.Error):
            said = refusal(error, "")
            raise type(said)(
                f"The transaction could not be committed.{NOTHING}\n{said.message}", **said.extra
            ) from error
        await break_off(db)
        if row is None or not await _is_there(session, row):
            raise Unavailable(f"The connection was lost at the commit.{NOTHING if row else ''}") from error


async def _is_there(session: Session, row: history.Migration) -> bool:
    """Ask once the lost session has ended, with which its turn ends too. Raises Unavailable."""
    within = session.ctx.rt.settings.migration_lock_timeout
    try:
        async with inside(session.ctx, session.project, Role.OWNER) as db:
            await locks.take_turn(db, within)
            found = await history.find(db, "version = %s", [row.version], history.TEXTS, session.max_bytes)
    except (Unavailable, Conflict, psycopg.Error) as error:
        raise Unavailable(
            f"The connection was lost at the commit, and whether migration {row.title} is applied is not known. Look into"
            " the history before you repeat it."
        ) from error
    return bool(found)
