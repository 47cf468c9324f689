"""The platform database, for commands that speak to it directly."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from baseplane import app
from baseplane.cli import load_settings
from baseplane.database import Connection, Database

Result = TypeVar("Result")


def in_transaction(path: Path | None, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    """Do ``work`` on the installation in the data directory ``path``, whole or not at all. Raises Unavailable."""
    url = app.database_url(load_settings(data_dir=path))

    async def run() -> Result:
        async with Database(url, max_size=1) as database, database.transaction() as db:
            return await work(db)

    return asyncio.run(run())
