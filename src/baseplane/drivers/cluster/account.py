"""The system users that run Postgres, which refuses to be run by root, and Caddy."""

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baseplane.drivers.cluster import DriverUnavailable


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs a program. ``switch`` says whether we must become that user first."""

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def process(self) -> dict[str, Any]:
        """Arguments for subprocess that start a program as this user, away from our terminal and signals."""
        own: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}
        return {**own, "start_new_session": True, "stdin": subprocess.DEVNULL}

    def own(self, path: Path, mode: int = 0o700) -> Path:
        """Make sure this directory is there and belongs to the user."""
        path.mkdir(parents=True, exist_ok=True)
        if self.switch:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path

    def give(self, file: Path, mode: int = 0o600) -> None:
        """Make a file the user's."""
        file.chmod(mode)
        if self.switch:
            os.chown(file, self.uid, self.gid)

    def write(self, path: Path, text: str, mode: int = 0o600) -> None:
        """Replace a file of the user's in one step, on disk when this returns."""
        fresh = path.with_name(path.name + ".new")
        with fresh.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.give(fresh, mode)
        fresh.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def check_reach(self, path: Path) -> None:
        """Raises DriverUnavailable naming the first directory that keeps this user out of ``path``."""
        if not self.switch:
            return
        for parent in reversed(path.absolute().parents):
            if parent.exists() and not _may_enter(self, parent):
                raise DriverUnavailable(
                    f"The user {self.name}, who runs Postgres, may not enter {parent}. Allow it (chmod o+x {parent}),"
                    " or choose another directory with --data-dir."
                )


def _may_enter(account: Account, directory: Path) -> bool:
    found = directory.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & 0o100)
    return bool(found.st_mode & (0o010 if found.st_gid == account.gid else 0o001))


def account(name: str) -> Account:
    """The user to run programs as: ourselves, or, when we are root, the system user ``name``, made if missing.

    Raises DriverUnavailable.
    """
    if os.geteuid() != 0:
        us = pwd.getpwuid(os.geteuid())
        return Account(us.pw_name, us.pw_uid, us.pw_gid, switch=False)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        entry = _create(name)
    if entry.pw_uid == 0:
        raise DriverUnavailable(
            f"Nothing of tenants' runs as root, which {name} is: name another user in BASEPLANE_POSTGRES_USER or"
            " BASEPLANE_HTTP_USER."
        )
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)


def _create(name: str) -> pwd.struct_passwd:
    program = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    if program is None:
        raise DriverUnavailable(
            f"There is no user {name} and no useradd: make one, or name one in BASEPLANE_POSTGRES_USER or ..._HTTP_USER."
        )
    arguments = [
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
    ]
    with Path("/etc/passwd").open() as users:
        fcntl.flock(users, fcntl.LOCK_EX)  # two useradd at once can leave one of us with a uid that is nobody's
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
        done = subprocess.run([program, *arguments, name], capture_output=True, text=True, check=False)
    try:
        return pwd.getpwnam(name)
    except KeyError as error:
        raise DriverUnavailable(f"The user {name} could not be made: {done.stderr.strip()}") from error
