"""What the API says of itself to whoever has found its address, and what it says of addresses that lead nowhere."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.routing import BaseRoute, Match, Route

PLACES = {"api": "/v1", "docs": "/docs", "openapi": "/openapi.json", "health": "/health"}
WHERE = "GET /openapi.json lists what is offered here, and /docs shows it."


def introduction(title: str, description: str, version: str) -> Callable[[], Awaitable[dict[str, str]]]:
    async def introduce() -> dict[str, str]:
        """Of no project and for everybody: what this is, and where to go on."""
        return {"name": title, "description": description, "version": version, **PLACES}

    return introduce


def not_found(request: Request) -> str:
    """The hosted platform's words, and where to look."""
    return f"Cannot {request.method} {request.url.path}: there is no such operation here. {WHERE}"


def not_allowed(request: Request) -> tuple[str, str]:
    """What to say to a method that this address does not take, and those that it does."""
    methods = {method for route in request.app.routes for method in _methods(route, request)}
    allowed = ", ".join(sorted(methods))
    return f"Cannot {request.method} {request.url.path}: this address takes {allowed}.", allowed


def _methods(route: BaseRoute, request: Request) -> set[str]:
    fits = isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    return set(route.methods or ()) if fits and isinstance(route, Route) else set()
