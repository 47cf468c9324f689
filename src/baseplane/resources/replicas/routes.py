from baseplane.api.answers import Empty
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.errors import Invalid, NotFound
from baseplane.resources.organizations.entitlements import READ_REPLICAS
from baseplane.resources.projects import replicas
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.replicas import ReplicaStatus
from baseplane.resources.projects.status import SERVING, require
from baseplane.resources.regions import choose
from baseplane.resources.replicas import workflows
from baseplane.resources.replicas.schemas import RemoveReadReplicaBody, SetUpReadReplicaBody
from baseplane.workflows import journal, queue

router = operations("/v1/projects/{ref}/read-replicas", "Database")


@router.post("/setup", status_code=201, operation_id="v1-setup-a-read-replica", response_class=Empty)
async def set_up_read_replica(project: InProject, body: SetUpReadReplicaBody, ctx: Ctx) -> Empty:
    """Set up a read replica. Among the databases in the organization's list of projects, its status tells when it serves."""
    require(project.status, SERVING, "given a read replica")
    region = choose(ctx.rt.settings, code=body.read_replica_region, field="read_replica_region")
    if await replicas.count(ctx.db, project.ref) >= READ_REPLICAS:
        raise Invalid(f"A project has at most {READ_REPLICAS} read replicas. Remove one first.")
    replica = await replicas.insert(ctx.db, project.ref, region)
    await queue.start(ctx.db, workflows.setup, replica.identifier)
    return Empty(status_code=201)


@router.post("/remove", status_code=201, operation_id="v1-remove-a-read-replica", response_class=Empty)
async def remove_read_replica(project: InProject, body: RemoveReadReplicaBody, ctx: Ctx) -> Empty:
    """Remove a read replica, whatever state it is in. What is being done to it is broken off and undone first."""
    identifier = body.database_identifier
    if identifier == project.ref:
        raise Invalid("database_identifier: names the primary, which goes with its project alone.")
    if await replicas.find(ctx.db, project.ref, identifier) is None:
        raise NotFound("database_identifier: the project has no such read replica")
    others = frozenset(ReplicaStatus) - {ReplicaStatus.GOING_DOWN}
    if await replicas.settle(ctx.db, identifier, ReplicaStatus.GOING_DOWN, only_from=others):
        await journal.request_cancel(ctx.db, identifier)
        await queue.start(ctx.db, workflows.remove, identifier)
    return Empty(status_code=201)
