"""Engines that this machine has already, and the choice between all of them."""

import re
import subprocess
from pathlib import Path

from baseplane.drivers.cluster.engines.engine import Engine, EngineMissing
from baseplane.drivers.cluster.engines.installing import installed
from baseplane.drivers.cluster.engines.recipes import RECIPES

# Where packagers put the versioned ones: Debian and PGDG for it, PGDG for RHEL, Homebrew on ARM and on Intel.
_LAYOUTS = (
    "usr/lib/postgresql/*/bin/postgres",
    "usr/pgsql-*/bin/postgres",
    "opt/homebrew/opt/postgresql@*/bin/postgres",
    "usr/local/opt/postgresql@*/bin/postgres",
)
_OURS = {recipe.major for recipe in RECIPES}


def found(machine: Path = Path("/")) -> list[Engine]:
    """Every Postgres server below ``machine`` where its packagers put it, by version; those that do not run are left out."""
    engines = [_ask(path) for layout in _LAYOUTS for path in machine.glob(layout)]
    return sorted((engine for engine in engines if engine), key=_by_version)


def pick(major: int, root: Path) -> Engine:
    """The engine to use for ``major``: one installed below ``root``, else the newest found. Raises EngineMissing."""
    engines = [engine for engine in installed(root) if engine.major == major]
    engines = engines or [engine for engine in found() if engine.major == major]
    if not engines:
        how = f"`baseplane engines install {major}`" if major in _OURS else "the system's package manager"
        raise EngineMissing(f"There is no Postgres {major} on this machine; get it with {how}.")
    return engines[-1]


def _ask(postgres: Path) -> Engine | None:
    """``postgres -V`` prints ``postgres (PostgreSQL) 15.18 (Debian …)``, and for a beta ``18beta1``."""
    try:
        answer = subprocess.run([postgres, "-V"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) ((\d+)\S*)", answer)
    return Engine(int(version[2]), version[1], postgres.parent.parent, "found") if version else None


def _by_version(engine: Engine) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", engine.version))
