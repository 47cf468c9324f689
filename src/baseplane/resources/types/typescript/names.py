"""How names and texts are written in TypeScript, as the formatter oxfmt writes them."""

import json
import unicodedata
from functools import lru_cache

ZERO_WIDTH = frozenset({"Mn", "Me", "Cf"})
PARTS_OF_SYLLABLES = ((0x1160, 0x11FF), (0xD7B0, 0xD7FF))
"""Vowels and ends of Hangul syllables, which take no columns of their own."""
IN_IDENTIFIERS = {
    **dict.fromkeys(map(ord, "$\u037a\u0e33\u0eb3\u309b\u309c\uff9e\uff9f\ufdfa\ufdfb"), "_"),
    **dict.fromkeys(range(0xFC5E, 0xFC64), "_"),
    **dict.fromkeys(range(0xFE70, 0xFE80, 2), "_"),
    **dict.fromkeys((0x200C, 0x200D), "0"),  # not at the start
}
"""What JavaScript lets identifiers have beyond Python's, as what Python lets them have."""


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
    return name.translate(IN_IDENTIFIERS).isidentifier()


def width(text: str) -> int:
    """Columns that the text takes: none for marks that combine, two for wide characters."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(sign: str) -> int:
    if unicodedata.category(sign) in ZERO_WIDTH or any(low <= ord(sign) <= high for low, high in PARTS_OF_SYLLABLES):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
