"""What the platform itself knows of a project that is risky: rules over facts. A new rule is a fact and a row here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from baseplane.resources.advisors.schemas import ContractName, ProjectLint

SAFE_MINORS = {14: 24, 15: 19, 16: 15, 17: 11, 18: 6}
"""By Postgres major, the minor of the newest release that closed a security hole: that of 2026-08-13, which fixed
CVE-2026-6471 among others (https://www.postgresql.org/support/security/). Nothing is said of majors not listed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed. ``postgres_version`` is the running server's server_version_num, such as 170011."""

    postgres_version: int
    is_ssl_enforced: bool
    is_network_restricted: bool
    has_point_in_time_recovery: bool
    administrators: int


@dataclass(frozen=True, slots=True)
class Rule:
    """``broken`` gives the detail of a finding, or None."""

    name: ContractName
    title: str
    type: Literal["auth", "compliance"]
    broken: Callable[[Facts], str | None]
    description: str
    remediation: str

    def finding(self, detail: str) -> ProjectLint:
        return ProjectLint(
            name=self.name,
            title=self.title,
            level="WARN",
            categories=["SECURITY"],
            description=self.description,
            detail=detail,
            remediation=self.remediation,
            metadata={"type": self.type},
            cache_key=self.name,
        )


def _ssl(facts: Facts) -> str | None:
    return None if facts.is_ssl_enforced else "The database takes connections without TLS."


def _network(facts: Facts) -> str | None:
    return None if facts.is_network_restricted else "The database takes connections from every address."


def _recovery(facts: Facts) -> str | None:
    return None if facts.has_point_in_time_recovery else "The project cannot be brought back to a point in time."


def _administrators(facts: Facts) -> str | None:
    return None if facts.administrators > 1 else "One person alone may administer the project's organization."


def _version(facts: Facts) -> str | None:
    major, minor = divmod(facts.postgres_version, 10_000)
    safe = SAFE_MINORS.get(major, 0)
    return f"Postgres {major}.{minor} runs; {major}.{safe} closes security holes." if minor < safe else None


GUIDES = "https://supabase.com/docs/guides/"
RULES = (
    Rule(
        name="ssl_not_enforced",
        title="SSL not enforced",
        type="compliance",
        broken=_ssl,
        description="Passwords and data of a connection without TLS can be read on the way.",
        remediation=f"{GUIDES}platform/ssl-enforcement",
    ),
    Rule(
        name="network_restrictions_not_set",
        title="No network restrictions",
        type="compliance",
        broken=_network,
        description="Without network restrictions a password is all that is needed to enter the database.",
        remediation=f"{GUIDES}platform/network-restrictions",
    ),
    Rule(
        name="pitr_not_enabled",
        title="PITR not enabled",
        type="compliance",
        broken=_recovery,
        description="Without point-in-time recovery, what was written since the last backup can be lost.",
        remediation=f"{GUIDES}platform/backups#point-in-time-recovery",
    ),
    Rule(
        name="no_backup_admin",
        title="No Backup Admin Detected",
        type="compliance",
        broken=_administrators,
        description="When the only owner or administrator of an organization loses access, nobody can stand in.",
        remediation=f"{GUIDES}platform/access-control",
    ),
    Rule(
        name="vulnerable_postgres_version",
        title="Postgres version has security patches available",
        type="compliance",
        broken=_version,
        description="A newer minor release of Postgres closes security holes of the one that runs.",
        remediation=f"{GUIDES}platform/upgrading",
    ),
)


def check(facts: Facts) -> Iterator[ProjectLint]:
    for rule in RULES:
        if detail := rule.broken(facts):
            yield rule.finding(detail)
