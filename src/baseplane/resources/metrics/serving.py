"""Answers /customer/v1/privileged/metrics of every project, where and as the hosted platform does: HTTP Basic, user
service_role, and a secret key as the password (supabase.com/docs/guides/telemetry/metrics).

It tells of a project in every state, and changes none: a project that is paused or sleeps is left so.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping

import psycopg

from baseplane.drivers.gateway import Answer
from baseplane.errors import NotFound, Unavailable
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.credentials.shapes import Credentials, Refused
from baseplane.resources.credentials.tokens import API_KEY
from baseplane.resources.gateway import answers
from baseplane.resources.gateway.call import Call
from baseplane.resources.metrics import database, project
from baseplane.resources.metrics.page import CONTENT_TYPE, Page
from baseplane.resources.metrics.project import Known
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import OPEN
from baseplane.runtime import Runtime

PATH = "/privileged/metrics"
USER = "service_role"
ASK = {"www-authenticate": 'Basic realm="metrics", charset="UTF-8"'}
READ_WITHIN = 4.0
"""Seconds for the platform database; with those of the project's own, less than Prometheus' ten."""
AT_ONCE = 2
"""Connections to the platform database that scrapes take, of those that the gateway has for all of its work."""
HINT = (
    "HTTP Basic authentication takes the user service_role, and as password a secret API key or the service_role key."
)

Count = Callable[[str], int]
"""Processes of a project in this gateway, by its ref."""


class MetricsService:
    """One of a process, a gateway's Service. ``processes`` counts by kind. Who scrapes a project that is just being
    scraped gets the same page.
    """

    def __init__(self, rt: Runtime, resolver: Resolver, processes: Mapping[str, Count]) -> None:
        self._rt = rt
        self._resolver = resolver
        self._processes = processes
        self._places = asyncio.Semaphore(AT_ONCE)
        self._scrapes: dict[str, asyncio.Task[bytes]] = {}

    async def __call__(self, call: Call) -> Answer:
        """Raises NotFound, Unavailable."""
        if call.rest.partition("?")[0] != PATH:
            raise NotFound(f"There is nothing there but {PATH}.", code="NOT_FOUND")
        if call.request.method not in {"GET", "HEAD"}:
            return answers.error(
                405, "Metrics are read with GET.", "METHOD_NOT_ALLOWED", headers={"allow": "GET, HEAD"}
            )
        try:
            found = await self._authenticate(call)
        except Refused as error:
            return answers.error(401, error.message, error.code, str(error.extra.get("hint") or HINT), ASK)
        about = {"role": found.role, "key": found.key_prefix or ""}
        headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store"}
        return Answer(200, await self._page(call.ref), headers, about)

    async def _authenticate(self, call: Call) -> Credentials:
        """Raises Refused, NotFound, Unavailable."""
        user, password = _basic(call.request.headers.get("authorization", ""))
        if user != USER:
            raise Refused(f"The user must be {USER}.", API_KEY, HINT)
        agent = {"user-agent": call.request.headers.get("user-agent", "")}  # browsers may not show secret keys
        found = await self._resolver.find(call.ref, agent, password)
        if found is None or not found.is_secret:
            raise Refused("Metrics are for secret API keys alone.", API_KEY, HINT)
        return found

    async def _page(self, ref: str) -> bytes:
        """Raises NotFound, Unavailable."""
        if ref not in self._scrapes:
            task = self._scrapes[ref] = asyncio.create_task(self._scrape(ref))
            task.add_done_callback(lambda done: self._scraped(ref, done))
        return await asyncio.shield(self._scrapes[ref])

    def _scraped(self, ref: str, task: asyncio.Task[bytes]) -> None:
        del self._scrapes[ref]
        if not task.cancelled():
            task.exception()  # those who wait are told

    async def _scrape(self, ref: str) -> bytes:
        known, secret = await self._read(ref)
        page = Page(supabase_project_ref=ref, supabase_identifier=ref)
        project.show(page, known, is_archived=self._rt.archive.is_on)
        runs = known.project.status in OPEN and not known.project.asleep
        database.show(page, await database.ask(self._rt, ref, secret) if runs else None)
        for kind, count in self._processes.items():
            page.gauge(f"baseplane_{kind}_processes", f"Processes of {kind} that this gateway runs.", count(ref))
        return page.text()

    async def _read(self, ref: str) -> tuple[Known, str]:
        """What is known, and the password of the platform's own roles. Raises NotFound, Unavailable."""
        try:
            async with asyncio.timeout(READ_WITHIN), self._places, self._rt.database.connection() as db:
                known = await project.read(db, self._rt.settings, ref)
                return known, (await projects.read_secrets(db, self._rt.keyring, ref)).secret
        except (psycopg.Error, TimeoutError) as error:
            raise Unavailable("The platform database does not answer in time. Try again.") from error


def _basic(authorization: str) -> tuple[str, str]:
    """User and password (RFC 7617). Raises Refused."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise Refused("Metrics need a user and a password.", API_KEY, HINT)
    return user, password
