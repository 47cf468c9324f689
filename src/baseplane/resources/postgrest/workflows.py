"""Settings of the REST server, into the project's database."""

from datetime import timedelta

from baseplane.errors import NotFound
from baseplane.resources.postgrest import inside, store
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.status import SERVING
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow

configure = Workflow("postgrest.configure")


@configure.step(within=timedelta(seconds=20), final=(NotFound,))
async def apply(rt: Runtime, ref: str) -> None:
    """Where no database runs there is no server either: the next one finds the settings when it starts."""
    async with rt.database.connection() as db:
        project = await projects.get(db, ref)
        chosen = await store.find(db, ref)
        secret = (await projects.read_secrets(db, rt.keyring, ref)).secret
    if chosen and project.status in SERVING and not project.asleep:
        await inside.apply(rt, ref, secret, chosen)
