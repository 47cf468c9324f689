"""What this installation can do, feature by feature: nothing is bought here, it is built or it is not.

The keys are the contract's. A row without a value is a feature that this version does not have.
"""

from dataclasses import dataclass

from baseplane.api.permissions import ROLES
from baseplane.resources.organizations.schemas import BooleanConfig, Entitlement, NumericConfig, SetConfig


@dataclass(frozen=True, slots=True)
class Row:
    """``value`` is True, a tuple for sets, or a number in ``unit``; None means that the feature is missing."""

    key: str
    type: str = "boolean"
    value: bool | float | tuple[str, ...] | None = None
    unit: str = ""


READ_REPLICAS = 4
"""Of one project: the smallest sizes have five replication slots, and one is left to its users."""

ROWS = (
    Row("instances.compute_update_available_sizes", "set"),
    Row("instances.read_replicas", "numeric", READ_REPLICAS),
    Row("instances.disk_modifications"),
    Row("instances.high_availability"),
    Row("instances.orioledb"),
    Row("replication.etl"),
    Row("storage.max_file_size", "numeric", unit="bytes"),
    Row("storage.max_file_size.configurable"),
    Row("storage.image_transformations"),
    Row("storage.vector_buckets"),
    Row("storage.iceberg_catalog"),
    Row("security.audit_logs_days", "numeric", unit="days"),
    Row("security.questionnaire"),
    Row("security.soc2_report"),
    Row("security.iso27001_certificate"),
    Row("security.private_link"),
    Row("security.enforce_mfa"),
    Row("log.retention_days", "numeric", unit="days"),
    Row("custom_domain"),
    Row("vanity_subdomain"),
    Row("ipv4"),
    Row("pitr.available_variants", "set"),
    Row("log_drains"),
    Row("audit_log_drains"),
    Row("branching_limit", "numeric"),
    Row("branching_persistent"),
    Row("auth.mfa_phone"),
    Row("auth.mfa_web_authn"),
    Row("auth.mfa_enhanced_security"),
    Row("auth.hooks", "set"),
    Row("auth.platform.sso"),
    Row("auth.custom_jwt_template"),
    Row("auth.saml_2"),
    Row("auth.user_sessions"),
    Row("auth.leaked_password_protection"),
    Row("auth.advanced_auth_settings"),
    Row("auth.performance_settings"),
    Row("auth.password_hibp"),
    Row("auth.custom_oauth.max_providers", "numeric"),
    Row("backup.retention_days", "numeric", unit="days"),
    Row("backup.restore_to_new_project", value=True),
    Row("backup.schedule"),
    Row("function.max_count", "numeric", 1000),
    Row("function.size_limit_mb", "numeric", 20, unit="mb"),
    Row("realtime.max_concurrent_users", "numeric"),
    Row("realtime.max_events_per_second", "numeric"),
    Row("realtime.max_joins_per_second", "numeric"),
    Row("realtime.max_channels_per_client", "numeric"),
    Row("realtime.max_bytes_per_second", "numeric"),
    Row("realtime.max_presence_events_per_second", "numeric"),
    Row("realtime.max_payload_size_in_kb", "numeric"),
    Row("project_scoped_roles"),
    Row("security.member_roles", "set", ROLES),
    Row("project_pausing", value=True),
    Row("project_cloning"),
    Row("project_restore_after_expiry", value=True),
    Row("assistant.advance_model"),
    Row("integrations.github_connections"),
    Row("dedicated_pooler"),
    Row("observability.dashboard_advanced_metrics"),
)


def limit(key: str) -> float:
    """The number that a feature is limited to."""
    number = next(row.value for row in ROWS if row.key == key)
    assert isinstance(number, (int, float))
    return number


def entitlement(row: Row) -> Entitlement:
    has = row.value is not None
    config: BooleanConfig | NumericConfig | SetConfig
    if row.type == "set":
        config = SetConfig(enabled=has, set=list(row.value) if isinstance(row.value, tuple) else [])
    elif row.type == "numeric":
        number = float(row.value) if isinstance(row.value, (int, float)) else 0
        config = NumericConfig(enabled=has, value=number, unlimited=False, unit=row.unit)
    else:
        config = BooleanConfig(enabled=has)
    return Entitlement.model_validate(
        {"feature": {"key": row.key, "type": row.type}, "hasAccess": has, "type": row.type, "config": config}
    )
