"""The keys that PostgREST is given to check tokens with.

What it reads them with refuses a set for a single key that it does not like, and PostgREST then takes the whole text for
a shared secret: with public keys alone, one that everybody knows. So it gets none but flawless keys, and of those the
bare parts (measured with 12.0.2: a curve, ``alg``, ``use``, ``key_ops`` or ``x5c`` that it does not know is enough).
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from baseplane.drivers.cluster import DriverUnavailable

MAX_KEYS = 96 * 1024
"""Bytes of the key set; Linux takes 128 kB for one variable."""

_PARTS = {"oct": ("k",), "RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
"""Each with the bytes of a coordinate, which must be there in full (RFC 7518, section 6.2.1.2)."""


def key_set(given: str) -> str:
    """Raises DriverUnavailable when there are too many."""
    keys: list[dict[str, Any]] = orjson.loads(given)["keys"]
    text = orjson.dumps({"keys": [_bare(key) for key in keys if _is_flawless(key)]}).decode()
    if len(text) > MAX_KEYS:
        raise DriverUnavailable(f"The keys that tokens are signed with take more than {MAX_KEYS} bytes.")
    return text


def _bare(key: dict[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in ("kty", "kid", *_PARTS[key["kty"]]) if name in key}


def _is_flawless(key: dict[str, Any]) -> bool:
    try:
        parts = {name: _bytes(key[name]) for name in _PARTS[key["kty"]] if name != "crv"}
        if key["kty"] == "EC":
            curve, size = _CURVES[key["crv"]]
            x, y = parts["x"], parts["y"]
            ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve).public_key()
            return len(x) == len(y) == size
        if key["kty"] == "OKP":
            return key["crv"] == "Ed25519" and len(parts["x"]) == 32
        return all(parts.values()) and isinstance(key.get("kid", ""), str)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return False


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
