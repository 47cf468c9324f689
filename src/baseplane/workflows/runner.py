"""Carries a run on: the steps that are not done yet, in order; or, once one has failed for good, back again."""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

from baseplane.database import storable
from baseplane.errors import BaseplaneError
from baseplane.runtime import Runtime
from baseplane.workflows import WORKFLOWS, Step, Wait, Workflow, journal
from baseplane.workflows.journal import Run

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
"""How often a step, or undoing it, may begin anew because its worker died in it."""
UNDO_WITHIN = timedelta(minutes=2)
FIRST_BACKOFF, LAST_BACKOFF = 0.05, 5.0  # seconds


class StepFailedError(Exception):
    """A step failed for good; the text is the cause that users see."""


class CancelledRunError(Exception):
    """The run was asked to end."""


class UnknownWorkflowError(Exception):
    """The run is of a workflow that this version does not have; only a version that has it can carry it on."""


async def carry_on(rt: Runtime, run_id: UUID) -> None:
    """Finish the run, whatever state its last worker left it in. Raises SupersededError, UnknownWorkflowError."""
    async with rt.database.connection() as db:
        run = await journal.claim(db, run_id)
        states = await journal.recorded(db, run) if run else {}
    if run is None:
        return
    workflow = WORKFLOWS.get(run.workflow)
    if workflow is None:
        raise UnknownWorkflowError(f"{run.workflow} of {run.subject} is unknown to this version of Baseplane")
    log.info("%s of %s: %s", run.workflow, run.subject, "begins" if run.epoch == 1 else f"goes on, epoch {run.epoch}")
    if run.state != "undoing":
        try:
            await _forward(rt, run, workflow, states)
        except StepFailedError as error:
            log.warning("%s of %s failed: %s", run.workflow, run.subject, error)
            await _begin_undo(rt, run, str(error))
        except CancelledRunError:
            await _begin_undo(rt, run, "")
        else:
            return
    await _back(rt, run, workflow)


async def _forward(rt: Runtime, run: Run, workflow: Workflow, states: dict[int, str]) -> None:
    if run.cancel:
        raise CancelledRunError
    for position, step in enumerate(workflow.steps):
        if states.get(position) != "done":
            await _do(rt, run, position, step)
    async with rt.database.transaction() as db:
        await journal.finish(db, run, "done", None)
    log.info("%s of %s: done", run.workflow, run.subject)


async def _do(rt: Runtime, run: Run, position: int, step: Step) -> None:
    async with rt.database.connection() as db:
        attempts, cancel = await journal.begin_step(db, run, position, step.name, step.within)
    if cancel:
        raise CancelledRunError
    try:
        await _until_done(rt, run, step, attempts)
    except StepFailedError as error:
        async with rt.database.connection() as db:
            await journal.end_step(db, run, position, "failed", str(error))
        raise
    async with rt.database.connection() as db:
        await journal.end_step(db, run, position, "done")


async def _until_done(rt: Runtime, run: Run, step: Step, attempts: int) -> None:
    """Do the step, again after a Wait or a passing error, until it is done, final or out of time."""
    if attempts > MAX_ATTEMPTS:
        raise StepFailedError(f"The worker died {MAX_ATTEMPTS} times in the step {step.name}.")
    backoff, reason = FIRST_BACKOFF, ""
    try:
        async with asyncio.timeout(step.within.total_seconds()):
            while True:
                pause = await _attempt(rt, run, step)
                if pause is None:
                    return
                if isinstance(pause, str):
                    reason, pause = pause, Wait(backoff)
                    backoff = min(backoff * 2, LAST_BACKOFF)
                await asyncio.sleep(pause.seconds)
                async with rt.database.connection() as db:
                    if await journal.is_cancelled(db, run):
                        raise CancelledRunError
    except TimeoutError as error:
        seconds = f"{step.within.total_seconds():g}"
        raise StepFailedError(reason or f"The step {step.name} did not finish within {seconds} seconds.") from error


async def _attempt(rt: Runtime, run: Run, step: Step) -> Wait | str | None:
    """One try: None when done, Wait when not yet, the reason when it failed in a way that may pass."""
    try:
        return await step.do(rt, run.subject)
    except step.final as error:
        raise StepFailedError(storable(str(error))) from error
    except BaseplaneError as error:
        return storable(str(error))
    except Exception as error:  # the runner is one of the two places that may not die of anything
        log.exception("%s of %s: %s failed", run.workflow, run.subject, step.name)
        return storable(f"{step.name} failed: {type(error).__name__}: {error}")


async def _begin_undo(rt: Runtime, run: Run, cause: str) -> None:
    async with rt.database.transaction() as db:
        await journal.begin_undo(db, run, cause)


async def _back(rt: Runtime, run: Run, workflow: Workflow) -> None:
    """Undo what was begun, last step first, then write the end."""
    async with rt.database.connection() as db:
        states = await journal.recorded(db, run)
        latest = await journal.get(db, run.id)
    cause = (latest.cause if latest else None) or ""
    for position, step in reversed(list(enumerate(workflow.steps))):
        if step.undo and states.get(position) not in (None, "undone"):
            cause += await _undo(rt, run, position, step)
    async with rt.database.transaction() as db:
        failed = bool(cause)
        await journal.finish(db, run, "failed" if failed else "cancelled", cause or None)
        await (workflow.failed if failed else workflow.cancelled)(db, run.subject, cause)
    log.info("%s of %s: %s", run.workflow, run.subject, "failed and undone" if failed else "cancelled")


async def _undo(rt: Runtime, run: Run, position: int, step: Step) -> str:
    """Gives what went wrong in it, to be added to the cause; the way back goes on in any case."""
    assert step.undo is not None
    async with rt.database.connection() as db:
        attempts = await journal.begin_undo_step(db, run, position)
    if attempts > MAX_ATTEMPTS:
        log.error("%s of %s: undoing %s is given up, it never came to an end", run.workflow, run.subject, step.name)
        return f" Undoing {step.name} was begun {MAX_ATTEMPTS} times and never came to an end."
    try:
        async with asyncio.timeout(UNDO_WITHIN.total_seconds()):
            await step.undo(rt, run.subject)
    except Exception as error:  # a way back that stops half way would be worse
        log.exception("%s of %s: undoing %s failed", run.workflow, run.subject, step.name)
        return storable(f" Undoing {step.name} failed: {error}")
    async with rt.database.connection() as db:
        await journal.end_step(db, run, position, "undone")
    return ""
