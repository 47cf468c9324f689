from typing import Annotated, Literal

from pydantic import Field

from baseplane.api.bodies import ClosedBody, Text, at_most
from baseplane.resources.projects.settings import Overrides

Quantity = Annotated[Text, at_most(64)]
"""A number, with or without a unit of Postgres. Which are allowed, the project's Postgres tells."""
Duration = Annotated[Quantity, Field(pattern=r"^(-?[0-9]+(?:\.[0-9]+)?)(us|ms|s|min|h|d)?$")]
Count = Annotated[int, Field(strict=True)]
Workers = Annotated[Count, Field(ge=0, le=1024)]
Processes = Annotated[Count, Field(le=262143)]
Switch = Annotated[bool, Field(strict=True)]


class PostgresConfigResponse(ClosedBody):
    effective_cache_size: Quantity | None = None
    logical_decoding_work_mem: Quantity | None = None
    maintenance_work_mem: Quantity | None = None
    track_activity_query_size: Quantity | None = None
    max_connections: Annotated[Processes, Field(ge=1)] | None = None
    max_locks_per_transaction: Annotated[Count, Field(ge=10, le=2147483640)] | None = None
    max_parallel_maintenance_workers: Workers | None = None
    max_parallel_workers: Workers | None = None
    max_parallel_workers_per_gather: Workers | None = None
    max_replication_slots: Count | None = None
    max_slot_wal_keep_size: Quantity | None = None
    max_standby_archive_delay: Quantity | None = None
    max_standby_streaming_delay: Quantity | None = None
    max_wal_size: Quantity | None = None
    max_wal_senders: Count | None = None
    max_worker_processes: Annotated[Processes, Field(ge=0)] | None = None
    session_replication_role: Literal["origin", "replica", "local"] | None = None
    shared_buffers: Quantity | None = None
    statement_timeout: Duration | None = None
    track_commit_timestamp: Switch | None = None
    wal_keep_size: Quantity | None = None
    wal_sender_timeout: Duration | None = None
    work_mem: Quantity | None = None
    checkpoint_timeout: Duration | None = None
    hot_standby_feedback: Switch | None = None


class UpdatePostgresConfigBody(PostgresConfigResponse):
    restart_database: bool = True

    def overrides(self) -> Overrides:
        """Null is the same as nothing: not overridden."""
        return self.model_dump(exclude={"restart_database"}, exclude_none=True)
