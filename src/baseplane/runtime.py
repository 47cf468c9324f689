"""What a process of ours is made of. ``app`` composes it; resources, workflows and the edge are handed it."""

from dataclasses import dataclass, field

from baseplane.database import Database
from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import ArchiveDriver
from baseplane.drivers.archive.absent import NoArchive
from baseplane.drivers.artifacts import ArtifactStore
from baseplane.drivers.cluster import ClusterDriver
from baseplane.drivers.functions import FunctionsDriver
from baseplane.drivers.ingress.public import PublicDoor
from baseplane.drivers.outbound import Rules
from baseplane.drivers.pooler import PoolerDriver
from baseplane.settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """``door`` is the Postgres door as users reach it: what is called healthy has been probed through it.

    ``outbound`` says where requests on behalf of tenants may go.
    """

    settings: Settings
    database: Database
    keyring: Keyring
    clusters: ClusterDriver
    door: PublicDoor
    poolers: PoolerDriver
    artifacts: ArtifactStore
    functions: FunctionsDriver
    outbound: Rules = field(default_factory=Rules)
    archive: ArchiveDriver = field(default_factory=NoArchive)
