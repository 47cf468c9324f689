"""Where a page of snippets ended, as text that callers hand back: the sorting, and the last row's key and id.

The next page is what sorts behind that row, so that rows which come or go meanwhile neither repeat nor hide others.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import orjson

from baseplane.errors import Invalid

SortBy = Literal["name", "inserted_at"]
SortOrder = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Sorting:
    by: SortBy
    order: SortOrder


@dataclass(frozen=True, slots=True)
class Position:
    """The row that a page ended with: its value in the column sorted by, and its id, which no other has."""

    key: str | datetime
    id: UUID


def encode(sorting: Sorting, last: Position) -> str:
    key = last.key.isoformat() if isinstance(last.key, datetime) else last.key
    return base64.urlsafe_b64encode(orjson.dumps([sorting.by, sorting.order, key, str(last.id)])).decode().rstrip("=")


def decode(cursor: str, sorting: Sorting) -> Position:
    """Raises Invalid."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        by, order, key, snippet_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = Position(_key(by, key), UUID(snippet_id))
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise Invalid("cursor: is none that this list has given; leave it out to begin at the start.") from error
    if (by, order) != (sorting.by, sorting.order):
        raise Invalid(f"cursor: belongs to the list by {by} {order}; give the same sort_by and sort_order with it.")
    return position


def _key(by: str, key: object) -> str | datetime:
    """Raises ValueError, OverflowError."""
    if not isinstance(key, str) or "\0" in key:
        raise ValueError("no key")
    return datetime.fromisoformat(key).astimezone(UTC) if by == "inserted_at" else key
