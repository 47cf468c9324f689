"""What a process has to know of a project to tell whom to let in: read at once, never changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from baseplane.database import Connection
from baseplane.database.secrets import Keyring
from baseplane.resources.credentials.shapes import Claims
from baseplane.resources.projects import api_keys, legacy_keys, store
from baseplane.resources.projects.api_keys import ApiKey
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.resources.signing_keys import material
from baseplane.resources.signing_keys import store as signing_keys
from baseplane.resources.signing_keys.store import SigningKey
from baseplane.resources.third_party_auth import jwks
from baseplane.resources.third_party_auth import store as third_party_auth
from baseplane.resources.third_party_auth.store import Integration

_CLASSES: dict[str, type[ECKey | RSAKey | OKPKey | OctKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey, "oct": OctKey}


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that tokens may be signed with. Without a ``kid`` it fits every token of its algorithms.

    ``is_own`` tells the project's keys from those of others; ``issuer`` is what a token must say then, if it is known.
    """

    key: Key
    jwk: dict[str, Any]
    algorithms: tuple[str, ...]
    kid: str | None
    is_own: bool = True
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """The key in use. The JWT secret signs without a kid, as tokens of the legacy kind are."""

    key: Key
    algorithm: str
    kid: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``minted``, ``verified`` and ``environment`` are what was made of it since, and are forgotten with it."""

    project: Project
    legacy_keys: dict[str, str]
    """By role."""
    has_legacy_keys: bool
    api_keys: dict[bytes, ApiKey]
    """By digest."""
    signer: Signer
    verifiers: tuple[Verifier, ...]
    public_jwks: dict[str, Any]
    minted: dict[str, tuple[str, Claims]] = field(default_factory=dict)
    verified: dict[str, Claims] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def verification_jwks(self) -> dict[str, Any]:
        """Everything that a token may be signed with, shared secrets too."""
        return {"keys": [verifier.jwk for verifier in self.verifiers]}


async def read(db: Connection, keyring: Keyring, ref: str) -> Snapshot | None:
    """None without such a project. Raises Unavailable."""
    project = await store.find(db, ref)
    if project is None or project.status == Status.REMOVED:
        return None
    secret = (await store.read_secrets(db, keyring, ref)).jwt_secret
    keys = await signing_keys.list_of(db, ref)
    issuers = await third_party_auth.list_of(db, ref)
    used = next((key for key in keys if key.status == "in_use"), None)
    return Snapshot(
        project=project,
        legacy_keys={role: legacy_keys.key(project, role, secret) for role in legacy_keys.ROLES},
        has_legacy_keys=await legacy_keys.are_enabled(db, ref),
        api_keys={key.digest: key for key in await api_keys.list_of(db, ref)},
        signer=_signer(secret, keyring, used),
        verifiers=tuple(_verifiers(secret, keyring, keys, issuers)),
        public_jwks=signing_keys.jwks(keys),
    )


def _signer(secret: str, keyring: Keyring, used: SigningKey | None) -> Signer:
    """A JWT secret that nobody has set up as a signing key signs as long as no other key does."""
    if used is None or used.is_legacy:
        return Signer(OctKey.import_key(secret.encode()), "HS256", None)
    jwk = used.private_jwk(keyring)
    return Signer(_CLASSES[jwk["kty"]].import_key(jwk), used.algorithm, str(used.id))


def _verifiers(secret: str, keyring: Keyring, keys: list[SigningKey], issuers: list[Integration]) -> Iterator[Verifier]:
    legacy = next((key for key in keys if key.is_legacy), None)
    if legacy is None or legacy.status != "revoked":
        jwk = material.shared(secret, None).private
        yield Verifier(OctKey.import_key(secret.encode()), jwk, ("HS256",), None)
    for key in keys:
        if not key.is_legacy and key.status != "revoked":
            jwk = key.public_jwk or key.private_jwk(keyring)
            yield Verifier(_CLASSES[jwk["kty"]].import_key(jwk), jwk, (key.algorithm,), str(key.id))
    for issuer in issuers:
        for jwk in issuer.resolved_jwks["keys"]:
            theirs = _CLASSES[jwk["kty"]].import_key(jwk)
            yield Verifier(theirs, jwk, jwks.algorithms_of(jwk), jwk.get("kid"), is_own=False, issuer=issuer.issuer)
