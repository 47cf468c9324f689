"""Where archives lie: a directory and a bucket of a real S3 server keep the same promises, and say why when they do not."""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from baseplane.cli import ports
from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import ArchiveUnavailable, BackupDamaged, BackupId, Progress, Target
from baseplane.drivers.archive.local import LocalArchive
from baseplane.drivers.archive.stores import ObjectStore
from baseplane.drivers.cluster import ClusterSpec, Role
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.settings import Settings
from tests.drivers.conftest import new_spec

KEY, SECRET = "baseplane", "a secret of the bucket"
TMPFS_BYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a bucket that rclone serves from a directory."""
    directory = tmp_path_factory.mktemp("buckets")
    (directory / "archive").mkdir()
    port = ports.free_near("127.0.0.1", 0)
    program = Path(sys.executable).with_name("rclone")
    command = [
        str(program),
        "serve",
        "s3",
        str(directory),
        "--addr",
        f"127.0.0.1:{port}",
        "--auth-key",
        f"{KEY},{SECRET}",
        "--config",
        os.devnull,
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"s3://archive/deep/below?endpoint=http://127.0.0.1:{port}&access_key_id={KEY}&secret_access_key={SECRET}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(params=["directory", "bucket"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "archive") if request.param == "directory" else str(request.getfixturevalue("bucket"))


def test_what_was_put_comes_back_whole_and_checked(url: str) -> None:
    store, key = ObjectStore(url), f"{secrets.token_hex(4)}/log/one"
    content = [os.urandom(1024 * 1024) for _ in range(12)]  # enough for several parts of an upload
    digest, size = store.put(key, content)
    assert size == 12 * 1024 * 1024
    assert b"".join(store.get(key, digest)) == b"".join(content)
    with pytest.raises(BackupDamaged, match="SHA-256"):
        list(store.get(key, "0" * 64))
    assert store.keys(f"{key.partition('/')[0]}/") == [key]
    assert store.folders(f"{key.partition('/')[0]}/") == ["log"]
    store.delete([key, key])
    assert store.folders(f"{key.partition('/')[0]}/") == []
    with pytest.raises(BackupDamaged, match="missing"):
        store.read(key)


def test_what_breaks_off_leaves_nothing(url: str) -> None:
    store, folder = ObjectStore(url), secrets.token_hex(4)

    def broken() -> Iterator[bytes]:
        yield os.urandom(12 * 1024 * 1024)
        raise InterruptedError("pg_basebackup ended")

    with pytest.raises((ArchiveUnavailable, InterruptedError)):
        store.put(f"{folder}/one", broken())
    assert store.keys(f"{folder}/") == []


DIES_PUTTING = """
import os, signal, sys
from baseplane.drivers.archive.stores import ObjectStore

def chunks():
    yield os.urandom(12 * 1024 * 1024)
    os.kill(os.getpid(), signal.SIGKILL)

ObjectStore(sys.argv[1]).put("ref/base/one", chunks())
"""


def test_what_a_killed_process_has_left_in_a_directory_goes_with_the_next_attempt_or_after_its_time(
    tmp_path: Path,
) -> None:
    store, folder = ObjectStore(str(tmp_path)), tmp_path / "ref" / "base"
    for again in (True, False):
        subprocess.run([sys.executable, "-c", DIES_PUTTING, str(tmp_path)], check=False)
        assert [path.name for path in folder.iterdir()] == ["one#1"]
        store.tidy(3600)  # it may be alive
        assert list(folder.iterdir())
        if again:
            store.put("ref/base/one", [b"whole"])
            assert [path.name for path in folder.iterdir()] == ["one"]
            store.delete(["ref/base/one"])
    store.tidy(0)
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_cannot_be_reached_is_told() -> None:
    port = ports.free_near("127.0.0.1", 0)
    store = ObjectStore(f"s3://archive?endpoint=http://127.0.0.1:{port}&access_key_id=a&secret_access_key=b")
    with pytest.raises(ArchiveUnavailable, match="does not take what is to be kept"):
        store.put("one", [b"1"])


def test_a_bucket_that_refuses_us_is_told(bucket: str) -> None:
    with pytest.raises(ArchiveUnavailable, match="does not take"):
        ObjectStore(bucket.replace(f"access_key_id={KEY}", "access_key_id=stranger")).put("one", [b"1"])


@pytest.mark.parametrize("url", ["nonsense://archive", "s3://"])
def test_an_archive_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ArchiveUnavailable, match="BASEPLANE_ARCHIVE"):
        ObjectStore(url)


async def test_a_cluster_comes_back_from_a_bucket(
    clusters: LocalClusters, settings: Settings, keyring: Keyring, bucket: str
) -> None:
    driver = LocalClusters(clusters.layout, settings.engines_dir, clusters.account, rpo=60)
    archive, spec = LocalArchive(driver, bucket, keyring), new_spec()
    await driver.create(spec)
    await driver.start(spec)
    try:
        generation = await archive.generation(spec.ref)
        backup = await archive.take(spec, BackupId(spec.ref, generation or "", "1"), None)
        async with driver.connect(spec.ref, Role.ADMIN, spec.secret) as db:
            await db.execute("create table public.kept ()")
        await archive.flush(spec)
        await archive.prepare(spec, "back", backup.id, Target())
        await driver.switch_in(spec.ref, "back")
        await driver.start(spec)
        async with driver.connect(spec.ref, Role.ADMIN, spec.secret) as db:
            cursor = await db.execute("select to_regclass('public.kept') is not null")
            assert await cursor.fetchone() == (True,)
    finally:
        await driver.remove(spec.ref)
        driver.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    directory = tmp_path / "small"
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(directory)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this machine does not let us mount: {mounted.stderr.decode()}")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


async def ship(archive: LocalArchive, spec: ClusterSpec) -> Progress:
    """How it stands with this one afterwards; others may have something to carry away, too."""
    return next(each for each in await archive.ship() if each.ref == spec.ref)


async def test_a_full_archive_is_told_and_takes_the_rest_when_it_has_room(
    clusters: LocalClusters, settings: Settings, keyring: Keyring, small: Path
) -> None:
    driver = LocalClusters(clusters.layout, settings.engines_dir, clusters.account, rpo=60)
    archive, spec = LocalArchive(driver, str(small / "archive"), keyring), new_spec()
    await driver.create(spec)
    await driver.start(spec)
    try:
        backup = await archive.take(spec, BackupId(spec.ref, await archive.generation(spec.ref) or "", "1"), None)
        (small / "ballast").write_bytes(b"x" * (shutil.disk_usage(small).free - 64 * 1024))
        async with driver.connect(spec.ref, Role.ADMIN, spec.secret) as db:
            await db.execute(
                "create table public.kept as select gen_random_uuid() as id from generate_series(1, 40000)"
            )
        with pytest.raises(ArchiveUnavailable, match="does not take what is to be kept"):
            await archive.flush(spec)
        progress = await ship(archive, spec)
        assert progress.waiting > 0
        assert "No space left" in (progress.error or "")
        (small / "ballast").unlink()
        progress = await ship(archive, spec)
        assert (progress.waiting, progress.error) == (0, None)
        await archive.prepare(spec, "back", backup.id, Target())
        await driver.switch_in(spec.ref, "back")
        await driver.start(spec)
        async with driver.connect(spec.ref, Role.ADMIN, spec.secret) as db:
            assert await (await db.execute("select count(*) from public.kept")).fetchone() == (40000,)
    finally:
        await driver.remove(spec.ref)
        driver.close()
