"""Who may come to a project's database by network. Changes are answered when they hold, or as not applied yet."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from ipaddress import ip_network

from baseplane.api.address import client_address
from baseplane.api.context import Context, Ctx
from baseplane.api.route import DirectOperation, operations
from baseplane.database import Connection
from baseplane.errors import Invalid
from baseplane.resources.network import bans, restrictions, ssl_enforcement, workflows
from baseplane.resources.network.addresses import Network, site_of
from baseplane.resources.network.bans import Ban
from baseplane.resources.network.schemas import (
    EnrichedBan,
    NetworkBanResponse,
    NetworkBanResponseEnriched,
    NetworkRestrictionsPatchRequest,
    NetworkRestrictionsRequest,
    NetworkRestrictionsResponse,
    NetworkRestrictionsV2Response,
    RemoveNetworkBanRequest,
    SslEnforcementRequest,
    SslEnforcementResponse,
)
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.status import OPEN, Status, require, require_serving
from baseplane.resources.projects.store import Project
from baseplane.workflows import Workflow, queue

log = logging.getLogger(__name__)

router = operations("/v1/projects/{ref}", "Projects", route=DirectOperation)
ssl_router = operations("/v1/projects/{ref}/ssl-enforcement", "Database", route=DirectOperation)

WITHIN = timedelta(seconds=20)
"""How long a request waits for its change to be applied."""
RESTRICTABLE = (OPEN - {Status.COMING_UP}) | {
    Status.PAUSING,
    Status.INACTIVE,
    Status.PAUSE_FAILED,
    Status.RESTORE_FAILED,
}
"""Not while a project is created: that ends with a login as its user, from where the platform runs."""
DATABASE_TYPE = "PRIMARY"
"""Of the database that a ban concerns, by the contract's names for them; there are no read replicas."""


@router.get("/network-restrictions", operation_id="v1-get-network-restrictions", response_model_exclude_none=True)
async def get_network_restrictions(project: InProject, ctx: Ctx) -> NetworkRestrictionsResponse:
    """Gets the networks from which the project's database may be reached."""
    async with ctx.reading() as db:
        return NetworkRestrictionsResponse.of(await restrictions.get(db, project.ref))


@router.post(
    "/network-restrictions/apply",
    status_code=201,
    operation_id="v1-update-network-restrictions",
    response_model_exclude_none=True,
)
async def update_network_restrictions(
    project: InProject, body: NetworkRestrictionsRequest, ctx: Ctx
) -> NetworkRestrictionsResponse:
    """Replace the allowed networks. Open sessions from elsewhere are ended. 0.0.0.0/0 and ::/0 allow everybody."""
    if not body.model_fields_set:
        raise Invalid("Name the allowed networks in dbAllowedCidrs and dbAllowedCidrsV6; empty lists allow nobody.")
    return NetworkRestrictionsResponse.of(await _restrict(ctx, project, lambda _: body.networks))


@router.patch("/network-restrictions", operation_id="v1-patch-network-restrictions", response_model_exclude_none=True)
async def patch_network_restrictions(
    project: InProject, body: NetworkRestrictionsPatchRequest, ctx: Ctx
) -> NetworkRestrictionsV2Response:
    """Add and remove allowed networks. What is there already, or is not there to be removed, is no error."""
    add, remove = body.add.networks, body.remove.networks
    if not add and not remove:
        raise Invalid("Name the networks to add or to remove: add.dbAllowedCidrs, add.dbAllowedCidrsV6, remove.…")
    if both := set(add) & set(remove):
        raise Invalid(f"{', '.join(map(str, both))} cannot be added and removed at once.")

    def merge(now: Sequence[Network]) -> list[Network]:
        return [network for network in (*now, *add) if network not in remove]

    return NetworkRestrictionsV2Response.of(await _restrict(ctx, project, merge))


async def _restrict(
    ctx: Context, project: Project, to: Callable[[Sequence[Network]], Sequence[Network]]
) -> restrictions.Restrictions:
    require(project.status, RESTRICTABLE, "restricted to networks")
    change = lambda db: restrictions.change(db, project.ref, to)  # noqa: E731
    await _carry_out(ctx, project, change, workflows.enforce_restrictions)
    async with ctx.reading() as db:
        return await restrictions.get(db, project.ref)


async def _carry_out(
    ctx: Context, project: Project, change: Callable[[Connection], Awaitable[None]], workflow: Workflow
) -> None:
    """Commit the change, and wait a while until it is applied. If it is not, what is read then says so."""
    async with ctx.rt.database.transaction() as db:
        await change(db)
        run_id = await queue.start(db, workflow, project.ref, collapse=True)
    await queue.outcome(ctx.rt.database, run_id, WITHIN)


@ssl_router.get("", operation_id="v1-get-ssl-enforcement-config")
async def get_ssl_enforcement(project: InProject, ctx: Ctx) -> SslEnforcementResponse:
    """Gets whether clients have to use TLS, as a probe through the Postgres door has last shown."""
    async with ctx.reading() as db:
        return SslEnforcementResponse.of(await ssl_enforcement.get(db, project.ref))


@ssl_router.put("", operation_id="v1-update-ssl-enforcement-config")
async def update_ssl_enforcement(project: InProject, body: SslEnforcementRequest, ctx: Ctx) -> SslEnforcementResponse:
    """Let clients in with TLS alone, or also without. Open sessions without TLS are ended; nothing restarts."""
    require_serving(project.status)
    change = lambda db: ssl_enforcement.want(db, project.ref, enforced=body.requestedConfig.database)  # noqa: E731
    await _carry_out(ctx, project, change, workflows.enforce_ssl)
    return await get_ssl_enforcement(project, ctx)


@router.post("/network-bans/retrieve", status_code=201, operation_id="v1-list-all-network-bans")
async def list_network_bans(project: InProject, ctx: Ctx) -> NetworkBanResponse:
    """Gets the addresses that are banned now, since too many logins from there failed."""
    async with ctx.reading() as db:
        found = await bans.in_force(db, project.ref)
    return NetworkBanResponse(banned_ipv4_addresses=[ban.address for ban in found])


@router.post("/network-bans/retrieve/enriched", status_code=201, operation_id="v1-list-all-network-bans-enriched")
async def list_network_bans_enriched(project: InProject, ctx: Ctx) -> NetworkBanResponseEnriched:
    """The same with the database concerned, the reason and the end of each ban."""
    async with ctx.reading() as db:
        found = await bans.in_force(db, project.ref)
    return _enriched(project, found)


@router.delete("/network-bans", operation_id="v1-delete-network-bans")
async def delete_network_bans(
    project: InProject, body: RemoveNetworkBanRequest, ctx: Ctx
) -> NetworkBanResponseEnriched:
    """Lift bans at once; tells which were in force and why. Addresses that are not banned are no error."""
    if body.identifier not in (None, project.ref):
        raise Invalid(f"identifier: this project has one database, {project.ref}")
    networks = {ip_network(text) for text in body.ipv4_addresses}
    if body.requester_ip:
        networks.add(site_of(client_address(ctx, ctx.rt.settings.trusted_proxies)))
    if not networks:
        raise Invalid("ipv4_addresses: name the addresses to unban, or set requester_ip for your own")
    async with ctx.rt.database.transaction() as db:
        lifted = await bans.lift(db, project.ref, networks)
    for ban in lifted:
        log.info("%s unbanned %s from project %s: %s", ctx.caller.email, ban.address, project.ref, ban.reason)
    return _enriched(project, lifted)


def _enriched(project: Project, found: Sequence[Ban]) -> NetworkBanResponseEnriched:
    return NetworkBanResponseEnriched(
        banned_ipv4_addresses=[
            EnrichedBan(
                banned_address=ban.address,
                identifier=project.ref,
                type=DATABASE_TYPE,
                reason=ban.reason,
                banned_until=ban.banned_until,
            )
            for ban in found
        ]
    )
