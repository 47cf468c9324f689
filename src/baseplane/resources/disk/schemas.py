import math
from typing import Annotated, Literal, Self

from pydantic import Field

from baseplane.api.bodies import Body, at_most
from baseplane.resources.disk.store import GP3_THROUGHPUT, Disk

Positive = Annotated[int, Field(gt=0, strict=True), at_most(2**31 - 1)]


class Gp3(Body):
    type: Literal["gp3"]
    iops: Positive
    size_gb: Positive
    throughput_mibps: Positive = GP3_THROUGHPUT


class Io2(Body):
    type: Literal["io2"]
    iops: Positive
    size_gb: Positive


Attributes = Annotated[Gp3 | Io2, Field(discriminator="type")]


class DiskRequestBody(Body):
    attributes: Attributes


class DiskResponse(Body):
    attributes: Attributes
    last_modified_at: str | None = None

    @classmethod
    def of(cls, disk: Disk) -> Self:
        """The contract knows whole gigabytes; an allowance of a part of one is said in full by the utilization."""
        size = max(1, math.ceil(disk.size_gb))
        attributes: Gp3 | Io2 = (
            Io2(type="io2", iops=disk.iops, size_gb=size)
            if disk.type == "io2"
            else Gp3(type="gp3", iops=disk.iops, size_gb=size, throughput_mibps=disk.throughput_mibps or GP3_THROUGHPUT)
        )
        return cls(attributes=attributes, last_modified_at=disk.changed_at.isoformat() if disk.changed_at else None)


class DiskUtilMetrics(Body):
    fs_size_bytes: int
    fs_avail_bytes: int
    fs_used_bytes: int


class DiskUtilMetricsResponse(Body):
    timestamp: str
    metrics: DiskUtilMetrics


class DiskAutoscaleConfig(Body):
    growth_percent: int | None
    min_increment_gb: int | None
    max_size_gb: int | None


class ReadOnlyStatusResponse(Body):
    enabled: bool
    override_enabled: bool
    override_active_until: str
