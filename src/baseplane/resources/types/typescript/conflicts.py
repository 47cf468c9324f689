"""Functions of one name between which PostgREST cannot choose, and what it says then."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from baseplane.resources.types.typescript.types import Types

if TYPE_CHECKING:
    from baseplane.resources.types.typescript.functions import Callable

ADVICE = "Try renaming the parameters or the function itself in the database so function overloading can be resolved"


def of(found: "Callable", overloads: Sequence["Callable"], types: Types) -> str | None:
    """The complaint, if there is one."""
    others = [other for other in overloads if other is not found]
    if not found.inputs:
        return _without_arguments(found, others, types)
    if len(found.inputs) == 1 and found.inputs[0].name:
        return _by_type(found, others, types)
    return None


def _without_arguments(found: "Callable", others: Sequence["Callable"], types: Types) -> str | None:
    """One can be called with nothing as well as the other, whose only argument has a default and no name."""
    for other in others:
        if len(other.inputs) == 1 and not other.inputs[0].name and other.inputs[0].has_default:
            called = _name(found)
            return _complaint([f"{called}()", f"{called}( => {_type(other.function.returns, types)})"])
    return None


def _by_type(found: "Callable", others: Sequence["Callable"], types: Types) -> str | None:
    """They differ in nothing but the type of their only argument."""
    own = found.inputs[0]
    rivals = [
        other
        for other in others
        if len(other.inputs) == 1 and other.inputs[0].name == own.name and other.inputs[0].type != own.type
    ]
    if not rivals:
        return None
    ordered = sorted(one.inputs[0].type for one in (found, *rivals))
    return _complaint([f"{_name(found)}({own.name} => {_type(oid, types)})" for oid in ordered])


def _complaint(calls: list[str]) -> str:
    return f"Could not choose the best candidate function between: {', '.join(calls)}. {ADVICE}"


def _name(found: "Callable") -> str:
    return f"{found.function.schema}.{found.function.name}"


def _type(oid: int, types: Types) -> str:
    return types.by_oid[oid].name if oid in types.by_oid else "unknown"
