from typing import Annotated, Literal

from fastapi import Query

from baseplane.api.context import Context, Ctx
from baseplane.api.permissions import ADMINISTRATOR, OWNER
from baseplane.api.route import operations
from baseplane.drivers.cluster import Role
from baseplane.resources.advisors import platform
from baseplane.resources.advisors.lints import LINTS, Lint
from baseplane.resources.advisors.platform import Facts
from baseplane.resources.advisors.run import run
from baseplane.resources.advisors.schemas import Category, V1ProjectAdvisorsResponse
from baseplane.resources.network import restrictions, ssl_enforcement
from baseplane.resources.organizations import store as organizations
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.store import Project

router = operations("/v1/projects/{ref}/advisors", "Advisors")


@router.get("/performance", operation_id="v1-get-performance-advisors", deprecated=True)
async def get_performance_advisors(project: InProject, ctx: Ctx) -> V1ProjectAdvisorsResponse:
    """Gets project performance advisors: what makes its database slow."""
    async with inside(ctx, project, Role.READER) as db:
        return V1ProjectAdvisorsResponse(lints=await run(db, _lints(ctx, "PERFORMANCE")))


@router.get("/security", operation_id="v1-get-security-advisors", deprecated=True)
async def get_security_advisors(
    project: InProject, ctx: Ctx, lint_type: Annotated[Literal["sql"] | None, Query()] = None
) -> V1ProjectAdvisorsResponse:
    """Gets project security advisors: what is open in its database and about it; ``sql`` means the database alone."""
    async with inside(ctx, project, Role.READER) as db:
        lints = await run(db, _lints(ctx, "SECURITY"))
        version = db.info.server_version
    if lint_type is None:
        lints.extend(platform.check(await _facts(ctx, project, version)))
    return V1ProjectAdvisorsResponse(lints=lints)


def _lints(ctx: Context, category: Category) -> list[Lint]:
    everything = ctx.rt.settings.advisors_all
    return [lint for lint in LINTS.values() if lint.category == category and (everything or lint.is_in_contract)]


async def _facts(ctx: Context, project: Project, version: int) -> Facts:
    async with ctx.reading() as db:
        members = await organizations.members(db, project.organization_slug)
        encrypted = await ssl_enforcement.is_enforced(db, project.ref)
        restricted = await restrictions.are_set(db, project.ref)
    return Facts(
        postgres_version=version,
        is_ssl_enforced=encrypted,
        is_network_restricted=restricted,
        has_point_in_time_recovery=ctx.rt.archive.is_on,
        administrators=sum(member.role in (OWNER, ADMINISTRATOR) for member in members),
    )
