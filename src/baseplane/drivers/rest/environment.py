"""What PostgREST is told, by its environment: no file to keep, nothing that other users could read.

Every name is one of docs.postgrest.org/en/v12/references/configuration.html. PostgREST reads its environment once more
whenever its configuration is reloaded, and then lets settings of role authenticator in the database (pgrst.*) win.
"""

from baseplane.drivers.rest import RestSpec
from baseplane.drivers.rest.keys import key_set

ACQUIRE_WITHIN = 10
"""Seconds that a request waits for a connection."""


def environment(spec: RestSpec, socket: str) -> dict[str, str]:
    """Raises DriverUnavailable when there are too many keys."""
    return {
        "PGHOST": str(spec.cluster),
        "PGPORT": "5432",
        "PGUSER": "authenticator",
        "PGPASSWORD": spec.password,
        "PGDATABASE": "postgres",
        # The role is the tenant's to set. PostgREST names the schemas of each request itself, and what it asks of the
        # catalogue must not find functions of theirs: among the answers are names of files to read.
        "PGOPTIONS": "-c search_path=",
        "PGRST_DB_ANON_ROLE": "anon",
        "PGRST_DB_SCHEMAS": ",".join(spec.schemas),
        "PGRST_DB_EXTRA_SEARCH_PATH": ",".join(spec.extra_search_path),
        "PGRST_DB_MAX_ROWS": str(spec.max_rows),
        "PGRST_DB_POOL": str(spec.pool),
        "PGRST_DB_POOL_ACQUISITION_TIMEOUT": str(ACQUIRE_WITHIN),
        "PGRST_JWT_SECRET": key_set(spec.jwks),
        "PGRST_LOG_LEVEL": "crit",
        "PGRST_OPENAPI_SECURITY_ACTIVE": "true",
        "PGRST_OPENAPI_SERVER_PROXY_URI": spec.url,
        "PGRST_SERVER_UNIX_SOCKET": socket,
        "PGRST_SERVER_UNIX_SOCKET_MODE": "600",
    }
