"""Deaths at a chosen place: of a worker, which is a process of its own then, or of whatever a test strikes there."""

import asyncio
import contextlib
import functools
import inspect
import itertools
import multiprocessing
import os
import pkgutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

from baseplane import app
from baseplane.app.drivers import ARCHIVE_OFF
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.ingress.public import TlsDoor
from baseplane.runtime import Runtime
from baseplane.settings import Settings
from baseplane.workflows.queue import Queue

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["baseplane.app"])  # it takes seconds to import


@dataclass(frozen=True)
class Death:
    """As the ``number``-th call of ``function`` begins, or has ended. A function is called ``module:name``."""

    function: str
    number: int = 1
    at_end: bool = False

    def __str__(self) -> str:
        name = self.function.rpartition(":")[2]
        return f"{'after' if self.at_end else 'before'} {name} {self.number}"

    def strikes(self, strike: Callable[[], None]) -> tuple[object, str, Callable[..., Any]]:
        """Who has the function, under which name, and the one that takes its place."""
        module, _, path = self.function.partition(":")
        owner, _, name = f"{module}:{path}".rpartition("." if "." in path else ":")
        found = pkgutil.resolve_name(owner)
        return found, name, self._struck(getattr(found, name), strike)

    def _struck(self, whole: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
        calls = itertools.count(1)

        @contextlib.contextmanager
        def around() -> Iterator[None]:
            fatal = next(calls) == self.number
            if fatal and not self.at_end:
                strike()
            yield
            if fatal and self.at_end:
                strike()

        @functools.wraps(whole)
        def call(*arguments: Any, **named: Any) -> Any:
            with around():
                return whole(*arguments, **named)

        @functools.wraps(whole)
        async def wait(*arguments: Any, **named: Any) -> Any:
            with around():
                return await whole(*arguments, **named)

        return wait if inspect.iscoroutinefunction(whole) else call


def around_step(position: int) -> tuple[Death, Death]:
    """Once a run's step at this position has been done: before that is recorded, and afterwards."""
    record = "baseplane.workflows.journal:end_step"
    return Death(record, position + 1), Death(record, position + 1, at_end=True)


@contextlib.contextmanager
def worker_process(rt: Runtime, death: Death | None = None) -> Iterator[BaseProcess]:
    """A worker that carries runs on and looks after nothing else. It kills itself at its ``death``; ended with the block."""
    assert isinstance(rt.door, TlsDoor)
    environment = {
        "BASEPLANE_DATA_DIR": str(rt.settings.data_dir),
        "BASEPLANE_DATABASE_URL": rt.database.url,
        "BASEPLANE_POSTGRES_PORT": str(rt.door.port),
        "BASEPLANE_POOLER_PORT": str(rt.door.pooler_port),
        "BASEPLANE_ARCHIVE": rt.archive.store.url if isinstance(rt.archive, LocalArchive) else ARCHIVE_OFF,
    }
    process = _FORKING.Process(target=_live, args=(environment, death), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _live(environment: dict[str, str], death: Death | None) -> None:
    os.environ.update(environment)
    if death is not None:
        setattr(*death.strikes(lambda: os.kill(os.getpid(), signal.SIGKILL)))
    asyncio.run(_work())


async def _work() -> None:
    async with app.runtime(Settings.load(), connections=4) as rt:
        queue = Queue(rt)
        await queue.open()
        await queue.work()
