"""Settings of one cluster: tried before they are written, and taken by a server that runs."""

import asyncio
import shutil
import subprocess
from collections.abc import Mapping

from baseplane.drivers.cluster import DriverUnavailable, SettingsRefused, configuration
from baseplane.drivers.cluster.connections import Connection
from baseplane.drivers.cluster.postmaster import Postmaster, objections
from baseplane.errors import Unavailable

WITHIN = 10.0
"""Seconds for a rehearsal, and for a server to read its settings again."""
POLL = 0.005  # seconds


def rehearse(postmaster: Postmaster, parameters: Mapping[str, str]) -> int:
    """Let Postgres read ``parameters`` as its postgresql.conf and go through every check of a start but the start itself.

    Asked with -C for a parameter that it computes (shared_memory_size, in megabytes), Postgres loads libraries, checks
    that parameters fit each other, answers and ends. It does so in a directory that has nothing but the control file.
    """
    scratch = postmaster.account.own(postmaster.data.parent / "rehearsal")
    try:
        postmaster.account.own(scratch / "global")
        for name in ("PG_VERSION", "global/pg_control"):
            shutil.copyfile(postmaster.data / name, scratch / name)
            postmaster.account.give(scratch / name)
        postmaster.account.write(scratch / "postgresql.conf", configuration.render(parameters))
        memory = _ask(postmaster, ["-D", str(scratch), "-C", "shared_memory_size"])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _check_slots(postmaster, int(parameters["max_replication_slots"]))
    return memory


def _ask(postmaster: Postmaster, arguments: list[str]) -> int:
    try:
        done = subprocess.run(
            [postmaster.engine.program("postgres"), *arguments],
            env=postmaster.environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
            **postmaster.account.process,
        )
    except subprocess.TimeoutExpired as error:
        raise DriverUnavailable(f"Postgres did not check its settings within {WITHIN:g} seconds.") from error
    if done.returncode:
        said = "; ".join(objections(done.stderr)) or "it does not say why"
        raise SettingsRefused(f"Postgres would not start with these settings: {said}")
    return int(done.stdout)


def _check_slots(postmaster: Postmaster, most: int) -> None:
    """The one check that a start makes only when it has the data before it."""
    slots = sum(1 for entry in (postmaster.data / "pg_replslot").iterdir() if entry.is_dir())
    if slots > most:
        raise SettingsRefused(
            f"Postgres would not start with these settings: there are {slots} replication slots,"
            f" more than max_replication_slots ({most}). Drop some first."
        )


async def reload(db: Connection) -> frozenset[str]:
    """Have the server read its file again; gives the parameters that wait for its next start.

    Raises SettingsRefused when it objects to the file, Unavailable when it does not follow.
    """
    # Reading this view parses the file in this session, which marks what the server would mark.
    faults = await db.execute("select name, error from pg_file_settings where error is not null")
    refused = {name: error for name, error in await faults.fetchall() if name is not None}
    cursor = await db.execute("select name from pg_settings where pending_restart")
    pending = frozenset(name for (name,) in await cursor.fetchall())
    if objections := [f"{name}: {error}" for name, error in refused.items() if name not in pending]:
        raise SettingsRefused(f"Postgres does not take these settings: {'; '.join(objections)}")
    await read_again(db)
    return pending


async def read_again(db: Connection) -> None:
    """Have the server read its files again, whatever is in them. Raises Unavailable when it does not follow."""
    loaded = await (await db.execute("select pg_conf_load_time(), pg_reload_conf()")).fetchone()
    assert loaded is not None
    try:
        async with asyncio.timeout(WITHIN):
            while (await (await db.execute("select pg_conf_load_time()")).fetchone())[0] == loaded[0]:  # type: ignore[index]
                await asyncio.sleep(POLL)
    except TimeoutError as error:
        raise Unavailable("Postgres does not read its settings again.") from error
