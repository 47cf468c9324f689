"""Who writes into an archive: one installation, which signs it again and again.

After a recovery the machine that was believed lost may come back. It finds another's signature, and from then on puts
nothing into the archive and deletes nothing there. What it wrote before is of generations of its own, which the other
never writes to. Two that sign within the same moment are told apart by the next signature.
"""

import json
import os
import platform
import secrets
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from baseplane.drivers.archive import ArchiveTaken, ArchiveUnavailable, BackupDamaged
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.cluster.layout import PLATFORM

KEY = f"{PLATFORM}/owner.json"
BEAT = 10.0
"""Seconds between two signatures."""


@dataclass(frozen=True, slots=True)
class Signature:
    """``installation`` names its data directory, by chance; ``ended`` says that it was stopped as planned."""

    installation: str
    machine: str
    directory: str
    signed_at: str
    ended: bool = False

    def __str__(self) -> str:
        return f"the installation in {self.directory} on {self.machine}, last seen {self.signed_at}"


def read(store: ObjectStore) -> Signature | None:
    """The newest signature, if there is one. Raises ArchiveUnavailable."""
    try:
        return Signature(**json.loads(store.read(KEY)))
    except BackupDamaged:
        return None


@dataclass(slots=True)
class Owner:
    """The installation in ``directory``, whose name lies in the file ``installation-id`` there."""

    store: ObjectStore
    directory: Path
    _tried: float = -BEAT
    _refusal: ArchiveUnavailable | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self) -> None:
        """Sign, if that is due. Raises ArchiveTaken when another has, ArchiveUnavailable."""
        with self._lock:
            if time.monotonic() - self._tried >= BEAT:
                self._refusal = None
                try:
                    self._sign_after_others()
                except ArchiveUnavailable as error:
                    self._refusal = error
                self._tried = time.monotonic()
            if self._refusal is not None:
                raise self._refusal

    def _sign_after_others(self) -> None:
        found = read(self.store)
        if found is not None and found.installation != self.name:
            raise ArchiveTaken(
                f"The archive belongs to {found}. One archive takes one installation: give this one another in"
                f" BASEPLANE_ARCHIVE. If it has taken over from a machine that is lost, or that one from this one, see"
                f" `baseplane recover --help`; to go on here, end the other one and delete {KEY} in the archive."
            )
        self.sign()

    def sign(self, *, ended: bool = False) -> None:
        """Write down that the archive is ours, whoever had it before. Raises ArchiveUnavailable."""
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
        signature = Signature(self.name, platform.node(), str(self.directory), now, ended)
        self.store.put(KEY, [json.dumps(asdict(signature)).encode()])

    @property
    def name(self) -> str:
        """Made by whichever process comes first. It is in no backup: what is brought back elsewhere is another."""
        file = self.directory / "installation-id"
        if not file.exists():
            with tempfile.NamedTemporaryFile("w", dir=self.directory, prefix=".installation-id.") as fresh:
                fresh.write(secrets.token_hex(16))
                fresh.flush()
                os.fsync(fresh.fileno())
                with suppress(FileExistsError):
                    os.link(fresh.name, file)
        return file.read_text()
