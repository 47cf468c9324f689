"""What a worker looks at again and again, whether or not a request asked for anything."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

import psycopg

from baseplane.errors import BaseplaneError

log = logging.getLogger(__name__)


async def repeat(look: Callable[[], Awaitable[object]], every: float, doing: str) -> NoReturn:
    """Look until cancelled, ``every`` seconds after the last look. One that fails is logged, and the next may succeed."""
    while True:
        try:
            await look()
        except (BaseplaneError, psycopg.Error, OSError) as error:
            log.warning("%s failed: %s", doing, error)
        await asyncio.sleep(every)
