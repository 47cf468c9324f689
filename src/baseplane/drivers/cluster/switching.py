"""Putting another data directory in a cluster's place, and back: at every moment of a crash one of the two is there.

What is prepared lies in ``<home>/aside/<label>``, laid out as a cluster's home, so that it can be started and looked
at where it is. Switching it in takes two renames; a journal beside the data says which, so that whoever finds no data
directory finishes the work instead of calling the cluster lost. The data that was replaced stays in ``aside`` until it
is discarded, and can be switched back. The cluster must be stopped, and one process at a time may switch; any may
``settle``: renaming never replaces a directory that holds something.

    prepared            aside/<label>/data   the new       data   the old
    switched in         aside/<label>/replaced   the old   data   the new
    switched back       aside/<label>/data   the new       data   the old

Data that is lost can be replaced, too. There is no way back then, and nothing to discard.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from baseplane.drivers.cluster import ClusterMissing

ASIDE = "aside"
JOURNAL = "switching"
"""A file in the cluster's home: ``in`` or ``back`` and the label."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Another data directory for the cluster whose home this is. ``label`` names the attempt and is never used again."""

    home: Path
    label: str

    @property
    def aside(self) -> Path:
        """The home of what is prepared."""
        return self.home / ASIDE / self.label

    @property
    def prepared(self) -> Path:
        return self.aside / "data"

    @property
    def replaced(self) -> Path:
        return self.aside / "replaced"

    @property
    def is_in(self) -> bool:
        """What was prepared is the cluster's data now, and the old data is kept."""
        settle(self.home)
        return self.replaced.exists() and not self.prepared.exists()

    def switch_in(self) -> None:
        """Let what was prepared be the cluster's data. Durable when this returns. Raises ClusterMissing."""
        if self.is_in:
            return
        if not self.prepared.exists():
            raise ClusterMissing(f"There is no data directory that was prepared as {self.label}.")
        if not (self.home / "data").exists():
            self.replaced.mkdir(exist_ok=True)
        _note(self.home, f"in {self.label}")
        _finish(self.home, (self.home / "data", self.replaced), (self.prepared, self.home / "data"))

    def switch_back(self) -> None:
        """Let the data that was replaced be the cluster's again, if it is not. Durable when this returns."""
        if not self.is_in or not any(self.replaced.iterdir()):
            return
        _note(self.home, f"back {self.label}")
        _finish(self.home, (self.home / "data", self.prepared), (self.replaced, self.home / "data"))

    def discard(self) -> None:
        """Delete what of the two is not the cluster's data. Neither switching is possible afterwards."""
        settle(self.home)
        with contextlib.suppress(FileNotFoundError):
            if (self.home / JOURNAL).read_text().endswith(f" {self.label}"):
                (self.home / JOURNAL).unlink()
        doomed = self.home / ASIDE / f".{self.label}"
        with contextlib.suppress(FileNotFoundError):
            self.aside.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def all_aside(home: Path) -> list[Switch]:
    """Every attempt that has left something in this cluster's home."""
    with contextlib.suppress(FileNotFoundError):
        return [Switch(home, entry.name) for entry in (home / ASIDE).iterdir() if not entry.name.startswith(".")]
    return []


def settle(home: Path) -> None:
    """Finish a switch that was broken off between its two renames; otherwise change nothing."""
    data = home / "data"
    if data.exists():
        return
    with contextlib.suppress(FileNotFoundError, ValueError):
        direction, label = (home / JOURNAL).read_text().split()
        switch = Switch(home, label)
        _rename(switch.prepared if direction == "in" else switch.replaced, data)
        _sync(data.parent, switch.aside)


def _finish(home: Path, *renames: tuple[Path, Path]) -> None:
    for old, new in renames:
        _rename(old, new)
    _sync(*_parents(renames))
    (home / JOURNAL).unlink(missing_ok=True)
    _sync(home)


def _rename(old: Path, new: Path) -> None:
    """Another process may settle at the same time: what it has renamed is done."""
    try:
        old.rename(new)
    except FileNotFoundError:
        if not new.exists():
            raise


def _note(home: Path, text: str) -> None:
    fresh = home / f"{JOURNAL}.new"
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(home / JOURNAL)
    _sync(home)


def _parents(renames: tuple[tuple[Path, Path], ...]) -> Iterator[Path]:
    yield from {path.parent for pair in renames for path in pair}


def _sync(*directories: Path) -> None:
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
