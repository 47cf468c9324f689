"""The order of names: that of Intl.Collator("en"), which is the root order of Unicode's collation algorithm.

First by what signs there are (spaces, punctuation, symbols, digits, letters by script), then by accents, then small
letters before capitals. Postgres could sort so with ICU, which not every build of it has.

collation.json is the order of single signs, observed with Intl.Collator("en") of ICU 78: ``order`` has runs of signs that
differ in themselves, and lists of signs that differ in accent, or within one text in case alone; ``marks`` are the
accents that combine; ``expansions`` are sorted as two letters. Chinese characters come behind all others, by code point.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

Key = tuple[str, str, str]
Weights = tuple[str, str, str]

COMMON = "\1"
"""The weight of a sign without accent, and of a small letter."""
CASES = 4
"""Between a small letter and its capital there is room for variants, such as wide ones."""
UNLISTED = 0x10000
BEFORE_CONSONANT = re.compile(r"([\u0e40-\u0e44\u0ec0-\u0ec4])([\u0e01-\u0e2e\u0e81-\u0eae])")
_DATA = json.loads(Path(__file__).with_name("collation.json").read_text("utf-8"))


def _listed() -> Iterator[tuple[str, Weights]]:
    primary = 0
    for entry in _DATA["order"]:
        for groups in entry if isinstance(entry, str) else [entry]:
            primary += 1
            for accent, group in enumerate(groups):
                for case, sign in enumerate(group):
                    yield sign, (chr(primary), chr(1 + accent), chr(1 + CASES * case))


MARKS = {sign: ("", chr(0x100 + at), COMMON) for at, sign in enumerate(_DATA["marks"])}
WEIGHTS: dict[str, Weights] = {**dict(_listed()), **MARKS}


@lru_cache(maxsize=10_000)
def key(text: str) -> Key:
    """What to sort by. Equal for texts that differ in signs alone that count for nothing, such as control characters."""
    weights = [weight for sign in _logical(unicodedata.normalize("NFD", text)) for weight in _weights(sign)]
    primary, secondary, tertiary = zip(*weights, strict=True) if weights else ((), (), ())
    return "".join(primary), "".join(secondary), "".join(tertiary)


def _logical(text: str) -> str:
    """Thai and Lao write some vowels before the consonant that they follow."""
    return BEFORE_CONSONANT.sub(r"\2\1", text)


def _weights(sign: str) -> Iterator[Weights]:
    if sign in WEIGHTS:
        yield WEIGHTS[sign]
        return
    as_others = _DATA["expansions"].get(sign) or unicodedata.normalize("NFKD", sign)
    if as_others != sign:
        for other in as_others:
            yield from ((primary, secondary, chr(ord(case) + 1)) for primary, secondary, case in _weights(other))
    elif unicodedata.category(sign)[0] != "C":
        yield chr(min(UNLISTED + ord(sign), 0x10FFFF)), COMMON, COMMON
