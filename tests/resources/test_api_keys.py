from joserfc import jwt
from joserfc.jwk import OctKey

from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from tests.conftest import Client


async def test_keys_are_signed_with_the_projects_secret_and_shown_on_request(api: Client, rt: Runtime) -> None:
    ref = (await api.create_project())["ref"]
    async with rt.database.connection() as db:
        secret = (await store.read_secrets(db, rt.keyring, ref)).jwt_secret
    for found in await api.get(f"/v1/projects/{ref}/api-keys", params={"reveal": "true"}):
        claims = jwt.decode(found["api_key"], OctKey.import_key(secret.encode()), algorithms=["HS256"]).claims
        assert (claims["ref"], claims["role"]) == (ref, found["name"])


async def test_a_secret_key_is_masked_unless_it_is_to_be_revealed(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    anon, service = await api.get(f"/v1/projects/{ref}/api-keys")
    assert len(anon["api_key"].split(".")) == 3
    assert service["api_key"] == service["prefix"] + "·" * 16
