"""To another major of Postgres: what comes along."""

import difflib
import re
from pathlib import Path

import psycopg
import pytest

from baseplane.drivers.cluster import ClusterSpec, Role, upgrading
from baseplane.drivers.cluster.local import LocalClusters
from tests.drivers.upgrading import (
    FILLED,
    TABLES,
    Way,
    ask,
    create_every_extension,
    dump,
    made,
    rows,
    upgrade,
    ways,
)


@pytest.fixture(params=ways())
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


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
