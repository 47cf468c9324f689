"""Brings a project's pooler up for its first client, and down when nobody uses it."""

import asyncio
import hashlib
import hmac
import logging
from datetime import timedelta
from pathlib import Path
from weakref import WeakValueDictionary

import psycopg
from psycopg import sql

from baseplane.database import value
from baseplane.drivers.cluster import Role
from baseplane.drivers.ingress.scram import matches
from baseplane.drivers.pooler import PoolSpec
from baseplane.errors import BaseplaneError, Unavailable
from baseplane.resources.pooler import store
from baseplane.resources.projects import replicas
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two looks for poolers without clients; one that has none twice in a row is stopped."""

PREPARING = 0x706F_6F6C
"""Advisory lock in the tenant's database: one process prepares the pooler's role at a time."""
CATCH_UP_WITHIN = 5.0
"""Seconds that a read replica may need to have the password of its pooler."""
_starting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def enter(rt: Runtime, project: Project, name: str, cluster: Path) -> Path | None:
    """The socket of the pooler of the project's database ``name``, which is started if need be.

    Raises PoolerFailed, Unavailable.
    """
    if rt.poolers.version() is None:
        return None
    if running := await rt.poolers.find(name):
        return running
    async with _starting.setdefault(name, asyncio.Lock()):  # first clients come in crowds
        try:
            return await rt.poolers.find(name) or await rt.poolers.start(await _spec(rt, project, name, cluster))
        except psycopg.Error as error:
            raise Unavailable(f"The pooler could not be prepared: {error}") from error


async def _spec(rt: Runtime, project: Project, name: str, cluster: Path) -> PoolSpec:
    """Gives role pgbouncer its password, and reads the verifier of the role that the platform probes as."""
    async with rt.database.connection() as db:
        settings = await store.settings(db, project)
        secret = (await projects.read_secrets(db, rt.keyring, project.ref)).secret
    password = hmac.digest(secret.encode(), b"pgbouncer", hashlib.sha256).hex()
    probing = "select rolpassword from pg_authid where rolname = %s"
    async with rt.clusters.connect(name, Role.ADMIN, secret) as inside:
        known = await value(inside, probing, ["pgbouncer"])
        if known and matches(known, password):  # a read replica does without its primary
            return PoolSpec(name, cluster, settings, password, {Role.OWNER: await value(inside, probing, [Role.OWNER])})
    async with rt.clusters.connect(project.ref, Role.ADMIN, secret) as inside, inside.transaction():
        await inside.execute("select pg_advisory_xact_lock(%s)", [PREPARING])  # other ingress processes come, too
        verifier = inside.pgconn.encrypt_password(password.encode(), b"pgbouncer", b"scram-sha-256").decode()
        await inside.execute(sql.SQL("alter role pgbouncer password {}").format(sql.Literal(verifier)))
        owner = await value(inside, probing, [Role.OWNER])
    if name != project.ref:
        async with rt.database.connection() as db:
            spec = await replicas.standby_spec(db, rt.keyring, name)
        await rt.clusters.standbys.catch_up(spec, CATCH_UP_WITHIN)
    return PoolSpec(name, cluster, settings, password, {Role.OWNER: owner})


reconfigure = Workflow("pooler.reconfigure")


@reconfigure.step(within=timedelta(seconds=20))
async def apply(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        settings = await store.settings(db, await projects.get(db, ref))
        followers = await replicas.list_of(db, ref)
    for name in (ref, *(replica.identifier for replica in followers)):
        await rt.poolers.apply(name, settings)


async def watch(rt: Runtime) -> None:
    """Stop poolers that nobody uses, until cancelled."""
    unused: set[str] = set()
    while True:
        await asyncio.sleep(EVERY)
        try:
            idle = await rt.poolers.idle()
            for ref in idle & unused:
                await rt.poolers.stop(ref)
            unused = idle - unused
        except (BaseplaneError, psycopg.Error, OSError) as error:
            log.warning("looking for idle poolers failed: %s", error)
