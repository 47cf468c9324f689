"""Lets the worker die around a step of a run."""

from typing import Any

import pytest

from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, journal, runner

WHEN = ("before it is recorded", "after it was recorded")


class CrashError(BaseException):
    """The worker dies."""


async def crash(
    rt: Runtime, workflow: Workflow, ref: str, position: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carry on the run that is under way for ``ref``, and die ``when`` the step at ``position`` has been done."""
    record = journal.end_step

    async def die(db: Any, run: journal.Run, at: int, state: str, error: str | None = None) -> None:
        fatal = (run.subject, run.workflow, at) == (ref, workflow.name, position)
        if fatal and when.startswith("before"):
            raise CrashError
        await record(db, run, at, state, error)
        if fatal:
            raise CrashError

    with monkeypatch.context() as dying:
        dying.setattr(journal, "end_step", die)
        async with rt.database.connection() as db:
            (run,) = await journal.unfinished(db, ref)
        with pytest.raises(CrashError):
            await runner.carry_on(rt, run.id)
