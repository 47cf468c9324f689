"""What the tests of keys and tokens share: they ask over HTTP, and let in as a gateway would."""

import time
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.conftest import Client

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


async def new_key(api: Client, ref: str, type_: str = "secret", name: str = "server", **fields: Any) -> dict[str, Any]:
    body = {"type": type_, "name": name, **fields}
    answer = await api.post(f"/v1/projects/{ref}/api-keys", body, params={"reveal": "true"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def legacy(api: Client, ref: str) -> dict[str, str]:
    """By role."""
    listed = await api.get(f"/v1/projects/{ref}/api-keys", params={"reveal": "true"})
    return {key["name"]: key["api_key"] for key in listed if key["type"] == "legacy"}


async def default_keys(api: Client, ref: str) -> dict[str, str]:
    """Those that came with the project, by type."""
    listed = await api.get(f"/v1/projects/{ref}/api-keys", params={"reveal": "true"})
    return {key["type"]: key["api_key"] for key in listed if key["name"] == "default"}


async def switch_legacy(api: Client, ref: str, *, enabled: bool) -> httpx.Response:
    return await api.call("PUT", f"/v1/projects/{ref}/api-keys/legacy", params={"enabled": str(enabled).lower()})


def signing(ref: str, key_id: str = "") -> str:
    return f"/v1/projects/{ref}/config/auth/signing-keys{key_id and '/'}{key_id}"


async def new_signing_key(api: Client, ref: str, algorithm: str = "ES256", **fields: Any) -> dict[str, Any]:
    answer = await api.post(signing(ref), {"algorithm": algorithm, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def move(api: Client, ref: str, key_id: str, status: str) -> httpx.Response:
    return await api.call("PATCH", signing(ref, key_id), json={"status": status})


def signed(key: Any, algorithm: str = "ES256", kid: str | None = None, **claims: Any) -> str:
    """A user's token as an issuer makes it."""
    header = {"alg": algorithm, **({"kid": kid} if kid else {})}
    body = {"role": "authenticated", "sub": "u1", "exp": int(time.time()) + 60, **claims}
    return jwt.encode(header, body, key, algorithms=[algorithm])


def claims_of(token: str, document: dict[str, Any]) -> dict[str, Any]:
    """As whoever reads the JWKS checks it."""
    return dict(jwt.decode(token, KeySet.import_key_set(document), algorithms=["ES256", "RS256", "HS256"]).claims)


def issuer_key(kid: str = "k1") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


def public_set(*keys: ECKey) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}
