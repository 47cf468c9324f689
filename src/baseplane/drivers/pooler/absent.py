"""No pooler at all, as on a machine without PgBouncer."""

from pathlib import Path

from baseplane.drivers.pooler import PoolerFailed, PoolSettings, PoolSpec


class NoPoolers:
    def version(self) -> str | None:
        return None

    async def find(self, ref: str) -> Path | None:  # noqa: ARG002
        return None

    async def start(self, spec: PoolSpec) -> Path:
        raise PoolerFailed(f"There is no pooler for project {spec.ref}: PgBouncer is not installed.")

    async def apply(self, ref: str, settings: PoolSettings) -> None:
        pass

    async def stop(self, ref: str) -> None:
        pass

    async def idle(self) -> set[str]:
        return set()
