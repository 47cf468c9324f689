"""What a request to a project's HTTP address shows, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baseplane.errors import Unauthorized

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Somebody who was let in.

    ``token`` is a JWT for what lies behind: the caller's own, or the short-lived one that their API key became.
    ``bearer`` is the caller's own, as long as nobody has verified it. ``key_id`` and ``key_prefix`` may be logged; they
    are None when only a JWT was shown.
    """

    role: str
    token: str
    claims: Claims
    key_id: str | None = None
    key_prefix: str | None = None
    is_secret: bool = False
    bearer: str | None = None

    @property
    def authorization(self) -> str:
        """The Authorization header for what lies behind."""
        return f"Bearer {self.bearer or self.token}"


class Refused(Unauthorized):
    """The key or token is not accepted. ``code`` is what functions answer as ``sb-error-code``."""

    def __init__(self, message: str, code: str, hint: str | None = None) -> None:
        super().__init__(message, code=code, **({"hint": hint} if hint else {}))
        self.code = code


class Unknown(Refused):
    """Nobody here knows this key, or the one that the token is signed with: perhaps not yet."""
