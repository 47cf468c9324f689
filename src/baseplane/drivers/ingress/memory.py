"""The door to clusters that are only remembered, for tests."""

from dataclasses import dataclass, field

from baseplane.drivers.cluster.memory import MemoryClusters
from baseplane.errors import Unavailable


@dataclass(frozen=True, slots=True)
class MemoryDoor:
    """``encrypted_only`` has the projects that take no plaintext."""

    clusters: MemoryClusters
    encrypted_only: set[str] = field(default_factory=set)

    async def probe(self, ref: str, role: str, password: str, *, pooled: bool = False) -> None:  # noqa: ARG002
        spec = self.clusters.specs.get(ref)
        if spec is None or ref not in self.clusters.running:
            raise Unavailable("Failed to connect to database: no answer")
        if password != (spec.password if role == "postgres" else spec.secret):
            raise Unavailable(f'Failed to connect to database: password authentication failed for user "{role}"')

    async def takes_plaintext(self, ref: str, role: str) -> bool:  # noqa: ARG002
        if ref not in self.clusters.running:
            raise Unavailable("The Postgres door lets nobody in at the moment: SQLSTATE 57P03")
        return ref not in self.encrypted_only
