"""What a signing key is made of: made new, or taken over from a JWK of the user's own."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from baseplane.errors import Invalid

Algorithm = Literal["ES256", "RS256", "EdDSA", "HS256"]
OF_TYPE: dict[str, Algorithm] = {"EC": "ES256", "RSA": "RS256", "OKP": "EdDSA", "oct": "HS256"}
RSA_BITS = 2048
MOST_RSA_BITS = 4096
"""A signature by a larger key takes long to check, and every request may carry one."""
SHARED_BYTES = 32
"""Of an HS256 key: RFC 7518, section 3.2; the services behind accept none that is shorter."""
_CLASSES: dict[str, type[ECKey | RSAKey | OKPKey | OctKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey, "oct": OctKey}


@dataclass(frozen=True, slots=True)
class Material:
    """A key as JWKs. ``public`` is None when whoever may check its signatures could make them, too."""

    algorithm: Algorithm
    private: dict[str, Any]
    public: dict[str, Any] | None

    @classmethod
    def of(cls, key: Key, algorithm: Algorithm, kid: UUID | None) -> "Material":
        named = {**({"kid": str(kid)} if kid else {}), "alg": algorithm, "use": "sig", "ext": True}
        private = {**_numbers(key, private=True), **named, "key_ops": ["sign", "verify"]}
        public = {**_numbers(key, private=False), **named, "key_ops": ["verify"]}
        return cls(algorithm, private, None if algorithm == "HS256" else public)


def _numbers(key: Key, *, private: bool) -> dict[str, Any]:
    """The key's own parameters, without those that say what it is for."""
    told = {"kid", "alg", "use", "ext", "key_ops"}
    return {name: value for name, value in key.as_dict(private=private).items() if name not in told}


def generate(algorithm: Algorithm, kid: UUID) -> Material:
    """A new key. RSA takes some tenths of a second."""
    make: dict[Algorithm, Callable[[], Key]] = {
        "ES256": lambda: ECKey.generate_key("P-256"),
        "RS256": lambda: RSAKey.generate_key(RSA_BITS),
        "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
        "HS256": lambda: OctKey.generate_key(SHARED_BYTES * 8),
    }
    return Material.of(make[algorithm](), algorithm, kid)


def shared(secret: str, kid: UUID | None) -> Material:
    """A JWT secret, whose characters are the key. Without a kid it fits tokens that name none, or any."""
    return Material.of(OctKey.import_key(secret.encode()), "HS256", kid)


def take_over(jwk: dict[str, Any], kid: UUID) -> Material:
    """A key of the user's own. Raises Invalid when its parts do not make one key."""
    algorithm = OF_TYPE[jwk["kty"]]
    parts = {name: text for name, text in jwk.items() if name not in ("kid", "alg", "use", "ext", "key_ops")}
    try:
        _check_size(parts)
        key = _CLASSES[jwk["kty"]].import_key(parts)
        material = Material.of(key, algorithm, kid)
        _check_halves(key, parts)
    except Invalid:
        raise
    except (JoseError, ValueError, TypeError) as error:
        raise Invalid(f"private_jwk: is not a key: {error}") from error
    return material


def _check_size(jwk: dict[str, Any]) -> None:
    """Raises Invalid, ValueError. Before anything is computed with the numbers."""
    sizes = {name: len(_bytes(name, text)) * 8 for name, text in jwk.items() if name not in ("kty", "crv")}
    if jwk["kty"] == "RSA":
        if max(sizes.values()) > MOST_RSA_BITS or sizes["n"] < RSA_BITS:
            raise Invalid(f"private_jwk.n: must have {RSA_BITS} to {MOST_RSA_BITS} bits; this one has {sizes['n']}.")
    elif jwk["kty"] == "oct":
        if not SHARED_BYTES * 8 <= sizes["k"] <= 8192:
            raise Invalid(
                f"private_jwk.k: must be {SHARED_BYTES} to 1024 bytes in base64url (RFC 7518, section 3.2);"
                f" this one has {sizes['k'] // 8}."
            )
    elif max(sizes.values()) > 256:
        raise Invalid("private_jwk: a number of it is longer than the 32 bytes of this curve.")


def _bytes(name: str, text: str) -> bytes:
    """Raises Invalid."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(f"private_jwk.{name}: is not base64url: {error}.") from error


def _check_halves(key: Key, jwk: dict[str, Any]) -> None:
    """Raises ValueError. For the other types the library sees whether the halves belong together."""
    if isinstance(key, OKPKey) and key.private_key:
        derived = key.private_key.public_key().public_bytes_raw()
        if derived != _bytes("x", jwk["x"]):
            raise ValueError("x does not belong to d")
