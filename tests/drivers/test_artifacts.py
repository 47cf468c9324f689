"""Every store of artifacts keeps the same promise: a directory, and a bucket of a real S3 server."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from baseplane.cli import ports
from baseplane.drivers.artifacts import ArtifactMissing, ArtifactStore, StoreUnavailable, clear
from baseplane.drivers.artifacts.bucket import Bucket
from baseplane.drivers.artifacts.directory import Directory
from tests import s3


@pytest.fixture(scope="module")
def bucket_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3.serving(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(params=["directory", "bucket"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ArtifactStore]:
    if request.param == "directory":
        yield Directory(tmp_path / "artifacts")
    else:
        yield Bucket(request.getfixturevalue("bucket_url"), s3.CREDENTIALS)


async def test_what_was_put_is_there_as_it_was(store: ArtifactStore) -> None:
    data = secrets.token_bytes(300_000)
    await store.put("project/functions/one", data)
    assert await store.get("project/functions/one") == data
    await store.put("project/functions/one", b"")
    assert await store.get("project/functions/one") == b""


async def test_what_is_missing_is_said_to_be_missing(store: ArtifactStore) -> None:
    with pytest.raises(ArtifactMissing, match="nobody/knows"):
        await store.get("nobody/knows")


async def test_deleting_may_be_repeated(store: ArtifactStore) -> None:
    await store.put("shop/functions/one", b"1")
    for _ in range(2):
        await store.delete("shop/functions/one")
    with pytest.raises(ArtifactMissing):
        await store.get("shop/functions/one")


async def test_a_folder_is_listed_without_its_neighbours_and_cleared(store: ArtifactStore) -> None:
    folder = secrets.token_hex(8)
    keys = [f"{folder}/functions/{name}" for name in ("a", "b.tar", "c-d")]
    for key in [*keys, f"{folder}x/functions/a", f"{folder}/other"]:
        await store.put(key, b"x")
    assert await store.list(f"{folder}/functions") == keys
    await clear(store, folder)
    assert await store.list(folder) == []
    assert await store.list(f"{folder}x") == [f"{folder}x/functions/a"]


async def test_many_write_at_the_same_time(store: ArtifactStore) -> None:
    folder = secrets.token_hex(8)
    await asyncio.gather(*(store.put(f"{folder}/{n % 5}/f", bytes([n % 5]) * 1000) for n in range(25)))
    assert {await store.get(f"{folder}/{n}/f") for n in range(5)} == {bytes([n]) * 1000 for n in range(5)}


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "a/../b", "..", "a//b", "a/", ".hidden", "a\0b", "ä", "a/" + "b" * 201]
)
async def test_a_key_that_leads_elsewhere_is_refused(store: ArtifactStore, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        await store.put(key, b"x")


async def test_a_store_that_does_not_answer_is_called_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for store in (
        Directory(tmp_path / "file"),
        Bucket(f"s3://kept?endpoint=http://127.0.0.1:{ports.free_near('127.0.0.1', 0)}", s3.CREDENTIALS),
    ):
        with pytest.raises(StoreUnavailable):
            await store.put("project/one", b"x")


async def test_wrong_credentials_are_called_unavailable_too(bucket_url: str) -> None:
    with pytest.raises(StoreUnavailable):
        await Bucket(bucket_url, ("nobody", "wrong")).put("project/one", b"x")


@pytest.mark.parametrize("url", ["s3://", "http://bucket", "s3:bucket", "s3://bucket?endpoints=http://x"])
def test_a_url_that_is_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="bucket"):
        Bucket(url)
