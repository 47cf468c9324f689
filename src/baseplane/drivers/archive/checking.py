"""Looking closely at a cluster that was brought back: every page of every table, and the order of every index."""

import asyncio
from pathlib import Path

from baseplane.drivers.archive import RecoveryFailed
from baseplane.drivers.cluster import Role
from baseplane.drivers.cluster.postmaster import Postmaster


async def amcheck(postmaster: Postmaster, sockets: Path, secret: str) -> None:
    """Raises RecoveryFailed with what pg_amcheck found."""
    process = await asyncio.create_subprocess_exec(
        str(postmaster.engine.program("pg_amcheck")),
        *("--host", str(sockets), "--username", Role.ADMIN, "--no-password"),
        *("--all", "--install-missing=pg_catalog", "--maintenance-db=postgres"),
        env={**postmaster.environment, "PGPASSWORD": secret, "PGOPTIONS": "-c default_transaction_read_only=off"},
        cwd="/",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = [line for line in printed.decode(errors="replace").splitlines() if line.strip()][:5]
        raise RecoveryFailed(f"pg_amcheck found damage: {'; '.join(said)}")
