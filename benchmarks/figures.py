"""A measured figure, and the table of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """``aim`` is what was hoped for, as a number of the same unit; ``note`` says what it was measured against."""

    name: str
    value: float
    unit: str
    aim: float | None = None
    note: str = ""

    def row(self) -> str:
        aim = "" if self.aim is None else f"{self.aim:g}"
        ratio = "" if self.aim is None else f"{self.value / self.aim:.2f}x"
        return f"{self.name:44} {self.value:10.4g} {self.unit:8} {aim:>8} {ratio:>7}  {self.note}"


HEADER = f"{'figure':44} {'value':>10} {'unit':8} {'aim':>8} {'of aim':>7}  note"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie, counted up."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
