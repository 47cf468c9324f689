"""Bodies: the contract's schemas as pydantic models, named exactly as there."""

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict


class Body(BaseModel):
    """A request or response body. Fields that the contract does not name are ignored, as on the hosted platform."""

    model_config = ConfigDict(frozen=True, strict=False)


class ClosedBody(Body):
    """A request body that the contract closes: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid")


def without_null(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain the null character")
    try:
        value.encode()  # JSON can hold half of a surrogate pair
    except UnicodeEncodeError as error:
        raise ValueError(f"is not Unicode text: {error.reason} at character {error.start}") from error
    return value


def bounded_json(value: Any, most: int) -> Any:
    """JSON of the caller's own shape as Postgres can hold it, of at most so many bytes. Raises ValueError."""
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError as error:  # a TypeError
        raise ValueError(f"cannot be kept as JSON: {error}") from error
    if len(text) > most:
        raise ValueError(f"is larger than {most} bytes")
    if b"\\u0000" in text:
        raise ValueError("must not contain the null character")
    return orjson.loads(text)


Text = Annotated[str, AfterValidator(without_null)]
"""Text that Postgres can hold."""


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


NOT_EMPTY = AfterValidator(_not_empty)
"""A bound of ours, as ``at_most`` is."""


def at_most(most: int) -> AfterValidator:
    """A bound of ours, on a number or on the length of a text, that the contract does not name: not in the document."""

    def check(value: int | str) -> int | str:
        size, unit = (len(value), " characters") if isinstance(value, str) else (value, "")
        if size > most:
            raise ValueError(f"must be at most {most}{unit}")
        return value

    return AfterValidator(check)
