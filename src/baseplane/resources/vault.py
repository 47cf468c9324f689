"""The root key with which a project's vault encrypts: told, and changed without losing what it has encrypted."""

from datetime import timedelta
from typing import Annotated

import psycopg
from pydantic import Field

from baseplane.api.bodies import Body
from baseplane.api.context import Ctx
from baseplane.api.route import operations
from baseplane.database import value
from baseplane.drivers.cluster import Role
from baseplane.errors import Invalid
from baseplane.resources.projects import store
from baseplane.resources.projects.inside import refusal
from baseplane.resources.projects.lookup import InProject
from baseplane.resources.projects.status import require_serving
from baseplane.resources.projects.workflows import RECOVERY, serve
from baseplane.runtime import Runtime
from baseplane.workflows import Workflow, queue

router = operations("/v1/projects/{ref}/pgsodium", "Secrets")


class PgsodiumConfigResponse(Body):
    root_key: str


class UpdatePgsodiumConfigBody(Body):
    root_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="32 bytes in lower-case hex")]


@router.get("", operation_id="v1-get-pgsodium-config")
async def get_pgsodium_config(project: InProject, ctx: Ctx) -> PgsodiumConfigResponse:
    """Gets the root key. Keep a copy: without it, a copy of the database does not open its secrets."""
    async with ctx.reading() as db:
        hidden = await store.read_secrets(db, ctx.rt.keyring, project.ref)
    return PgsodiumConfigResponse(root_key=hidden.root_key)


@router.put("", operation_id="v1-update-pgsodium-config")
async def update_pgsodium_config(
    project: InProject, body: UpdatePgsodiumConfigBody, ctx: Ctx
) -> PgsodiumConfigResponse:
    """Change the root key. Every secret in the vault is encrypted anew before the old key goes."""
    require_serving(project.status)
    hidden = await store.read_secrets(ctx.db, ctx.rt.keyring, project.ref)
    if body.root_key != hidden.root_key:
        await store.change_root_key(ctx.db, ctx.rt.keyring, project.ref, body.root_key)
        run_id = await queue.start(ctx.db, rotate, project.ref)
        ctx.answer_after(run_id, within=timedelta(seconds=30))
    return PgsodiumConfigResponse(root_key=body.root_key)


rotate = Workflow("vault.rotate")
"""If it fails, the keys before the new one go on opening what they encrypted, and the next change tries again."""
rotate.step(within=RECOVERY)(serve)


@rotate.step()
async def give_keys(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        spec = await store.cluster_spec(db, rt.keyring, ref)
    await rt.clusters.give_root_keys(spec)


@rotate.step(within=timedelta(minutes=10), final=(Invalid,))
async def encrypt_anew(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        secret = (await store.read_secrets(db, rt.keyring, ref)).secret
    async with rt.clusters.connect(ref, Role.ADMIN, secret) as inside:
        try:
            await value(inside, "select vault._rotate()")
        except psycopg.Error as error:
            raise refusal(error, "") from error


@rotate.step()
async def retire(rt: Runtime, ref: str) -> None:
    async with rt.database.connection() as db:
        await store.retire_root_keys(db, ref)


rotate.step()(give_keys)
