"""The door to clusters that are only remembered, for tests."""

from dataclasses import dataclass

from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.errors import Unavailable


@dataclass(frozen=True, slots=True)
class MemoryDoor:
    clusters: MemoryClusters

    async def probe(self, ref: str, role: str, password: str, *, pooled: bool = False) -> None:  # noqa: ARG002
        spec = self.clusters.specs.get(ref)
        if spec is None or ref not in self.clusters.running:
            raise Unavailable("Failed to connect to database: no answer")
        if password != (spec.password if role == "postgres" else spec.secret):
            raise Unavailable(f'Failed to connect to database: password authentication failed for user "{role}"')
