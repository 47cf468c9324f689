"""A Deno process as the operating system sees it: spawned, heard, killed, reaped."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from baseplane.drivers.functions.confinement import Confinement
from baseplane.drivers.functions.output import Allowance, Pipe, Say
from baseplane.drivers.functions.sandbox import Call

_AGAIN = 0.02
"""Seconds that a pipe rests which brings too much."""


class Child:
    """``told`` is read by the prelude from standard input: no environment and no file ever holds it. ``control`` hears
    what the prelude tells. ``ended`` is called once, when all that was said has been heard.
    """

    def __init__(
        self,
        program: Path,
        call: Call,
        confinement: Confinement,
        told: Mapping[str, object],
        say: Say,
        control: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        self._popen = _start(program, call, confinement, json.dumps(told).encode())
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._streams = (self._popen.stdout, self._popen.stderr)
        self.allowance = Allowance(say)
        self._pipes = [
            Pipe(stream.fileno(), level, self.allowance, control)
            for stream, level in zip(self._streams, ("log", "error"), strict=True)
        ]
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        for pipe in self._pipes:
            self._loop.add_reader(pipe.fd, self._read, pipe)
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._reap)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def code(self) -> int | None:
        """With which it ended, as subprocess has it; None while it lives. Known before ``ended`` is called."""
        if self._popen.returncode is not None:
            return self._popen.returncode
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._popen.send_signal(signal.SIGKILL)

    def complaint(self) -> str:
        """The last that it wrote to standard error, once it has ended."""
        self._drain()
        return self._pipes[1].tail

    def _drain(self) -> None:
        if not self._streams[0].closed:
            for pipe in self._pipes:
                pipe.drain()

    def _read(self, pipe: Pipe) -> None:
        went = pipe.read()
        if not went:
            self._loop.remove_reader(pipe.fd)
        if went is None:
            self._loop.call_later(_AGAIN, self._resume, pipe)

    def _resume(self, pipe: Pipe) -> None:
        if self._popen.returncode is None:
            self._loop.add_reader(pipe.fd, self._read, pipe)

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._popen.wait()
        self._drain()
        self.allowance.settle()
        for pipe, stream in zip(self._pipes, self._streams, strict=True):
            self._loop.remove_reader(pipe.fd)
            stream.close()
        self._ended()


def _start(program: Path, call: Call, confinement: Confinement, stdin: bytes) -> subprocess.Popen[bytes]:
    memory = os.memfd_create("stdin")
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(stdin)
        os.lseek(memory, 0, os.SEEK_SET)
        return subprocess.Popen(
            call.arguments,
            executable=program,
            env=call.environment,
            cwd=call.folder,
            stdin=memory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            restore_signals=False,  # a write past RLIMIT_FSIZE is an error, not the end
            start_new_session=True,
            preexec_fn=replace(confinement, parent=os.getpid()).apply,  # noqa: PLW1509 -- plain system calls
        )
    finally:
        os.close(memory)
