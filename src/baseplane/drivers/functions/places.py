"""Where the files of functions lie: one directory for each version, made beside and put in its place by a name."""

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from baseplane.drivers.disk import sync
from baseplane.drivers.functions import FunctionBroken, FunctionSpec
from baseplane.drivers.functions.imports import SOURCE
from baseplane.drivers.functions.users import User

RESTED = 900.0
"""Seconds; longer than any request."""
_SEAL = "version.json"
_NAMES = {errno.EEXIST, errno.EILSEQ, errno.EINVAL, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTDIR}
"""Errors that come of what files are called."""


@dataclass(frozen=True, slots=True)
class Version:
    """What lies on disk of one version. ``node`` says whether anything of it stands on Node's modules."""

    home: Path
    entrypoint: str
    digest: str
    node: bool = True

    @property
    def source(self) -> Path:
        return self.home / SOURCE

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def packages(self) -> Path:
        """Of npm, unpacked."""
        return self.cache / "npm"

    @property
    def configuration(self) -> Path:
        return self.home / "deno.json"


@dataclass(frozen=True, slots=True)
class Places:
    root: Path
    """Without symbolic links: Deno compares true paths."""

    def of(self, ref: str) -> Path:
        return self.root / ref

    def find(self, spec: FunctionSpec) -> Version | None:
        """The version, if it is there in full."""
        try:
            home = (self.of(spec.ref) / _name(spec)).resolve(strict=True)
            told = json.loads((home / _SEAL).read_text())
        except (OSError, ValueError):
            return None
        found = Version(home, told["entrypoint"], told["digest"], told["node"])
        return found if (found.digest, found.entrypoint) == (spec.digest, spec.entrypoint) else None

    def begin(self, spec: FunctionSpec, source: Mapping[str, bytes], user: User | None) -> Version:
        """A new directory with the source in it, which the project's user may read. Raises FunctionBroken, OSError."""
        of = self.of(spec.ref)
        of.mkdir(mode=0o750, parents=True, exist_ok=True)
        home = Path(tempfile.mkdtemp(prefix=f"{_name(spec)}.", dir=of))
        if user is not None:
            os.chown(of, 0, user.gid)
        of.chmod(0o750)
        home.chmod(0o755)
        version = Version(home, spec.entrypoint, spec.digest)
        try:
            version.source.mkdir()
            for name, content in source.items():
                file = version.source / _within(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        except BaseException as error:
            shutil.rmtree(home, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in _NAMES:
                raise FunctionBroken(f"The function's files cannot lie as they are named: {error.strerror}") from error
            raise
        return version

    def publish(self, spec: FunctionSpec, version: Version, *, node: bool) -> None:
        """Who comes first wins; the same version of another digest is replaced."""
        seal = {"entrypoint": version.entrypoint, "digest": version.digest, "node": node}
        (version.home / _SEAL).write_text(json.dumps(seal))
        sync(version.home)  # else a power cut could leave the name without the files
        name = self.of(spec.ref) / _name(spec)
        fresh = version.home.with_name(f"{version.home.name}.name")
        fresh.symlink_to(version.home.name)
        before = name.resolve()
        if self.find(spec) is not None:
            fresh.unlink()
            shutil.rmtree(version.home, ignore_errors=True)
            return
        fresh.replace(name)
        if before != name:
            shutil.rmtree(before, ignore_errors=True)

    def tidy(self, spec: FunctionSpec) -> None:
        """Delete versions before the last but one, and what was begun and never finished, once they have rested: a
        process may still serve them.
        """
        kept: set[str] = set()
        entries = list(self.of(spec.ref).glob(f"{spec.id}_*"))
        for name in (entry for entry in entries if entry.is_symlink()):
            number = name.name.rpartition("_")[2]
            if not number.isdigit() or int(number) >= spec.number - 1 or _is_young(name):
                kept.update((name.name, name.resolve().name))
        for entry in entries:
            if entry.name not in kept and not _is_young(entry):
                _delete(entry)

    def remove(self, ref: str, function: str | None) -> None:
        if function is None:
            shutil.rmtree(self.of(ref), ignore_errors=True)
            return
        for entry in self.of(ref).glob(f"{function}_*"):
            _delete(entry)


def _is_young(entry: Path) -> bool:
    try:
        return time.time() - entry.lstat().st_mtime < RESTED
    except FileNotFoundError:
        return True


def _delete(entry: Path) -> None:
    if entry.is_symlink():
        entry.unlink(missing_ok=True)
    else:
        shutil.rmtree(entry, ignore_errors=True)


def _name(spec: FunctionSpec) -> str:
    return f"{spec.id}_{spec.number}"


def _within(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise FunctionBroken(f"{name!r} is no path inside of the function's source.")
    return path
