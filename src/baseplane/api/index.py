"""The operations, found by what their paths look like instead of by trying one after the other."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

Shape = tuple[str, int, str]


class Index(BaseRoute):
    """Stands before the routes that it knows, and finds the one that they would have found.

    What it does not find, it leaves to them: who asks for something else is told so (404, 405) as without it.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes: defaultdict[Shape, list[APIRoute]] = defaultdict(list)
        for route in routes:
            if isinstance(route, APIRoute):
                for method in route.methods or ():
                    shape = _shape(method, route.path_format)
                    if "{" in shape[-1]:
                        raise ValueError(f"{route.path_format}: what tells it from others must not be a parameter")
                    self._routes[shape].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http":
            for route in self._routes.get(_shape(scope["method"], scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, found  # with itself as "route"
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)


def _shape(method: str, path: str) -> Shape:
    """Paths are /v1/things/{id}/parts/…: how long they are, and which part, tells most of them apart."""
    segments = path.split("/")
    return method, len(segments), segments[4] if len(segments) > 4 else segments[2] if len(segments) > 2 else ""
