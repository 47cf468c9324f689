"""What the sessions of one ingress share."""

import asyncio
import logging
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Protocol

from baseplane.drivers.ingress import Gate, Limits, Refused, Route, Visitor

log = logging.getLogger(__name__)


class Guest(Protocol):
    """A session, as the door sees it. ``visitor`` is there once it has asked to be let in."""

    visitor: Visitor | None

    def abort(self) -> None: ...
    def expel(self, error: Refused) -> None: ...


@dataclass(slots=True)
class Door:
    """Made once per ingress. ``cancels`` leads from a backend's key to where that backend runs."""

    gate: Gate
    tls: ssl.SSLContext
    host: str
    limits: Limits
    sessions: set[Guest] = field(default_factory=set)
    cancels: dict[bytes, Route] = field(default_factory=dict)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Do something that no session waits for."""
        task = asyncio.create_task(work)
        self.background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("work of the door failed", exc_info=error)
