"""Which key or token a request to a project shows, and what it may be there."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import psycopg

from baseplane.database import Connection
from baseplane.database.secrets import digest
from baseplane.database.snapshots import Snapshots
from baseplane.errors import NotFound, Unavailable
from baseplane.resources.credentials import snapshot, tokens
from baseplane.resources.credentials.environment import environment
from baseplane.resources.credentials.shapes import Claims, Credentials, Refused, Unknown
from baseplane.resources.credentials.snapshot import Snapshot
from baseplane.resources.projects import store
from baseplane.runtime import Runtime

Judged = TypeVar("Judged")

_BROWSER = re.compile(r"\s*(Mozilla|Opera)/", re.IGNORECASE)
"""How every browser's User-Agent begins."""
_BEARER = re.compile(r"bearer +([^ ]+) *", re.IGNORECASE)
CHANNEL = "baseplane_keys"
OPAQUE = ("sb_publishable_", "sb_secret_")


class Resolver:
    """One of a process. Headers are given by their names in lower case; nothing that is raised holds a key.

    ``attend`` must run meanwhile; while it does not, every call reads the platform database.
    """

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._snapshots = Snapshots(rt.database, CHANNEL, self._read)
        self.attend = self._snapshots.attend

    async def _read(self, db: Connection, ref: str) -> Snapshot | None:
        return await snapshot.read(db, self._rt.keyring, ref)

    async def find(self, ref: str, headers: Mapping[str, str], apikey: str | None = None) -> Credentials | None:
        """The API key in ``apikey`` or as Bearer; None if there is none. The caller's own JWT is not looked at.

        ``apikey`` is that of the query, where a WebSocket has it. A key as Bearer wins over the other.
        Raises Refused, NotFound, Unavailable.
        """
        return await self._judge(ref, lambda snapshot: _find(snapshot, headers, apikey))

    async def resolve(self, ref: str, headers: Mapping[str, str], apikey: str | None = None) -> Credentials:
        """The same where a key has to be. Raises Refused, NotFound, Unavailable."""
        found = await self.find(ref, headers, apikey)
        if found is None:
            hint = "No `apikey` request header or url param was found."
            raise Refused("No API key found in request", tokens.API_KEY, hint)
        return found

    async def authenticate(
        self, ref: str, headers: Mapping[str, str], apikey: str | None = None, *, needs_key: bool = False
    ) -> Credentials:
        """Whom the request comes from: by the caller's own JWT, verified, else by the API key.

        Raises Refused, NotFound, Unavailable.
        """
        found = await (self.resolve if needs_key else self.find)(ref, headers, apikey)
        bearer = found.bearer if found is not None else bearer_of(headers)
        if bearer is None:
            if found is None:
                raise Refused("Missing authorization header", tokens.NO_HEADER)
            return found
        claims = await self.verify(ref, bearer)
        role = claims.get("role")
        seen = found or Credentials("anon", bearer, claims)
        return dataclasses.replace(
            seen, role=role if isinstance(role, str) else "anon", token=bearer, claims=claims, bearer=None
        )

    async def verify(self, ref: str, token: str) -> Claims:
        """The claims of a JWT: of the project's own keys, or of a third party. Raises Refused, NotFound, Unavailable."""
        return await self._judge(ref, lambda snapshot: tokens.verify(snapshot, token))

    async def project(self, ref: str) -> store.Project:
        """The project, in the state that it is in now. Raises NotFound, Unavailable."""
        return (await self._snapshot(ref)).project

    async def jwks(self, ref: str) -> dict[str, Any]:
        """Public keys, for everybody: /auth/v1/.well-known/jwks.json. Raises NotFound, Unavailable."""
        return (await self._snapshot(ref)).public_jwks

    async def verification_jwks(self, ref: str) -> dict[str, Any]:
        """All keys that tokens may be signed with, for what lies behind; never shown. Raises NotFound, Unavailable."""
        return (await self._snapshot(ref)).verification_jwks

    async def snapshot(self, ref: str) -> Snapshot:
        """All that is known of the project: the same object until something in it changes. Raises NotFound, Unavailable."""
        return await self._snapshot(ref)

    async def environment(self, ref: str) -> Mapping[str, str]:
        """Of the project's functions; the same object until something in it changes. Raises NotFound, Unavailable."""
        snapshot = await self._snapshot(ref)
        if not snapshot.environment:
            try:
                async with self._rt.database.connection() as db:
                    snapshot.environment.update(await environment(db, self._rt.keyring, self._rt.settings, ref))
            except psycopg.Error as error:
                raise Unavailable("The platform database does not answer. Try again.") from error
        return snapshot.environment

    async def _judge(self, ref: str, judge: Callable[[Snapshot], Judged]) -> Judged:
        """Who is unknown is refused only once a key that was made before would have been heard of.

        Raises what ``judge`` raises, NotFound, Unavailable.
        """
        snapshot = await self._snapshot(ref)
        try:
            return judge(snapshot)
        except Unknown:
            now = await self._snapshots.caught_up(ref, snapshot)
            if now is None or now is snapshot:
                raise
        return judge(now)

    async def _snapshot(self, ref: str) -> Snapshot:
        found = await self._snapshots.get(ref)
        if found is None:
            raise NotFound(store.MISSING)
        return found


def bearer_of(headers: Mapping[str, str]) -> str | None:
    found = _BEARER.fullmatch(headers.get("authorization", ""))
    return found[1] if found else None


def _is_key(snapshot: Snapshot, text: str) -> bool:
    return text.startswith(OPAQUE) or text in snapshot.legacy_keys.values()


def _find(snapshot: Snapshot, headers: Mapping[str, str], apikey: str | None) -> Credentials | None:
    """Raises Refused."""
    shown, bearer = headers.get("apikey") or apikey, bearer_of(headers)
    if bearer is not None and _is_key(snapshot, bearer):
        shown, bearer = bearer, None
    if not shown:
        return None
    found = _known(snapshot, shown, headers.get("user-agent", ""))
    own = bearer if bearer is not None and tokens.looks_like_one(bearer) else None
    return dataclasses.replace(found, bearer=own)


def _known(snapshot: Snapshot, text: str, agent: str) -> Credentials:
    """Raises Refused."""
    for role, legacy in snapshot.legacy_keys.items():
        if text == legacy:
            if not snapshot.has_legacy_keys:
                raise tokens.legacy_disabled()
            token, claims = tokens.mint(snapshot, role, role, {})
            return Credentials(role, token, claims, role, legacy[:5], is_secret=role != "anon")
    key = snapshot.api_keys.get(digest(text)) if text.isascii() else None
    if key is None:
        raise Unknown(
            "Invalid API key", tokens.API_KEY, "Double check the API key, and that it is one of this project."
        )
    if key.type == "secret" and _BROWSER.match(agent):
        raise Refused(
            "Forbidden use of secret API key in browser",
            tokens.API_KEY,
            "Secret API keys are for servers alone. Delete this key if others can see it; browsers use publishable ones.",
        )
    template = key.token_claims or {"role": "anon"}
    token, claims = tokens.mint(snapshot, str(key.id), template["role"], template)
    return Credentials(template["role"], token, claims, str(key.id), key.prefix, is_secret=key.type == "secret")
