"""What the platform itself tells of a project, beside the lints of its database."""

from uuid import UUID

import pytest

from baseplane.resources.advisors import platform
from baseplane.resources.organizations import store as organizations
from baseplane.runtime import Runtime
from tests.conftest import Client, client_of
from tests.resources.advising import advise, run


async def test_the_platform_tells_of_what_it_knows(real: Client, project: str) -> None:
    lints = [lint for lint in await advise(real, project) if lint["name"] != "vulnerable_postgres_version"]
    assert [lint["name"] for lint in lints] == [
        "ssl_not_enforced",
        "network_restrictions_not_set",
        "pitr_not_enabled",
        "no_backup_admin",
    ]
    assert {lint["cache_key"] for lint in lints} == {lint["name"] for lint in lints}
    assert {lint["metadata"]["type"] for lint in lints} == {"compliance"}


async def test_a_second_administrator_is_a_backup(real: Client, real_rt: Runtime, project: str) -> None:
    async with client_of(real_rt) as other, real_rt.database.transaction() as db:
        user = UUID(other.user_id)
        await organizations.set_role(db, real.slug, user, "Developer")
    assert "no_backup_admin" in [lint["name"] for lint in await advise(real, project)]
    async with real_rt.database.transaction() as db:
        await organizations.set_role(db, real.slug, user, "Administrator")
    assert "no_backup_admin" not in [lint["name"] for lint in await advise(real, project)]
    async with real_rt.database.transaction() as db:
        await organizations.set_role(db, real.slug, user, None)


async def test_a_postgres_with_known_holes_is_told(real: Client, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def found() -> list[str]:
        lints = await advise(real, project)
        return [lint["detail"] for lint in lints if lint["name"] == "vulnerable_postgres_version"]

    (row,) = await run(real, project, "select current_setting('server_version_num')::int as number")
    major, minor = divmod(row["number"], 10_000)
    monkeypatch.setitem(platform.SAFE_MINORS, major, minor + 1)
    assert await found() == [f"Postgres {major}.{minor} runs; {major}.{minor + 1} closes security holes."]
    monkeypatch.setitem(platform.SAFE_MINORS, major, minor)
    assert await found() == []
    monkeypatch.delitem(platform.SAFE_MINORS, major)
    assert await found() == []
