"""To another major of Postgres: what comes along, what is refused, and that the old cluster is never touched."""

import asyncio
import difflib
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from baseplane.drivers.cluster import ClusterSpec, Role, StartFailed, State, UpgradeRefused, pg_upgrade, upgrading
from baseplane.drivers.cluster.connections import Connection
from baseplane.drivers.cluster.engines import Engine, EngineMissing, pick
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.settings import Settings
from tests.drivers.conftest import new_spec

LABEL = "upgrade-1"
TABLES = 500
FILLED = """
create role reporter login password 'reporter''s own' in role authenticated;
alter role reporter set work_mem = '7MB';
alter role postgres connection limit 50;
create schema many;
do $$ begin
  for n in 1..{tables} loop
    execute format('create table many.t%s (id int generated always as identity primary key, at timestamptz default now())', n);
    execute format('insert into many.t%s default values', n);
  end loop;
end $$;
create table public.parts (id int, what text, day date) partition by range (day);
create table public.parts_now partition of public.parts for values from ('2026-01-01') to ('2027-01-01');
insert into public.parts select n, repeat('x', n % 400), date '2026-03-01' + n % 90 from generate_series(1, 5000) n;
create index on public.parts (id);
create statistics public.correlated on id, what from public.parts;
analyze;
select lo_from_bytea(0, convert_to(repeat('large ', 20000), 'UTF8')) from generate_series(1, 20);
alter table public.parts enable row level security;
create policy own on public.parts to authenticated using (id = 1);
create function public.told() returns trigger language plpgsql as $f$ begin return new; end $f$;
create trigger told before insert on public.parts for each row execute function public.told();
alter publication supabase_realtime add table public.parts;
comment on table public.parts is 'comes along';
alter database postgres set statement_timeout = '77s';
"""


@dataclass(frozen=True)
class Way:
    """From one engine to another."""

    old: Engine
    new: Engine


def ways() -> Iterator[Any]:
    engines = Settings().engines_dir
    for majors in ((17, 18), (15, 17), (15, 18)):
        try:
            way = Way(*(pick(major, engines) for major in majors))
        except EngineMissing as error:
            yield pytest.param(None, marks=pytest.mark.skip(reason=str(error)), id=f"{majors[0]}-{majors[1]}")
        else:
            yield pytest.param(way, id=f"{majors[0]}-{majors[1]}")


@pytest.fixture(params=ways())
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@asynccontextmanager
async def made(clusters: LocalClusters, engine: int) -> AsyncIterator[ClusterSpec]:
    """A cluster of this engine that runs."""
    await clusters.prepare(engine, lambda _: None)
    spec = new_spec(engine=engine, secret="the: \\secret")
    await clusters.create(spec)
    await clusters.start(spec)
    try:
        yield spec
    finally:
        await clusters.upgrades.break_off(spec.ref, LABEL)
        await clusters.discard(spec.ref, LABEL)
        await clusters.remove(spec.ref)


@pytest.fixture
async def seventeen(clusters: LocalClusters) -> AsyncIterator[ClusterSpec]:
    async with made(clusters, 17) as spec:
        yield spec


async def rows(db: Connection, query: str) -> list[tuple[Any, ...]]:
    cursor = await db.execute(query.encode())
    return await cursor.fetchall() if cursor.description else []


async def ask(clusters: LocalClusters, spec: ClusterSpec, query: str, role: Role = Role.ADMIN) -> list[tuple[Any, ...]]:
    async with clusters.connect(spec.ref, role, spec.secret) as db:
        return await rows(db, query)


async def upgrade(clusters: LocalClusters, spec: ClusterSpec, engine: int) -> list[str]:
    """All of it; gives what stays old."""
    await clusters.upgrades.prepare(spec, engine, LABEL)
    await clusters.stop(spec.ref)
    await clusters.upgrades.carry_over(spec, engine, LABEL)
    stale = await clusters.upgrades.finish(spec, engine, LABEL)
    await clusters.switch_in(spec.ref, LABEL)
    await clusters.start(spec)
    return stale


def dump(clusters: LocalClusters, spec: ClusterSpec, engine: Engine, tmp_path: Path) -> list[str]:
    """Everything that the cluster holds, roles with their passwords too, but for what names the version."""
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    passwords.write_text(f"*:*:*:*:{pg_upgrade._escaped(spec.secret)}\n")
    done = subprocess.run(
        [engine.program("pg_dumpall"), "-h", clusters.layout.cluster(spec.ref).sockets, "-U", "supabase_admin"],
        env={**engine.environment, "PGPASSFILE": str(passwords)},
        capture_output=True,
        text=True,
        check=True,
    )
    aside = ("-- Dumped from database version", "\\restrict", "\\unrestrict")
    return [line for line in done.stdout.splitlines() if not line.startswith(aside)]


async def create_every_extension(clusters: LocalClusters, spec: ClusterSpec, new: Engine) -> set[str]:
    """Those that both engines have; gives their names."""
    there = clusters.upgrades.extensions(new.major)
    async with clusters.connect(spec.ref, Role.ADMIN, spec.secret) as db:
        for (name,) in await rows(db, "select name from pg_available_extensions order by name"):
            if name in there:
                await db.execute(f'create extension if not exists "{name}" with schema extensions cascade'.encode())
        return {name for (name,) in await rows(db, "select extname from pg_extension")}


async def test_everything_comes_along(clusters: LocalClusters, way: Way, tmp_path: Path) -> None:
    async with made(clusters, way.old.major) as spec:
        extensions = await create_every_extension(clusters, spec, way.new)
        await ask(clusters, spec, FILLED.format(tables=TABLES))
        await ask(clusters, spec, "create database shop owner postgres")
        if way.old.major > 15:
            await ask(clusters, spec, "select vault.create_secret('hush', 'quiet')")
        before = dump(clusters, spec, way.new, tmp_path)
        assert await upgrade(clusters, spec, way.new.major) == []
        assert (await ask(clusters, spec, "show server_version"))[0][0].startswith(way.new.version)
        after = dump(clusters, spec, way.new, tmp_path)
        assert differing(before, after) == expected_differences(way, before)
        assert {name for (name,) in await ask(clusters, spec, "select extname from pg_extension")} == extensions
        outdated = "select name from pg_available_extensions where installed_version <> default_version"
        assert await ask(clusters, spec, outdated) == []
        if way.old.major > 15:
            assert await ask(clusters, spec, "select decrypted_secret from vault.decrypted_secrets") == [("hush",)]
        for user, password in (("reporter", "reporter's own"), ("postgres", "the password")):
            async with await psycopg.AsyncConnection.connect(
                host=str(clusters.layout.cluster(spec.ref).sockets), user=user, password=password, dbname="postgres"
            ) as session:
                assert await rows(session, "select current_user::text") == [(user,)]
        for role in Role:
            assert await ask(clusters, spec, "select 1", role) == [(1,)]


def differing(before: list[str], after: list[str]) -> list[str]:
    """Lines of the dumps that are not the same, where versions spell memberships, views and extensions' parts alike."""
    spelled = re.compile(r"^(GRANT \w+ TO \w+)( WITH ADMIN OPTION)?.*GRANTED BY \w+;$")
    qualified = re.compile(r"\bsecrets\.(?=\w)|, minmax_only boolean")
    alike = [[qualified.sub("", spelled.sub(r"\1\2;", line)) for line in lines] for lines in (before, after)]
    return [
        line for line in difflib.unified_diff(*alike, n=0, lineterm="") if not line.startswith(("---", "+++", "@@"))
    ]


def expected_differences(way: Way, before: list[str]) -> list[str]:
    """From 16 on a role that may create roles has power over its own alone, so postgres may (10_roles.sql)."""
    if way.old.major >= 16:
        return []
    (role,) = (line for line in before if line.startswith("ALTER ROLE postgres WITH"))
    return [
        f"-{role}",
        f"+{role.replace('NOCREATEROLE', 'CREATEROLE')}",
        "+ALTER ROLE baseplane_query SET createrole_self_grant TO 'set, inherit';",
        "+ALTER ROLE postgres SET createrole_self_grant TO 'set, inherit';",
        "+ALTER ROLE supabase_admin SET transaction_timeout TO '0';",
        "+ALTER ROLE supabase_admin SET event_triggers TO 'on';",
    ]


async def test_statistics_are_there_afterwards(clusters: LocalClusters, way: Way) -> None:
    async with made(clusters, way.old.major) as spec:
        await ask(clusters, spec, FILLED.format(tables=3))
        query = "select count(*) from pg_stats where schemaname in ('many', 'public')"
        before = await ask(clusters, spec, query)
        await upgrade(clusters, spec, way.new.major)
        if way.new.major >= upgrading.CARRIES_STATISTICS:
            assert await ask(clusters, spec, query) == before
        await clusters.upgrades.gather_statistics(spec)
        assert await ask(clusters, spec, query) == before
        extended = "select count(*) from pg_statistic_ext_data"
        assert await ask(clusters, spec, extended) == [(1,)]


async def test_a_logical_slot_goes_on_where_it_was(clusters: LocalClusters, seventeen: ClusterSpec) -> None:
    read = "select data from pg_logical_slot_get_changes('feed', null, null, 'skip-empty-xacts', '1')"
    await ask(clusters, seventeen, "create table public.t (id int)")
    await ask(clusters, seventeen, "select pg_create_logical_replication_slot('feed', 'test_decoding')")
    await ask(clusters, seventeen, "insert into public.t values (1)")
    assert len(await ask(clusters, seventeen, read)) == 3
    await upgrade(clusters, seventeen, 18)
    await ask(clusters, seventeen, "insert into public.t values (2)")
    changes = [line for (line,) in await ask(clusters, seventeen, read)]
    assert "table public.t: INSERT: id[integer]:2" in changes
    assert len(changes) == 3


async def test_a_slot_whose_reader_lags_is_refused_by_name_and_the_old_cluster_serves(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(clusters, seventeen, "create table public.t (id int)")
    await ask(clusters, seventeen, "select pg_create_logical_replication_slot('late', 'test_decoding')")
    await ask(clusters, seventeen, "insert into public.t values (1)")
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    with pytest.raises(UpgradeRefused, match='slot "late" has not consumed the WAL yet'):
        await clusters.upgrades.carry_over(seventeen, 18, LABEL)
    await back(clusters, seventeen)


async def back(clusters: LocalClusters, spec: ClusterSpec) -> None:
    """Give the old cluster back; it serves, as it was."""
    await clusters.upgrades.break_off(spec.ref, LABEL)
    await clusters.switch_back(spec.ref, LABEL)
    await clusters.start(spec)
    await clusters.upgrades.mend(spec)
    await clusters.discard(spec.ref, LABEL)
    assert (await ask(clusters, spec, "select current_setting('server_version_num')::int / 10000"))[0] == (spec.engine,)
    spared = "select count(*) from pg_db_role_setting, unnest(setconfig) s where s like 'local_preload_libraries=%'"
    assert await ask(clusters, spec, spared) == [(1,)]
    assert not (clusters.layout.aside(spec.ref, LABEL).home).exists()
    assert programs(clusters, spec) == []


def programs(clusters: LocalClusters, spec: ClusterSpec) -> list[str]:
    """What still works in the attempt's directories."""
    left = []
    for process in psutil.process_iter():
        try:
            if str(clusters.layout.aside(spec.ref, LABEL).home) in process.cwd():
                left.append(process.name())
        except (psutil.Error, FileNotFoundError):
            continue
    return left


async def test_a_library_that_the_new_engine_lacks_is_named_before_anything_stops(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(
        clusters, seventeen, "create function public.f() returns text language c as '$libdir/pgcrypto', 'pg_armor'"
    )
    await ask(clusters, seventeen, "update pg_proc set probin = '$libdir/nowhere' where proname = 'f'")
    with pytest.raises(UpgradeRefused, match=r'loadable libraries that are missing.*"\$libdir/nowhere"') as refused:
        await clusters.upgrades.prepare(seventeen, 18, LABEL)
    assert "/tmp" not in str(refused.value)
    assert await clusters.observe(seventeen.ref) == State.RUNNING
    await back(clusters, seventeen)


async def test_a_way_that_does_not_exist_is_refused(clusters: LocalClusters, seventeen: ClusterSpec) -> None:
    assert 18 in clusters.upgrades.offered(17)
    assert clusters.upgrades.offered(18) == {}
    for engine, said in ((17, "no way from Postgres 17 to 17"), (16, "no way"), (99, "no Postgres 99 on this machine")):
        with pytest.raises(UpgradeRefused, match=said):
            await clusters.upgrades.prepare(seventeen, engine, LABEL)


async def test_a_machine_without_room_for_the_copy_says_how_much_is_needed(
    clusters: LocalClusters, seventeen: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_upgrade, "ROOM", 2**60)
    with pytest.raises(UpgradeRefused, match=r"needs \d+ MB of disk; the machine has \d+ MB left"):
        await clusters.upgrades.prepare(seventeen, 18, LABEL)


async def pg_upgrade_of(clusters: LocalClusters, spec: ClusterSpec, work: "asyncio.Task[None]") -> psutil.Process:
    """Wait until pg_upgrade has begun to restore what it dumped."""
    home = clusters.layout.aside(spec.ref, LABEL).home
    while not work.done():
        for process in psutil.process_iter(["name", "cwd", "ppid"]):
            if (process.info["name"], process.info["cwd"]) == ("pg_restore", str(home)):
                return psutil.Process(process.info["ppid"])
        await asyncio.sleep(0.005)
    raise AssertionError("pg_upgrade was never seen to restore")


async def test_a_failure_half_way_leaves_the_old_cluster_as_it_was(
    clusters: LocalClusters, seventeen: ClusterSpec, tmp_path: Path
) -> None:
    engine = pick(17, Settings().engines_dir)
    await ask(clusters, seventeen, FILLED.format(tables=50))
    before = dump(clusters, seventeen, engine, tmp_path)
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    work = asyncio.create_task(clusters.upgrades.carry_over(seventeen, 18, LABEL))
    os.kill((await pg_upgrade_of(clusters, seventeen, work)).pid, signal.SIGKILL)
    with pytest.raises(UpgradeRefused):
        await work
    await back(clusters, seventeen)
    assert dump(clusters, seventeen, engine, tmp_path) == before


async def test_what_a_dead_worker_left_running_is_ended_and_the_work_done_anew(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(clusters, seventeen, FILLED.format(tables=50))
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    work = asyncio.create_task(clusters.upgrades.carry_over(seventeen, 18, LABEL))
    await pg_upgrade_of(clusters, seventeen, work)
    await clusters.upgrades.carry_over(seventeen, 18, LABEL)
    with pytest.raises(UpgradeRefused):
        await work
    await clusters.upgrades.carry_over(seventeen, 18, LABEL)  # what is done is not done again
    await clusters.upgrades.finish(seventeen, 18, LABEL)
    await clusters.upgrades.finish(seventeen, 18, LABEL)
    await clusters.switch_in(seventeen.ref, LABEL)
    await clusters.start(seventeen)
    assert await ask(clusters, seventeen, "select count(*) from public.parts") == [(5000,)]


async def test_a_step_that_is_called_off_ends_its_programs(clusters: LocalClusters, seventeen: ClusterSpec) -> None:
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    work = asyncio.create_task(clusters.upgrades.carry_over(seventeen, 18, LABEL))
    await pg_upgrade_of(clusters, seventeen, work)
    work.cancel()
    await asyncio.wait([work])
    assert "pg_upgrade" not in programs(clusters, seventeen)
    await back(clusters, seventeen)


async def test_a_new_cluster_that_does_not_start_is_found_out_before_it_takes_the_place(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await clusters.upgrades.prepare(seventeen, 18, LABEL)
    await clusters.stop(seventeen.ref)
    await clusters.upgrades.carry_over(seventeen, 18, LABEL)
    broken = replace(seventeen, settings={"max_connections": "3"})
    with pytest.raises(StartFailed, match="superuser_reserved_connections"):
        await clusters.upgrades.finish(broken, 18, LABEL)
    await back(clusters, seventeen)


async def test_what_was_switched_in_is_switched_back(clusters: LocalClusters, seventeen: ClusterSpec) -> None:
    await ask(clusters, seventeen, "create table public.kept as select 42 as answer")
    await upgrade(clusters, seventeen, 18)
    await back(clusters, seventeen)
    assert await ask(clusters, seventeen, "select answer from public.kept") == [(42,)]
    await upgrade(clusters, seventeen, 18)
    assert await ask(clusters, seventeen, "select answer from public.kept") == [(42,)]


async def test_an_extension_without_a_way_to_its_new_version_stays_and_is_told(
    clusters: LocalClusters, seventeen: ClusterSpec
) -> None:
    await ask(clusters, seventeen, "create extension hstore with schema extensions")
    await ask(clusters, seventeen, "update pg_extension set extversion = '0.1' where extname = 'hstore'")
    (sentence,) = await upgrade(clusters, seventeen, 18)
    assert sentence.startswith("Extension hstore in database postgres stays at 0.1, not 1.8: extension")
