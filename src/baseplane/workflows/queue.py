"""The queue below the runs: procrastinate carries jobs, locks and heartbeats; one job carries one run on."""

import asyncio
import contextlib
import logging
from datetime import timedelta
from uuid import UUID

import procrastinate
import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from baseplane.database import Connection, Database, value
from baseplane.errors import BaseplaneError, NotFound, Unavailable
from baseplane.runtime import Runtime
from baseplane.workflows import WORKFLOWS, Workflow, journal, runner
from baseplane.workflows.leases import Leases, is_free

log = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds between two signs of life of a worker."""
STALLED = 4.0
"""Seconds without a sign of life after which a worker's runs are taken over, if it does not hold them any more."""
FORGOTTEN = 600.0
"""Seconds without a sign of life after which the queue forgets a worker."""
FETCH = 0.25
"""Seconds until a run is noticed that had to wait for an earlier one of its subject; others are announced."""
SWEEP = 1.0
"""Seconds between two looks for runs that nobody carries on."""
LAST_RUN = 600.0
"""Seconds that a run has to end when the queue is drained."""
LOCK = 0x7265_7363
"""Advisory lock: one worker looks for abandoned runs at a time."""
AGAIN, MUCH_LATER = 1, 30
"""Seconds after which a run is carried on that broke off, and one that this version of ours cannot carry on."""
POLL = 0.02
"""Seconds between two looks at a run that a request waits for."""
KEEP_RUNS = timedelta(days=30)

_TASK = "carry_on"


class _Always(BaseRetryStrategy):
    """A run ends in the journal, never by its job failing: a job that breaks off is put back into the queue."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:  # noqa: ARG002
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        later = isinstance(exception, runner.UnknownWorkflowError)
        return RetryDecision(retry_in={"seconds": MUCH_LATER if later else AGAIN})


class BusyError(Exception):
    """Another worker is not done with this subject yet; its job is tried again."""


class Queue:
    """Starts runs, and as a worker carries them on."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        self.app.task(name=_TASK, retry=_Always(), pass_context=True)(self._carry_on)
        self._leases = Leases()

    async def open(self) -> None:
        """Use the runtime's pool, which must be open."""
        await self.app.open_async(self.rt.database.pool)

    async def _carry_on(self, context: JobContext, run_id: str) -> None:
        subject = context.job.lock or run_id
        async with self._leases.hold(subject) as held:
            if not held:
                raise BusyError(f"{subject} is carried on by another worker, which lives.")
            try:
                await runner.carry_on(self.rt, UUID(run_id))
            except journal.SupersededError:
                pass
            except runner.UnknownWorkflowError as error:
                log.warning("%s: it waits for one that knows it, as does what comes after it", error)
                raise

    async def work(self) -> None:
        """Carry runs on until cancelled.

        Raises Unavailable when the queue breaks off, for instance because the platform database restarts.
        """
        await self.rescue()
        tasks = [asyncio.create_task(each) for each in (self._work(wait=True), self._sweep(), self._leases.keep())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for end in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(end, Exception):
                    log.error("the queue breaks off: %s", end)
        raise Unavailable("The queue broke off; its log says why.")

    async def drain(self) -> None:
        """Carry runs on until there is none left."""
        await self.rescue()
        waiting = True
        while waiting:
            await self._work(wait=False)  # it does not see runs that wait for one of the same subject
            async with self.rt.database.connection() as db:
                waiting = await value(db, "select exists (select from procrastinate_jobs where status = 'todo')")

    async def _work(self, *, wait: bool) -> None:
        async with self._leases.open(self.rt.database):
            await self.app.run_worker_async(
                concurrency=self.rt.settings.worker_concurrency,
                wait=wait,
                listen_notify=wait,
                install_signal_handlers=False,
                delete_jobs="always",
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=FORGOTTEN,
                fetch_job_polling_interval=FETCH,
                shutdown_graceful_timeout=3.0 if wait else LAST_RUN,
            )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await self.rescue()
            except (ConnectorException, BaseplaneError, psycopg.Error, OSError) as error:
                log.warning("looking for abandoned runs failed: %s", error)

    async def rescue(self) -> None:
        """Put the runs of dead workers, and runs without a job, back into the queue."""
        async with self.rt.database.transaction() as db:
            if not await value(db, "select pg_try_advisory_xact_lock(%s)", [LOCK]):
                return  # another worker looks at this moment
            for job in await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                if job.lock is None or await is_free(db, job.lock):
                    log.warning("taking over run %s of a worker that is gone", job.task_kwargs.get("run_id"))
                    await self.app.job_manager.retry_job(job)
            for run in await journal.orphans(db, timedelta(seconds=STALLED)):
                await defer(db, run.id, run.subject)
            await journal.forget(db, KEEP_RUNS)


async def start(db: Connection, workflow: Workflow, subject: str, *, collapse: bool = False) -> UUID:
    """Queue a run in the caller's transaction: it begins when that commits, after earlier runs of the subject.

    With ``collapse``, a run of the same workflow that has not begun yet is the answer: it will see what was written.
    """
    if collapse and (waiting := await journal.queued(db, workflow.name, subject)):
        return waiting
    run_id = await journal.insert(db, workflow.name, subject)
    await defer(db, run_id, subject)
    return run_id


async def abandon_all(db: Connection, cause: str) -> None:
    """End all runs, of which nothing is left to go on with or to undo; their subjects are told that they failed."""
    for run in await journal.abandon_all(db, cause):
        with contextlib.suppress(NotFound):
            await WORKFLOWS[run.workflow].failed(db, run.subject, cause)
    await db.execute("delete from procrastinate_jobs")
    await db.execute("delete from procrastinate_workers")


async def defer(db: Connection, run_id: UUID, subject: str) -> None:
    """Ask the queue to carry the run on; runs of one subject go one at a time, in order."""
    await _DEFERRER.configure_task(_TASK, lock=subject, connection=db).defer_async(run_id=str(run_id))


_DEFERRER = procrastinate.App(connector=procrastinate.PsycopgConnector())
"""Defers on the caller's connection and so needs none of its own."""


async def outcome(database: Database, run_id: UUID, within: timedelta) -> journal.Run:
    """Wait for the run to end, at most ``within``; gives it as it is then."""
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    while True:
        async with database.connection() as db:
            run = await journal.get(db, run_id)
        if run is None:
            raise NotFound("There is no such run.")
        if run.state in journal.ENDED or asyncio.get_running_loop().time() > deadline:
            return run
        await asyncio.sleep(POLL)
