"""The journal of runs: every SQL statement on ``runs`` and ``run_steps``.

A worker that claims a run raises its epoch; whatever an earlier claimant still writes carries an old epoch and is
refused. So a worker that was only thought dead cannot record anything over its successor.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from baseplane.database import Connection, maybe, rows, value


class SupersededError(Exception):
    """Another worker has taken this run over."""


@dataclass(frozen=True, slots=True)
class Run:
    id: UUID
    workflow: str
    subject: str
    state: str
    epoch: int
    cancel: bool
    cause: str | None


ENDED = ("done", "failed", "cancelled")
_RUN = "id, workflow, subject, state, epoch, cancel, cause"


async def insert(db: Connection, workflow: str, subject: str) -> UUID:
    run_id: UUID = await value(
        db, "insert into runs (workflow, subject) values (%s, %s) returning id", [workflow, subject]
    )
    return run_id


async def queued(db: Connection, workflow: str, subject: str) -> UUID | None:
    """A run that has not begun, held so that it cannot begin before this transaction ends."""
    run_id: UUID | None = await value(
        db,
        "select id from runs where workflow = %s and subject = %s and state = 'queued' and finished_at is null"
        " order by created_at limit 1 for update",
        [workflow, subject],
    )
    return run_id


async def get(db: Connection, run_id: UUID) -> Run | None:
    return await maybe(db, Run, f"select {_RUN} from runs where id = %s", [run_id])


async def unfinished(db: Connection, subject: str) -> list[Run]:
    return await rows(
        db, Run, f"select {_RUN} from runs where subject = %s and finished_at is null order by created_at", [subject]
    )


async def current_step(db: Connection, subject: str) -> str | None:
    """The name of the step that the subject's unfinished run has begun last."""
    name: str | None = await value(
        db,
        "select s.name from runs r join run_steps s on s.run_id = r.id where r.subject = %s and r.finished_at is null"
        " order by r.created_at, s.position desc limit 1",
        [subject],
    )
    return name


async def request_cancel(db: Connection, subject: str, *, but: str = "") -> None:
    """Ask every unfinished run of the subject, ``but`` of one workflow, to end at its next step and undo itself."""
    await db.execute(
        "update runs set cancel = true where subject = %s and workflow <> %s and finished_at is null", [subject, but]
    )


async def claim(db: Connection, run_id: UUID) -> Run | None:
    """Take the run; None if it has ended."""
    return await maybe(
        db,
        Run,
        "update runs set epoch = epoch + 1, state = case state when 'queued' then 'running' else state end"
        f" where id = %s and finished_at is null returning {_RUN}",
        [run_id],
    )


async def recorded(db: Connection, run: Run) -> dict[int, str]:
    """The states of the steps that were begun, by position."""
    cursor = await db.execute("select position, state from run_steps where run_id = %s", [run.id])
    return dict(await cursor.fetchall())


async def begin_step(db: Connection, run: Run, position: int, name: str, within: timedelta) -> tuple[int, bool]:
    """Record that a step begins, or begins anew after a crash; its deadline counts from now.

    Gives how often it has begun, and whether the run shall be cancelled. Raises SupersededError.
    """
    cursor = await db.execute(
        "insert into run_steps (run_id, position, name, deadline)"
        " select id, %(position)s, %(name)s, now() + %(within)s from runs where id = %(id)s and epoch = %(epoch)s"
        " on conflict (run_id, position) do update set attempts = run_steps.attempts + 1, started_at = now(),"
        " deadline = excluded.deadline, state = 'started'"
        " returning attempts, (select cancel from runs where id = %(id)s)",
        {"position": position, "name": name, "within": within, "id": run.id, "epoch": run.epoch},
    )
    found = await cursor.fetchone()
    if found is None:
        raise SupersededError
    return int(found[0]), bool(found[1])


async def end_step(db: Connection, run: Run, position: int, state: str, error: str | None = None) -> None:
    """Raises SupersededError."""
    cursor = await db.execute(
        "update run_steps set state = %s, error = %s, finished_at = now() where run_id = %s and position = %s"
        " and exists (select from runs where id = run_id and epoch = %s)",
        [state, error, run.id, position, run.epoch],
    )
    if cursor.rowcount == 0:
        raise SupersededError


async def abandon_all(db: Connection, cause: str) -> list[Run]:
    """End every run where it stands: the machine that did it is gone, with all that it did it to."""
    query = f"update runs set state = 'failed', cause = %s, finished_at = now(), epoch = epoch + 1 where finished_at is null returning {_RUN}"
    return await rows(db, Run, query, [cause])


async def is_cancelled(db: Connection, run: Run) -> bool:
    return bool(await value(db, "select cancel from runs where id = %s", [run.id]))


async def begin_undo(db: Connection, run: Run, cause: str) -> None:
    """From now on ``attempts`` of a step count how often undoing it has begun. Raises SupersededError."""
    cursor = await db.execute(
        "update runs set state = 'undoing', cause = coalesce(cause, %s) where id = %s and epoch = %s",
        [cause, run.id, run.epoch],
    )
    if cursor.rowcount == 0:
        raise SupersededError
    await db.execute("update run_steps set attempts = 0 where run_id = %s", [run.id])


async def begin_undo_step(db: Connection, run: Run, position: int) -> int:
    """Record that undoing this step begins; gives how often it has. Raises SupersededError."""
    cursor = await db.execute(
        "update run_steps set attempts = attempts + 1, started_at = now() where run_id = %s and position = %s"
        " and exists (select from runs where id = run_id and epoch = %s) returning attempts",
        [run.id, position, run.epoch],
    )
    found = await cursor.fetchone()
    if found is None:
        raise SupersededError
    return int(found[0])


async def finish(db: Connection, run: Run, state: str, cause: str | None) -> None:
    """Raises SupersededError."""
    cursor = await db.execute(
        "update runs set state = %s, cause = %s, finished_at = now() where id = %s and epoch = %s",
        [state, cause, run.id, run.epoch],
    )
    if cursor.rowcount == 0:
        raise SupersededError


async def orphans(db: Connection, older_than: timedelta) -> list[Run]:
    """Unfinished runs that no job of the queue will ever carry on."""
    return await rows(
        db,
        Run,
        f"select {_RUN} from runs where finished_at is null and created_at < now() - %s and not exists ("
        " select from procrastinate_jobs where status in ('todo', 'doing') and args->>'run_id' = runs.id::text)"
        " order by created_at",
        [older_than],
    )


async def unknown(db: Connection, known: Iterable[str]) -> list[Run]:
    """Unfinished runs of workflows that are none of the ``known``: of another version of ours."""
    query: LiteralString = f"select {_RUN} from runs where finished_at is null and workflow <> all(%s)"
    return await rows(db, Run, query, [list(known)])


async def forget(db: Connection, older_than: timedelta) -> None:
    """Drop the journal of runs that ended long ago."""
    await db.execute("delete from runs where finished_at < now() - %s", [older_than])


async def ended_within(db: Connection, subject: str, since: timedelta) -> bool:
    """Whether a run of the subject ended lately."""
    return bool(
        await value(
            db, "select exists (select from runs where subject = %s and finished_at > now() - %s)", [subject, since]
        )
    )
