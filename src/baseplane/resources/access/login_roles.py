"""Roles that the official CLI asks for when it has no password, and that end by themselves."""

import secrets
from datetime import timedelta
from typing import Literal

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.drivers.cluster import Role
from baseplane.resources.access import cluster_roles, temporary
from baseplane.resources.access.ending import end_now
from baseplane.resources.projects.inside import inside
from baseplane.resources.projects.lookup import InProject

router = operations("/v1/projects/{ref}/cli/login-role", "Database", route=DirectOperation)


class CreateRoleBody(Body):
    read_only: bool


class CreateRoleResponse(Body):
    role: str
    password: str
    ttl_seconds: int


class DeleteRolesResponse(Body):
    message: Literal["ok"]


@router.post("", status_code=201, operation_id="v1-create-login-role")
async def create_login_role(project: InProject, body: CreateRoleBody, ctx: Ctx) -> CreateRoleResponse:
    """Make a role that may do what postgres may, or only read, with a password of its own.

    A role for every call, so that no caller takes another's password away.
    """
    acts_as = Role.READER if body.read_only else "postgres"
    ttl = ctx.rt.settings.login_role_ttl
    password = secrets.token_urlsafe(32)
    async with inside(ctx, project, Role.ADMIN) as cluster:
        async with ctx.rt.database.transaction() as db:  # first: what is in the cluster is known to the sweeper
            role = await temporary.insert_for_cli(db, project.ref, acts_as, timedelta(seconds=ttl))
        await cluster_roles.ensure(cluster, role, password)
    return CreateRoleResponse(role=role.name, password=password, ttl_seconds=ttl)


@router.delete("", operation_id="v1-delete-login-roles")
async def delete_login_roles(project: InProject, ctx: Ctx) -> DeleteRolesResponse:
    """End all such roles of the project, with their sessions."""
    async with ctx.rt.database.transaction() as db:
        await temporary.expire_those_for_cli(db, project.ref)
    await end_now(ctx.rt, project)
    return DeleteRolesResponse(message="ok")
