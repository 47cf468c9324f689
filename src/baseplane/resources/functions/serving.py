"""What answers at /functions/v1: which version it is, whether the caller may, and what to say when there is no answer."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import psycopg

from baseplane.database import Connection
from baseplane.database.snapshots import Snapshots
from baseplane.drivers.artifacts import ArtifactMissing, StoreUnavailable
from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.functions import FunctionBroken, FunctionFailed, FunctionSpec, Lease, Limits, SourceMissing
from baseplane.drivers.gateway import Answer, Forward, codes
from baseplane.errors import BaseplaneError, Unavailable
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.credentials.shapes import Refused
from baseplane.resources.functions import artifacts, store
from baseplane.resources.functions.artifacts import ArtifactDamaged
from baseplane.resources.functions.store import Function
from baseplane.resources.gateway import answers
from baseplane.resources.gateway.call import Call
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import Status
from baseplane.runtime import Runtime

CHANNEL = "baseplane_functions"
METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_FILES = "The function's files are missing. Deploy it again."
_LOADING: dict[type[BaseplaneError], tuple[int, str]] = {
    FunctionBroken: (503, "BOOT_ERROR"),
    ArtifactMissing: (404, "NOT_FOUND_FUNCTION_BLOB"),
    ArtifactDamaged: (500, "LOAD_FUNCTION_UNBUNDLING_ERROR"),
    StoreUnavailable: (503, "LOAD_FUNCTION_ERROR"),
    DriverUnavailable: (503, "LOAD_FUNCTION_ERROR"),
}
"""What keeps a version from being loaded, as it is answered (platform.md, section 8)."""
_TOLD = {
    (503, "BOOT_ERROR"): "Function failed to start (please check logs)",
    (500, "WORKER_ERROR"): "Function exited due to an error (please check logs)",
    (500, "LOAD_FUNCTION_UNBUNDLING_ERROR"): "The function's files are damaged. Deploy it again.",
    (503, "LOAD_FUNCTION_ERROR"): "The function could not be loaded. Try again.",
}
AT_REST = frozenset({Status.PAUSING, Status.INACTIVE, Status.GOING_DOWN, Status.REMOVED})
"""What a project is in when nothing of it runs."""
Live = Mapping[str, Function]
"""The functions of a project that serve, by slug."""


class Functions:
    """One of a process; it is a Service. ``attend`` must run meanwhile, or every call reads the platform database.

    A function that verifies JWTs takes what ``Resolver.authenticate`` takes: a JWT of the project or of its third
    parties, or an API key of the project, which stands for its role. It is handed on as it was shown. How the request
    came to us, the door says in its headers.
    """

    def __init__(self, rt: Runtime, resolver: Resolver, limits: Limits | None = None) -> None:
        self._rt = rt
        self._resolver = resolver
        self._limits = limits or Limits()
        self._snapshots = Snapshots[Live](rt.database, CHANNEL, _live, self._changed)
        self._used: defaultdict[str, set[str]] = defaultdict(set)
        self._preparing: dict[FunctionSpec, asyncio.Task[None]] = {}
        self._afterwards: set[asyncio.Task[None]] = set()
        self.attend = self._snapshots.attend

    async def __call__(self, call: Call) -> Forward | Answer:
        """Raises NotFound and Unavailable; what is wrong with the call or with the function is an Answer."""
        try:
            return await self._answer(call)
        except Refused as error:
            return answers.error(401, error.message, error.code)
        except FunctionFailed as error:
            return _failed(error)
        except Unavailable as error:
            return answers.error(503, error.message, "LOAD_FUNCTION_METADATA_ERROR")

    async def _answer(self, call: Call) -> Forward | Answer:
        request = call.request
        if request.method not in METHODS:
            message = f"A function is called with {', '.join(METHODS)}; not with {request.method}."
            return answers.error(405, message, "METHOD_NOT_ALLOWED", headers={"allow": ", ".join(METHODS)})
        function = await self._find(call.ref, slug_of(call.rest))
        if function is None:
            return answers.error(404, "Requested function was not found", "NOT_FOUND")
        if function.verify_jwt and request.method != "OPTIONS":  # a browser asks first, without its token
            await self._resolver.authenticate(call.ref, request.headers)
        environment = await self._resolver.environment(call.ref)
        stack = AsyncExitStack()
        lease = await self._lease(stack, function, environment)
        self._used[call.ref].add(function.spec.id)
        return self._forward(call, function, lease, stack)

    def processes(self, ref: str) -> int:
        """How many of the project run here."""
        return self._rt.functions.running(ref)

    async def _find(self, ref: str, slug: str) -> Function | None:
        live = await self._snapshots.get(ref)
        if live is None or slug not in live:
            live = await self._snapshots.caught_up(ref, live)  # it may have been deployed a moment ago
        return (live or {}).get(slug)

    async def _lease(self, stack: AsyncExitStack, function: Function, environment: Mapping[str, str]) -> Lease:
        """Raises FunctionFailed, and what the store of artifacts and the driver raise when they do not take part."""
        driver, spec = self._rt.functions, function.spec
        try:
            return await stack.enter_async_context(driver.lease(spec, environment))
        except SourceMissing:
            await self._prepare(function, environment)
            return await stack.enter_async_context(driver.lease(spec, environment))

    async def _prepare(self, function: Function, environment: Mapping[str, str]) -> None:
        """Once for all who ask meanwhile, and to its end though one of them goes away."""
        spec = function.spec
        if spec not in self._preparing:
            task = asyncio.create_task(self._fetch(function, environment))
            self._preparing[spec] = task
            task.add_done_callback(lambda _: self._preparing.pop(spec, None))
        await asyncio.shield(self._preparing[spec])

    async def _fetch(self, function: Function, environment: Mapping[str, str]) -> None:
        try:
            source = await artifacts.read(self._rt.artifacts, function)
            await self._rt.functions.prepare(function.spec, source, environment)
        except tuple(_LOADING) as error:
            status, code = _LOADING[type(error)]
            message = NO_FILES if isinstance(error, ArtifactMissing) else error.message
            raise FunctionFailed(message, code=code, status=status) from error

    def _forward(self, call: Call, function: Function, lease: Lease, stack: AsyncExitStack) -> Forward:
        loop = asyncio.get_running_loop()
        limits, began = self._limits, loop.time()

        def broken() -> Answer:
            if failed := lease.verdict():
                return _failed(failed)
            if loop.time() - began >= limits.first_byte:
                message = f"The function did not begin to answer within {limits.first_byte:g} seconds."
                return answers.error(504, message, "IDLE_TIMEOUT")
            return answers.error(500, "The function broke the connection off without an answer.", "EDGE_FUNCTION_ERROR")

        deployment = f"{function.project_ref}_{function.id}_{function.version}"
        return Forward(
            socket=str(lease.socket),
            target=call.rest,
            answer_headers={
                "sb-project-ref": call.ref,
                codes.HEADER: None,  # what is said in it is ours alone to say
                "x-deno-execution-id": lease.execution_id,
            },
            error_headers={codes.HEADER: "EDGE_FUNCTION_ERROR"},
            first_byte=limits.first_byte,
            wall=limits.wall,
            response=limits.response,
            broken=broken,
            release=lambda: self._afterwards_do(stack.aclose()),
            about={
                "function_id": str(function.id),
                "version": str(function.version),
                "deployment_id": deployment,
                "execution_id": lease.execution_id,
            },
        )

    def _changed(self, ref: str) -> None:
        if self._used.get(ref):
            self._afterwards_do(self._end(ref))

    async def _end(self, ref: str) -> None:
        """Processes of functions that are there no more end, with the requests in them; all do in a paused project."""
        with contextlib.suppress(BaseplaneError, psycopg.Error):  # else they end when nobody has called for a while
            async with self._rt.database.connection() as db:
                project = await projects.find(db, ref)
            if project is None or project.status in AT_REST:
                await self._rt.functions.stop(ref)
            live = await self._snapshots.get(ref) or {}
            for gone in self._used[ref] - {function.spec.id for function in live.values()}:
                self._used[ref].discard(gone)
                await self._rt.functions.remove(ref, gone)

    def _afterwards_do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._afterwards.add(task)
        task.add_done_callback(self._afterwards.discard)


async def _live(db: Connection, ref: str) -> Live | None:
    return {function.slug: function for function in await store.list_of(db, ref)} or None


def _failed(error: FunctionFailed) -> Answer:
    """The cause is for the record: it may quote the function's source, and whoever calls may read the answer."""
    answer = answers.error(error.status, _TOLD.get((error.status, error.code), error.message), error.code)
    return replace(answer, about={**answer.about, "reason": error.message})


def slug_of(rest: str) -> str:
    """The first part of the path; empty if there is none."""
    return rest.partition("?")[0].lstrip("/").partition("/")[0]
