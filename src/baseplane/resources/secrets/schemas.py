import hashlib
import re
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field

from baseplane.api.bodies import NOT_EMPTY, Body, Text
from baseplane.resources.secrets.store import Secret

RESERVED = "SUPABASE_"
_UNNAMEABLE = re.compile(r"[=\x00-\x1f\x7f]")


def _name(name: str) -> str:
    if name.startswith(RESERVED):
        raise ValueError(f"must not begin with {RESERVED}, which is for variables that the platform sets")
    if _UNNAMEABLE.search(name):
        raise ValueError("must not hold = or a control character: it becomes the name of an environment variable")
    return name


Name = Annotated[Text, Field(max_length=256), NOT_EMPTY, AfterValidator(_name)]


class NewSecret(Body):
    name: Name
    value: Annotated[Text, Field(max_length=24_576)]


class SecretResponse(Body):
    """``value`` is the SHA-256 of the secret in lower-case hex, by which clients see whether it is the one they set."""

    name: str
    value: str
    updated_at: datetime

    @classmethod
    def of(cls, secret: Secret) -> Self:
        digest = hashlib.sha256(secret.value.encode()).hexdigest()
        return cls(name=secret.name, value=digest, updated_at=secret.updated_at)
