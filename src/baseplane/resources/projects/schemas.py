from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue

from baseplane.api.bodies import Body, ClosedBody, Text, without_null
from baseplane.resources.organizations.schemas import Name
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.resources.regions import Group, RegionCode, SizeName

MIN_PASSWORD = 4
DEPRECATED: dict[str, JsonValue] = {"deprecated": True}


def long_enough(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"must be at least {MIN_PASSWORD} characters long")
    return password


Password = Annotated[Text, AfterValidator(long_enough)]


class SpecificSelection(Body):
    type: Literal["specific"]
    code: RegionCode


class GroupSelection(Body):
    type: Literal["smartGroup"]
    code: Group


class V1CreateProjectBody(ClosedBody):
    db_pass: Password
    name: Name
    organization_id: str | None = Field(None, json_schema_extra=DEPRECATED)
    organization_slug: str = Field(pattern=r"^[\w-]+$")
    plan: Literal["free", "pro"] | None = Field(None, json_schema_extra=DEPRECATED)
    region: RegionCode | None = Field(None, json_schema_extra=DEPRECATED)
    region_selection: Annotated[SpecificSelection | GroupSelection, Field(discriminator="type")] | None = None
    kps_enabled: bool | None = Field(None, json_schema_extra=DEPRECATED)
    desired_instance_size: SizeName | None = None
    template_url: str | None = Field(None, json_schema_extra={"format": "uri"})


class V1UpdateProjectBody(Body):
    name: Name


class V1UpdatePasswordBody(Body):
    password: Annotated[str, Field(min_length=MIN_PASSWORD), AfterValidator(without_null)]


class V1UpdatePasswordResponse(Body):
    message: str


class V1ProjectRefResponse(Body):
    id: int
    ref: str
    name: str


class V1ProjectResponse(Body):
    """``id`` equals ``ref`` and ``organization_id`` equals ``organization_slug``: clients compare them."""

    id: str
    ref: str
    organization_id: str
    organization_slug: str
    name: str
    region: str
    created_at: datetime
    status: Status

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(**_fields(project))


class ProjectDatabase(Body):
    host: str
    version: str
    postgres_engine: str
    release_channel: str


class V1ProjectWithDatabaseResponse(V1ProjectResponse):
    database: ProjectDatabase

    @classmethod
    def at(cls, project: Project, project_host: str) -> Self:
        database = ProjectDatabase(
            host=f"db.{project.ref}.{project_host}",
            version=project.postgres_version or str(project.engine),
            postgres_engine=str(project.engine),
            release_channel="ga",
        )
        return cls(**_fields(project), database=database)


def _fields(project: Project) -> dict[str, object]:
    return {
        "id": project.ref,
        "ref": project.ref,
        "organization_id": project.organization_slug,
        "organization_slug": project.organization_slug,
        "name": project.name,
        "region": project.region,
        "created_at": project.created_at,
        "status": project.status,
    }


DatabaseStatus = Literal[
    "ACTIVE_HEALTHY", "ACTIVE_UNHEALTHY", "COMING_UP", "GOING_DOWN", "INIT_FAILED", "REMOVED", "RESTORING", "UNKNOWN",
    "INIT_READ_REPLICA", "INIT_READ_REPLICA_FAILED", "RESTARTING", "RESIZING",
]  # fmt: skip


class OrganizationDatabase(Body):
    infra_compute_size: SizeName
    region: str
    status: DatabaseStatus
    cloud_provider: str
    identifier: str
    type: Literal["PRIMARY", "READ_REPLICA"]


class OrganizationProject(Body):
    ref: str
    name: str
    cloud_provider: str
    region: str
    is_branch: bool
    status: Status
    inserted_at: datetime
    databases: list[OrganizationDatabase]


class Pagination(Body):
    count: int
    limit: int
    offset: int


class OrganizationProjectsResponse(Body):
    projects: list[OrganizationProject]
    pagination: Pagination
