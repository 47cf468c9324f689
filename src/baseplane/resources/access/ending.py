"""What a caller has ended is over when he gets his answer."""

import psycopg

from baseplane.errors import Unavailable
from baseplane.resources.access import sweeper
from baseplane.resources.doors.announcements import enforce
from baseplane.resources.projects.status import SERVING
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime


async def end_now(rt: Runtime, project: Project) -> None:
    """Put out who may not be in the project any more, and drop the roles; call it when that is committed.

    In a cluster that does not run there is nobody; its roles go when it runs again. Raises Unavailable.
    """
    await enforce(rt.database, project.ref)
    if project.status in SERVING and not project.asleep:
        try:
            await sweeper.sweep(rt, project.ref)
        except psycopg.Error as error:
            raise Unavailable("The project's database broke off; the roles that ended are dropped soon.") from error
