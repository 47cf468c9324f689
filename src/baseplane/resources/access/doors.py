"""What the Postgres door asks of temporary access: may this role still come in, may this token, and as whom."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg

from baseplane.api.caller import Caller
from baseplane.database import Connection
from baseplane.drivers.cluster import Role
from baseplane.drivers.ingress import Refused, Visitor
from baseplane.resources.access import cluster_roles, grants, temporary
from baseplane.resources.doors.gate import Check
from baseplane.resources.projects import store
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime

Find = Callable[[Connection, bytes], Awaitable[Caller | None]]

WRONG_TOKEN, NOT_ALLOWED = "28P01", "28000"
ATTEMPTS = 3


async def check_temporary_role(db: Connection, visitor: Visitor) -> None:
    """Roles that the platform made come in while they live, and those of tokens never by themselves. Raises Refused."""
    if temporary.NAME.fullmatch(visitor.user):
        if visitor.user.startswith(temporary.FOR_TOKENS):
            raise Refused(f"role {visitor.user} is the platform's own", sqlstate=NOT_ALLOWED)
        if not await temporary.is_alive(db, visitor.ref, visitor.user):
            hint = f"Ask for a new one: POST /v1/projects/{visitor.ref}/cli/login-role."
            raise Refused(f"role {visitor.user} has expired or was deleted", sqlstate=NOT_ALLOWED, hint=hint)


def check_token(find: Find) -> Check:
    """Who shows an access token needs one that is good for this project, and a grant. Raises Refused."""

    async def check(db: Connection, visitor: Visitor) -> None:
        if visitor.token is None:
            return
        caller = await find(db, visitor.token)
        if caller is None or (caller.expires_at and caller.expires_at <= datetime.now(UTC)):
            raise Refused("this access token is not known here, was revoked or has expired", sqlstate=WRONG_TOKEN)
        await _check_reach(db, visitor, caller)
        refusal = await grants.refusal(db, visitor.ref, caller.user_id, visitor.user, visitor.address)
        if refusal:
            raise Refused(refusal, sqlstate=NOT_ALLOWED)

    return check


async def _check_reach(db: Connection, visitor: Visitor, caller: Caller) -> None:
    if caller.kind != "personal":
        raise Refused("tokens of applications are not taken here: use a personal one", sqlstate=NOT_ALLOWED)
    project = await store.get(db, visitor.ref)
    narrowed = (caller.projects, project.ref), (caller.organizations, project.organization_slug)
    if any(only is not None and here not in only for only, here in narrowed):
        raise Refused("this access token was made for other projects", sqlstate=NOT_ALLOWED)
    permission = "database_read" if visitor.user == Role.READER else "database_write"
    if caller.permissions is not None and permission not in caller.permissions:
        raise Refused(f"this access token was made without {permission}", sqlstate=NOT_ALLOWED)


def login_by(find: Find) -> Callable[[Runtime, Project, Visitor], Awaitable[tuple[str, str]]]:
    """As which role the door logs in for a visitor whose token was accepted: the grant's own, made when first needed."""

    async def login(rt: Runtime, project: Project, visitor: Visitor) -> tuple[str, str]:
        async with rt.database.connection() as db:
            caller = await find(db, visitor.token or b"")
            role = caller and await grants.login_of(db, project.ref, caller.user_id, visitor.user)
            secret = (await store.read_secrets(db, rt.keyring, project.ref)).secret
        if not role:
            raise Refused("the grant has just ended", sqlstate=NOT_ALLOWED)
        password = role.password(rt.keyring)
        async with rt.clusters.connect(project.ref, Role.ADMIN, secret) as inside:
            await _ensure(inside, role, password)
        return role.name, password

    return login


async def _ensure(inside: cluster_roles.Connection, role: temporary.TemporaryRole, password: str) -> None:
    """Raises Refused."""
    if role.acts_as not in await cluster_roles.assumable(inside):
        raise Refused(f"role {role.acts_as} is not there any more, or may not be used", sqlstate=NOT_ALLOWED)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await cluster_roles.ensure(inside, role, password)
        except psycopg.Error as error:  # another login of the same grant does the same at this moment
            if attempt == ATTEMPTS:
                message = f"the role of this grant could not be prepared: {error.diag.message_primary or error}"
                raise Refused(message, sqlstate="57P03") from error
    return None
