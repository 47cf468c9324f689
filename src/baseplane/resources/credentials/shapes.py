"""What a request to a project's HTTP address shows, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baseplane.errors import Unauthorized

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key that was accepted.

    ``token`` is the role's short-lived JWT, for what lies behind; ``bearer`` the caller's own JWT, unverified, when
    Authorization holds one that is no API key. ``claims`` are those of ``bearer`` once it is verified, else of ``token``.
    """

    role: str
    token: str
    claims: Claims
    key_id: str
    key_prefix: str
    is_secret: bool
    bearer: str | None = None

    @property
    def authorization(self) -> str:
        """The value of the Authorization header for what lies behind."""
        return f"Bearer {self.bearer or self.token}"


class Refused(Unauthorized):
    """The key or token is not accepted. ``code`` is what functions answer as ``sb-error-code``."""

    def __init__(self, message: str, code: str, hint: str | None = None) -> None:
        super().__init__(message, code=code, **({"hint": hint} if hint else {}))
        self.code = code
