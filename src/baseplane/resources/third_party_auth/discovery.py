"""Fetches the keys of an issuer: its discovery document first (OpenID Connect Discovery 1.0, section 4), then its JWKS."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult

import orjson

from baseplane.drivers import outbound
from baseplane.drivers.outbound import Outbound, checked_url
from baseplane.errors import Invalid
from baseplane.networks import address
from baseplane.resources.third_party_auth import jwks

WITHIN = 5.0
"""Seconds for one document."""
MAX_BYTES = 256 * 1024
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Resolved:
    """``issuer`` is what tokens must say in iss; None where nobody has told."""

    jwks: dict[str, Any]
    issuer: str | None = None


async def resolve(sender: Outbound, oidc_issuer_url: str | None, jwks_url: str | None) -> Resolved:
    """The keys as they are now. Raises Invalid, naming the field and what was wrong there."""
    if oidc_issuer_url is None:
        return Resolved(_usable(await _fetch(sender, "jwks_url", jwks_url or ""), "jwks_url"))
    field = "oidc_issuer_url"
    known = await _fetch(sender, field, oidc_issuer_url.rstrip("/") + WELL_KNOWN)
    issuer, place = (known.get(name) if isinstance(known, dict) else None for name in ("issuer", "jwks_uri"))
    if not isinstance(issuer, str) or not isinstance(place, str):
        raise Invalid(f"{field}: the document at {WELL_KNOWN} does not tell issuer and jwks_uri.")
    if issuer.rstrip("/") != oidc_issuer_url.rstrip("/"):
        raise Invalid(f"{field}: the document there is of another issuer, {issuer[:256]!r}.")
    return Resolved(_usable(await _fetch(sender, f"{field}: jwks_uri", place), f"{field}: jwks_uri"), issuer)


async def _fetch(sender: Outbound, field: str, url: str) -> object:
    """A JSON document. Raises Invalid."""
    try:
        target = checked_url(url)
        if target.scheme != "https" and not _is_allowed(sender, target):
            raise Invalid(
                f"{field}: must begin with https://, since whoever can change the keys on the way can sign in."
            )
        answer = await sender.send("GET", url, {"Accept": "application/json"}, within=WITHIN, max_bytes=MAX_BYTES)
    except (outbound.Refused, outbound.Unreachable, outbound.Broken) as error:
        raise Invalid(f"{field}: {error.message}") from error
    if answer.status != 200:
        further = " Redirects are not followed." if 300 <= answer.status < 400 else ""
        raise Invalid(f"{field}: {target.hostname} answered with status {answer.status}, not 200.{further}")
    if answer.is_cut:
        raise Invalid(f"{field}: the document is larger than {MAX_BYTES // 1024} KB.")
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{field}: the document is not JSON.") from error


def _is_allowed(sender: Outbound, target: SplitResult) -> bool:
    """Whether the operator has named this very address (BASEPLANE_OUTBOUND_ALLOW): a network of their own."""
    try:
        found = address(target.hostname or "")
    except ValueError:
        return False
    return any(entry.covers(found, target.port or 80) for entry in sender.rules.allowed)


def _usable(document: object, field: str) -> dict[str, Any]:
    try:
        return jwks.usable(document)
    except ValueError as error:
        raise Invalid(f"{field}: the document there {error}.") from error
