"""A worker as a process of its own, for tests that kill it: it carries runs on and looks after nothing else."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from baseplane import app
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.runtime import Runtime
from baseplane.settings import Settings
from baseplane.workflows.queue import Queue


@contextlib.contextmanager
def worker_process(rt: Runtime) -> Iterator[subprocess.Popen[bytes]]:
    """Killed at the end if it lives."""
    assert isinstance(rt.door, TlsDoor)
    environment = {
        **os.environ,
        "BASEPLANE_DATA_DIR": str(rt.settings.data_dir),
        "BASEPLANE_DATABASE_URL": rt.database.url,
        "BASEPLANE_POSTGRES_PORT": str(rt.door.port),
        "BASEPLANE_POOLER_PORT": str(rt.door.pooler_port),
    }
    process = subprocess.Popen([sys.executable, "-m", "tests.resources.upgrading"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _work() -> None:
    async with app.runtime(Settings.load(), connections=4) as rt:
        queue = Queue(rt)
        await queue.open()
        await queue.work()


if __name__ == "__main__":
    asyncio.run(_work())
