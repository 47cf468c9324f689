"""What becomes of a version that was deployed, and of what is not needed any more."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby

from baseplane.database import Connection
from baseplane.drivers.artifacts import ArtifactMissing
from baseplane.drivers.functions import FunctionBroken
from baseplane.resources.credentials.environment import environment
from baseplane.resources.functions import artifacts, history, store
from baseplane.resources.functions.store import Function
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow

LOADS_WITHIN = 45.0
"""Seconds that a version has to fetch what it imports, and to load."""
AT_A_TIME = 4
"""Versions of a project that load at the same time."""


async def _failed(db: Connection, ref: str, cause: str) -> None:
    await store.fail_pending(db, ref, cause or "The project is being deleted.")


apply = Workflow("functions.apply", failed=_failed, cancelled=_failed)


@apply.step(within=timedelta(minutes=1))
async def tidy(rt: Runtime, ref: str) -> None:
    """Rows first, and artifacts only once no committed row refers to them.

    Before the load, and not after: who deploys again at once need not wait for it.
    """
    async with rt.database.connection() as db:
        gone = await store.removed(db, ref)
    for function_id in gone:
        await rt.functions.remove(ref, str(function_id))
    async with rt.database.transaction() as db:
        await store.forget(db, ref, gone)
        if not rt.archive.is_on:  # else ``retention`` knows how far back a restore may go
            await history.forget(db, ref, datetime.now(UTC) - store.KEPT_FOR, archived=False)
    async with rt.database.transaction() as db:
        await store.lock(db, ref)  # nobody puts an artifact back meanwhile
        kept = await store.artifacts_of(db, ref)
        for key in await rt.artifacts.list(store.artifacts(ref)):
            if key not in kept:
                await rt.artifacts.delete(key)


@apply.step(within=timedelta(seconds=90))
async def load(rt: Runtime, ref: str) -> None:
    """Let every pending version load once; what does goes live at once, what does not never will."""
    async with rt.database.connection() as db:
        pending = await store.pending(db, ref)
        if not pending:
            return
        variables = await environment(db, rt.keyring, rt.settings, ref)
    turn = asyncio.Semaphore(AT_A_TIME)

    async def load_function(versions: Iterable[Function]) -> None:
        """They load side by side, and are counted in the order in which they were asked for."""
        loads = [(version, asyncio.create_task(_load(rt, version, variables, turn))) for version in versions]
        try:
            for version, loading in loads:
                cause = await loading
                async with rt.database.transaction() as db:
                    await (store.refuse(db, version, cause) if cause else store.succeed(db, version))
        finally:
            await asyncio.gather(*(loading for _, loading in loads), return_exceptions=True)

    functions = [list(versions) for _, versions in groupby(pending, key=lambda version: version.id)]
    outcomes = await asyncio.gather(*map(load_function, functions), return_exceptions=True)
    if errors := [outcome for outcome in outcomes if outcome is not None]:
        raise errors[0]


async def _load(rt: Runtime, version: Function, variables: dict[str, str], turn: asyncio.Semaphore) -> str | None:
    """Why the version cannot serve; None if it can. Raises DriverUnavailable, StoreUnavailable."""
    async with turn:
        return await _cause(rt, version, variables)


async def _cause(rt: Runtime, version: Function, variables: dict[str, str]) -> str | None:
    try:
        source = await artifacts.read(rt.artifacts, version)
        async with asyncio.timeout(LOADS_WITHIN):
            await rt.functions.prepare(version.spec, source, variables)
    except (FunctionBroken, ArtifactMissing) as error:
        return error.message
    except TimeoutError:
        return f"The function {version.slug} did not load within {LOADS_WITHIN:g} seconds."
    return None
