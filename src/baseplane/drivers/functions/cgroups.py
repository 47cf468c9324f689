"""Limits of memory that the kernel keeps, where we may make control groups: version 1 or 2."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_MOUNT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One process' own."""

    home: Path

    @classmethod
    def make(cls, parent: Path, name: str, memory: int) -> Self | None:
        """``memory`` is in bytes. None where it cannot be made: somebody watches the process instead."""
        made = cls(parent / name)
        try:
            made.home.mkdir()
            if (made.home / "memory.max").exists():
                _write(made.home / "memory.max", memory)
                _try(made.home / "memory.swap.max", 0)
            else:
                _write(made.home / "memory.limit_in_bytes", memory)
                _try(made.home / "memory.memsw.limit_in_bytes", memory)
        except OSError:
            made.remove()
            return None
        return made

    def take(self, pid: int) -> None:
        """The process enters. The kernel takes its time for this, 10 ms and more in version 1. Raises OSError."""
        _write(self.home / "cgroup.procs", pid)

    def ran_out(self) -> bool:
        """Whether the kernel ended a process here for its memory."""
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                lines = (self.home / name).read_text().splitlines()
                return any(line.startswith("oom_kill ") and line != "oom_kill 0" for line in lines)
        return False

    def remove(self) -> bool:
        """False while the kernel still keeps something of it."""
        try:
            self.home.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True


def find_parent() -> Path | None:
    """Where groups can be made; None where we may make none."""
    ours = _ours()
    if "memory" in ours:
        home = _below(_MOUNT / "memory", ours["memory"])
    elif "" in ours:
        # Processes and groups do not live side by side in version 2: a sibling of our own group, then.
        own = _below(_MOUNT, ours[""])
        home = own.parent if own != _MOUNT else own
        if "memory" not in _read(home / "cgroup.subtree_control").split():
            return None
    else:
        return None
    return home if os.access(home, os.W_OK) else None


def _ours() -> dict[str, str]:
    """Our own group by controller; version 2 has no name."""
    lines = _read(Path("/proc/self/cgroup")).splitlines()
    fields = [line.split(":", 2) for line in lines]
    return {controller: path for _, controllers, path in fields for controller in controllers.split(",")}


def _below(mount: Path, path: str) -> Path:
    """A container may see its own group as the root."""
    home = mount / path.lstrip("/")
    return home if home.is_dir() else mount


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _write(file: Path, value: int) -> None:
    file.write_text(str(value))


def _try(file: Path, value: int) -> None:
    with contextlib.suppress(OSError):
        _write(file, value)
