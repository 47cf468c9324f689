"""Types and values of TypeScript as trees, and their text in lines of 80 columns, as the formatter oxfmt lays it out.

What does not fit breaks from the outside in. An object that is ``open`` has a line for each member in any case.
"""

from collections.abc import Sequence

from baseplane.resources.types.typescript.names import width

COLUMNS = 80


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
        return None if None in values else "{ " + "; ".join(f"{key}: {value}" for (key, _), value in pairs) + " }"

    def broken(self, indent: int, column: int, tail: int) -> str:  # noqa: ARG002
        inner = indent + 2
        lines = [_member(key, value, inner, self.ends) for key, value in self.members]
        return "\n".join(["{", *lines, " " * indent + "}"])


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
        flats = [part.flat for part in parts]
        self.flat = None if None in flats else " | ".join(flat for flat in flats if flat is not None)

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
        flats = [item.flat for item in items]
        self.flat = None if None in flats else f"[{', '.join(flat for flat in flats if flat is not None)}]"

    def broken(self, indent: int, column: int, tail: int) -> str:  # noqa: ARG002
        inner = indent + 2
        lines = [f"{' ' * inner}{item.text(inner, inner, 1)}," for item in self.items]
        return "\n".join(["[", *lines, " " * indent + "]"])
