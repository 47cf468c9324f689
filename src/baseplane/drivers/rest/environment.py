"""What PostgREST is told, by its environment: no file to keep, nothing that other users could read.

Every name is one of docs.postgrest.org/en/v12/references/configuration.html. PostgREST reads its environment once more
whenever its configuration is reloaded, and then lets settings of role authenticator in the database (pgrst.*) win.
"""

from typing import Any

import orjson

from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.rest import RestSpec

MAX_KEYS = 96 * 1024
"""Bytes of the key set; Linux takes 128 kB for one variable."""
ACQUIRE_WITHIN = 10
"""Seconds that a request waits for a connection."""

_CURVES = {"EC": {"P-256", "P-384", "P-521"}, "OKP": {"Ed25519"}}
_PARTS = {"oct": ("k",), "RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}


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
        "PGRST_JWT_SECRET": jwks(spec.jwks),
        "PGRST_LOG_LEVEL": "crit",
        "PGRST_OPENAPI_SECURITY_ACTIVE": "true",
        "PGRST_OPENAPI_SERVER_PROXY_URI": spec.url,
        "PGRST_SERVER_UNIX_SOCKET": socket,
        "PGRST_SERVER_UNIX_SOCKET_MODE": "600",
    }


def jwks(given: str) -> str:
    """The keys that PostgREST knows the kind of, with nothing but their parts: one that it cannot read would make it
    take the whole text for a shared secret.
    """
    keys: list[dict[str, Any]] = orjson.loads(given)["keys"]
    text = orjson.dumps({"keys": [_bare(key) for key in keys if _is_known(key)]}).decode()
    if len(text) > MAX_KEYS:
        raise DriverUnavailable(f"The keys that tokens are signed with take more than {MAX_KEYS} bytes.")
    return text


def _is_known(key: dict[str, Any]) -> bool:
    kind = key.get("kty", "")
    return kind in _PARTS and (kind not in _CURVES or key.get("crv") in _CURVES[kind])


def _bare(key: dict[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in ("kty", "kid", *_PARTS[key["kty"]]) if name in key}
