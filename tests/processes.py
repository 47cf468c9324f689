import contextlib
import os
import signal
from pathlib import Path

import psutil


def kill(pid: int) -> None:
    """End it at once, and wait until it is gone or a zombie."""
    process = psutil.Process(pid)
    process.kill()
    gone, _ = psutil.wait_procs([process], timeout=10)
    assert gone or process.status() == psutil.STATUS_ZOMBIE


def kill_postgres(*homes: Path) -> None:
    """Every server process of the clusters that lie in these directories, at once."""
    for process in psutil.process_iter(["name", "cwd"]):
        where = process.info["cwd"] or ""
        if process.info["name"] == "postgres" and any(where.startswith(f"{home}/") for home in homes):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
