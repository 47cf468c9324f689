"""What the connections of one door share."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, Protocol

from baseplane.drivers.gateway import Limits, Router
from baseplane.drivers.gateway.upstream import Pool

log = logging.getLogger(__name__)

SWEEP = 0.5
"""Seconds between two looks for connections that take too long."""


class Guest(Protocol):
    """A client's connection, as the door sees it."""

    def check(self, now: float) -> None:
        """End it if it has taken too long."""

    def leave(self) -> None:
        """Take no further request."""

    def abort(self) -> None: ...


@dataclass(slots=True)
class Door:
    """Made once per gateway."""

    router: Router
    limits: Limits
    pool: Pool
    clients: set[Guest] = field(default_factory=set)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    is_closing: bool = False

    async def sweep(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            now = asyncio.get_running_loop().time()
            for client in list(self.clients):
                try:
                    client.check(now)
                except Exception:
                    log.exception("a client's connection cannot be looked after")
                    client.abort()
            self.pool.sweep(now)


class ClientSide(Protocol):
    """The client's connection, as an exchange sees it."""

    door: Door

    @property
    def is_full(self) -> bool:
        """Whether answers have to wait for it to read."""

    def send(self, data: bytes) -> None: ...

    def update_reading(self) -> None:
        """Whether more of the body may come has changed."""

    def enter_tunnel(self, exchange: Any) -> None:
        """What the client sends from now on goes to ``exchange.send_raw``."""

    def exchange_over(self, exchange: Any, *, keep: bool, cut: bool) -> None:
        """``keep``: another request may follow. ``cut``: the client must see that the answer is not whole."""
