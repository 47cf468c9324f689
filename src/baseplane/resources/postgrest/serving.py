"""Answers /rest/v1 of every project: who asks is found out here, the rest is PostgREST's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from weakref import WeakValueDictionary

import orjson
import psycopg

from baseplane.drivers.gateway import Answer, Forward
from baseplane.drivers.rest import SWITCHED_OFF, Lease, Prepare, RestDriver, RestFailed, RestSpec
from baseplane.errors import Forbidden, Unavailable
from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.credentials.shapes import Credentials
from baseplane.resources.credentials.snapshot import Snapshot
from baseplane.resources.gateway import answers
from baseplane.resources.gateway.call import Call
from baseplane.resources.gateway.waking import Waker
from baseplane.resources.postgrest import inside, store
from baseplane.resources.postgrest.store import RestSettings
from baseplane.resources.projects import store as projects
from baseplane.runtime import Runtime

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
FIRST_BYTE = 120.0
"""Seconds; the roles' own statement timeouts are shorter."""
MOST = 5000
"""Projects that are remembered."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was made of one ``snapshot``, and is true as long as that is. Without a ``spec`` the Data API is off."""

    snapshot: Snapshot
    spec: RestSpec | None
    prepare: Prepare


class RestService:
    """One of a process, a gateway's Service. ``cluster`` tells in which directory a project's socket is."""

    def __init__(self, rt: Runtime, resolver: Resolver, rest: RestDriver, cluster: Callable[[str], Path]) -> None:
        self._rt = rt
        self._resolver = resolver
        self._rest = rest
        self._cluster = cluster
        self._known: dict[str, _Known] = {}
        self._reading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waker = Waker(rt)

    async def __call__(self, call: Call) -> Forward | Answer:
        """Raises Refused, NotFound, Forbidden, Unavailable."""
        request = call.request
        if request.method not in METHODS:
            allowed = ", ".join(METHODS)
            return answers.error(
                405, f"The Data API takes {allowed}.", "METHOD_NOT_ALLOWED", headers={"allow": allowed}
            )
        path, query, shown = _without_key(call.rest)
        authorization, about = None, {}
        if request.method != "OPTIONS":  # browsers ask first without any key what they may send
            found = await self._resolver.authenticate(call.ref, request.headers, shown, needs_key=True)
            _check_description(path, found)
            authorization = found.authorization
            about = {"role": found.role, "key": found.key_prefix or ""}
        lease = await self._lease(call.ref)
        return Forward(
            socket=str(lease.socket),
            target=(path or "/") + query,
            headers={"apikey": None, "authorization": authorization},
            first_byte=FIRST_BYTE,
            broken=_broken,
            release=lease.release,
            about=about,
        )

    async def _lease(self, ref: str) -> Lease:
        """Raises NotFound, Unavailable."""
        known = await self._find(ref)
        if known.spec is None:
            raise Unavailable(
                "The Data API of this project is off: no schema is exposed. Set db_schema in its configuration.",
                code=SWITCHED_OFF,
            )
        await self._waker.awaken(known.snapshot.project)
        try:
            return await self._rest.lease(known.spec, known.prepare)
        except RestFailed as error:
            raise Unavailable(
                f"The Data API of this project does not answer. {error.message}", **error.extra
            ) from error

    async def _find(self, ref: str) -> _Known:
        """Read anew for every new snapshot. Raises NotFound, Unavailable."""
        snapshot = await self._resolver.snapshot(ref)
        known = self._known.get(ref)
        if known is not None and known.snapshot is snapshot:
            return known
        async with self._reading.setdefault(ref, asyncio.Lock()):  # first requests come in crowds
            known = self._known.get(ref)
            if known is None or known.snapshot is not snapshot:
                known = await self._read(snapshot)
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[ref] = known
        return known

    async def _read(self, snapshot: Snapshot) -> _Known:
        ref = snapshot.project.ref
        try:
            async with self._rt.database.connection() as db:
                chosen = await store.find(db, ref)
                secret = (await projects.read_secrets(db, self._rt.keyring, ref)).secret
        except psycopg.Error as error:
            raise Unavailable("The platform database does not answer. Try again.") from error
        prepare = partial(inside.prepare, self._rt, ref, secret, chosen)
        return _Known(snapshot, self._spec(snapshot, chosen or RestSettings(), secret), prepare)

    def _spec(self, snapshot: Snapshot, settings: RestSettings, secret: str) -> RestSpec | None:
        project = snapshot.project
        if not settings.schemas:
            return None
        return RestSpec(
            ref=project.ref,
            url=f"{self._rt.settings.url_of(project.ref)}/rest/v1",
            cluster=self._cluster(project.ref),
            password=inside.password(secret),
            jwks=orjson.dumps(snapshot.verification_jwks).decode(),
            schemas=settings.schemas,
            extra_search_path=settings.extra_search_path,
            max_rows=settings.max_rows,
            pool=settings.db_pool or store.default_pool(project.size),
        )


def _without_key(rest: str) -> tuple[str, str, str | None]:
    """Path, query and the key that was in the query; there it would be taken for a filter."""
    path, mark, query = rest.partition("?")
    if "apikey=" not in query:
        return path, mark + query, None
    parameters = parse_qsl(query, keep_blank_values=True)
    shown = dict(parameters).get("apikey")
    left = urlencode([(name, text) for name, text in parameters if name != "apikey"])
    return path, f"?{left}" if left else "", shown


def _check_description(path: str, found: Credentials) -> None:
    """The root describes the whole API, as OpenAPI. Raises Forbidden."""
    if not path.strip("/") and not (found.is_secret or found.role == "service_role"):
        raise Forbidden("The description of the Data API is for secret API keys alone.")


def _broken() -> Answer:
    return answers.error(
        503,
        "The project's REST server ended, or was too late, before it answered.",
        "REST_ENDED",
        "If this was a change, look whether it was made before you try again.",
    )
