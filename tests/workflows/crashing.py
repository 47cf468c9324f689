"""Lets the worker die around a step of a run, in this process: what is remembered outlives it."""

import pytest

from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, journal, runner
from tests.deaths import around_step

WHEN = ("before it is recorded", "after it was recorded")


class CrashError(BaseException):
    """The worker dies."""


def _die() -> None:
    raise CrashError


async def crash(
    rt: Runtime, workflow: Workflow, ref: str, position: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carry on the new run of ``workflow`` for ``ref``, and die ``when`` the step at ``position`` has been done."""
    async with rt.database.connection() as db:
        (run,) = await journal.unfinished(db, ref)
    assert run.workflow == workflow.name
    with monkeypatch.context() as dying:
        dying.setattr(*around_step(position)[WHEN.index(when)].strikes(_die))
        with pytest.raises(CrashError):
            await runner.carry_on(rt, run.id)
