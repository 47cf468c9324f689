"""What several slices' tests share."""

from collections.abc import AsyncIterator

import pytest

from baseplane.resources.webhooks import attempt, delivery
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.receiver import Receiver, listening
from tests.resources.webhooks import Hooked, delivering


@pytest.fixture(scope="module")
async def hooked_ref(real: Client) -> str:
    """An own project of the module, with webhooks."""
    ref = await real.active_project()
    response = await real.post(f"/v1/projects/{ref}/database/webhooks/enable")
    assert (response.status_code, response.content) == (201, b"")
    return ref


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as receiver:
        yield receiver


@pytest.fixture
def idle(real: Client, hooked_ref: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Hooked:
    """Webhooks, and no worker."""
    monkeypatch.setattr(attempt, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(delivery, "RECONNECT", 0.05)
    monkeypatch.setattr(delivery, "EVERY", 0.05)
    monkeypatch.setattr(delivery, "ELSEWHERE", 0.05)
    return Hooked(real, hooked_ref, receiver)


@pytest.fixture
async def hooked(real_rt: Runtime, idle: Hooked) -> AsyncIterator[Hooked]:
    """Webhooks, and a worker that may call this machine."""
    async with delivering(real_rt):
        yield idle
