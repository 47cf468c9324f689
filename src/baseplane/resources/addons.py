"""Add-ons: what of a project can be chosen. Nothing costs anything on one's own machines."""

from typing import Any, Literal

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster.sizes import SIZES, Size
from baseplane.resources.projects.lookup import InProject

router = operations("/v1/projects/{ref}/billing/addons", "Billing")

AddonType = Literal[
    "custom_domain", "compute_instance", "pitr", "ipv4", "auth_mfa_phone", "auth_mfa_web_authn", "log_drain"
]  # fmt: skip


class Price(Body):
    description: str = "Free on your own machines"
    type: Literal["fixed", "usage"] = "fixed"
    interval: Literal["monthly", "hourly"] = "hourly"
    amount: float = 0


class Variant(Body):
    id: str
    name: str
    price: Price = Price()
    meta: Any = None


class SelectedAddon(Body):
    type: AddonType
    variant: Variant


class AvailableAddon(Body):
    type: AddonType
    name: str
    variants: list[Variant]


class ListProjectAddonsResponse(Body):
    selected_addons: list[SelectedAddon]
    available_addons: list[AvailableAddon]


def variant(size: Size) -> Variant:
    meta = {"memory_gb": size.memory / 1024, "connections_direct": size.max_connections}
    return Variant(id=f"ci_{size.name}", name=size.name, meta=meta)


@router.get("", operation_id="v1-list-project-addons")
async def list_addons(project: InProject, ctx: Ctx) -> ListProjectAddonsResponse:
    """List the project's add-ons, its compute size above all. The smallest size, nano, is no add-on."""
    offered = ctx.rt.settings.sizes or tuple(SIZES)
    variants = [variant(size) for size in SIZES.values() if size.name in offered and size.name != "nano"]
    selected = [SelectedAddon(type="compute_instance", variant=v) for v in variants if v.name == project.size]
    available = AvailableAddon(type="compute_instance", name="Compute size", variants=variants)
    return ListProjectAddonsResponse(selected_addons=selected, available_addons=[available])
