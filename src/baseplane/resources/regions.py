"""Regions: labels that the official clients insist on. The operator says which are offered; all lie where this runs."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Query

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.errors import Invalid
from baseplane.resources.organizations.lookup import enter
from baseplane.settings import Settings

Continent = Literal["NA", "SA", "EU", "AF", "AS", "OC", "AN"]
Group = Literal["americas", "emea", "apac"]
RegionCode = Literal[
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-east-1", "ap-southeast-1", "ap-northeast-1",
    "ap-northeast-2", "ap-southeast-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-central-1",
    "eu-central-2", "ca-central-1", "ap-south-1", "sa-east-1",
]  # fmt: skip
SizeName = Literal[
    "nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge",
    "24xlarge", "24xlarge_optimized_memory", "24xlarge_optimized_cpu", "24xlarge_high_memory", "48xlarge",
    "48xlarge_optimized_memory", "48xlarge_optimized_cpu", "48xlarge_high_memory",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Region:
    code: RegionCode
    name: str
    continent: Continent
    group: Group


REGIONS = (
    Region("us-east-1", "East US (North Virginia)", "NA", "americas"),
    Region("us-east-2", "East US (Ohio)", "NA", "americas"),
    Region("us-west-1", "West US (North California)", "NA", "americas"),
    Region("us-west-2", "West US (Oregon)", "NA", "americas"),
    Region("ca-central-1", "Canada (Central)", "NA", "americas"),
    Region("sa-east-1", "South America (São Paulo)", "SA", "americas"),
    Region("eu-central-1", "Central EU (Frankfurt)", "EU", "emea"),
    Region("eu-central-2", "Central Europe (Zurich)", "EU", "emea"),
    Region("eu-north-1", "North EU (Stockholm)", "EU", "emea"),
    Region("eu-west-1", "West EU (Ireland)", "EU", "emea"),
    Region("eu-west-2", "West Europe (London)", "EU", "emea"),
    Region("eu-west-3", "West EU (Paris)", "EU", "emea"),
    Region("ap-east-1", "East Asia (Hong Kong)", "AS", "apac"),
    Region("ap-south-1", "South Asia (Mumbai)", "AS", "apac"),
    Region("ap-northeast-1", "Northeast Asia (Tokyo)", "AS", "apac"),
    Region("ap-northeast-2", "Northeast Asia (Seoul)", "AS", "apac"),
    Region("ap-southeast-1", "Southeast Asia (Singapore)", "AS", "apac"),
    Region("ap-southeast-2", "Oceania (Sydney)", "OC", "apac"),
)
GROUPS: dict[Group, str] = {"americas": "Americas", "emea": "Europe, Middle East and Africa", "apac": "Asia-Pacific"}


def offered(settings: Settings) -> list[Region]:
    return [region for region in REGIONS if not settings.regions or region.code in settings.regions]


def choose(settings: Settings, *, code: str | None = None, group: str | None = None, field: str = "region") -> str:
    """The region for a new project: the one asked for, the first of a group, or the first of all.

    Raises Invalid, which names the ``field``.
    """
    regions = offered(settings)
    for region in regions:
        if (code is None or region.code == code) and (group is None or region.group == group):
            return region.code
    asked = code or group
    raise Invalid(f"{field}: {asked} is not offered here; choose one of {', '.join(region.code for region in regions)}")


def choose_size(settings: Settings, asked: str | None, *, field: str = "desired_instance_size") -> str:
    """The compute size for a new project; the smallest on offer by default. Raises Invalid, which names the ``field``."""
    sizes = [size for size in SIZES if not settings.sizes or size in settings.sizes]
    if asked is None:
        return sizes[0]
    if asked not in sizes:
        raise Invalid(f"{field}: {asked} is not offered here; choose one of {', '.join(sizes)}")
    return asked


class SmartGroup(Body):
    name: str
    code: Group
    type: Literal["smartGroup"] = "smartGroup"


class SpecificRegion(Body):
    name: str
    code: RegionCode
    type: Literal["specific"] = "specific"
    provider: Literal["AWS", "FLY", "AWS_K8S", "AWS_NIMBUS"] = "AWS"


class Recommendations(Body):
    smartGroup: SmartGroup
    specific: list[SpecificRegion]


class AllRegions(Body):
    smartGroup: list[SmartGroup]
    specific: list[SpecificRegion]


class RegionsInfo(Body):
    recommendations: Recommendations
    all: AllRegions


router = operations("/v1/projects", "Projects")


@router.get("/available-regions", operation_id="v1-get-available-regions")
async def list_available_regions(
    ctx: Ctx,
    organization_slug: Annotated[str, Query()],
    continent: Annotated[Continent | None, Query()] = None,
    desired_instance_size: Annotated[SizeName | None, Query()] = None,
) -> RegionsInfo:
    """Gets the regions that a new project of the organization can be created in."""
    await enter(ctx, organization_slug)
    choose_size(ctx.rt.settings, desired_instance_size)
    regions = offered(ctx.rt.settings)
    near = [region for region in regions if continent in (None, region.continent)] or regions
    return RegionsInfo(
        recommendations=Recommendations(smartGroup=_group(near[0].group), specific=[_specific(r) for r in near]),
        all=AllRegions(
            smartGroup=[_group(group) for group in dict.fromkeys(region.group for region in regions)],
            specific=[_specific(region) for region in regions],
        ),
    )


def _group(group: Group) -> SmartGroup:
    return SmartGroup(name=GROUPS[group], code=group)


def _specific(region: Region) -> SpecificRegion:
    return SpecificRegion(name=region.name, code=region.code)
