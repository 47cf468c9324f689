"""Functions to deploy, and how clients send them."""

import json
from typing import Any

import httpx

from baseplane.resources.functions import source, store
from baseplane.runtime import Runtime
from tests.conftest import Client

HELLO = 'Deno.serve(() => new Response("hello"));\n'
BROKEN = "Deno.serve(() => new Response('a');\n"


async def send(
    api: Client,
    ref: str,
    slug: str | None,
    files: dict[str, str | bytes] | None = None,
    *,
    bundle_only: bool = False,
    **metadata: Any,
) -> httpx.Response:
    """Ask to deploy; the worker is not waited for."""
    files = {"index.ts": HELLO} if files is None else files
    parts = [("file", (name, data, "application/octet-stream")) for name, data in files.items()]
    described = {"entrypoint_path": next(iter(files), "index.ts"), **metadata}
    query = {"slug": slug} if slug is not None else {}
    return await api.call(
        "POST",
        f"/v1/projects/{ref}/functions/deploy",
        params=query | ({"bundleOnly": "true"} if bundle_only else {}),
        data={"metadata": json.dumps(described)},
        files=parts or [("file", ("", b""))],
    )


async def deployed(api: Client, ref: str, slug: str, files: dict[str, str | bytes] | None = None, **more: Any) -> Any:
    """The answer to a deployment that went well."""
    answer = await send(api, ref, slug, files, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(api: Client, ref: str) -> list[Any]:
    return list(await api.get(f"/v1/projects/{ref}/functions"))


async def given(rt: Runtime, ref: str, slug: str, text: str = HELLO, **settings: Any) -> store.Function:
    """A version that serves, as if it had been deployed."""
    packed = source.pack(source.Source({"index.ts": text.encode()}, "index.ts"))
    new = store.New(slug, settings.get("name"), settings.get("verify_jwt"), packed)
    async with rt.database.transaction() as db:
        await store.lock(db, ref)
        version = await store.insert_version(db, ref, new)
        await rt.artifacts.put(version.artifact, packed.data)
        await store.succeed(db, version)
    return version
