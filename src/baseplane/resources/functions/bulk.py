"""Several functions changed in one moment."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from baseplane.database import Connection
from baseplane.errors import Invalid
from baseplane.resources.functions import store
from baseplane.resources.functions.schemas import BulkUpdateFunction, FunctionResponse
from baseplane.resources.functions.store import Function


def distinct(given: Sequence[BulkUpdateFunction]) -> Sequence[BulkUpdateFunction]:
    """Raises Invalid."""
    for function_id, count in Counter(each.id for each in given).items():
        if count > 1:
            raise Invalid(f"id: {function_id[:100]} is given {count} times. Nothing was changed.")
    return given


async def change(db: Connection, ref: str, given: BulkUpdateFunction) -> FunctionResponse:
    """Inside the transaction of all. Raises Invalid, which names the function and undoes the others with it."""
    version = await _find(db, ref, given)
    if given.status == "THROTTLED":
        raise _refused(given, "THROTTLED is for the platform to set; send ACTIVE or REMOVED")
    if given.status == "REMOVED":
        await store.remove(db, version.id)
        return FunctionResponse.of(version, "REMOVED")
    verify_jwt = version.verify_jwt if given.verify_jwt is None else given.verify_jwt
    await store.activate(db, version, name=given.name, verify_jwt=verify_jwt)
    activated = await store.find_version(db, version.id, version.version)
    assert activated is not None
    return FunctionResponse.of(activated)


async def _find(db: Connection, ref: str, given: BulkUpdateFunction) -> Function:
    try:
        function_id = UUID(given.id)
    except ValueError as error:
        raise _refused(given, "there is no function with this id") from error
    version = await store.find_version(db, function_id, given.version)
    if version is None or version.project_ref != ref:
        raise _refused(given, f"there is no version {given.version} of it here any more, or never was")
    if version.slug != given.slug:
        raise _refused(given, f"the function with this id is called {version.slug}")
    return version


def _refused(given: BulkUpdateFunction, reason: str) -> Invalid:
    return Invalid(f"{given.slug} ({given.id[:100]}): {reason}. Nothing was changed.")
