from typing import Annotated, Literal

from pydantic import Field

from baseplane.api.bodies import Body
from baseplane.drivers.pooler import PoolMode


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
    pool_mode: PoolMode


class UpdateSupavisorConfigBody(Body):
    default_pool_size: Annotated[int, Field(ge=0, le=3000)] | None = None
    pool_mode: PoolMode | None = None


class UpdateSupavisorConfigResponse(Body):
    default_pool_size: int | None
    pool_mode: PoolMode


class V1PgbouncerConfigResponse(Body):
    default_pool_size: int
    ignore_startup_parameters: str
    max_client_conn: int
    pool_mode: PoolMode
    connection_string: str
    server_idle_timeout: int
