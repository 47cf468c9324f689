"""Types and values of TypeScript as trees, and their text in lines of 80 columns, as the formatter oxfmt lays it out.

What does not fit breaks from the outside in. An object that is ``open`` has a line for each member in any case.
"""

from collections.abc import Sequence

from baseplane.errors import TooLarge
from baseplane.resources.types.typescript.names import width

COLUMNS = 80
SHORT = 1000
"""Characters beyond which nobody asks whether something fits; more than columns, since some take none."""
CHARACTERS = 32 * 1024 * 1024
"""Of the longest text that is made. A few tables of many columns, given by many functions, would be longer."""


def _short(text: str) -> str | None:
    return text if len(text) <= SHORT else None


def _joined(flats: Sequence[str | None], between: str) -> str | None:
    known = [flat for flat in flats if flat is not None]
    return between.join(known) if len(known) == len(flats) else None


class Node:
    """``flat`` is the text on one line, None where there is no such text."""

    flat: str | None

    def fits(self, column: int, tail: int) -> bool:
        return self.flat is not None and column + width(self.flat) + tail <= COLUMNS

    def text(self, indent: int, column: int, tail: int = 0) -> str:
        """As it stands from ``column`` on, with ``tail`` columns behind it, in a line indented by ``indent``."""
        return self.flat if self.flat is not None and self.fits(column, tail) else self.broken(indent, column, tail)

    def broken(self, indent: int, column: int, tail: int) -> str:
        raise NotImplementedError


class Text(Node):
    def __init__(self, text: str) -> None:
        self.flat = text

    def broken(self, indent: int, column: int, tail: int) -> str:  # noqa: ARG002
        return self.flat or ""


class Object(Node):
    """``members`` are keys as they are written, and values. ``ends`` stands behind each: a comma in values."""

    def __init__(self, members: Sequence[tuple[str, Node]], *, is_open: bool = True, ends: str = "") -> None:
        self.members, self.ends = members, ends
        self.flat = "{}" if not members else None if is_open else self._flat()

    def _flat(self) -> str | None:
        values = [value.flat for _, value in self.members]
        pairs = zip(self.members, values, strict=True)
        flat = _joined([value and f"{key}: {value}" for (key, _), value in pairs], "; ")
        return flat and _short(f"{{ {flat} }}")

    def broken(self, indent: int, column: int, tail: int) -> str:  # noqa: ARG002
        lines, size = ["{"], 0
        for key, value in self.members:
            lines.append(_member(key, value, indent + 2, self.ends))
            size += len(lines[-1])
            if size > CHARACTERS:
                raise TooLarge("The types would be too long; ask for fewer schemas, or take functions or enums away.")
        return "\n".join([*lines, " " * indent + "}"])


def _member(key: str, value: Node, indent: int, ends: str) -> str:
    head = " " * indent + key + ":"
    text = value.text(indent, width(head) + 1, len(ends))
    return f"{head}{'' if text.startswith(chr(10)) else ' '}{text}{ends}"


class Array(Node):
    """A type with ``[]`` behind it, once or several times."""

    def __init__(self, element: Node) -> None:
        self.element: Node = element.element if isinstance(element, Array) else element
        self.brackets: str = element.brackets + "[]" if isinstance(element, Array) else "[]"
        self.parenthesised = isinstance(self.element, Union)
        flat = self.element.flat
        self.flat = None if flat is None else (f"({flat})" if self.parenthesised else flat) + self.brackets

    def broken(self, indent: int, column: int, tail: int) -> str:
        if self.parenthesised:
            return f"({self.element.broken(indent, column, tail)}\n{' ' * indent}){self.brackets}"
        return self.element.text(indent, column, tail + len(self.brackets)) + self.brackets


class Union(Node):
    """One of several types; has at least two parts. An object beside null stays on the line of its brace."""

    def __init__(self, parts: Sequence[Node]) -> None:
        self.parts = parts
        flat = _joined([part.flat for part in parts], " | ")
        self.flat = flat and _short(flat)

    def broken(self, indent: int, column: int, tail: int) -> str:
        first, *others = self.parts
        if isinstance(first, Object) and [other.flat for other in others] == ["null"]:
            return first.text(indent, column, tail + len(" | null")) + " | null"
        inner = indent + 4
        return "".join(f"\n{' ' * (indent + 2)}| {part.text(inner, inner)}" for part in self.parts)


class Intersection(Node):
    def __init__(self, left: Node, right: Node) -> None:
        self.left, self.right = left, right
        self.flat = f"{left.flat} & {right.flat}"

    def broken(self, indent: int, column: int, tail: int) -> str:
        return f"{self.left.broken(indent, column, tail)} & {self.right.flat}"


class Tuple(Node):
    """An array literal, or a tuple type."""

    def __init__(self, items: Sequence[Node]) -> None:
        self.items = items
        flat = _joined([item.flat for item in items], ", ")
        self.flat = None if flat is None else _short(f"[{flat}]")

    def broken(self, indent: int, column: int, tail: int) -> str:  # noqa: ARG002
        inner = indent + 2
        lines = [f"{' ' * inner}{item.text(inner, inner, 1)}," for item in self.items]
        return "\n".join(["[", *lines, " " * indent + "]"])
