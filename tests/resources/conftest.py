"""What several slices' tests share."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from baseplane.database.secrets import Keyring
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.resources.webhooks import attempt, delivery
from baseplane.runtime import Runtime
from baseplane.settings import Settings
from tests.conftest import Client, client_of
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


@pytest.fixture(scope="module")
async def kept_rt(
    real_rt: Runtime, local: LocalClusters, settings: Settings, keyring: Keyring, tmp_path_factory: Any
) -> AsyncIterator[Runtime]:
    """The real runtime, with an archive."""
    driver = LocalClusters(local.layout, settings.engines_dir, local.account, rpo=settings.archive_rpo)
    archive = LocalArchive(driver, str(tmp_path_factory.mktemp("archive")), keyring)
    yield dataclasses.replace(real_rt, clusters=driver, archive=archive)
    driver.close()


@pytest.fixture(scope="module")
async def kept(kept_rt: Runtime) -> AsyncIterator[Client]:
    async with client_of(kept_rt) as client:
        yield client
