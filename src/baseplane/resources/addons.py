"""Add-ons: what of a project can be chosen, its compute size. Nothing costs anything on one's own machines."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Path

from baseplane.api.answers import Empty
from baseplane.api.bodies import Body
from baseplane.api.context import Context, Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster.sizes import SIZES, Size
from baseplane.errors import Conflict, Invalid, NotFound
from baseplane.resources.postgres_config import store as changes
from baseplane.resources.postgres_config.store import Change
from baseplane.resources.postgres_config.workflows import resize
from baseplane.resources.projects import store as projects
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.status import SERVING, Status, require
from baseplane.resources.projects.store import Project
from baseplane.settings import Settings
from baseplane.workflows import queue

router = operations("/v1/projects/{ref}/billing/addons", "Billing")

AddonType = Literal[
    "custom_domain", "compute_instance", "pitr", "ipv4", "auth_mfa_phone", "auth_mfa_web_authn", "log_drain"
]  # fmt: skip
AddonVariant = Literal[
    "ci_micro", "ci_small", "ci_medium", "ci_large", "ci_xlarge", "ci_2xlarge", "ci_4xlarge", "ci_8xlarge",
    "ci_12xlarge", "ci_16xlarge", "ci_24xlarge", "ci_24xlarge_optimized_cpu", "ci_24xlarge_optimized_memory",
    "ci_24xlarge_high_memory", "ci_48xlarge", "ci_48xlarge_optimized_cpu", "ci_48xlarge_optimized_memory",
    "ci_48xlarge_high_memory", "cd_default", "pitr_7", "pitr_14", "pitr_28", "ipv4_default",
]  # fmt: skip
COMPUTE, UNSIZED = "ci_", "nano"
"""How variants begin that are compute sizes, and the one size that is no add-on: what a project has without any."""
NOT_ADDONS = {
    "cd_default": "custom_domain: a domain needs no add-on here",
    "pitr": "pitr: which backups are kept is the operator's choice here, and needs no add-on",
    "ipv4_default": "ipv4: the address of all projects is the operator's choice here, IPv4 or IPv6, and needs no add-on",
}
RESIZED_WITHIN = timedelta(seconds=60)


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


class ApplyProjectAddonBody(Body):
    addon_variant: AddonVariant
    addon_type: AddonType


def variant(size: Size) -> Variant:
    meta = {"memory_gb": size.memory / 1024, "connections_direct": size.max_connections}
    return Variant(id=f"{COMPUTE}{size.name}", name=size.name, meta=meta)


def offered(settings: Settings) -> list[str]:
    """Compute sizes, the smallest first."""
    return [name for name in SIZES if not settings.sizes or name in settings.sizes]


@router.get("", operation_id="v1-list-project-addons")
async def list_addons(project: InProject, ctx: Ctx) -> ListProjectAddonsResponse:
    """List the project's add-ons, its compute size above all. The smallest size, nano, is no add-on."""
    variants = [variant(SIZES[name]) for name in offered(ctx.rt.settings) if name != UNSIZED]
    chosen = [variant(SIZES[project.size])] if project.size != UNSIZED else []
    return ListProjectAddonsResponse(
        selected_addons=[SelectedAddon(type="compute_instance", variant=one) for one in chosen],
        available_addons=[AvailableAddon(type="compute_instance", name="Compute size", variants=variants)],
    )


@router.patch("", operation_id="v1-apply-project-addon", response_class=Empty)
async def apply_addon(project: InProject, body: ApplyProjectAddonBody, ctx: Ctx) -> Empty:
    """Change the compute size, which restarts the project's Postgres. Answers when it serves with it.

    If it does not come up with it, it serves with the old size again, and the answer says why.
    """
    size = _size_of(body.addon_variant)
    if body.addon_type != "compute_instance":
        raise Invalid(f"addon_type: {body.addon_variant} is a variant of compute_instance, not of {body.addon_type}")
    if size not in (sizes := offered(ctx.rt.settings)):
        named = ", ".join(f"{COMPUTE}{name}" for name in sizes if name != UNSIZED)
        raise Invalid(f"addon_variant: {body.addon_variant} is not offered here; choose one of {named}")
    await _resize(ctx, project, size)
    return Empty()


@router.delete("/{addon_variant}", operation_id="v1-remove-project-addon", response_class=Empty)
async def remove_addon(project: InProject, addon_variant: Annotated[AddonVariant, Path()], ctx: Ctx) -> Empty:
    """Go back to the smallest compute size that is offered."""
    size, smallest = _size_of(addon_variant), offered(ctx.rt.settings)[0]
    if size != project.size:
        raise NotFound(f"The project does not have the add-on {addon_variant}; its compute size is {project.size}.")
    if size == smallest:
        raise Conflict(f"{addon_variant} is the smallest compute size that is offered here.")
    await _resize(ctx, project, smallest)
    return Empty()


def _size_of(addon: AddonVariant) -> str:
    """Raises Invalid for what is no add-on here."""
    if addon.startswith(COMPUTE):
        return addon.removeprefix(COMPUTE)
    raise Invalid(f"{NOT_ADDONS.get(addon) or NOT_ADDONS[addon.partition('_')[0]]}.")


async def _resize(ctx: Context, project: Project, size: str) -> None:
    """What is paused takes its size when it is restored."""
    require(project.status, SERVING | {Status.INACTIVE}, "resized")
    if project.size == size:
        return
    if project.status == Status.INACTIVE:
        if not await projects.resize_paused(ctx.db, project.ref, size):
            raise Conflict("The project has just changed its state; look again.")
        return
    await changes.insert(ctx.db, project.ref, Change(None, restart=True, size=size))
    ctx.answer_after(await queue.start(ctx.db, resize, project.ref), RESIZED_WITHIN, failure=Conflict)
