"""The same migration again, those recorded without being run, and rollbacks."""

import asyncio

import pytest

from tests.resources.migrating import Migrations, migrations

__all__ = ["migrations"]


async def test_the_same_key_applies_once(migrations: Migrations) -> None:
    body = {"query": "create table app.a (b int); insert into app.a values (1)", "name": "first", "key": "k1"}
    version = await migrations.applied(**body)
    again = await migrations.apply(**body)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.headers["location"].endswith(version)
    assert await migrations.sql("select count(*) from app.a") == [{"count": 1}]
    assert (await migrations.get(version))["idempotency_key"] == "k1"


@pytest.mark.parametrize("other", [{"query": "select 2"}, {"name": "b"}, {"rollback": "select 2"}])
async def test_the_same_key_with_another_body_is_refused(migrations: Migrations, other: dict[str, str]) -> None:
    body = {"query": "select 1", "name": "a", "rollback": "select 3"}
    await migrations.applied(**body, key="k1")
    said = await migrations.refused(**{**body, **other}, key="k1")
    assert said["message"] == "Idempotency-Key: this key was used for another request; take a new one."


async def test_the_key_of_a_failed_migration_is_free(migrations: Migrations) -> None:
    await migrations.refused("insert into app.a values (1)", key="k1")
    await migrations.applied("create table app.a (b int)", key="k1")


async def test_requests_with_the_same_key_at_once_apply_once(migrations: Migrations) -> None:
    query = "create table app.a (b int); select pg_sleep(0.2)"
    responses = await asyncio.gather(*(migrations.apply(query, "k1") for _ in range(3)))
    assert [response.status_code for response in responses] == [200, 200, 200]
    assert sum("idempotency-replayed" in response.headers for response in responses) == 2
    assert len(await migrations.listed()) == 1


async def test_a_key_that_is_too_long_is_refused(migrations: Migrations) -> None:
    assert "1 to 255 characters" in (await migrations.refused("select 1", key="k" * 256))["message"]


async def test_migrations_at_once_run_one_after_the_other(migrations: Migrations) -> None:
    await migrations.applied("create table app.log (what text)")
    query = "insert into app.log values ('begin'); select pg_sleep(0.1); insert into app.log values ('end')"
    responses = await asyncio.gather(*(migrations.apply(query) for _ in range(3)))
    assert [response.status_code for response in responses] == [200, 200, 200]
    assert [row["what"] for row in await migrations.sql("select what from app.log")] == ["begin", "end"] * 3


async def test_a_name_in_the_form_of_the_clis_files_gives_the_version(migrations: Migrations) -> None:
    assert await migrations.applied("select 1", name="20200102030405_orders.sql") == "20200102030405"
    assert await migrations.listed() == [{"version": "20200102030405", "name": "orders"}]
    again = await migrations.apply("select 1;\n", name="20200102030405_orders")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    clash = await migrations.apply("select 2", name="20200102030405_other")
    assert clash.status_code == 409
    assert "20200102030405 (orders) is in the history already" in clash.json()["message"]


async def test_what_is_recorded_is_not_run(migrations: Migrations) -> None:
    put = await migrations.send("PUT", "create table app.a ()", name="20200102030405_a", key="k1")
    assert (put.status_code, put.content) == (200, b"")
    assert not await migrations.exists("app.a")
    assert (await migrations.get("20200102030405"))["statements"] == ["create table app.a ()"]
    put = await migrations.send("PUT", "create table app.b ()", name="20200102030405_b", rollback="drop table app.b")
    assert put.status_code == 200
    found = await migrations.get("20200102030405")
    assert (found["name"], found["statements"]) == ("b", ["create table app.b ()"])
    assert found["rollback"] == ["drop table app.b"]


async def test_a_recorded_migration_without_a_version_gets_one(migrations: Migrations) -> None:
    for replayed in (False, True):
        put = await migrations.send("PUT", "select 1", "k1", name="a")
        assert (put.status_code, "idempotency-replayed" in put.headers) == (200, replayed)
    assert [row["name"] for row in await migrations.listed()] == ["a"]
    assert (await migrations.send("PUT", "select 2", "k1")).status_code == 400


async def test_name_and_rollback_can_be_changed(migrations: Migrations) -> None:
    version = await migrations.applied("select 1", name="a")
    path = f"{migrations.path}/{version}"
    patch = await migrations.client.call("PATCH", path, json={"name": "b", "rollback": "select 2; select 3"})
    assert (patch.status_code, patch.content) == (200, b"")
    found = await migrations.get(version)
    assert (found["name"], found["rollback"], found["statements"]) == ("b", ["select 2", "select 3"], ["select 1"])
    assert (await migrations.client.call("PATCH", path, json={})).status_code == 200
    assert (await migrations.client.call("PATCH", path, json={"rollback": "commit"})).status_code == 400
    assert await migrations.get(version) == found


async def test_a_migration_that_is_not_there_is_not_found(migrations: Migrations) -> None:
    for method in ("GET", "PATCH"):
        response = await migrations.client.call(method, f"{migrations.path}/42", json={"name": "a"})
        assert (response.status_code, response.json()["message"]) == (
            404,
            "There is no migration 42 in the history of this project.",
        )
        assert (await migrations.client.call(method, f"{migrations.path}/x1", json={"name": "a"})).status_code == 400


async def test_rollbacks_run_from_the_newest_on(migrations: Migrations) -> None:
    one = await migrations.applied("create table app.a ()", rollback="drop table app.a")
    two = await migrations.applied("create table app.b ()", rollback="begin; drop table app.b; set role anon; commit")
    await migrations.applied("create view app.c as select from app.b", rollback="drop view app.c")
    assert (await migrations.rollback(two)).status_code == 200
    assert [row["version"] for row in await migrations.listed()] == [one]
    assert (await migrations.exists("app.a"), await migrations.exists("app.b")) == (True, False)


async def test_a_rollback_that_fails_changes_nothing(migrations: Migrations) -> None:
    one = await migrations.applied("create table app.a ()", rollback="drop table app.nothing", name="a")
    await migrations.applied("create table app.b ()", rollback="drop table app.b")
    response = await migrations.rollback(one)
    assert (response.status_code, response.json()["code"]) == (400, "42P01")
    assert f"the rollback of {one} (a)" in response.json()["message"]
    assert await migrations.exists("app.b")
    assert len(await migrations.listed()) == 2


async def test_a_migration_without_a_rollback_is_named(migrations: Migrations) -> None:
    one = await migrations.applied("select 1", name="final")
    await migrations.applied("create table app.b ()", rollback="drop table app.b")
    response = await migrations.rollback(one)
    assert response.status_code == 400
    assert response.json()["message"] == (
        f"Without a rollback, these cannot be rolled back: {one} (final). Nothing was changed."
    )
    assert await migrations.exists("app.b")


async def test_nothing_to_roll_back_is_not_found(migrations: Migrations) -> None:
    assert (await migrations.rollback("20990101000000")).status_code == 404
    assert (await migrations.rollback("x")).status_code == 400
