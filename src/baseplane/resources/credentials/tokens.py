"""JWTs of a project: those that API keys become, and those that callers bring."""

import base64
import binascii
import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from baseplane.resources.credentials.shapes import Claims, Refused, Unknown
from baseplane.resources.credentials.snapshot import Snapshot, Verifier
from baseplane.resources.projects import legacy_keys

LIFETIME = 300
"""Seconds that the JWT lives which an API key became."""
LEEWAY = 5
"""Seconds by which clocks may differ."""
MAX_TOKEN = 16 * 1024
MOST_TRIED = 20
"""Keys that one token is held against: only those without a kid can be that many."""
REMEMBERED, REMEMBERED_SIZE = 256, 4096
"""Tokens of one project, and characters of such a token: a tenant may sign as many as they like."""

NO_HEADER = "UNAUTHORIZED_NO_AUTH_HEADER"
FORMAT = "UNAUTHORIZED_INVALID_JWT_FORMAT"
ALGORITHM = "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM"
API_KEY = "UNAUTHORIZED_INVALID_API_KEY"
KNOWN_ALGORITHMS = frozenset({"HS256", "EdDSA"}) | {
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
}


class _Registry(JWSRegistry):
    """Takes EdDSA without a warning, which the contract names so, and headers that issuers invent."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


_REGISTRY = _Registry(strict_check_header=False)


def mint(snapshot: Snapshot, key_id: str, role: str, extra: Mapping[str, Any]) -> tuple[str, Claims]:
    """The role's JWT for an API key, with at least half of its life before it."""
    now = int(time.time())
    known = snapshot.minted.get(key_id)
    if known is not None and known[1]["exp"] - now > LIFETIME / 2:
        return known
    claims = {**extra, "iss": "supabase", "ref": snapshot.project.ref, "role": role, "iat": now, "exp": now + LIFETIME}
    signer = snapshot.signer
    header = {"alg": signer.algorithm, **({"kid": signer.kid} if signer.kid else {})}
    token = jwt.encode(header, claims, signer.key, registry=_REGISTRY)
    snapshot.minted[key_id] = (token, claims)
    return token, claims


def verify(snapshot: Snapshot, token: str) -> Claims:
    """The claims of a caller's JWT. Raises Refused, and Unknown when it is signed by another."""
    claims = snapshot.verified.get(token)
    if claims is None:
        claims = _checked(snapshot, token)
        if len(snapshot.verified) >= REMEMBERED:
            snapshot.verified.clear()
        if len(token) <= REMEMBERED_SIZE:
            snapshot.verified[token] = claims
    _check_time(claims)
    return claims


def looks_like_one(text: str) -> bool:
    return text.count(".") == 2


def _checked(snapshot: Snapshot, token: str) -> Claims:
    header, unverified = _parsed(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in KNOWN_ALGORITHMS:
        raise Refused(f"Invalid JWT: the algorithm {str(algorithm)[:32]!r} is not supported.", ALGORITHM)
    for verifier in _fitting(snapshot, header, unverified):
        if _is_signed_by(verifier, token):
            _check_claims(snapshot, verifier, unverified)
            return unverified
    code = "UNAUTHORIZED_LEGACY_JWT" if algorithm == "HS256" else "UNAUTHORIZED_ASYMMETRIC_JWT"
    raise Unknown("Invalid JWT: it is signed by no key that this project accepts.", code)


def _parsed(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Raises Refused."""
    if len(token) > MAX_TOKEN or not looks_like_one(token):
        raise Refused("Invalid JWT: it does not have three parts, or is too long.", FORMAT)
    try:
        header, claims = (
            orjson.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
            for part in token.split(".")[:2]
        )
    except (binascii.Error, ValueError) as error:
        raise Refused("Invalid JWT: its parts are not JSON in base64url.", FORMAT) from error
    if not isinstance(header, dict) or not isinstance(claims, dict) or "crit" in header:
        raise Refused("Invalid JWT: its parts are not objects, or it asks for an extension (crit).", FORMAT)
    return header, claims


def _fitting(snapshot: Snapshot, header: Mapping[str, Any], claims: Claims) -> Iterator[Verifier]:
    kid, tried = header.get("kid"), 0
    for verifier in snapshot.verifiers:
        is_named = kid is None or verifier.kid is None or verifier.kid == kid
        is_issued = verifier.issuer is None or verifier.issuer == claims.get("iss")
        if header["alg"] in verifier.algorithms and is_named and is_issued and tried < MOST_TRIED:
            tried += 1
            yield verifier


def _is_signed_by(verifier: Verifier, token: str) -> bool:
    try:
        jws.deserialize_compact(token, verifier.key, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _check_claims(snapshot: Snapshot, verifier: Verifier, claims: Claims) -> None:
    """Raises Refused."""
    if verifier.is_own:
        legacy = [legacy_keys.claims(snapshot.project, role) for role in legacy_keys.ROLES]
        if claims in legacy and not snapshot.has_legacy_keys:
            raise legacy_disabled()
    elif "exp" not in claims:
        raise Refused("Invalid JWT: a token of a third party must have exp.", "UNAUTHORIZED_ASYMMETRIC_JWT")
    elif claims.get("role") == "service_role":
        raise Refused("Invalid JWT: a token of a third party may not be service_role.", "UNAUTHORIZED_ASYMMETRIC_JWT")


def legacy_disabled() -> Refused:
    return Refused(
        "Legacy API keys are disabled",
        API_KEY,
        "Your legacy API keys (anon, service_role) were disabled. Use a publishable or secret key, or enable them again.",
    )


def _check_time(claims: Claims) -> None:
    """Raises Refused."""
    now = time.time()
    for name in ("exp", "nbf"):
        moment = claims.get(name)
        if moment is None and name not in claims:
            continue
        if not isinstance(moment, int | float) or isinstance(moment, bool):
            raise Refused(f"Invalid JWT: {name} is not a number.", FORMAT)
        if (name == "exp" and moment <= now - LEEWAY) or (name == "nbf" and moment > now + LEEWAY):
            raise Refused("JWT expired" if name == "exp" else "JWT not yet valid", FORMAT)
