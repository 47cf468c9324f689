from collections.abc import AsyncIterator

import pytest

from tests.conftest import Client, working


@pytest.fixture
async def ref(api: Client) -> AsyncIterator[str]:
    """A project, and a worker that carries on what is asked for."""
    ref = await api.active_project()
    async with working(api.queue):
        yield ref
