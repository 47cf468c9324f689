"""Where parts come from: forks of a process that has imported everything, whose memory they share.

It begins before `up` has a loop or threads, which no fork could take along. A part is a child of `up`, not of the
nursery: its parent between the two ends at once, and Linux gives orphans to the nearest process that adopts them.
"""

import gc
import json
import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import setproctitle


class Child:
    """A process that we wait for, as subprocess has it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, or None while it runs: a negative number is a signal."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # it has ended, and somebody else was told how
                pid, status = self.pid, 0
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """To be made while there is one thread, and nothing open that parts should not have."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        gc.freeze()  # no collection touches what is here by now, so that the pages stay shared
        if os.fork() == 0:
            self._ours.close()
            os.setsid()  # Ctrl-C reaches `up` alone
            setproctitle.setproctitle("baseplane nursery")
            _attend(theirs)
        theirs.close()
        self._ours.settimeout(10)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """`baseplane` with these arguments, in a process of its own. Raises OSError when the nursery is gone."""
        self._ours.sendall(json.dumps([arguments, environment]).encode() + b"\n")
        pid = int.from_bytes(self._ours.recv(4), "big")
        if not pid:
            raise ConnectionResetError("the nursery ended")
        return Child(pid)


def _attend(orders: socket.socket) -> NoReturn:
    """Begin what is ordered and tell its pid, until `up` is gone."""
    try:
        for order in orders.makefile("r"):
            orders.sendall(_begin(order, orders))
    finally:
        os._exit(0)


def _begin(order: str, orders: socket.socket) -> bytes:
    """The pid of a new part, which is a child of `up` when this returns."""
    told, tells = os.pipe()
    between = os.fork()
    if between == 0:
        between = os.getpid()
        if pid := os.fork():
            os.write(tells, pid.to_bytes(4, "big"))
            os._exit(0)
        for descriptor in (orders.detach(), told, tells):
            os.close(descriptor)
        while os.getppid() == between:
            time.sleep(0.001)
        _become(*json.loads(order))
    os.waitpid(between, 0)
    os.close(tells)
    with os.fdopen(told, "rb") as pid_told:
        return pid_told.read()


def _become(arguments: list[str], environment: dict[str, str]) -> NoReturn:
    """Run `baseplane` as if it had been started with these arguments."""
    from baseplane.cli import main

    os.setsid()
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.environ.update(environment)
    setproctitle.setproctitle(" ".join([sys.executable, "-m", "baseplane", *arguments]))
    code = 1
    try:
        main(arguments, prog_name="baseplane")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 -- as Python itself would
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
