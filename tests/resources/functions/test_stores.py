"""Functions whose files are kept in a bucket, and in a store that is not there."""

import dataclasses
from pathlib import Path

import pytest

from baseplane import app
from baseplane.cli import ports
from baseplane.drivers.artifacts.bucket import Bucket
from baseplane.errors import Unavailable
from baseplane.runtime import Runtime
from tests import s3
from tests.conftest import client_of, working
from tests.resources.functions.deploying import HELLO, deployed, listed, send


async def test_functions_live_in_a_bucket_and_leave_it_with_their_project(rt: Runtime, tmp_path: Path) -> None:
    with s3.serving(tmp_path) as url:
        store = Bucket(url, s3.CREDENTIALS)
        async with client_of(dataclasses.replace(rt, artifacts=store)) as api:
            ref = await api.active_project()
            async with working(api.queue):
                function = await deployed(api, ref, "hello")
            assert await store.list(ref) == [f"{ref}/functions/{function['ezbr_sha256']}"]
            answer = await api.call("GET", f"/v1/projects/{ref}/functions/hello/body")
            assert answer.text == HELLO
            await api.call("DELETE", f"/v1/projects/{ref}")
            await api.drain()
            assert await store.list(ref) == []


async def test_a_store_that_is_not_there_loses_nothing_and_is_named(rt: Runtime) -> None:
    nowhere = Bucket(f"s3://kept?endpoint=http://127.0.0.1:{ports.free_near('127.0.0.1', 0)}", s3.CREDENTIALS)
    async with client_of(rt) as api:
        ref = await api.active_project()
        async with working(api.queue):
            before = await deployed(api, ref, "hello")
            async with client_of(dataclasses.replace(rt, artifacts=nowhere)) as other:
                cut_off = dataclasses.replace(api, http=other.http)
                answer = await send(cut_off, ref, "hello", {"index.ts": f"{HELLO}// new"})
                assert answer.status_code == 503
                assert "bucket" in answer.json()["message"]
                assert (await cut_off.call("GET", f"/v1/projects/{ref}/functions/hello/body")).status_code == 503
            assert await listed(api, ref) == [before]
            assert (await deployed(api, ref, "hello"))["version"] == 2


@pytest.mark.parametrize("url", ["s3://", "http://bucket", "s3://bucket?endpoints=x"])
def test_an_address_that_is_no_store_is_refused_at_the_start(rt: Runtime, url: str) -> None:
    with pytest.raises(Unavailable, match="BASEPLANE_ARTIFACTS"):
        app.artifacts(rt.settings.model_copy(update={"artifacts": url}))
