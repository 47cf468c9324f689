"""Decides who enters a project through the Postgres door: its state first, then every rule that a slice has for it."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import psycopg

from baseplane.database import Connection
from baseplane.database.secrets import digest
from baseplane.drivers.ingress import Entry, Refused, Route, Visitor
from baseplane.errors import Unavailable
from baseplane.resources.projects import replicas, sleep, store
from baseplane.resources.projects.replicas import Replica
from baseplane.resources.projects.status import NEXT_STEP, OPEN, Status
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime

log = logging.getLogger(__name__)

CATCH_UP_WITHIN = 5.0
"""Seconds that a read replica may need to have a role that its primary has."""

Check = Callable[[Connection, Visitor], Awaitable[None]]
"""One rule. Raises Refused, saying which of tenant, user, address or state is wrong and what to do."""
Witness = Callable[[Connection, Visitor, str], Awaitable[None]]
"""Is told of logins that Postgres refused, with the SQLSTATE."""


Pool = Callable[[Runtime, Project, str, Path], Awaitable[Path | None]]
"""Where the transaction pooler of a project's database, known by its name, listens, once it does; None where there is none.

Raises BaseplaneError.
"""

Login = Callable[[Runtime, Project, Visitor], Awaitable[tuple[str, str]]]
"""As which role, with which password, the door logs in for a visitor whose token was accepted. Raises BaseplaneError."""


class ProjectGate:
    """``socket`` tells where the cluster of this name listens, a project's or a read replica's, ``pool`` where its pooler does.

    ``checks`` hold as long as a session lasts, ``at_login`` only for those who come.
    ``login`` is for visitors with an access token, whom the ``checks`` have let through.
    """

    def __init__(
        self,
        rt: Runtime,
        socket: Callable[[str], Path],
        pool: Pool,
        login: Login,
        checks: tuple[Check, ...] = (),
        witnesses: tuple[Witness, ...] = (),
        at_login: tuple[Check, ...] = (),
    ) -> None:
        self._rt = rt
        self._socket = socket
        self._pool = pool
        self._login = login
        self._checks = checks
        self._witnesses = witnesses
        self._at_login = at_login

    async def admit(self, visitor: Visitor) -> Route:
        """Raises Refused."""
        return await self._lead(await self._permit(visitor, self._at_login + self._checks), visitor)

    async def admit_by_token(self, visitor: Visitor, token: str) -> Entry:
        """Raises Refused."""
        visitor = replace(visitor, token=digest(token))
        project = await self._permit(visitor, self._at_login + self._checks)
        route = await self._lead(project, visitor)
        user, password = await self._login(self._rt, project, visitor)
        if visitor.replica is not None:  # the role was made at the primary, perhaps just now
            async with self._rt.database.connection() as db:
                spec = await replicas.standby_spec(db, self._rt.keyring, visitor.replica)
            await self._rt.clusters.standbys.catch_up(spec, CATCH_UP_WITHIN)
        return Entry(visitor, route, user, password)

    async def _lead(self, project: Project, visitor: Visitor) -> Route:
        await sleep.awaken(self._rt, project)
        cluster = self._socket(visitor.database)
        pooler = await self._pool(self._rt, project, visitor.database, cluster.parent) if visitor.pooled else None
        return Route(str(pooler or cluster))

    async def review(self, visitor: Visitor) -> None:
        """Raises Refused."""
        await self._permit(visitor, self._checks)

    async def note_failure(self, visitor: Visitor, sqlstate: str) -> None:
        try:
            async with self._rt.database.transaction() as db:
                for witness in self._witnesses:
                    await witness(db, visitor, sqlstate)
        except (psycopg.Error, Unavailable) as error:
            log.warning("a refused login could not be noted: %s", error)

    async def _permit(self, visitor: Visitor, checks: tuple[Check, ...]) -> Project:
        try:
            async with self._rt.database.connection() as db:
                project = _open(visitor.ref, await store.find(db, visitor.ref))
                if visitor.replica is not None:
                    _open_replica(visitor.replica, await replicas.find(db, visitor.ref, visitor.replica))
                for check in checks:
                    await check(db, visitor)
                return project
        except psycopg.Error as error:
            log.warning("the rules for project %s could not be read: %s", visitor.ref, error)
            raise Refused("The platform database does not answer. Try again.", sqlstate="57P03") from error


def _open(ref: str, project: Project | None) -> Project:
    if project is None or project.status == Status.REMOVED:
        raise Refused(f"There is no project {ref} here.", sqlstate="3D000", hint="Check the project ref.")
    if project.status not in OPEN:
        hint = NEXT_STEP.get(project.status)
        raise Refused(f"Project {ref} does not take connections: it is {project.status}.", sqlstate="57P03", hint=hint)
    return project


def _open_replica(identifier: str, replica: Replica | None) -> None:
    if replica is None:
        hint = "The organization's list of projects names the databases of each."
        raise Refused(f"There is no read replica {identifier} here.", sqlstate="3D000", hint=hint)
    if replica.status not in replicas.OPEN:
        message = f"Read replica {identifier} does not take connections: it is {replica.status}. {replica.cause or ''}"
        raise Refused(message.rstrip(), sqlstate="57P03", hint="Connect to its primary, or set up another.")
