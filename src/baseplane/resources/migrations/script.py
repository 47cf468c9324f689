"""The SQL of a migration: its statements, and which of them cannot be part of one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from baseplane.errors import Invalid

PARSED = 512 * 1024
"""Characters up to which Postgres' grammar splits a text; its memory grows with that by about 100 bytes each. Longer ones
are split by its scanner, which needs none."""

# Postgres' scanner takes quadratic time over a long run of operator characters: minutes for 200 kB. These runs are quick:
# banners, made of few stretches of one character that is not "+".
_RUN = re.compile(r"[-+*/<>=~!@#%^&|`?]{100,}")
_STRETCHES = 8

_GAP = re.compile(r"[\s;]*")
_BLANK = re.compile(r"(?:\s+|--[^\n]*)+")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
HEAD = 1000
"""Characters of a statement that are looked at to see what it is."""

_BEGIN = re.compile(r"(begin|start)( work| transaction)?")
_COMMIT = re.compile(r"(commit|end)( work| transaction)?( and no chain)?")
_CONTROL = re.compile(
    r"(begin|start transaction|commit|end|abort|prepare transaction|rollback(?!( work| transaction)? to ))\b"
)
_CLIENT_COPY = re.compile(r"copy .*\b(from stdin|to stdout)\b")
# As in the pages of Postgres' reference that say "cannot be executed inside a transaction block"; those that depend on
# more than the statement's own words (DROP SUBSCRIPTION, CLUSTER) are left to Postgres.
_ALONE = re.compile(
    r"vacuum\b|create (unique )?index concurrently\b|drop index concurrently\b|reindex\b.* concurrently\b"
    r"|reindex (\(.*\) ?)?(database|system|schema)\b|(create|drop) (database|tablespace)\b|alter system\b|discard all\b"
    r"|alter database .* set tablespace\b|alter table .* detach partition .* concurrently\b"
)
_BODY_OF_STATEMENTS = re.compile(r"\bbegin\s+atomic\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """``start`` and ``end`` are places in the script's text."""

    start: int
    end: int
    text: str

    @cached_property
    def head(self) -> str:
        """How it begins: lower case, no comments, single spaces."""
        bare = _COMMENT.sub(" ", self.text[_behind_comments(self.text) :][:HEAD])
        return " ".join(bare.lower().split())


@dataclass(frozen=True, slots=True)
class Script:
    """``text`` is what is run; ``statements`` are its parts, for the record and for naming them."""

    text: str
    statements: tuple[Statement, ...]

    @property
    def texts(self) -> list[str]:
        return [statement.text for statement in self.statements]

    def line(self, statement: Statement) -> int:
        """In the text, counted from 1."""
        return self.text.count("\n", 0, statement.start + _behind_comments(statement.text)) + 1


def read(text: str, field: str) -> Script:
    """Split ``text``, the value of ``field``. A BEGIN … COMMIT around the whole is taken off: what is run is one transaction
    anyway. Takes up to seconds for megabytes: call it in a thread.

    Raises Invalid for what cannot be part of a migration.
    """
    script = _unwrapped(Script(text, tuple(_with_comments(text, _split(text)))))
    if not script.statements:
        raise Invalid(f"{field}: holds no statement, only blanks and comments")
    for number, statement in enumerate(script.statements, 1):
        if problem := _problem(statement, is_only=len(script.statements) == 1):
            where = f"statement {number} of {len(script.statements)}, on line {script.line(statement)}"
            raise Invalid(f"{field}: {where}, is {_shown(statement)}. {problem}", statement=number)
    return script


def _problem(statement: Statement, *, is_only: bool) -> str | None:
    if _CONTROL.match(statement.head):
        return "A migration is one transaction by itself: leave BEGIN, COMMIT and ROLLBACK out. Nothing was applied."
    if _CLIENT_COPY.match(statement.head):
        return "COPY from or to the client needs a connection to the database: use INSERT. Nothing was applied."
    if not is_only and _ALONE.match(statement.head):
        return (
            "Postgres does not run it inside a transaction, and a migration of several statements is one. Apply it as a"
            " migration of its own. Nothing was applied."
        )
    return None


def _shown(statement: Statement) -> str:
    return statement.head[:80].upper() + ("…" if len(statement.head) > 80 else "")


def _unwrapped(script: Script) -> Script:
    """Without BEGIN and COMMIT around it, which become spaces, so that every place in the text stays."""
    if len(script.statements) < 2:
        return script
    first, *inner, last = script.statements
    if not (_BEGIN.fullmatch(first.head) and _COMMIT.fullmatch(last.head)):
        return script
    text = script.text
    for edge in (first, last):
        text = text[: edge.start] + re.sub(r"[^\n]", " ", edge.text) + text[edge.end :]
    return Script(text, tuple(inner))


def _split(text: str) -> list[slice]:
    """By Postgres' own grammar; by its scanner where that grammar is of another version, or Postgres is to say what is
    wrong; the whole text where neither can.
    """
    from pglast.parser import ParseError, split  # 21 ms and 8 MB, for those who apply migrations

    whole = [slice(0, len(text))]
    if _is_slow(text):
        return whole
    if len(text) <= PARSED:
        try:
            return list(split(text, only_slices=True))
        except ParseError:
            pass
    if _BODY_OF_STATEMENTS.search(text):
        return whole
    try:
        return list(split(text, with_parser=False, only_slices=True)) or whole
    except ParseError:
        return whole


def _with_comments(text: str, slices: list[slice]) -> Iterator[Statement]:
    """Each with the comments before it, as the CLI records them: otherwise they would be lost to who fetches the history."""
    behind = 0
    for at in slices:
        gap = _GAP.match(text, behind)
        start = gap.end() if gap else at.start
        if start + _behind_comments(text[start : at.stop]) != at.start:
            start = at.start
        behind = at.stop
        yield Statement(start, at.stop, text[start : at.stop])


def _is_slow(text: str) -> bool:
    return any(
        "+" in run or sum(one != other for one, other in pairwise(run)) > _STRETCHES for run in _RUN.findall(text)
    )


def _behind_comments(text: str) -> int:
    """Where the first word stands. Comments nest."""
    at = depth = 0
    while True:
        if not depth and (blank := _BLANK.match(text, at)):
            at = blank.end()
        if not depth and not text.startswith("/*", at):
            return at
        edge = _COMMENT_EDGE.search(text, at)
        if edge is None:
            return len(text)
        depth += 1 if edge.group() == "/*" else -1
        at = edge.end()
