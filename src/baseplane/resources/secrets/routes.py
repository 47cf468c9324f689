from collections import Counter
from typing import Annotated

from fastapi import Body as InBody

from baseplane.api.answers import Empty
from baseplane.api.bodies import Text
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.errors import Invalid
from baseplane.resources.projects import legacy_keys
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.secrets import store
from baseplane.resources.secrets.schemas import RESERVED, NewSecret, SecretResponse

router = operations("/v1/projects/{ref}/secrets", "Secrets")

AT_ONCE = 1000
"""Names in one request; beyond that it can only be a mistake."""


@router.get("", operation_id="v1-list-all-secrets")
async def list_secrets(project: InProject, ctx: Ctx) -> list[SecretResponse]:
    """Returns all secrets you've previously added to the specified project, as digests."""
    async with ctx.reading() as db:
        secrets = await store.list_of(db, ctx.rt.keyring, project.ref)
    return [SecretResponse.of(secret) for secret in secrets]


@router.post("", status_code=201, operation_id="v1-bulk-create-secrets", response_class=Empty)
async def create_secrets(
    project: InProject, body: Annotated[list[NewSecret], InBody(max_length=AT_ONCE)], ctx: Ctx
) -> Empty:
    """Creates multiple secrets, or changes them: all, or none. Functions see them without being deployed again."""
    for name, count in Counter(secret.name for secret in body).items():
        if count > 1:
            raise Invalid(f"name: {name} is given {count} times.")
    await legacy_keys.lock(ctx.db, project.ref)
    await store.merge(ctx.db, ctx.rt.keyring, project.ref, {secret.name: secret.value for secret in body})
    return Empty(status_code=201)


@router.delete("", operation_id="v1-bulk-delete-secrets", response_class=Empty)
async def delete_secrets(
    project: InProject, body: Annotated[list[Text], InBody(max_length=AT_ONCE)], ctx: Ctx
) -> Empty:
    """Deletes all secrets with the given names from the specified project: all, or none."""
    if reserved := [name for name in body if name.startswith(RESERVED)]:
        raise Invalid(f"{reserved[0][:256]} is set by the platform and cannot be deleted.")
    await store.delete(ctx.db, project.ref, body)
    return Empty()
