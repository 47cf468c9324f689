"""Makes network rules hold for those who are inside already, and shows that they do. New sessions meet them at once."""

from datetime import timedelta

from baseplane.drivers.cluster import ClusterMissing, Role
from baseplane.errors import Unavailable
from baseplane.resources.doors import announcements
from baseplane.resources.network import restrictions, ssl_enforcement
from baseplane.resources.projects import store
from baseplane.resources.projects.status import SERVING
from baseplane.resources.projects.workflows import RECOVERY, serve
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow

enforce_restrictions = Workflow("network.enforce_restrictions")
enforce_ssl = Workflow("network.enforce_ssl")


@enforce_restrictions.step(within=timedelta(seconds=30))
async def end_sessions_from_elsewhere(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        wanted = await restrictions.get(db, ref)
    await announcements.enforce(rt.database, ref)
    async with rt.database.connection() as db:
        await restrictions.mark_applied(db, ref, wanted.version)


@enforce_ssl.step(within=RECOVERY, final=(ClusterMissing,))
async def wake_up(rt: Runtime, ref: str) -> None:
    """A probe of a sleeping project would ask for a run that has to wait for this one."""
    async with rt.database.connection() as db:
        project = await store.get(db, ref)
    if project.asleep and project.status in SERVING:
        await serve(rt, ref)


@enforce_ssl.step(within=timedelta(seconds=30))
async def end_plaintext_sessions(rt: Runtime, ref: str) -> None:
    """The platform's own role is probed with, in plaintext without its password."""
    async with rt.database.connection() as db:
        wanted = await ssl_enforcement.get(db, ref)
        secret = (await store.read_secrets(db, rt.keyring, ref)).secret
    await announcements.enforce(rt.database, ref)
    if await rt.door.takes_plaintext(ref, Role.OWNER) == wanted.wanted:
        was = "was let in" if wanted.wanted else "was refused"
        raise Unavailable(f"A client without TLS {was} by the Postgres door.")
    await rt.door.probe(ref, Role.OWNER, secret)
    async with rt.database.connection() as db:
        await ssl_enforcement.mark_applied(db, ref, wanted.version)
