"""What an operation asks for, and what a role gives. Both are tables; the decision is made here and nowhere else."""

import json
from dataclasses import dataclass
from importlib import resources

from baseplane.api.caller import Caller
from baseplane.errors import Forbidden

OWNER, ADMINISTRATOR, DEVELOPER, READ_ONLY = "Owner", "Administrator", "Developer", "Read-only"
ROLES = (OWNER, ADMINISTRATOR, DEVELOPER, READ_ONLY)
"""From the strongest to the weakest; each holds what the next one holds."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """``permissions`` are alternatives, each a set that is needed whole; ``scope`` is what an OAuth token needs."""

    scope: str | None
    permissions: tuple[frozenset[str], ...]
    public: bool


def _read_requirements() -> dict[str, Requirement]:
    text = resources.files("baseplane.api").joinpath("requirements.json").read_text()
    return {
        operation: Requirement(row["scope"], tuple(map(frozenset, row["permissions"])), row["public"])
        for operation, row in json.loads(text).items()
    }


REQUIREMENTS = _read_requirements()
"""By operation id, as the contract has them (x-oauth-scope, x-fga-permissions)."""

# The weakest role that holds a permission. Roles and their reach: ../shared/reference/platform.md, section 17.
_WEAKEST = {
    OWNER: "organization_admin_write",
    ADMINISTRATOR: """
        auth_signing_keys_write backups_write custom_domain_write database_config_write database_jit_write
        database_network_bans_write database_network_restrictions_write database_pooling_config_write
        database_readonly_config_write database_ssl_config_write infra_add_ons_write infra_disk_config_write
        infra_read_replicas_write organization_projects_create project_admin_write realtime_config_write
        storage_config_write vanity_subdomain_write auth_config_write data_api_config_write
        branching_production_delete api_gateway_keys_write""",
    DEVELOPER: """
        action_runs_write branching_development_create branching_development_delete branching_development_write
        branching_production_create branching_production_write database_migrations_write
        database_webhooks_config_write database_write edge_functions_secrets_write edge_functions_write
        api_gateway_keys_read edge_functions_secrets_read database_jit_read""",
    READ_ONLY: """
        action_runs_read advisors_read analytics_logs_read analytics_usage_read auth_config_read
        auth_signing_keys_read backups_read branching_development_read branching_production_read custom_domain_read
        data_api_config_read database_config_read database_migrations_read database_network_bans_read
        database_network_restrictions_read database_pooling_config_read database_read database_readonly_config_read
        database_ssl_config_read edge_functions_read infra_add_ons_read infra_disk_config_read members_read
        organization_admin_read organization_projects_read organizations_create organizations_read
        project_admin_read projects_read realtime_config_read snippets_read storage_config_read storage_read
        vanity_subdomain_read""",
}

_OWN = {role: frozenset(names.split()) for role, names in _WEAKEST.items()}
HELD = {role: frozenset().union(*(_OWN[weaker] for weaker in ROLES[at:])) for at, role in enumerate(ROLES)}
"""Every permission a role holds."""
PERMISSIONS = HELD[OWNER]


def check_scope(requirement: Requirement, caller: Caller) -> None:
    """Raises Forbidden when an OAuth token may not be used for this operation."""
    if caller.kind == "oauth" and (requirement.scope is None or requirement.scope not in caller.scopes):
        needed = requirement.scope or "none: this operation takes personal access tokens only"
        raise Forbidden(f"This OAuth token lacks the scope that the operation needs ({needed}).", missing_scope=needed)


def check(requirement: Requirement, caller: Caller, role: str) -> None:
    """Raises Forbidden, with ``missing_permissions`` of the alternative that comes nearest."""
    held = HELD[role] if caller.permissions is None else HELD[role] & caller.permissions
    if not requirement.permissions or any(needed <= held for needed in requirement.permissions):
        return
    missing = min((sorted(needed - held) for needed in requirement.permissions), key=len)
    narrowed = caller.permissions is not None and set(missing) <= HELD[role]
    because = "this access token does not carry" if narrowed else f"your role, {role}, does not have"
    raise Forbidden(
        f"Your account does not have the necessary privileges to access this endpoint: {because} {', '.join(missing)}.",
        missing_permissions=missing,
    )
