"""A real Postgres on a Unix socket, for tests of drivers that need one without the cluster driver."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from baseplane.drivers.cluster.engines import pick
from baseplane.settings import Settings

PASSWORD = "correct horse"
SETTINGS = {"listen_addresses": "", "max_connections": "260", "fsync": "off", "shared_buffers": "32MB"}


def engine_home() -> Path:
    settings = Settings()
    return pick(settings.engine, settings.engines_dir).home


@dataclass(frozen=True)
class Server:
    socket: str
    process: subprocess.Popen[bytes]


@contextmanager
def running() -> Iterator[Server]:
    """A cluster whose only role is postgres with PASSWORD; ends with the block."""
    home = engine_home()
    root = Path(tempfile.mkdtemp(prefix="bp-"))
    # Postgres refuses to run as root.
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    if user:
        shutil.chown(root, "nobody", "nogroup")
    environment = {"LD_LIBRARY_PATH": str(home / "lib"), "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    password = root / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    initdb = [
        home / "bin/initdb",
        "-D",
        root / "data",
        "--encoding=UTF8",
        "-U",
        "postgres",
        "--auth=scram-sha-256",
        f"--pwfile={password}",
    ]
    process = None
    try:
        options = {"env": environment, "cwd": root, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **user}
        subprocess.run([*initdb, "--no-sync"], check=True, **options)
        settings = {**SETTINGS, "unix_socket_directories": str(root)}
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        process = subprocess.Popen([home / "bin/postgres", "-D", root / "data", *arguments], **options)
        for line in process.stderr:
            if b"ready to accept connections" in line:
                break
        process.stderr.close()
        yield Server(str(root / ".s.PGSQL.5432"), process)
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        shutil.rmtree(root)
