"""Clusters as processes: how they are made, and how they come through the death of everybody involved."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from baseplane.drivers.cluster import ClusterMissing, ClusterSpec, Role, SettingsRefused, StartFailed, State, living
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.cluster.possession import INITIAL_PASSWORD
from baseplane.drivers.cluster.postmaster import Postmaster
from baseplane.drivers.cluster.sizes import SIZES
from baseplane.settings import Settings
from tests.drivers.conftest import new_spec
from tests.processes import kill

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")


async def ask(driver: LocalClusters, spec: ClusterSpec, query: str) -> object:
    """The first value of the answer."""
    async with driver.connect(spec.ref, Role.ADMIN, spec.secret) as db:
        cursor = await db.execute(query.encode())
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(driver: LocalClusters, spec: ClusterSpec) -> int:
    return int((driver.layout.cluster(spec.ref).data / "postmaster.pid").read_text().split()[0])


@pytest.fixture
async def second(settings: Settings, clusters: LocalClusters) -> AsyncIterator[LocalClusters]:
    """Another process of ours, as far as the clusters can tell."""
    driver = LocalClusters(clusters.layout, settings.engines_dir, clusters.account)
    yield driver
    driver.close()


async def test_a_cluster_has_checksums_a_stable_collation_and_the_settings_of_its_size(
    clusters: LocalClusters, cluster: ClusterSpec
) -> None:
    size = SIZES["nano"]
    locale = "select datlocprovider::text || ' ' || datlocale from pg_database where datname = 'postgres'"
    assert await ask(clusters, cluster, locale) == "b C.UTF-8"
    for setting, expected in {
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "max_connections": str(size.max_connections),
        "shared_buffers": f"{size.shared_buffers}MB",
        "work_mem": f"{size.work_mem}MB",
        "maintenance_work_mem": f"{size.maintenance_work_mem}MB",
        "max_wal_size": f"{size.max_wal_size}MB",
        "max_replication_slots": str(size.replication_slots),
        "listen_addresses": "",
        "wal_level": "logical",
        "password_encryption": "scram-sha-256",
        "allow_alter_system": "off",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
    }.items():
        assert await ask(clusters, cluster, f"select current_setting('{setting}')") == expected, setting


async def test_it_logs_as_json(clusters: LocalClusters, cluster: ClusterSpec) -> None:
    await ask(clusters, cluster, "do $$ begin raise warning 'seen in the log'; end $$")
    logs = list(clusters.layout.cluster(cluster.ref).log.glob("*.json"))
    assert len(logs) == 1
    await clusters.stop(cluster.ref)
    assert '"message":"seen in the log"' in logs[0].read_text()


async def test_a_killed_postmaster_comes_back_with_what_was_committed(
    clusters: LocalClusters, cluster: ClusterSpec
) -> None:
    await ask(clusters, cluster, "create table public.kept as select generate_series(1, 1000) as id")
    kill(postmaster(clusters, cluster))
    assert await clusters.observe(cluster.ref) == State.STOPPED
    await clusters.start(cluster)
    assert await ask(clusters, cluster, "select count(*) from public.kept") == 1000


async def test_a_postmaster_killed_under_a_busy_backend_comes_back(
    clusters: LocalClusters, cluster: ClusterSpec
) -> None:
    sockets = clusters.layout.cluster(cluster.ref).sockets
    async with await psycopg.AsyncConnection.connect(
        host=str(sockets), user=Role.ADMIN, password=cluster.secret, dbname="postgres", autocommit=True
    ) as db:
        db.pgconn.send_query(b"select count(*) from generate_series(1, 2000) a, generate_series(1, 1000000) b")
        busy = psutil.Process(db.pgconn.backend_pid)
        kill(postmaster(clusters, cluster))
        try:
            await clusters.start(cluster)
            assert await ask(clusters, cluster, "select 1") == 1
            assert not busy.is_running() or busy.status() == psutil.STATUS_ZOMBIE
        finally:
            db.pgconn.finish()
            if busy.is_running():
                busy.kill()


async def test_a_half_made_copy_is_replaced(clusters: LocalClusters) -> None:
    spec = new_spec()
    half = clusters.layout.clusters / f".{spec.ref}"
    (half / "data" / "base").mkdir(parents=True)
    (half / "data" / "PG_VERSION").write_text("garbage")
    try:
        await clusters.create(spec)
        await clusters.start(spec)
        assert not half.exists()
        assert await ask(clusters, spec, "select 1") == 1
    finally:
        await clusters.remove(spec.ref)


async def test_a_running_cluster_is_found_by_another_process_and_not_started_twice(
    clusters: LocalClusters, second: LocalClusters, cluster: ClusterSpec
) -> None:
    pid = postmaster(clusters, cluster)
    assert await second.observe(cluster.ref) == State.RUNNING
    await second.start(cluster)
    assert postmaster(second, cluster) == pid
    await second.stop(cluster.ref)
    assert await clusters.observe(cluster.ref) == State.STOPPED


async def test_a_postmaster_pid_that_names_another_program_is_not_believed(
    clusters: LocalClusters, cluster: ClusterSpec
) -> None:
    await clusters.stop(cluster.ref)
    file = clusters.layout.cluster(cluster.ref).data / "postmaster.pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:  # noqa: ASYNC220
        try:
            file.write_text(f"{bystander.pid}\n{file.parent}\n0\n5432\n/tmp\n\n0 0\nready\n")
            assert await clusters.observe(cluster.ref) == State.STOPPED
            await clusters.stop(cluster.ref)
            assert bystander.poll() is None
            await clusters.start(cluster)
            assert await ask(clusters, cluster, "select 1") == 1
            assert bystander.poll() is None
        finally:
            bystander.kill()


@pytest.mark.parametrize("lost", ["", "data", "data/PG_VERSION"])
async def test_a_lost_data_directory_is_a_missing_cluster_and_hides_no_other(
    clusters: LocalClusters, cluster: ClusterSpec, lost: str
) -> None:
    other = new_spec()
    await clusters.create(other)
    path = clusters.layout.cluster(other.ref).home / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    try:
        assert await clusters.observe(other.ref) == State.MISSING
        with pytest.raises(ClusterMissing, match="is gone"):
            await clusters.start(other)
        assert (await clusters.observe_all())[cluster.ref] == State.RUNNING
    finally:
        await clusters.remove(other.ref)


async def test_files_and_socket_are_closed_to_others(clusters: LocalClusters, cluster: ClusterSpec) -> None:
    files = clusters.layout.cluster(cluster.ref)
    for directory in (files.data, files.log, files.sockets):
        assert directory.stat().st_mode & 0o077 == 0, directory
    assert files.socket.stat().st_mode & 0o077 == 0


@as_root
async def test_nobody_reaches_the_socket(clusters: LocalClusters, cluster: ClusterSpec) -> None:
    program = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    nobody = pwd.getpwnam("nobody")
    done = subprocess.run(  # noqa: ASYNC221
        ["/usr/bin/env", "python3", "-c", program, str(clusters.layout.cluster(cluster.ref).socket)],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PermissionError" in done.stderr


async def test_two_data_directories_live_side_by_side(
    clusters: LocalClusters, cluster: ClusterSpec, settings: Settings
) -> None:
    root = Path(tempfile.mkdtemp(prefix="bp-"))
    root.chmod(0o711)
    other = LocalClusters(Layout(root), settings.engines_dir, clusters.account)
    try:
        await other.prepare(17, lambda _: None)
        assert await other.observe_all() == {}
        await other.create(cluster)
        await other.start(cluster)
        await ask(other, cluster, "create table public.here ()")
        assert await ask(clusters, cluster, "select to_regclass('public.here')::text") is None
        await other.stop_all()
        assert await clusters.observe(cluster.ref) == State.RUNNING
    finally:
        await other.stop_all()
        other.close()
        shutil.rmtree(root)


async def test_a_cluster_that_cannot_start_says_what_postgres_said(clusters: LocalClusters) -> None:
    spec = new_spec()
    await clusters.create(spec)
    control = clusters.layout.cluster(spec.ref).data / "global" / "pg_control"
    with control.open("r+b") as file:
        file.write(os.urandom(512))
    try:
        with pytest.raises(StartFailed, match=r"Postgres ended while starting: .*(incompatible|checksum)"):
            await clusters.start(spec)
        assert await clusters.observe(spec.ref) == State.STOPPED
    finally:
        await clusters.remove(spec.ref)


async def test_a_first_start_broken_off_before_the_template_password_is_forgotten_is_finished(
    clusters: LocalClusters, cluster: ClusterSpec
) -> None:
    initial = clusters.layout.cluster(cluster.ref).home / INITIAL_PASSWORD
    assert not initial.exists()
    initial.write_text("the password of the template")
    await clusters.start(cluster)
    assert not initial.exists()
    assert await ask(clusters, cluster, "select 1") == 1


async def test_a_borrower_leaves_no_trace(clusters: LocalClusters, cluster: ClusterSpec) -> None:
    async with clusters.connect(cluster.ref, Role.OWNER, cluster.secret) as db:
        backend = db.pgconn.backend_pid
        await db.execute(
            "set search_path = nowhere; set statement_timeout = '1h'; create temp table mine (); listen news"
        )
        await db.set_autocommit(False)
        await db.execute("begin; set local role postgres")
    async with clusters.connect(cluster.ref, Role.OWNER, cluster.secret) as db:
        assert db.pgconn.backend_pid == backend
        assert db.autocommit
        cursor = await db.execute(
            "select current_setting('statement_timeout'), to_regclass('mine')"
            ", (select count(*) from pg_listening_channels())"
            ", current_setting('search_path') = 'nowhere'"
        )
        assert await cursor.fetchone() == ("0", None, 0, False)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_kept_connections_that_died_with_the_cluster_are_replaced(
    clusters: LocalClusters, second: LocalClusters, cluster: ClusterSpec, how: signal.Signals
) -> None:
    assert await ask(clusters, cluster, "select 1") == 1
    if how == signal.SIGKILL:
        kill(postmaster(clusters, cluster))
    else:
        await second.stop(cluster.ref)
    await second.start(cluster)
    assert await ask(clusters, cluster, "select 1") == 1


async def test_a_setting_is_a_value_whatever_characters_are_in_it(clusters: LocalClusters) -> None:
    awkward = "it's \\ 'all' \"one\"\r\nfsync = off\n# \\n ü"
    spec = replace(new_spec(), settings={"own.setting": awkward, "work_mem": "9MB"})
    await clusters.create(spec)
    try:
        await clusters.start(spec)
        assert await ask(clusters, spec, "show own.setting") == awkward
        assert await ask(clusters, spec, "show fsync") == "on"
        assert await ask(clusters, spec, "show work_mem") == "9MB"
        with pytest.raises(ValueError, match="null character"):
            await clusters.configure(replace(spec, settings={"own.setting": "a\0b"}))
    finally:
        await clusters.remove(spec.ref)


async def test_fewer_replication_slots_than_there_are_are_refused(clusters: LocalClusters) -> None:
    spec = new_spec()
    await clusters.create(spec)
    try:
        await clusters.start(spec)
        for name in ("a", "b"):
            await ask(clusters, spec, f"select pg_create_physical_replication_slot('{name}')")
        with pytest.raises(SettingsRefused, match="there are 2 replication slots, more than max_replication_slots"):
            await clusters.rehearse(replace(spec, settings={"max_replication_slots": "1"}))
    finally:
        await clusters.remove(spec.ref)


async def test_nobody_can_name_another_clusters_sockets(clusters: LocalClusters, cluster: ClusterSpec) -> None:
    """All clusters run as one user: from inside one of them, only the name is between a tenant and another's socket."""
    files = clusters.layout.cluster(cluster.ref)
    assert cluster.ref not in str(files.sockets)
    assert files.sockets != Layout(clusters.layout.root.parent / "other").cluster(cluster.ref).sockets
    key = clusters.layout.root / "sockets.key"
    assert key.stat().st_mode & 0o777 == 0o600
    async with clusters.connect(cluster.ref, Role.OWNER, cluster.secret) as db:
        for leak in ("show unix_socket_directories", "select pg_ls_dir('..')", "select pg_read_file('postmaster.pid')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await db.execute(leak.encode())


@pytest.fixture
async def known(clusters: LocalClusters, cluster: ClusterSpec, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a server that was looked at and is not again while it stays as it is."""
    monkeypatch.setattr(living, "SETTLED", 0)
    assert await clusters.observe(cluster.ref) == State.RUNNING
    return clusters.layout.cluster(cluster.ref).data / "postmaster.pid"


async def test_a_known_server_that_is_killed_is_seen_at_once(
    clusters: LocalClusters, cluster: ClusterSpec, known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as blind:
        blind.setattr(Postmaster, "status", None)  # a look would fail
        assert (await clusters.observe_all())[cluster.ref] == State.RUNNING
    os.kill(postmaster(clusters, cluster), signal.SIGKILL)
    async with asyncio.timeout(5):
        while (await clusters.observe_all())[cluster.ref] != State.STOPPED:
            await asyncio.sleep(0.001)
    assert known.exists()  # nobody tidied up: the process itself was missed
    await clusters.start(cluster)


async def test_a_socket_whose_lock_names_another_process_is_taken(
    clusters: LocalClusters, cluster: ClusterSpec
) -> None:
    files = clusters.layout.cluster(cluster.ref)
    lock = files.socket.with_name(f"{files.socket.name}.lock")
    before = str(postmaster(clusters, cluster))
    with subprocess.Popen(["sleep", "60"], cwd="/", **clusters.account.process) as bystander:  # noqa: ASYNC220
        kill(int(before))
        for file in (lock, files.data / "postmaster.pid"):  # the number is another's by now
            file.write_text(file.read_text().replace(before, str(bystander.pid), 1))
        try:
            await clusters.start(cluster)
            assert await ask(clusters, cluster, "select 1") == 1
            assert bystander.poll() is None
        finally:
            bystander.kill()


async def test_a_known_server_that_recovers_from_a_crash_of_its_own_is_seen_to_start(
    clusters: LocalClusters, cluster: ClusterSpec, known: Path
) -> None:
    before = known.read_text()
    known.write_text(before.replace("ready   ", "starting"))
    try:
        assert (await clusters.observe_all())[cluster.ref] == State.STARTING
    finally:
        known.write_text(before)
    assert (await clusters.observe_all())[cluster.ref] == State.RUNNING
