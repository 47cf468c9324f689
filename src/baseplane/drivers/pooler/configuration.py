"""PgBouncer's files. Every option is one of pgbouncer.org/config.html."""

from pathlib import Path

from baseplane.drivers.pooler import PoolSettings, PoolSpec

PORT = 6432
"""Only a part of the socket's name: no TCP port is opened."""
CONSOLE = "baseplane_console"
"""Who may ask a pooler for its settings. Logs in with the same password as the pooler does at the cluster."""
SERVER_IDLE = 60
"""Seconds after which an idle server connection is closed, so that an idle project stays small."""
IGNORED = "extra_float_digits,options"
"""Startup parameters that a pooled session cannot have, and that drivers send all the same."""


def ini(spec: PoolSpec, directory: Path, version: tuple[int, ...]) -> str:
    # Before 1.19 verifiers are looked up in the database that the client names, and only one has the function.
    databases = "* = auth_dbname=postgres" if version >= (1, 19) else "postgres ="
    options: dict[str, object] = {
        "unix_socket_dir": spec.cluster,
        "unix_socket_mode": "0700",
        "listen_port": PORT,
        "listen_addr": "",
        "logfile": directory / "pgbouncer.log",
        "pidfile": directory / "pgbouncer.pid",
        "auth_type": "scram-sha-256",
        "auth_file": directory / "users.txt",
        "auth_user": "pgbouncer",
        "auth_query": "select username, password from pgbouncer.get_auth($1)",
        "admin_users": CONSOLE,
        "ignore_startup_parameters": IGNORED,
        "server_idle_timeout": SERVER_IDLE,
        "query_wait_timeout": 120,
        "server_connect_timeout": 15,
        "server_login_retry": 1,
        "log_connections": 0,
        "log_disconnections": 0,
        "log_stats": 0,
    }
    if version >= (1, 21):
        options["max_prepared_statements"] = 200
    lines = [f"{name} = {value}" for name, value in {**options, **changeable(spec.settings)}.items()]
    return "\n".join(["[databases]", f"{databases} host={spec.cluster} port=5432", "", "[pgbouncer]", *lines, ""])


def changeable(settings: PoolSettings) -> dict[str, str]:
    """Options that a running pooler can be given."""
    return {
        "pool_mode": settings.pool_mode,
        "default_pool_size": str(settings.default_pool_size),
        "max_client_conn": str(settings.max_client_conn),
    }


def users(spec: PoolSpec) -> str:
    everyone = {"pgbouncer": spec.password, CONSOLE: spec.password, **spec.users}
    return "".join(f'"{name}" "{secret}"\n' for name, secret in everyone.items())
