"""How to connect through the shared door. Every port serves sessions until PgBouncer stands behind one of them."""

from typing import Literal

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.resources.projects.lookup import InProject

router = operations("/v1/projects/{ref}/config/database", "Database")


class SupavisorConfigResponse(Body):
    identifier: str
    database_type: Literal["PRIMARY", "READ_REPLICA"]
    is_using_scram_auth: bool
    db_user: str
    db_host: str
    db_port: int
    db_name: str
    connection_string: str
    connectionString: str  # the contract has both spellings
    default_pool_size: int | None
    max_client_conn: int | None
    pool_mode: Literal["transaction", "session"]


@router.get("/pooler", operation_id="v1-get-pooler-config")
async def get_pooler_config(project: InProject, ctx: Ctx) -> list[SupavisorConfigResponse]:
    """Gets how the project's database is reached through the shared door."""
    host, port = f"pooler.{ctx.rt.settings.project_host}", ctx.rt.settings.postgres_port
    url = f"postgresql://postgres.{project.ref}:[YOUR-PASSWORD]@{host}:{port}/postgres"
    return [
        SupavisorConfigResponse(
            identifier=project.ref,
            database_type="PRIMARY",
            is_using_scram_auth=True,
            db_user=f"postgres.{project.ref}",
            db_host=host,
            db_port=port,
            db_name="postgres",
            connection_string=url,
            connectionString=url,
            default_pool_size=None,
            max_client_conn=SIZES[project.size].max_connections,
            pool_mode="session",
        )
    ]
