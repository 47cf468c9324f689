"""Tokens that users bring: signed by the project's keys or by issuers it trusts, and by nobody else."""

import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from baseplane.resources.credentials.resolver import Resolver
from baseplane.resources.credentials.shapes import Refused
from baseplane.resources.projects import store
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.keys import issuer_key, legacy, move, new_signing_key, public_set, signed, signing, switch_legacy


@pytest.fixture
async def ref(api: Client) -> str:
    return str((await api.create_project())["ref"])


async def jwt_secret(rt: Runtime, ref: str) -> OctKey:
    async with rt.database.connection() as db:
        return OctKey.import_key((await store.read_secrets(db, rt.keyring, ref)).jwt_secret.encode())


async def refusal(rt: Runtime, ref: str, token: str) -> str:
    with pytest.raises(Refused) as caught:
        await Resolver(rt).verify(ref, token)
    return caught.value.code.removeprefix("UNAUTHORIZED_")


async def own(api: Client, ref: str, **fields: Any) -> tuple[dict[str, Any], ECKey]:
    key = ECKey.generate_key("P-256")
    jwk = {name: text for name, text in key.as_dict(private=True).items() if name != "kid"}
    return await new_signing_key(api, ref, private_jwk=jwk, **fields), key


async def trust(api: Client, ref: str, *keys: ECKey) -> str:
    answer = await api.post(f"/v1/projects/{ref}/config/auth/third-party-auth", {"custom_jwks": public_set(*keys)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_token_signed_with_the_jwt_secret_is_accepted(rt: Runtime, ref: str) -> None:
    secret = await jwt_secret(rt, ref)
    for kid in (None, "whatever-auth-said"):
        assert (await Resolver(rt).verify(ref, signed(secret, "HS256", kid)))["sub"] == "u1"


@pytest.mark.parametrize("status", ["standby", "in_use"])
async def test_a_token_signed_with_a_signing_key_is_accepted(api: Client, rt: Runtime, ref: str, status: str) -> None:
    made, key = await own(api, ref, status=status)
    assert (await Resolver(rt).verify(ref, signed(key, kid=made["id"])))["role"] == "authenticated"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA", "HS256"])
async def test_tokens_of_every_algorithm_are_accepted(api: Client, rt: Runtime, ref: str, algorithm: str) -> None:
    key = {
        "RS256": RSAKey.generate_key(2048),
        "EdDSA": OKPKey.generate_key("Ed25519"),
        "HS256": OctKey.generate_key(256),
    }[algorithm]
    jwk = {name: text for name, text in key.as_dict(private=True).items() if name != "kid"}
    made = await new_signing_key(api, ref, algorithm, private_jwk=jwk, status="in_use")
    anon = await Resolver(rt).resolve(ref, {"apikey": (await legacy(api, ref))["anon"]})
    assert (await Resolver(rt).verify(ref, anon.token))["role"] == "anon"
    token = signed(key, algorithm, made["id"])
    assert (await Resolver(rt).verify(ref, token))["sub"] == "u1"


async def test_a_rotation_logs_nobody_out_and_a_revocation_does(api: Client, rt: Runtime, ref: str) -> None:
    legacy_token = signed(await jwt_secret(rt, ref), "HS256")
    first, key = await own(api, ref, status="in_use")
    token = signed(key, kid=first["id"])
    await new_signing_key(api, ref, status="in_use")
    for kept in (legacy_token, token):
        assert (await Resolver(rt).verify(ref, kept))["sub"] == "u1"
    await move(api, ref, first["id"], "revoked")
    assert await refusal(rt, ref, token) == "ASYMMETRIC_JWT"
    assert (await Resolver(rt).verify(ref, legacy_token))["sub"] == "u1"
    await move(api, ref, first["id"], "standby")
    assert (await Resolver(rt).verify(ref, token))["sub"] == "u1"


async def test_a_revoked_jwt_secret_ends_its_tokens(api: Client, rt: Runtime, ref: str) -> None:
    token = signed(await jwt_secret(rt, ref), "HS256")
    old = (await api.post(signing(ref, "legacy"))).json()["id"]
    await new_signing_key(api, ref, status="in_use")
    await switch_legacy(api, ref, enabled=False)
    await move(api, ref, old, "revoked")
    assert await refusal(rt, ref, token) == "LEGACY_JWT"


async def test_legacy_keys_that_are_off_are_no_tokens_either(api: Client, rt: Runtime, ref: str) -> None:
    service = (await legacy(api, ref))["service_role"]
    assert (await Resolver(rt).verify(ref, service))["role"] == "service_role"
    await switch_legacy(api, ref, enabled=False)
    for token in (service, resigned(service, await jwt_secret(rt, ref))):
        assert await refusal(rt, ref, token) == "INVALID_API_KEY"


def resigned(token: str, key: OctKey) -> str:
    """The same claims in other bytes."""
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return jwt.encode({"alg": "HS256"}, dict(reversed(payload.items())), key)


async def test_a_trusted_issuers_token_is_accepted_until_it_is_removed(api: Client, rt: Runtime, ref: str) -> None:
    key = issuer_key()
    token = signed(key, kid="k1")
    assert await refusal(rt, ref, token) == "ASYMMETRIC_JWT"
    tpa = await trust(api, ref, issuer_key("k0"), key)
    assert (await Resolver(rt).verify(ref, token))["sub"] == "u1"
    assert (await Resolver(rt).verify(ref, signed(key)))["sub"] == "u1"
    await api.call("DELETE", f"/v1/projects/{ref}/config/auth/third-party-auth/{tpa}")
    assert await refusal(rt, ref, token) == "ASYMMETRIC_JWT"


async def test_a_third_party_is_never_service_role_and_always_expires(api: Client, rt: Runtime, ref: str) -> None:
    key = issuer_key()
    await trust(api, ref, key)
    assert await refusal(rt, ref, signed(key, kid="k1", role="service_role")) == "ASYMMETRIC_JWT"
    assert await refusal(rt, ref, jwt.encode({"alg": "ES256", "kid": "k1"}, {"sub": "u1"}, key)) == "ASYMMETRIC_JWT"


async def test_an_issuer_that_is_known_by_name_must_be_named(api: Client, rt: Runtime, ref: str) -> None:
    key = issuer_key()
    await trust(api, ref, key)
    async with rt.database.connection() as db:  # as discovery writes it
        await db.execute(
            "update third_party_auth set type = 'oidc', oidc_issuer_url = 'https://idp.test', custom_jwks = null,"
            " issuer = 'https://idp.test' where project_ref = %s",
            [ref],
        )
    assert (await Resolver(rt).verify(ref, signed(key, kid="k1", iss="https://idp.test")))["sub"] == "u1"
    assert await refusal(rt, ref, signed(key, kid="k1", iss="https://evil.test")) == "ASYMMETRIC_JWT"
    assert await refusal(rt, ref, signed(key, kid="k1")) == "ASYMMETRIC_JWT"


async def test_a_token_is_of_one_project_only(api: Client, rt: Runtime, ref: str) -> None:
    other = (await api.create_project())["ref"]
    assert await refusal(rt, ref, signed(await jwt_secret(rt, other), "HS256")) == "LEGACY_JWT"


async def test_a_public_key_is_no_shared_secret(api: Client, rt: Runtime, ref: str) -> None:
    made, _ = await own(api, ref, status="in_use")
    for secret in (json.dumps(made["public_jwk"]), made["public_jwk"]["x"]):
        assert await refusal(rt, ref, signed(OctKey.import_key(secret), "HS256", made["id"])) == "LEGACY_JWT"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


BODY = part({"role": "service_role", "exp": 2_000_000_000})
FORGED = [
    (f"{part({'alg': 'none'})}.{BODY}.", "UNSUPPORTED_TOKEN_ALGORITHM"),
    (f"{part({'alg': ['HS256']})}.{BODY}.x", "UNSUPPORTED_TOKEN_ALGORITHM"),
    (f"{part({'alg': 'HS512'})}.{BODY}.x", "UNSUPPORTED_TOKEN_ALGORITHM"),
    (f"{part({})}.{BODY}.x", "UNSUPPORTED_TOKEN_ALGORITHM"),
    (f"{part({'alg': 'HS256'})}.{BODY}.", "LEGACY_JWT"),
    (f"{part({'alg': 'HS256'})}.{BODY}.!!", "LEGACY_JWT"),
    (f"{part({'alg': 'HS256', 'kid': {}})}.{BODY}.AAAA", "LEGACY_JWT"),
    (f"{part({'alg': 'HS256', 'crit': ['x']})}.{BODY}.AAAA", "INVALID_JWT_FORMAT"),
    (f"{part([])}.{BODY}.x", "INVALID_JWT_FORMAT"),
    (f"{part({'alg': 'HS256'})}.{part([])}.x", "INVALID_JWT_FORMAT"),
    (f"{part({'alg': 'HS256'})}.{'W1' * 2000}.x", "INVALID_JWT_FORMAT"),
    ("a.b.c", "INVALID_JWT_FORMAT"),
    ("é.é.é", "INVALID_JWT_FORMAT"),
    ("..", "INVALID_JWT_FORMAT"),
    ("no token", "INVALID_JWT_FORMAT"),
    (f"{'a' * 20_000}.b.c", "INVALID_JWT_FORMAT"),
]


@pytest.mark.parametrize(("token", "code"), FORGED, ids=range(len(FORGED)))
async def test_what_is_no_token_of_ours_is_refused(rt: Runtime, ref: str, token: str, code: str) -> None:
    assert await refusal(rt, ref, token) == code


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1}, {"exp": "soon"}, {"exp": True}, {"exp": None}, {"nbf": 4_000_000_000}, {"nbf": "x"}],
)
async def test_a_token_out_of_its_time_is_refused(rt: Runtime, ref: str, claims: dict[str, Any]) -> None:
    token = jwt.encode({"alg": "HS256"}, {"role": "anon", **claims}, await jwt_secret(rt, ref))
    assert await refusal(rt, ref, token) == "INVALID_JWT_FORMAT"


async def test_a_token_that_was_accepted_still_expires(rt: Runtime, ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token, resolver = signed(await jwt_secret(rt, ref), "HS256"), Resolver(rt)
    read = await resolver._snapshot(ref)

    async def same(_: str) -> Any:
        return read

    monkeypatch.setattr(resolver, "_snapshot", same)
    assert (await resolver.verify(ref, token))["sub"] == "u1"
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Refused, match="JWT expired"):
        await resolver.verify(ref, token)


async def test_a_users_token_goes_along_with_the_key(api: Client, rt: Runtime, ref: str) -> None:
    anon, token = (await legacy(api, ref))["anon"], signed(await jwt_secret(rt, ref), "HS256")
    headers = {"apikey": anon, "authorization": f"Bearer {token}"}
    found = await Resolver(rt).resolve(ref, headers)
    assert (found.role, found.bearer, found.authorization) == ("anon", token, f"Bearer {token}")
    found = await Resolver(rt).authenticate(ref, headers)
    assert (found.role, found.claims["sub"], found.key_id, found.authorization) == (
        "authenticated",
        "u1",
        "anon",
        f"Bearer {token}",
    )
    headers["authorization"] = f"Bearer {token}x"
    with pytest.raises(Refused):
        await Resolver(rt).authenticate(ref, headers)


async def test_a_token_alone_is_enough_where_no_key_is_asked_for(rt: Runtime, ref: str) -> None:
    headers = {"authorization": f"Bearer {signed(await jwt_secret(rt, ref), 'HS256')}"}
    assert (await Resolver(rt).authenticate(ref, headers)).role == "authenticated"
    with pytest.raises(Refused, match="No API key"):
        await Resolver(rt).authenticate(ref, headers, needs_key=True)
