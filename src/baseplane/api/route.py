"""An operation: what happens around every handler, in the order of time."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request, Response, params
from fastapi.routing import APIRoute

from baseplane.api import idempotency, permissions
from baseplane.api.context import Context
from baseplane.api.edge import Edge
from baseplane.errors import NotYet
from baseplane.workflows import queue

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SAFE = frozenset({"GET", "HEAD"})


class Operation(APIRoute):
    """Finds the caller, counts the request, checks the scope, opens the transaction, replays repeated requests."""

    in_transaction = True
    keeps_keys = True
    """Whether the platform database remembers the Idempotency-Key and the answer."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        requirement = permissions.REQUIREMENTS[self.operation_id or ""]
        in_transaction = self.in_transaction and not SAFE & (self.methods or set())
        keeps_keys = self.keeps_keys and "POST" in (self.methods or set())
        reads_json = self.body_field is not None and not isinstance(self.body_field.field_info, params.Form)

        async def handle(request: Request) -> Response:
            edge: Edge = request.app.state.edge
            caller = await edge.identify(request)
            permissions.check_scope(requirement, caller)
            context = Context(request, edge.rt, caller, requirement)
            if reads_json:
                _assume_json(context)
                await context.body()  # here, since FastAPI would call a body that is too large unreadable
            key = request.headers.get("idempotency-key") if keeps_keys else None
            return await _within_transaction(context, handler, key, in_transaction=in_transaction)

        return handle


class DirectOperation(Operation):
    """For work that takes long outside the platform database: it holds no connection meanwhile."""

    in_transaction = False


class RecordedOperation(DirectOperation):
    """For work that records the Idempotency-Key in the same transaction as its effect, outside the platform database."""

    keeps_keys = False


class Upload(DirectOperation):
    """For bodies with files in them, of more bytes than others may have."""

    max_body = 24 * 1024 * 1024


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": text}
    for status, text in ((401, "Unauthorized"), (403, "Forbidden"), (429, "Too Many Requests"))
}


def operations(prefix: str, tag: str, route: type[Operation] = Operation) -> APIRouter:
    """A router for one slice's operations below ``prefix``."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=route, responses=ERRORS)


async def _within_transaction(ctx: Context, handler: Handler, key: str | None, *, in_transaction: bool) -> Response:
    async with AsyncExitStack() as stack:
        if in_transaction or key:
            connection = await stack.enter_async_context(ctx.rt.database.transaction())
            ctx.transaction = connection if in_transaction else None
        if not key:
            response = await _checked(ctx, handler)
        else:
            response = await idempotency.once(connection, ctx, key, lambda: _checked(ctx, handler))
    await _await_runs(ctx)
    return response


async def _checked(ctx: Context, handler: Handler) -> Response:
    response = await handler(ctx)
    if ctx.requirement.permissions and not ctx.authorized:
        raise RuntimeError(f"{ctx.method} {ctx.url.path} answered without checking permissions")
    return response


async def _await_runs(ctx: Context) -> None:
    for run_id, within, failure in ctx.awaited:
        run = await queue.outcome(ctx.rt.database, run_id, within)
        if run.state in ("failed", "cancelled"):
            raise failure(run.cause or "The change was cancelled by a later one.")
        if run.state != "done":
            raise NotYet("The change is accepted and still being applied; it goes on without you waiting for it.")


def _assume_json(request: Request) -> None:
    """Read a body as JSON whatever it is called: an official SDK says text/plain (clients.md, section 6), curl a form."""
    if "json" not in request.headers.get("content-type", ""):
        headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
        request.scope["headers"] = [*headers, (b"content-type", b"application/json")]
        if hasattr(request, "_headers"):
            del request._headers  # noqa: SLF001 -- Starlette remembers the parsed headers there
