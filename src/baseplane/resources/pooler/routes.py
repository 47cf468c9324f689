"""How to connect through the shared doors, and how the pooler behind one of them is set."""

from datetime import timedelta

from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.drivers.pooler import PoolSettings, configuration
from baseplane.errors import Invalid, NotFound
from baseplane.resources.pooler import pools, store
from baseplane.resources.pooler.schemas import (
    SupavisorConfigResponse,
    UpdateSupavisorConfigBody,
    UpdateSupavisorConfigResponse,
    V1PgbouncerConfigResponse,
)
from baseplane.resources.projects import replicas
from baseplane.resources.projects.lookup import InProject
from baseplane.settings import Settings
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/config/database", "Database")

ABSENT = (
    "There is no transaction pooler: PgBouncer is not installed on this machine. The pooler's port serves sessions;"
    " `baseplane doctor` says how to get PgBouncer."
)


@router.get("/pooler", operation_id="v1-get-pooler-config")
async def get_pooler_config(project: InProject, ctx: Ctx) -> list[SupavisorConfigResponse]:
    """Gets how the project's database is reached through the shared doors: pooled, where there is a pooler; direct."""
    settings = ctx.rt.settings
    session = PoolSettings("session", 0, SIZES[project.size].max_connections)
    async with ctx.reading() as db:
        pooled = await store.settings(db, project) if ctx.rt.poolers.version() else None
        followers = await replicas.list_of(db, project.ref)
    ways = []
    for name in (project.ref, *(each.identifier for each in followers if each.status in replicas.UP)):
        if pooled is not None:
            ways.append(_way(settings, name, settings.pooler_port, pooled))
        ways.append(_way(settings, name, settings.postgres_port, session))
    return ways


@router.patch("/pooler", operation_id="v1-update-pooler-config")
async def update_pooler_config(
    project: InProject, body: UpdateSupavisorConfigBody, ctx: Ctx
) -> UpdateSupavisorConfigResponse:
    """Set the pooler. A running one takes it before this answers; clients stay connected."""
    if ctx.rt.poolers.version() is None:
        raise Invalid(ABSENT)
    size = body.default_pool_size or None
    if size and size > store.most(project):
        raise Invalid(
            f"default_pool_size: {size} is more than the {store.most(project)} connections that a project of compute"
            f" size {project.size} has for its pooler. Choose less, or a larger compute size."
        )
    before = await store.read(ctx.db, project.ref)
    chosen = store.Chosen(
        body.pool_mode or before.pool_mode,
        size if "default_pool_size" in body.model_fields_set else before.default_pool_size,
    )
    await store.write(ctx.db, project.ref, chosen)
    run_id = await queue.start(ctx.db, pools.reconfigure, project.ref, collapse=True)
    ctx.answer_after(run_id, within=timedelta(seconds=20))
    return UpdateSupavisorConfigResponse(default_pool_size=chosen.default_pool_size, pool_mode=chosen.pool_mode)


@router.get("/pgbouncer", operation_id="v1-get-project-pgbouncer-config")
async def get_pgbouncer_config(project: InProject, ctx: Ctx) -> V1PgbouncerConfigResponse:
    """Gets what PgBouncer runs with for this project. Raises NotFound where there is none."""
    if ctx.rt.poolers.version() is None:
        raise NotFound(ABSENT)
    async with ctx.reading() as db:
        pooled = await store.settings(db, project)
    return V1PgbouncerConfigResponse(
        default_pool_size=pooled.default_pool_size,
        ignore_startup_parameters=configuration.IGNORED,
        max_client_conn=pooled.max_client_conn,
        pool_mode=pooled.pool_mode,
        connection_string=_url(ctx.rt.settings, project.ref, ctx.rt.settings.pooler_port),
        server_idle_timeout=configuration.SERVER_IDLE,
    )


def _url(settings: Settings, name: str, port: int) -> str:
    return f"postgresql://postgres.{name}:[YOUR-PASSWORD]@pooler.{settings.project_host}:{port}/postgres"


def _way(settings: Settings, name: str, port: int, pool: PoolSettings) -> SupavisorConfigResponse:
    url = _url(settings, name, port)
    return SupavisorConfigResponse(
        identifier=name,
        database_type="READ_REPLICA" if "-" in name else "PRIMARY",
        is_using_scram_auth=True,
        db_user=f"postgres.{name}",
        db_host=f"pooler.{settings.project_host}",
        db_port=port,
        db_name="postgres",
        connection_string=url,
        connectionString=url,
        default_pool_size=pool.default_pool_size or None,
        max_client_conn=pool.max_client_conn,
        pool_mode=pool.pool_mode,
    )
