"""Leads every request to its project's service, unless something speaks against it, and writes down what became of it."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import psycopg

from baseplane.drivers.gateway import Answer, Forward, Record, Request
from baseplane.errors import BaseplaneError, NotFound
from baseplane.resources.gateway import answers
from baseplane.resources.gateway.absent import absent
from baseplane.resources.gateway.call import Call, Service
from baseplane.resources.gateway.edge_log import line
from baseplane.resources.gateway.places import Addresses, Place
from baseplane.resources.projects.status import NEXT_STEP, REACHABLE, Status
from baseplane.resources.projects.store import Project
from baseplane.settings import Settings

log = logging.getLogger(__name__)

HEALTH = "/health"
KNOWN_HOST = "/.baseplane/known-host"
"""Asked by Caddy before it gets a certificate for ?domain=: 200 when that is a project's host."""
PAUSED = 540
"""The hosted platform's own status for paused projects, which tells them from failures. Proxies treat it as a 5xx."""
TAKES_REQUESTS = REACHABLE | {Status.RESTARTING, Status.RESIZING}
IN_EVERY_STATE = frozenset({"customer/v1"})
"""Services that answer whatever state the project is in: metrics tell of it."""
SOON = frozenset({Status.COMING_UP, Status.RESTORING, Status.UPGRADING})

FindProject = Callable[[str], Awaitable[Project]]
"""A project as it is now, by its ref; asked once a request. Raises NotFound, Unavailable."""


class ProjectRouter:
    """``services`` by name, such as "rest/v1"; ``write`` takes the line of each request."""

    def __init__(
        self,
        settings: Settings,
        find_project: FindProject,
        services: Mapping[str, Service],
        write: Callable[[dict[str, Any]], None],
    ) -> None:
        self._addresses = Addresses(settings)
        self._find_project = find_project
        self._services = services
        self._write = write

    async def route(self, request: Request) -> Forward | Answer:
        try:
            return await self._answer(request)
        except BaseplaneError as error:
            answer = answers.of_error(error)
        except psycopg.Error as error:
            log.warning("a request could not be routed: %s", error)
            answer = answers.error(503, "The platform database does not answer. Try again.")
        except Exception:
            log.exception("a request could not be routed")
            answer = answers.error(500, "The gateway failed; its log says why.")
        return answers.preflight(request) if answers.is_preflight(request) else answer

    async def _answer(self, request: Request) -> Forward | Answer:
        place = self._addresses.find(request)
        if place is None:
            return await self._own(request)
        project = await self._find_project(place.ref)
        if project.status not in TAKES_REQUESTS and place.service not in IN_EVERY_STATE:
            return _closed(request, project)
        if place.service is None:
            return _index(place)
        service = self._services.get(place.service)
        if service is None:
            raise absent(place.service)
        return await service(Call(place.ref, request, place.rest))

    async def _own(self, request: Request) -> Answer:
        """What belongs to no project. Raises NotFound, Unavailable."""
        if request.path == HEALTH:
            return answers.json({"healthy": True})
        if request.path == KNOWN_HOST:
            ref = self._addresses.ref_of(parse_qs(request.query).get("domain", [""])[0].lower())
            if ref is None:
                raise NotFound("That is no project's host.")
            return answers.json({"ref": (await self._find_project(ref)).ref})
        raise NotFound(
            "This address names no project.",
            code="PROJECT_NOT_NAMED",
            hint="Use https://<ref>.<project host>/…, or /<ref>/… at the gateway's own address.",
        )

    def record(self, record: Record) -> None:
        place = self._addresses.find(record.request)
        self._write(line(record, place, time.time()))


def _index(place: Place) -> Answer:
    path = place.rest.partition("?")[0]
    return answers.error(404, f"There is nothing at {path or '/'}.", "NOT_FOUND", "Services are at /<name>/v1/….")


def _closed(request: Request, project: Project) -> Answer:
    if answers.is_preflight(request):
        return answers.preflight(request)
    hint = NEXT_STEP.get(project.status)
    if project.status in {Status.INACTIVE, Status.PAUSING}:
        return answers.error(PAUSED, f"Project {project.ref} is paused.", "PROJECT_PAUSED", hint)
    retry = {"retry-after": "2"} if project.status in SOON else {}
    message = f"Project {project.ref} takes no requests: it is {project.status}."
    return answers.error(503, message, "PROJECT_NOT_ACTIVE", hint, retry)
