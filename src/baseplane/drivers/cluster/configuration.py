"""The configuration files of a cluster, rendered whole: what Postgres runs with is written here and nowhere else."""

from collections.abc import Mapping
from pathlib import Path

from baseplane.drivers.cluster.sizes import Size

HBA = """\
# Only the Unix socket is served; the ingress and the platform come through it, each with a password.
local all all scram-sha-256
local replication supabase_admin scram-sha-256
"""

HBA_CLOSED = """\
# Nobody but the platform gets in, until what is being done to this cluster is certain to stay.
local all supabase_admin scram-sha-256
local all all reject
"""

# Each row is a parameter and its value; the third column is the first major that knows it.
FIXED = (
    ("port", "5432", 0),
    ("listen_addresses", "", 0),
    ("unix_socket_permissions", "0700", 0),
    ("password_encryption", "scram-sha-256", 0),
    ("allow_alter_system", "off", 17),
    ("shared_preload_libraries", "pg_stat_statements", 0),
    ("pg_stat_statements.max", "1000", 0),
    ("wal_level", "logical", 0),
    ("min_wal_size", "16MB", 0),
    ("max_wal_senders", "10", 0),
    ("max_slot_wal_keep_size", "1GB", 0),
    ("checkpoint_timeout", "15min", 0),
    ("io_method", "sync", 18),
    ("random_page_cost", "1.1", 0),
    ("jit", "off", 0),
    ("timezone", "UTC", 0),
    ("log_timezone", "UTC", 0),
    ("lc_messages", "C", 0),
    ("logging_collector", "on", 0),
    ("log_destination", "jsonlog", 0),
    ("log_directory", "../log", 0),
    ("log_filename", "postgres-%a.log", 0),
    ("log_truncate_on_rotation", "on", 0),
    ("log_rotation_age", "1d", 0),
    ("log_rotation_size", "0", 0),
    ("log_min_duration_statement", "10s", 0),
    ("log_lock_waits", "on", 0),
    ("idle_in_transaction_session_timeout", "1h", 0),
)


_ESCAPES = str.maketrans({"'": "''", "\\": "\\\\", "\n": "\\n", "\r": "\\r"})


def parameters(major: int, size: Size, sockets: Path, name: str, settings: Mapping[str, str]) -> dict[str, str]:
    """What postgresql.conf says; ``settings`` go before what is chosen here."""
    fixed = {parameter: value for parameter, value, since in FIXED if major >= since}
    return {
        **fixed,
        "cluster_name": name,
        "unix_socket_directories": str(sockets),
        "max_connections": str(size.max_connections),
        "shared_buffers": f"{size.shared_buffers}MB",
        "effective_cache_size": f"{size.memory * 3 // 4}MB",
        "work_mem": f"{size.work_mem}MB",
        "maintenance_work_mem": f"{size.maintenance_work_mem}MB",
        "max_wal_size": f"{size.max_wal_size}MB",
        "max_replication_slots": str(size.replication_slots),
        **settings,
    }


def render(parameters: Mapping[str, str]) -> str:
    """The text of postgresql.conf."""
    return "".join(f"{parameter} = {_quote(value)}\n" for parameter, value in parameters.items())


def _quote(value: str) -> str:
    """A value in one line, whatever is in it. Raises ValueError for the null character, which would end the file."""
    if "\0" in value:
        raise ValueError("a parameter of Postgres cannot hold the null character")
    return "'" + value.translate(_ESCAPES) + "'"
