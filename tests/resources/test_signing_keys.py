import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from baseplane.resources.signing_keys import store
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.keys import move, new_signing_key, signing, switch_legacy

STATUSES = ("standby", "in_use", "previously_used", "revoked")
ALLOWED = {
    ("standby", "in_use"),
    ("standby", "revoked"),
    ("previously_used", "standby"),
    ("previously_used", "revoked"),
    ("revoked", "standby"),
}


@pytest.mark.parametrize(
    ("algorithm", "fields"),
    [("ES256", {"kty", "crv", "x", "y"}), ("RS256", {"kty", "n", "e"}), ("EdDSA", {"kty", "crv", "x"})],
)
async def test_a_new_key_stands_by_and_shows_its_public_half(api: Client, algorithm: str, fields: set[str]) -> None:
    ref = (await api.create_project())["ref"]
    made = await new_signing_key(api, ref, algorithm)
    assert (made["algorithm"], made["status"]) == (algorithm, "standby")
    assert set(made["public_jwk"]) == fields | {"kid", "alg", "use", "ext", "key_ops"}
    assert made["public_jwk"]["kid"] == made["id"]
    assert await api.get(signing(ref, made["id"])) == made
    assert await api.get(signing(ref)) == {"keys": [made]}


async def test_a_shared_secret_has_no_public_half(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    assert (await new_signing_key(api, ref, "HS256"))["public_jwk"] is None


def own_keys() -> dict[str, dict[str, Any]]:
    keys = {
        "ES256": ECKey.generate_key("P-256"),
        "RS256": RSAKey.generate_key(2048),
        "EdDSA": OKPKey.generate_key("Ed25519"),
        "HS256": OctKey.generate_key(256),
    }
    return {algorithm: key.as_dict(private=True) for algorithm, key in keys.items()}


OWN, OTHER = own_keys(), own_keys()


@pytest.mark.parametrize("algorithm", OWN)
async def test_a_key_of_ones_own_is_taken_over(api: Client, algorithm: str) -> None:
    ref = (await api.create_project())["ref"]
    jwk = {name: text for name, text in OWN[algorithm].items() if name != "kid"}
    kid = str(uuid4())
    body = {**jwk, "kid": kid, "alg": algorithm, "use": "sig", "key_ops": ["sign", "verify"], "ext": True}
    made = await new_signing_key(api, ref, algorithm, private_jwk=body)
    assert made["id"] == kid
    assert all(made["public_jwk"][name] == jwk[name] for name in ("x", "y", "n", "e") if name in jwk)
    again = await api.post(signing(ref), {"algorithm": algorithm, "private_jwk": body})
    assert (again.status_code, kid in again.json()["message"]) == (409, True)


BAD_KEYS = [
    ("ES256", OWN["RS256"], "private_jwk.kty: RSA is no key for ES256"),
    ("ES256", {**OWN["ES256"], "d": OTHER["ES256"]["d"]}, "private_jwk: is not a key"),
    ("ES256", {**OWN["ES256"], "x": "AA"}, "private_jwk: is not a key"),
    ("ES256", {**OWN["ES256"], "d": "!"}, "private_jwk.d: is not base64url"),
    ("ES256", {**OWN["ES256"], "d": "A" * 2000}, "longer than the 32 bytes"),
    ("ES256", {**OWN["ES256"], "crv": "P-384"}, "crv"),
    ("ES256", {**OWN["ES256"], "extra": "1"}, "is not a field"),
    ("EdDSA", {**OWN["EdDSA"], "x": OTHER["EdDSA"]["x"]}, "x does not belong to d"),
    ("EdDSA", {**OWN["EdDSA"], "d": "AA"}, "private_jwk: is not a key"),
    ("RS256", {**OWN["RS256"], "p": OTHER["RS256"]["p"]}, "private_jwk: is not a key"),
    ("RS256", {**OWN["RS256"], "d": OTHER["RS256"]["d"]}, "private_jwk: is not a key"),
    ("RS256", {**OWN["RS256"], "n": "AQAB"}, "private_jwk.n: must have 2048"),
    ("RS256", {**OWN["RS256"], "n": "A" * 2000}, "private_jwk.n: must have 2048"),
    ("RS256", {**OWN["RS256"], "e": "Aw"}, "private_jwk"),
    ("HS256", {"kty": "oct", "k": "a" * 16}, "private_jwk.k: must be 32"),
    ("HS256", {"kty": "oct", "k": "a" * 15}, "private_jwk"),
    ("HS256", {"kty": "none"}, "private_jwk"),
]


@pytest.mark.parametrize(("algorithm", "jwk", "said"), BAD_KEYS)
async def test_what_is_no_key_is_refused(api: Client, algorithm: str, jwk: dict[str, Any], said: str) -> None:
    ref = (await api.create_project())["ref"]
    body = {"algorithm": algorithm, "private_jwk": {name: text for name, text in jwk.items() if name != "kid"}}
    answer = await api.post(signing(ref), body)
    assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text
    assert await api.get(signing(ref)) == {"keys": []}


async def key_in(api: Client, ref: str, status: str) -> str:
    """The id of a key in this state."""
    if status == "in_use":
        return str((await new_signing_key(api, ref, status="in_use"))["id"])
    made = str((await new_signing_key(api, ref, status="in_use" if status == "previously_used" else "standby"))["id"])
    if status == "previously_used":
        await new_signing_key(api, ref, status="in_use")
    if status == "revoked":
        assert (await move(api, ref, made, "revoked")).status_code == 200
    return made


@pytest.mark.parametrize("now", STATUSES)
@pytest.mark.parametrize("to", STATUSES)
async def test_a_key_moves_as_the_lifecycle_says_and_a_refusal_says_why(api: Client, now: str, to: str) -> None:
    ref = (await api.create_project())["ref"]
    key_id = await key_in(api, ref, now)
    answer = await move(api, ref, key_id, to)
    if now == to or (now, to) in ALLOWED:
        assert (answer.status_code, answer.json()["status"]) == (200, to)
    else:
        assert answer.status_code == 409
        assert answer.json()["message"].startswith(f"status: a key that is {now} cannot become {to}: ")
        assert (await api.get(signing(ref, key_id)))["status"] == now


async def test_putting_a_key_in_use_retires_the_one_before_it(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    first = await new_signing_key(api, ref, status="in_use")
    second = await new_signing_key(api, ref, "EdDSA")
    assert (await move(api, ref, second["id"], "in_use")).status_code == 200
    listed = (await api.get(signing(ref)))["keys"]
    assert {key["id"]: key["status"] for key in listed} == {first["id"]: "previously_used", second["id"]: "in_use"}


async def test_of_many_keys_put_in_use_at_once_one_is(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    made = [(await new_signing_key(api, ref))["id"] for _ in range(4)]
    answers = await asyncio.gather(*(move(api, ref, key_id, "in_use") for key_id in made))
    assert [answer.status_code for answer in answers] == [200] * 4
    listed = (await api.get(signing(ref)))["keys"]
    assert Counter(key["status"] for key in listed) == {"in_use": 1, "previously_used": 3}


async def test_only_a_key_revoked_for_a_while_is_removed(api: Client, rt: Runtime) -> None:
    ref = (await api.create_project())["ref"]
    key_id = (await new_signing_key(api, ref))["id"]
    refused = await api.call("DELETE", signing(ref, key_id))
    assert (refused.status_code, "Only a revoked key" in refused.json()["message"]) == (409, True)
    await move(api, ref, key_id, "revoked")
    refused = await api.call("DELETE", signing(ref, key_id))
    assert (refused.status_code, "in 20 minutes" in refused.json()["message"]) == (409, True)
    async with rt.database.connection() as db:
        await db.execute("update signing_keys set updated_at = now() - interval '20 minutes' where id = %s", [key_id])
    assert (await api.call("DELETE", signing(ref, key_id))).json()["id"] == key_id
    assert (await api.call("GET", signing(ref, key_id))).status_code == 404


async def test_the_jwt_secret_is_set_up_once_and_never_removed(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    assert (await api.call("GET", signing(ref, "legacy"))).status_code == 404
    made = (await api.post(signing(ref, "legacy"))).json()
    assert (made["algorithm"], made["status"], made["public_jwk"]) == ("HS256", "in_use", None)
    assert await api.get(signing(ref, "legacy")) == made
    assert (await api.post(signing(ref, "legacy"))).status_code == 409
    refused = await api.call("DELETE", signing(ref, made["id"]))
    assert (refused.status_code, "belongs to the project" in refused.json()["message"]) == (409, True)


async def test_the_jwt_secret_is_previously_used_where_another_key_is_in_use(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    await new_signing_key(api, ref, status="in_use")
    assert (await api.post(signing(ref, "legacy"))).json()["status"] == "previously_used"


async def test_the_jwt_secret_is_revoked_after_the_legacy_keys(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    old = (await api.post(signing(ref, "legacy"))).json()["id"]
    await new_signing_key(api, ref, status="in_use")
    refused = await move(api, ref, old, "revoked")
    assert (refused.status_code, "legacy?enabled=false" in refused.json()["message"]) == (409, True)
    await switch_legacy(api, ref, enabled=False)
    assert (await move(api, ref, old, "revoked")).json()["status"] == "revoked"


async def test_there_is_a_most_of_signing_keys(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST", 1)
    ref = (await api.create_project())["ref"]
    await new_signing_key(api, ref)
    answer = await api.post(signing(ref), {"algorithm": "ES256"})
    assert (answer.status_code, "1 signing keys" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    "body", [{}, {"algorithm": "none"}, {"algorithm": "ES256", "status": "revoked"}, {"algorithm": "ES256", "x": 1}, []]
)
async def test_a_bad_body_is_refused(api: Client, body: object) -> None:
    ref = (await api.create_project())["ref"]
    assert (await api.post(signing(ref), body)).status_code == 400
