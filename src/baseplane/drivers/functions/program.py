"""Deno and the prelude, in a place that tenants' users can reach: a virtual environment below /root is none."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from baseplane.drivers import deno
from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.functions.absent import MISSING

_PRELUDE = Path(__file__).with_name("prelude.js")


@dataclass(frozen=True, slots=True)
class Program:
    home: Path

    @property
    def deno(self) -> Path:
        return self.home / "deno"

    @property
    def prelude(self) -> Path:
        return self.home / "prelude.js"


def install(root: Path) -> Program:
    """Below ``root``, unless it is there: several processes may do so at once. Blocks for the time of copying 100 MB
    where a hard link is not possible. Raises DriverUnavailable.
    """
    found = deno.find()
    if found is None:
        raise DriverUnavailable(MISSING)
    about = found.stat()
    identity = f"{about.st_size}:{about.st_mtime_ns}:".encode() + _PRELUDE.read_bytes()
    program = Program(root / f"deno-{hashlib.sha256(identity).hexdigest()[:16]}")
    if not program.home.exists():
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o711)
        fresh = Path(tempfile.mkdtemp(prefix=".deno-", dir=root))
        _place(found, fresh / "deno")
        shutil.copyfile(_PRELUDE, fresh / "prelude.js")
        (fresh / "prelude.js").chmod(0o644)
        fresh.chmod(0o755)
        with contextlib.suppress(OSError):  # another process was first
            fresh.rename(program.home)
        shutil.rmtree(fresh, ignore_errors=True)
    return program


def check_reach(path: Path) -> None:
    """Raises DriverUnavailable naming the first directory that keeps the users of functions out of ``path``."""
    for parent in reversed(path.absolute().parents):
        if os.geteuid() == 0 and parent.exists() and not parent.stat().st_mode & 0o001:
            raise DriverUnavailable(
                f"Functions run as users of their own, who may not enter {parent}. Allow it (chmod o+x {parent}), or"
                " choose another directory with --data-dir."
            )


def _place(found: Path, at: Path) -> None:
    try:
        os.link(found.resolve(), at)
    except OSError:  # another file system
        shutil.copyfile(found, at)
    at.chmod(0o755)
