"""One PostgREST process: started, awaited, heard, ended."""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from baseplane.drivers.cluster.account import Account
from baseplane.drivers.rest import RestFailed, RestSpec, records

log = logging.getLogger(__name__)

START_WITHIN = 30.0
"""Seconds; reading a schema of thousands of tables is the long case."""
END_WITHIN = 3.0
POLL = 0.005  # seconds; it is up in 65 ms
MEMORY = 512 * 1024 * 1024
"""Bytes of data that one server may hold: an answer is put together in memory before it is sent."""
HEARD = 4096
"""Bytes of its last words that are kept."""

_QUESTION = b"OPTIONS /baseplane HTTP/1.1\r\nHost: baseplane\r\nConnection: close\r\n\r\n"
"""Answered by 503 until the schema is read, and then by 404."""


class Server:
    """A server of ``spec``, over one ``life`` of the cluster. ``leases`` counts the requests that hold it."""

    def __init__(self, spec: RestSpec, life: str, socket: Path) -> None:
        self.spec = spec
        self.life = life
        self.socket = socket
        self.leases = 0
        self.retired = False
        self.began = self.used = time.monotonic()
        self._heard = b""

    def spawn(self, program: Path, environment: Mapping[str, str], account: Account, directory: Path) -> None:
        """On the event loop's thread: the kernel ends the child when the thread that made it ends. Raises OSError."""
        guards, options = _guards(account)
        self._process = subprocess.Popen(
            [*guards, str(program)],
            env=environment,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        )
        assert self._process.stdout
        os.set_blocking(self._process.stdout.fileno(), False)
        asyncio.get_running_loop().add_reader(self._process.stdout.fileno(), self._hear)
        self._record = directory / str(self._process.pid)
        try:
            records.write(self._record, self._process.pid, self.socket)
        except OSError:
            self.kill()
            raise

    def serves(self, spec: RestSpec, life: str) -> bool:
        return (spec is self.spec or spec == self.spec) and life == self.life and not self.retired and self.is_running()

    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def await_ready(self) -> None:
        """Raises RestFailed."""
        try:
            async with asyncio.timeout(START_WITHIN):
                while not await self._answers():
                    if not self.is_running():
                        raise RestFailed(f"The REST server ended: {self.last_words()}")
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            raise RestFailed(f"The REST server did not come up: {self.last_words()}") from error

    async def _answers(self) -> bool:
        writer = None
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
            writer.write(_QUESTION)
            status = (await reader.readline()).split(b" ")
            return len(status) > 1 and status[1] != b"503"
        except OSError:
            return False
        finally:
            if writer:
                writer.close()

    async def end(self) -> None:
        """Politely first."""
        if self.is_running():
            self._process.terminate()
            deadline = time.monotonic() + END_WITHIN
            while self.is_running() and time.monotonic() < deadline:
                await asyncio.sleep(POLL)
        self.kill()

    def kill(self) -> None:
        """At once, and put away what it leaves."""
        if self.is_running():
            self._process.kill()
            self._process.wait()
        self._hear()
        self._stop_hearing()
        self.socket.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def _hear(self) -> None:
        assert self._process.stdout
        if self._process.stdout.closed:
            return
        with contextlib.suppress(BlockingIOError):
            said = os.read(self._process.stdout.fileno(), HEARD)
            self._heard = (self._heard + said)[-HEARD:]
            if not said:
                self._stop_hearing()

    def _stop_hearing(self) -> None:
        assert self._process.stdout
        if self._process.stdout.closed:
            return
        asyncio.get_running_loop().remove_reader(self._process.stdout.fileno())
        self._process.stdout.close()

    def last_words(self) -> str:
        """What went wrong, without where: paths are nobody's business."""
        self._hear()
        text = self._heard.decode(errors="replace")
        log.warning("the REST server of project %s: %s", self.spec.ref, text)
        if found := re.findall(r"FATAL: +([^\n\\]+)", text):
            return str(found[-1])
        found = re.findall(r'"message": ?"([^"]+)"', text) or text.strip().splitlines()
        return re.sub(r"/[\w./-]+", "…", str(found[-1])) if found else "it said nothing"


def _guards(account: Account) -> tuple[list[str], dict[str, Any]]:
    """Programs that start it so that it dies with us and stays small, and what is left for subprocess to do.

    Where there is no setpriv, records see to the first.
    """
    guards: list[str] = []
    options = account.process
    if setpriv := shutil.which("setpriv"):
        guards = [setpriv, "--pdeathsig", "KILL"]
        if account.switch:  # not by subprocess: to do that it forks, which holds up everybody for 10 ms
            guards += ["--reuid", str(account.uid), "--regid", str(account.gid), "--clear-groups"]
            options = {name: options[name] for name in ("start_new_session", "stdin")}
        guards.append("--")
    if prlimit := shutil.which("prlimit"):
        guards += [prlimit, f"--data={MEMORY}", "--core=0", "--"]
    return guards, options
