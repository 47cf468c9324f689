"""Where the local driver keeps things below the data directory."""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.cluster.switching import Switch

SOCKET_NAME = ".s.PGSQL.5432"
PLATFORM = "platform"
"""The platform's own database, where it is a cluster of ours: no ref is so short."""
MAX_SOCKET_PATH = 103
"""Bytes of a Unix socket's path: 104 with the final null on macOS, 108 on Linux."""


@dataclass(frozen=True, slots=True)
class Layout:
    root: Path

    @property
    def templates(self) -> Path:
        return self.root / "templates"

    @property
    def clusters(self) -> Path:
        return self.root / "clusters"

    @property
    def platform(self) -> Path:
        return self.root / "platform"

    @property
    def platform_password(self) -> Path:
        """That of the platform database's roles."""
        return self.platform / "password"

    def spool(self, ref: str, generation: str) -> Path:
        """Where finished segments of the write-ahead log wait for the archive: they outlive the cluster's home."""
        return self.root / "spool" / ref / generation

    @property
    def sockets(self) -> Path:
        """Short enough for a socket in a folder named by a ref; below the data directory where that is short enough."""
        return _sockets_of(self.root)

    @property
    def door(self) -> Path:
        """The Postgres door, for users of this machine: what projects run here may not use its network."""
        return self.sockets / "doors" / SOCKET_NAME

    @property
    def gateway(self) -> Path:
        """The HTTP door's own socket, for everybody on this machine."""
        return self.sockets / "gateway.sock"

    @property
    def caddy(self) -> Path:
        """Sockets between Caddy and the gateway, which nobody else may name."""
        return self.sockets / "caddy"

    def cluster(self, ref: str) -> "ClusterFiles":
        """Its sockets lie in a directory that only who has the installation's files can name: all clusters run as one
        user, and postgres_fdw would otherwise lead from one tenant's SQL to another's socket, past the door's rules.
        """
        if ref == PLATFORM:
            return ClusterFiles(self.platform, self.sockets / PLATFORM)
        return ClusterFiles(self.clusters / ref, self._sockets_of(ref))

    def aside(self, ref: str, label: str) -> "ClusterFiles":
        """Where another data directory for this cluster is prepared, which may run at the same time (``switching``)."""
        return ClusterFiles(Switch(self.cluster(ref).home, label).aside, self._sockets_of(f"{ref}/{label}"))

    def drill(self, ref: str) -> "ClusterFiles":
        """Where a backup of this cluster is tried out: outside its home, which may go or change meanwhile."""
        return ClusterFiles(self.root / "drills" / ref, self._sockets_of(f"{ref}/drill"))

    def _sockets_of(self, name: str) -> Path:
        return self.sockets / hmac.digest(_key(self.root / "sockets.key"), name.encode(), hashlib.sha256)[:10].hex()


@dataclass(frozen=True, slots=True)
class ClusterFiles:
    home: Path
    sockets: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def root_keys(self) -> Path:
        """Beside the data directory, where schema vault looks for them: no copy of the data holds its own key."""
        return self.home / "root.key"

    @property
    def closed(self) -> Path:
        """Is there while the server lets nobody in but the platform."""
        return self.home / "closed"

    @property
    def output(self) -> Path:
        return self.home / "postgres.out"

    @property
    def socket(self) -> Path:
        return self.sockets / SOCKET_NAME


@cache
def _sockets_of(root: Path) -> Path:
    longest = root / "run" / ("x" * 20) / (SOCKET_NAME + ".lock")
    if len(str(longest).encode()) <= MAX_SOCKET_PATH:
        return root / "run"
    short = hashlib.sha256(str(root).encode()).hexdigest()[:10]
    fallback = Path(tempfile.gettempdir()) / f"baseplane-{short}"
    if len(str(fallback).encode()) + 41 > MAX_SOCKET_PATH:
        raise DriverUnavailable(f"The data directory {root} is too long a path for Unix sockets; take a shorter one.")
    return fallback


@cache
def _key(file: Path) -> bytes:
    """Made by whichever process comes first."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".sockets.") as fresh:  # mode 0600
            fresh.write(secrets.token_bytes(32))
            fresh.flush()
            os.fsync(fresh.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(fresh.name, file)
    return file.read_bytes()
