from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from baseplane.api.bodies import Body

Level = Literal["ERROR", "WARN", "INFO"]
Category = Literal["PERFORMANCE", "SECURITY"]
ContractName = Literal[
    "unindexed_foreign_keys", "auth_users_exposed", "auth_rls_initplan", "no_primary_key", "unused_index",
    "multiple_permissive_policies", "policy_exists_rls_disabled", "rls_enabled_no_policy", "duplicate_index",
    "security_definer_view", "function_search_path_mutable", "rls_disabled_in_public", "extension_in_public",
    "rls_references_user_metadata", "materialized_view_in_api", "foreign_table_in_api", "unsupported_reg_types",
    "auth_otp_long_expiry", "auth_otp_short_length", "ssl_not_enforced", "network_restrictions_not_set",
    "password_requirements_min_length", "pitr_not_enabled", "auth_leaked_password_protection",
    "auth_insufficient_mfa_options", "auth_password_policy_missing", "leaked_service_key", "no_backup_admin",
    "vulnerable_postgres_version",
]  # fmt: skip
CONTRACT_NAMES: tuple[str, ...] = get_args(ContractName)
Name = Annotated[str, Field(json_schema_extra={"enum": list(CONTRACT_NAMES)})]
"""One of the contract's, unless the operator has switched the newer lints on."""


class ProjectLint(Body):
    """One finding. ``cache_key`` names it, so that clients can tell it again."""

    name: Name
    title: str
    level: Level
    facing: Literal["EXTERNAL"] = "EXTERNAL"
    categories: list[Category]
    description: str
    detail: str
    remediation: str
    metadata: dict[str, Any]
    cache_key: str


class V1ProjectAdvisorsResponse(Body):
    lints: list[ProjectLint]
