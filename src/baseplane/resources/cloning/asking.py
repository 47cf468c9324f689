"""Asking for a project that is made from the archive of another, which is not touched by it."""

from baseplane.database import Connection
from baseplane.database.secrets import Keyring
from baseplane.errors import Invalid
from baseplane.resources.backups import clones
from baseplane.resources.backups.choosing import Chosen
from baseplane.resources.backups.recovering import spec_of_then
from baseplane.resources.cloning.workflows import create_from
from baseplane.resources.disk import store as disks
from baseplane.resources.network import restrictions, ssl_enforcement
from baseplane.resources.pooler import store as poolers
from baseplane.resources.postgrest import store as postgrest
from baseplane.resources.projects import api_keys, settings, store
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.resources.webhooks import store as webhooks
from baseplane.workflows import queue

INHERITED = (
    settings.inherit,
    disks.inherit,
    poolers.inherit,
    postgrest.inherit,
    restrictions.inherit,
    ssl_enforcement.inherit,
    webhooks.inherit,
)
"""What a project is set to beside its database, as it is now: its past is not kept. A source's functions belong here
and into ``create_from`` once backups have them; its keys, secrets, members' logins and replicas do not.
"""


async def ask(
    db: Connection,
    keyring: Keyring,
    source: Project,
    chosen: Chosen,
    *,
    name: str,
    password: str,
    organization_slug: str | None = None,
    region: str | None = None,
    size: str | None = None,
) -> Project:
    """Write a project down and start making it, in the caller's transaction; what is not named is as the source's.

    Raises Conflict when the name is taken, Invalid when the source is being deleted.
    """
    if source.status == Status.GOING_DOWN:
        raise Invalid(f"Project {source.ref} is being deleted, and its archive goes with it.")
    then = await spec_of_then(db, keyring, source.ref)
    project = await store.insert(
        db,
        keyring,
        organization_slug=organization_slug or source.organization_slug,
        name=name,
        region=region or source.region,
        size=size or source.size,
        engine=source.engine,
        password=password,
        made_by=create_from.name,
    )
    await api_keys.insert_defaults(db, keyring, project.ref)
    await clones.insert(db, keyring, project.ref, chosen, then.secret, then.root_keys)
    for inherit in INHERITED:
        await inherit(db, project.ref, source.ref)
    await queue.start(db, create_from, project.ref)
    return project
