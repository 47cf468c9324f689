"""The order of names: that of Intl.Collator("en"), which is the root order of Unicode's collation algorithm.

Spaces, then punctuation, symbols, digits, letters; then accents; then small letters before capitals.
"""

import unicodedata
from functools import lru_cache

Key = tuple[str, str, str]

ASCII = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
"""In order; the other control characters count for nothing."""
PRIMARY = {ord(sign): chr(at + 1) for at, sign in enumerate(ASCII)}
COMMON, CAPITAL = "\1", "\2"


@lru_cache(maxsize=10_000)
def key(text: str) -> Key:
    """What to sort by. Equal for texts that differ in ignorable characters alone."""
    primary, secondary, tertiary = [], [], []
    for sign in unicodedata.normalize("NFD", text):
        if unicodedata.category(sign) == "Mn":
            secondary.append(sign)
            tertiary.append(COMMON)
        elif weight := _primary(sign.lower()):
            primary.append(weight)
            secondary.append(COMMON)
            tertiary.append(CAPITAL if sign.isupper() else COMMON)
    return "".join(primary), "".join(secondary), "".join(tertiary)


def _primary(sign: str) -> str:
    point = ord(sign[0])
    return PRIMARY.get(point) or ("" if point < 128 else chr(point))
