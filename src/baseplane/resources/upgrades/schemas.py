import re
from typing import Any, Literal, Self

from pydantic import Field

from baseplane.api.bodies import Body, Text
from baseplane.resources.upgrades.obstacles import Findings
from baseplane.resources.upgrades.store import Upgrade

ReleaseChannel = Literal["internal", "alpha", "beta", "ga", "withdrawn", "preview"]
PREFIX = "supabase-postgres-"
"""Clients cut it off an app version to show the rest."""
KNOWN = frozenset({13, 14, 15, 17})
"""Majors that the contract lists as targets."""
STATES = {"upgrading": 0, "upgraded": 1, "failed": 2}
"""As the hosted platform's dashboard numbers them."""


class UpgradeDatabaseBody(Body):
    target_version: Text
    release_channel: ReleaseChannel | None = None

    def target(self) -> tuple[int, str] | None:
        """The major, and the version in full if it was given: 18, 18.6 or as an app version."""
        found = re.fullmatch(r"((\d{1,3})(?:\.[\d.]{1,20})?)", self.target_version.removeprefix(PREFIX), re.ASCII)
        return (int(found[2]), found[1]) if found else None


class ProjectUpgradeInitiateResponse(Body):
    tracking_id: str


class TargetVersion(Body):
    postgres_version: str
    release_channel: ReleaseChannel = "ga"
    app_version: str


class ProjectUpgradeEligibilityResponse(Body):
    """``obstacles`` are of our own: what stands in the way and is none of the contract's validation errors."""

    eligible: bool
    current_app_version: str
    current_app_version_release_channel: ReleaseChannel = "ga"
    latest_app_version: str
    target_upgrade_versions: list[TargetVersion]
    duration_estimate_hours: float
    legacy_auth_custom_roles: list[str]
    objects_to_be_dropped: list[str] = Field(default_factory=list)
    unsupported_extensions: list[str]
    user_defined_objects_in_internal_schemas: list[str] = Field(default_factory=list)
    validation_errors: list[dict[str, Any]]
    warnings: list[dict[str, Any]] = Field(default_factory=list)
    obstacles: list[str]

    @classmethod
    def of(cls, findings: Findings, *, everything: bool) -> Self:
        """``everything`` lists targets that the contract does not know, too."""
        targets = dict(sorted(findings.targets.items(), reverse=True))
        return cls(
            eligible=findings.possible,
            current_app_version=PREFIX + findings.current,
            latest_app_version=PREFIX + next(iter(targets.values()), findings.current),
            target_upgrade_versions=[
                TargetVersion(postgres_version=str(major), app_version=PREFIX + version)
                for major, version in targets.items()
                if everything or major in KNOWN
            ],
            duration_estimate_hours=round(findings.hours, 4),
            legacy_auth_custom_roles=findings.outdated_passwords,
            unsupported_extensions=[
                error["extension_name"] for error in findings.errors if error["type"] == "unsupported_extension"
            ],
            validation_errors=findings.errors,
            obstacles=findings.obstacles,
        )


class DatabaseUpgradeStatus(Body):
    """``cause`` and ``remarks`` are of our own: why it failed, and what stayed old."""

    initiated_at: str
    latest_status_at: str
    target_version: int
    error: str | None = None
    progress: str
    status: int
    cause: str | None = None
    remarks: list[str] = Field(default_factory=list)

    @classmethod
    def of(cls, upgrade: Upgrade) -> Self:
        return cls(
            initiated_at=upgrade.initiated_at.isoformat(),
            latest_status_at=upgrade.latest_status_at.isoformat(),
            target_version=upgrade.engine,
            error=upgrade.error,
            progress=upgrade.progress,
            status=STATES[upgrade.state],
            cause=upgrade.cause,
            remarks=upgrade.remarks,
        )


class DatabaseUpgradeStatusResponse(Body):
    databaseUpgradeStatus: dict[str, Any] | None
