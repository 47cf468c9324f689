"""One engine on this machine."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from baseplane.errors import BaseplaneError


class EngineMissing(BaseplaneError):
    """No engine of this major version can be had or is there; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Postgres ``version``, such as ``17.11``. ``home`` holds ``bin``, ``lib`` and ``share``."""

    major: int
    version: str
    home: Path
    origin: Literal["installed", "found"]

    def program(self, name: str) -> Path:
        """Where program ``name`` of this engine lies, ``postgres`` or ``pg_dump``."""
        return self.home / "bin" / name

    @property
    def share(self) -> Path:
        """Where the control files of extensions lie, in ``extension``; packagers choose that."""
        said = subprocess.run(
            [self.program("pg_config"), "--sharedir"],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        return Path(said.stdout.strip())

    @property
    def environment(self) -> dict[str, str]:
        """What the engine's programs, the postmaster above all, need in their environment.

        Modules such as postgres_fdw have no usable run path and would load the system's libpq. Commands that the server
        starts by itself (``archive_command``) inherit this and should run under ``env -u LD_LIBRARY_PATH``: ssh refuses
        a libcrypto that is not its own.
        """
        return {"LD_LIBRARY_PATH": str(self.home / "lib")} if self.origin == "installed" else {}
