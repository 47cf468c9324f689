"""What stands in the way of an upgrade: in the words of the contract where it has some, else in Postgres' or ours."""

import asyncio
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import Any, LiteralString

from baseplane.database import Connection, value
from baseplane.drivers.cluster import ClusterSpec, ClusterUpgrades, Role, UpgradeRefused
from baseplane.runtime import Runtime

CHECK = "check"
"""Label of the frame that pg_upgrade holds the running cluster against."""
BASE_SECONDS, BYTES_A_SECOND = 6, 100 * 1024**2
"""For the estimate of the time that it takes."""

# Each file is named by a type of the contract and asks for its further fields; %(there)s are the target's extensions. There
# is none for x86_architecture, since projects stay on their machine, nor for user_defined_objects_in_internal_schemas,
# since these come along like all others; project_hibernating is known from outside.
VALIDATIONS = {
    file.name.removesuffix(".sql"): file.read_bytes()
    for file in sorted(resources.files(__package__).joinpath("validations").iterdir(), key=lambda file: file.name)
}
REPLICAS: LiteralString = (
    # A backup of ours under way is none: it ends with the old cluster, and is taken anew of the new one.
    "select coalesce(array_agg(application_name order by 1), '{}') from pg_stat_replication r"
    " where application_name <> 'pg_basebackup' and not exists (select from pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')"
)
EMPTY_LISTS: LiteralString = (
    # pg_dumpall writes such a setting as no value at all, and what it wrote cannot be read.
    "select coalesce(array_agg(split_part(s, '=', 1) || ' of ' || coalesce(r.rolname, d.datname, 'all') order by 1), '{}')"
    " from pg_db_role_setting c cross join unnest(c.setconfig) s left join pg_roles r on r.oid = c.setrole"
    " left join pg_database d on d.oid = c.setdatabase where s ~ '^(search_path|temp_tablespaces|[a-z_]+_libraries)=$'"
    " and r.rolname is distinct from 'supabase_admin'"
)
OUTDATED_PASSWORDS: LiteralString = (
    "select coalesce(array_agg(rolname order by 1), '{}') from pg_authid where rolcanlogin and rolpassword like 'md5%%'"
)


@dataclass(slots=True)
class Findings:
    """``targets`` are majors and their versions; ``errors`` in the contract's shape, ``obstacles`` as sentences."""

    current: str
    engine: int
    targets: dict[int, str]
    errors: list[dict[str, Any]] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    outdated_passwords: list[str] = field(default_factory=list)
    hours: float = 0

    @property
    def possible(self) -> bool:
        return bool(self.targets) and not self.errors and not self.obstacles

    @property
    def said(self) -> str:
        """Why not, for a message."""
        named = (" ".join(map(str, error.values())) for error in self.errors)
        return "; ".join([*named, *self.obstacles])

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "Findings":
        return cls(**{**stored, "targets": {int(major): version for major, version in stored["targets"].items()}})


async def find(rt: Runtime, spec: ClusterSpec, engine: int | None) -> Findings:
    """Hold the running cluster against the major asked about, or the newest. Raises ClusterMissing, Unavailable."""
    upgrades = rt.clusters.upgrades
    targets = await asyncio.to_thread(upgrades.offered, spec.engine)
    findings = Findings(rt.clusters.version(spec.engine), spec.engine, targets)
    wanted = engine or max(targets, default=None)
    if wanted is None:
        findings.obstacles.append(
            f"There is no Postgres newer than {spec.engine} here; `baseplane engines list` shows what there is."
        )
        return findings
    if wanted not in targets:
        findings.obstacles.append(f"There is no way from Postgres {spec.engine} to {wanted} here.")
        return findings
    async with rt.clusters.connect(spec.ref, Role.ADMIN, spec.secret) as db:
        await _ask_catalogs(db, findings, wanted, upgrades)
    findings.hours = (BASE_SECONDS + await rt.clusters.measure(spec.ref) / BYTES_A_SECOND) / 3600
    try:
        await upgrades.prepare(spec, wanted, CHECK)
    except UpgradeRefused as error:
        findings.obstacles.append(error.message)
    finally:
        await rt.clusters.discard(spec.ref, CHECK)
    return findings


async def _ask_catalogs(db: Connection, findings: Findings, engine: int, upgrades: ClusterUpgrades) -> None:
    params = {"there": [*await asyncio.to_thread(upgrades.extensions, engine)], "engine": engine}
    for kind, query in VALIDATIONS.items():
        cursor = await db.execute(query, params)
        names = [column.name for column in cursor.description or ()]
        findings.errors += [{"type": kind, **dict(zip(names, row, strict=True))} for row in await cursor.fetchall()]
    if replicas := await value(db, REPLICAS):
        findings.obstacles.append(f"Replicas follow this cluster and cannot come along: {', '.join(replicas)}")
    if settings := await value(db, EMPTY_LISTS):
        findings.obstacles.append(
            f"Settings that are empty lists cannot be carried over, reset them: {', '.join(settings)}"
        )
    findings.outdated_passwords = await value(db, OUTDATED_PASSWORDS)
