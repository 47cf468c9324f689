"""A key set of somebody else's: what of it can be used to check signatures, and what must not be in it."""

import base64
import binascii
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

ALGORITHMS: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""By type and curve, what a key may sign with. Shared secrets are not here: who checks with one could sign with it."""
MOST = 50
RSA_BYTES = range(256, 513)
_MOST_EXPONENT = 5
"""Bytes. With larger numbers, to check a signature takes long."""
_CLASSES: dict[str, type[ECKey | RSAKey | OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEPT = ("kty", "crv", "x", "y", "n", "e", "kid", "alg")


def algorithms_of(jwk: dict[str, Any]) -> tuple[str, ...]:
    """What a key that ``usable`` has let through may have signed with."""
    possible = ALGORITHMS[jwk["kty"], jwk.get("crv")]
    return tuple(name for name in possible if jwk.get("alg", name) == name)


def usable(document: object) -> dict[str, Any]:
    """The keys of a JWKS that check signatures, with what is needed for that and no more.

    Raises ValueError when there are none, too many, or secret ones among them.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not keys:
        raise ValueError('is not a JWKS: it must be an object with "keys", a list of at least one key')
    if len(keys) > MOST:
        raise ValueError(f"has {len(keys)} keys; {MOST} are the most")
    kept = [_public(key, f"keys.{at}") for at, key in enumerate(keys)]
    found = [key for key in kept if key]
    if not found:
        raise ValueError("has no key that checks signatures with RS, PS, ES or EdDSA algorithms")
    return {"keys": found}


def _public(key: object, where: str) -> dict[str, Any] | None:
    """The key's public half; None when it is for something else. Raises ValueError."""
    if not isinstance(key, dict):
        raise ValueError(f"{where} is not an object")  # noqa: TRY004 -- of a caller's JSON, not of a type
    if secret := _PRIVATE & key.keys():
        raise ValueError(f"{where} holds {', '.join(sorted(secret))}, which is secret: give the public keys only")
    kept = {name: key[name] for name in _KEPT if name in key}
    if any(not isinstance(text, str) or len(text) > 1024 or "\0" in text for text in kept.values()):
        raise ValueError(f"{where} has a field that is no text, or longer than 1024 characters")
    kind = (kept.get("kty", ""), kept.get("crv"))
    if kind not in ALGORITHMS or key.get("use", "sig") != "sig" or not algorithms_of(kept):
        return None
    try:
        _check_size(kept)
        _ = _CLASSES[kept["kty"]].import_key(kept).public_key
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{where} is not a key: {error}") from error
    return kept


def _check_size(key: dict[str, str]) -> None:
    """Raises ValueError. Before anything is computed with the numbers."""
    if key["kty"] == "RSA" and (_size(key["n"]) not in RSA_BYTES or _size(key["e"]) > _MOST_EXPONENT):
        raise ValueError("an RSA key must have 2048 to 4096 bits and an exponent of at most 5 bytes")


def _size(text: str) -> int:
    """Bytes of a number in base64url. Raises ValueError."""
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).lstrip(b"\0"))
    except binascii.Error as error:
        raise ValueError("a number is not base64url") from error
