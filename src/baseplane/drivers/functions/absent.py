"""No functions at all, as on a machine without Deno."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.functions import FunctionFailed, FunctionSpec, Lease

MISSING = "There is no Deno on this machine, which runs functions; it comes with Baseplane's own packages."


class NoFunctions:
    async def prepare(self, spec: FunctionSpec, source: Mapping[str, bytes], environment: Mapping[str, str]) -> None:  # noqa: ARG002
        raise DriverUnavailable(MISSING)

    @asynccontextmanager
    async def lease(self, spec: FunctionSpec, environment: Mapping[str, str]) -> AsyncIterator[Lease]:  # noqa: ARG002
        raise FunctionFailed(MISSING, code="BOOT_ERROR", status=503)
        yield  # a generator, like every driver's

    async def stop(self, ref: str) -> None:
        pass

    async def remove(self, ref: str, id: str | None = None) -> None:  # noqa: A002
        pass

    async def close(self) -> None:
        pass
