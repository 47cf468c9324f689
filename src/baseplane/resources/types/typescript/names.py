"""How names and texts are written in TypeScript, as the formatter oxfmt writes them."""

import json
import unicodedata
from functools import lru_cache

ZERO_WIDTH = frozenset({"Mn", "Me", "Cf"})


@lru_cache(maxsize=10_000)
def literal(text: str) -> str:
    """In double quotes, or in single ones where that saves backslashes."""
    quoted = json.dumps(text, ensure_ascii=False)
    if text.count('"') > text.count("'"):
        return "'" + quoted[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return quoted


@lru_cache(maxsize=10_000)
def key(name: str) -> str:
    """The name of a member: bare where it can be."""
    return name if _is_identifier(name) else literal(name)


def _is_identifier(name: str) -> bool:
    bare = name.replace("$", "_")
    return bare.isidentifier()


def width(text: str) -> int:
    """Columns that the text takes: none for marks that combine, two for wide characters."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(sign: str) -> int:
    if unicodedata.category(sign) in ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
