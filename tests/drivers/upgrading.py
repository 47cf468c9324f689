"""Clusters on their way to another major, for the tests beside this file."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from baseplane.drivers.cluster import ClusterSpec, Role, pg_upgrade
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


async def pg_upgrade_of(clusters: LocalClusters, spec: ClusterSpec, work: "asyncio.Task[None]") -> psutil.Process:
    """Wait until pg_upgrade has begun to restore what it dumped, which takes a moment: only the name is read of most."""
    home = clusters.layout.aside(spec.ref, LABEL).home
    while not work.done():
        for pid in reversed(psutil.pids()):  # the newest first
            with contextlib.suppress(OSError, psutil.Error):
                if (
                    Path(f"/proc/{pid}/comm").read_text() == "pg_restore\n"
                    and Path(f"/proc/{pid}/cwd").readlink() == home
                ):
                    return psutil.Process(psutil.Process(pid).ppid())
        await asyncio.sleep(0.002)
    raise AssertionError("pg_upgrade was never seen to restore")
