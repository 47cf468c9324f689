"""What the code of a project finds in its environment: its own secrets, and where and with what to reach the project."""

from urllib.parse import quote

import orjson

from baseplane.database import Connection
from baseplane.database.secrets import Keyring
from baseplane.resources.projects import api_keys, legacy_keys, store
from baseplane.resources.projects.api_keys import ApiKey
from baseplane.resources.secrets import store as secrets
from baseplane.resources.signing_keys import store as signing_keys
from baseplane.settings import Settings


async def environment(db: Connection, keyring: Keyring, settings: Settings, ref: str) -> dict[str, str]:
    """Names and values of secrets are the tenant's: LD_PRELOAD may be among them, so this is no process's own
    environment. Legacy keys that are switched off are not in it.

    Raises NotFound, Unavailable.
    """
    project = await store.get(db, ref)
    hidden = await store.read_secrets(db, keyring, ref)
    keys = await api_keys.list_of(db, ref)
    found = {secret.name: secret.value for secret in await secrets.list_of(db, keyring, ref)}
    found |= {
        "SUPABASE_URL": settings.url_of(ref),
        "SUPABASE_DB_URL": database_url(settings, ref, hidden.password),
        "SUPABASE_PUBLISHABLE_KEYS": _dictionary(keyring, keys, "publishable"),
        "SUPABASE_SECRET_KEYS": _dictionary(keyring, keys, "secret"),
        "SUPABASE_JWKS": orjson.dumps(signing_keys.jwks(await signing_keys.list_of(db, ref))).decode(),
    }
    if await legacy_keys.are_enabled(db, ref):
        found["SUPABASE_ANON_KEY"] = legacy_keys.key(project, "anon", hidden.jwt_secret)
        found["SUPABASE_SERVICE_ROLE_KEY"] = legacy_keys.key(project, "service_role", hidden.jwt_secret)
    return found


def _dictionary(keyring: Keyring, keys: list[ApiKey], type_: api_keys.Type) -> str:
    """Keys of one type by their name, as JSON."""
    return orjson.dumps({key.name: key.text(keyring) for key in keys if key.type == type_}).decode()


def database_url(settings: Settings, ref: str, password: str) -> str:
    """Through the Postgres door."""
    return (
        f"postgresql://postgres.{ref}:{quote(password, safe='')}"
        f"@{settings.ingress_host}:{settings.postgres_port}/postgres"
    )
