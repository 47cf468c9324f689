"""Workflows for tests: made of plain functions, gone after the test."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from baseplane.database import Connection
from baseplane.runtime import Runtime
from baseplane.workflows import WORKFLOWS, Workflow, journal, queue, runner
from baseplane.workflows.queue import Queue


@dataclass
class Trial:
    """A workflow whose steps write into ``seen`` what happens to them, and how a run of it ended."""

    rt: Runtime
    workflow: Workflow
    seen: list[str] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)

    def step(self, name: str, *, undo: bool = False, within: float = 5, fails: BaseException | None = None) -> None:
        """Append a step that always works, or always fails."""

        async def do(_rt: Runtime, _subject: str) -> None:
            self.seen.append(name)
            if fails is not None:
                raise fails

        async def back(_rt: Runtime, _subject: str) -> None:
            self.seen.append(f"undo {name}")

        do.__name__ = name
        self.workflow.step(within=timedelta(seconds=within), undo=back if undo else None)(do)

    async def start(self, subject: str, *, collapse: bool = False) -> UUID:
        async with self.rt.database.transaction() as db:
            return await queue.start(db, self.workflow, subject, collapse=collapse)

    async def run(self) -> journal.Run:
        """Start a run, carry it on, and give how it ended."""
        run_id = await self.insert()
        await runner.carry_on(self.rt, run_id)
        return await self.state(run_id)

    async def insert(self, subject: str = "") -> UUID:
        """A run that no queue knows of."""
        async with self.rt.database.connection() as db:
            return await journal.insert(db, self.workflow.name, subject or secrets.token_hex(8))

    async def state(self, run_id: UUID) -> journal.Run:
        async with self.rt.database.connection() as db:
            run = await journal.get(db, run_id)
        assert run is not None
        return run


@pytest.fixture
async def trial(rt: Runtime) -> AsyncIterator[Trial]:
    async def failed(_db: Connection, _subject: str, cause: str) -> None:
        made.outcomes.append(("failed", cause))

    async def cancelled(_db: Connection, _subject: str, cause: str) -> None:
        made.outcomes.append(("cancelled", cause))

    workflow = Workflow(f"trial.{secrets.token_hex(6)}", failed=failed, cancelled=cancelled)
    made = Trial(rt, workflow)
    yield made
    async with rt.database.connection() as db:  # runs of a workflow that nobody knows would wait for ever
        await db.execute(
            "update runs set finished_at = now(), state = 'cancelled' where workflow = %s", [workflow.name]
        )
    del WORKFLOWS[workflow.name]


@pytest.fixture
async def worker(rt: Runtime) -> Queue:
    worker = Queue(rt)
    await worker.open()
    return worker
