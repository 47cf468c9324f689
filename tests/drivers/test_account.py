"""The system user that runs Postgres."""

import asyncio
import os
import pwd
import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest

MAKE = "import sys; from baseplane.drivers.cluster.account import account; print(account(sys.argv[1]).uid)"


@pytest.fixture
def name() -> Iterator[str]:
    name = f"bp-{secrets.token_hex(4)}"
    yield name
    subprocess.run(["userdel", name], check=False, capture_output=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes users")
async def test_processes_that_start_at_once_make_one_user(name: str) -> None:
    async def make() -> int:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", MAKE, name, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        return int(said)

    assert set(await asyncio.gather(*(make() for _ in range(4)))) == {pwd.getpwnam(name).pw_uid}
