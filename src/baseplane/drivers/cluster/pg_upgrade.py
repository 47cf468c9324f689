"""How pg_upgrade is called, and what it says. https://www.postgresql.org/docs/current/pgupgrade.html

It, the servers that it starts and the programs that it calls outlive us if we die; ``end_programs`` finds them again.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from baseplane.drivers.cluster import ClusterSpec, UpgradeRefused, configuration, usage
from baseplane.drivers.cluster.layout import ClusterFiles
from baseplane.drivers.cluster.postmaster import Postmaster
from baseplane.drivers.cluster.template import initdb

USER = "supabase_admin"
PORT = "50432"
"""Names a socket in a directory of the attempt's own; nothing listens on TCP."""
ROOM = 256 * 1024 * 1024
"""Bytes that must be left on the machine's disk beside the copy."""
JOBS = str(min(4, os.cpu_count() or 1))
FRESH, CARRIED = "fresh", "carried"
"""Files beside the new data that say: nothing has been carried over yet; everything has, and is on disk."""
END_WITHIN = 5.0  # seconds
LISTED = 20
"""Objects that an objection names at most."""
PHASE = {
    "logging_collector": "off",  # so that pg_upgrade's own logs say why
    "log_destination": "stderr",
    "max_locks_per_transaction": "1024",  # pg_dump locks every table, and a schema may have thousands
}
"""Parameters of both servers while pg_upgrade runs."""
KEPT = ("max_replication_slots", "max_wal_senders")
"""The project's own settings are left out, since one could be "read-only", but for the room that its slots need."""
_GOOD_ENDS = ("Clusters are compatible", "Upgrade Complete")
_VERDICT = re.compile(r"(?:fatal|\*failure\*)\n(.*?)(?:\nFailure, exiting|\Z)", re.DOTALL)
_CONSULT = re.compile(r"Consult the last few lines of \"([^\"]+)\" for\s+the probable cause of the failure\.")
_SEE_FILE = re.compile(r"[^.]*\bin the file:")
_ERROR = re.compile(r"(?:ERROR|FATAL|error|fatal): +(.*)")


Parameters = Callable[[Postmaster, ClusterSpec], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Move:
    """A cluster's way to another engine. ``aside`` is where the new one is made, ``new`` its server.

    ``chosen`` gives what a server is started with elsewhere.
    """

    spec: ClusterSpec
    old: Postmaster
    new: Postmaster
    aside: ClusterFiles
    chosen: Parameters

    def parameters(self, postmaster: Postmaster, settings: Mapping[str, str]) -> dict[str, str]:
        """Of a server that only this attempt finds."""
        chosen = self.chosen(postmaster, replace(self.spec, settings=settings))
        return {**chosen, "unix_socket_directories": str(self.aside.sockets)}


def lay_out(move: Move) -> None:
    """Make the new cluster, empty. Raises UpgradeRefused when the disk has no room for what it is to hold."""
    needed, free = usage.measure(move.old.data) + ROOM, shutil.disk_usage(move.old.data).free
    if free < needed:
        raise UpgradeRefused(
            f"An upgrade copies the data and needs {needed // 2**20} MB of disk; the machine has {free // 2**20} MB left."
        )
    account, home = move.new.account, move.aside.home
    shutil.rmtree(home, ignore_errors=True)
    account.own(home.parent, 0o711)
    for directory in (home, move.aside.log, move.aside.sockets):
        account.own(directory)
    account.write(home / "passwords", f"*:*:*:{USER}:{_escaped(move.spec.secret)}\n")
    initdb(move.new.engine, account, move.new.data, user=USER, password=move.spec.secret)
    configure(move, move.new)
    (home / FRESH).touch()


def configure(move: Move, postmaster: Postmaster) -> None:
    """For the time of the upgrade; every start of ours writes the file again."""
    kept = {name: value for name, value in move.spec.settings.items() if name in KEPT}
    text = configuration.render({**move.parameters(postmaster, kept), **PHASE})
    postmaster.account.write(postmaster.data / "postgresql.conf", text)
    postmaster.account.write(postmaster.data / "pg_hba.conf", configuration.HBA)


def _escaped(password: str) -> str:
    """As libpq's password file wants it."""
    return password.replace("\\", "\\\\").replace(":", "\\:")


async def call(move: Move, *more: str) -> None:
    """Raises UpgradeRefused with what it said, of files that it leaves beside the new data."""
    arguments = ["-b", move.old.engine.home / "bin", "-B", move.new.engine.home / "bin", "-d", move.old.data]
    arguments += ["-D", move.new.data, "-U", USER, "-s", move.aside.sockets, "-p", PORT, "-P", f"{int(PORT) + 1}"]
    said, code = await run(move, "pg_upgrade", [*map(str, arguments), "-j", JOBS, "--no-sync", *more])
    if code or not any(end in said for end in _GOOD_ENDS):
        raise UpgradeRefused(objection(said, move.aside.home))


async def run(move: Move, program: str, arguments: Sequence[str]) -> tuple[str, int]:
    """Run a program of the new engine beside the new data; gives what it printed, and how it ended."""
    process = subprocess.Popen(  # noqa: ASYNC220 -- uvloop's cannot change the user
        [move.new.engine.program(program), *arguments],
        env={**move.new.environment, "PGPASSFILE": str(move.aside.home / "passwords"), "PGCONNECT_TIMEOUT": "10"},
        cwd=move.aside.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **move.new.account.process,
    )
    try:
        said, _ = await asyncio.to_thread(process.communicate)
    except asyncio.CancelledError:
        end_programs(move.aside.home)
        raise
    return said, process.returncode


def end_programs(home: Path) -> None:
    """End pg_upgrade and all that it has called: they work in this directory, and servers in their data."""
    deadline = time.monotonic() + END_WITHIN
    while (left := [process for process in psutil.process_iter() if _works_in(process, home)]) and (
        time.monotonic() < deadline
    ):
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.01)  # no wait of psutil's: it would take how ours ended from the one who started it


def _works_in(process: psutil.Process, home: Path) -> bool:
    with contextlib.suppress(psutil.Error, FileNotFoundError):
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == home.resolve()
    return False


def objection(said: str, home: Path) -> str:
    """What pg_upgrade objected to, in its words, with the objects that it put into files, and without our paths."""
    verdict = _VERDICT.search(said)
    text = _CONSULT.sub(lambda found: f"\n{found[1]}\n", verdict[1] if verdict else said[-800:])
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = " ".join(line for line in lines if str(home) not in line)
    files = [Path(line) for line in lines if line.startswith(f"{home}/")]
    listed = "; ".join(filter(None, map(_listing, files)))
    return ": ".join(filter(None, [_SEE_FILE.sub("", words).strip(" .:"), listed])).replace(f"{home}/", "")


def _listing(file: Path) -> str:
    """The objects in one of its files; of a log the last errors."""
    if not file.is_file():
        return ""
    lines = [line.strip() for line in file.read_text(errors="replace").splitlines() if line.strip()]
    if file.suffix == ".log":
        return "; ".join([found[1] for line in lines if (found := _ERROR.search(line))][-3:])
    return ", ".join(lines[:LISTED]) + (f" and {len(lines) - LISTED} more" if len(lines) > LISTED else "")
