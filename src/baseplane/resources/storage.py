"""A project's storage configuration. The storage server itself is not part of this installation yet."""

from baseplane.api.bodies import Body
from baseplane.api.route import operations
from baseplane.resources.projects.lookup import InProject

router = operations("/v1/projects/{ref}/config/storage", "Storage")

FILE_SIZE_LIMIT = 50 * 1024 * 1024  # bytes; the hosted platform's default


class Switch(Body):
    enabled: bool = False


class IcebergCatalog(Switch):
    maxNamespaces: int = 0
    maxTables: int = 0
    maxCatalogs: int = 0


class VectorBuckets(Switch):
    maxBuckets: int = 0
    maxIndexes: int = 0


class StorageFeatures(Body):
    imageTransformation: Switch = Switch()
    s3Protocol: Switch = Switch()
    icebergCatalog: IcebergCatalog = IcebergCatalog()
    vectorBuckets: VectorBuckets = VectorBuckets()


class StorageCapabilities(Body):
    list_v2: bool = False
    iceberg_catalog: bool = False


class StorageExternal(Body):
    upstreamTarget: str = "main"


class StorageConfigResponse(Body):
    """``migrationVersion`` is empty: no storage server has prepared this project's database."""

    fileSizeLimit: int = FILE_SIZE_LIMIT
    features: StorageFeatures = StorageFeatures()
    capabilities: StorageCapabilities = StorageCapabilities()
    external: StorageExternal = StorageExternal()
    migrationVersion: str = ""
    databasePoolMode: str = "session"


@router.get("", operation_id="v1-get-storage-config")
async def get_storage_config(_project: InProject) -> StorageConfigResponse:
    """Gets the project's storage config: everything that needs the storage server is off."""
    return StorageConfigResponse()
