"""What an installation needs beside its databases, and its archive keeps for a recovery (``drivers.archive.belongings``).

Not the platform key, which opens the archive; not what is made anew by itself: Unix sockets' names, Caddy's
certificates, logs, the profile for the official CLI.
"""

import os
from collections.abc import Mapping
from pathlib import Path

FILES = {
    "ca/ca.key": 0o600,
    "ca/ca.pem": 0o644,  # last: where it is, the key is whole
    "access-token": 0o600,
    "settings.toml": 0o644,
    "platform/password": 0o600,
}
"""Below the data directory, with their modes."""


def collect(data_dir: Path) -> Mapping[str, str]:
    """Those that are there, by name."""
    return {name: (data_dir / name).read_text() for name in FILES if (data_dir / name).is_file()}


def lay_out(data_dir: Path, things: Mapping[str, str]) -> list[str]:
    """Write those that are not there yet; gives their names."""
    missing = [name for name in FILES if name in things and not (data_dir / name).exists()]
    for name in missing:
        file = data_dir / name
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(things[name])
            stream.flush()
            os.fchmod(descriptor, FILES[name])
            os.fsync(descriptor)
        fresh.replace(file)
    return missing
