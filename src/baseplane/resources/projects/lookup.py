"""How ``{ref}`` becomes a project: found, the caller a member, the operation permitted."""

from typing import Annotated

from fastapi import Depends, Path

from baseplane.api.context import Ctx
from baseplane.errors import NotFound
from baseplane.resources.projects import store
from baseplane.resources.projects.store import Project


async def _project(ctx: Ctx, ref: Annotated[str, Path(min_length=20, max_length=20, pattern=r"^[a-z]+$")]) -> Project:
    """Raises NotFound, Forbidden."""
    project = await ctx.look_up(store.find_of_members, (ref, ctx.caller.user_id))
    if project is None or ctx.is_narrowed_to_other(organization=project.organization_slug, project=ref):
        raise NotFound(store.MISSING)
    ctx.authorize(project.role)
    return project


InProject = Annotated[Project, Depends(_project)]
