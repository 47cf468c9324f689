"""What is said of a project's database: compared with what a real PostgREST says of the same schemas.

openapi/*.json are answers of PostgREST 12.0.2 to GET / as service_role, on a new project with openapi/*.sql applied
(db-schemas "public,graphql_public", db-extra-search-path "public, extensions", openapi-security-active true). With the
path of that binary in POSTGREST, it is asked again.
"""

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from baseplane.drivers.ingress.public import TlsDoor
from baseplane.runtime import Runtime
from tests.conftest import Client

SCHEMAS = Path(__file__).with_name("openapi")
KINDS = [path.stem for path in sorted(SCHEMAS.glob("*.sql"))]


@contextlib.asynccontextmanager
async def filled(real: Client, statements: str) -> AsyncIterator[str]:
    """The ref of a project of its own, in which these statements were run."""
    ref = await real.active_project()
    done = await real.query(ref, statements)
    assert done.status_code == 201, done.text
    yield ref
    await real.call("DELETE", f"/v1/projects/{ref}")
    await real.drain()


@pytest.fixture(scope="module")
async def own(real: Client) -> AsyncIterator[str]:
    """The ref of a project that the tests below fill with names of their own."""
    async with filled(real, "create schema hidden") as ref:
        yield ref


async def document(real: Client, ref: str, **params: str) -> dict[str, Any]:
    found = await real.get(f"/v1/projects/{ref}/database/openapi", params=params)
    assert isinstance(found, dict)
    return found


def expected(kind: str, ref: str, host: str) -> dict[str, Any]:
    text = SCHEMAS.joinpath(f"{kind}.json").read_text(encoding="utf-8")
    found = json.loads(text)
    found["host"] = f"{ref}.{host}:443"
    assert isinstance(found, dict)
    return found


async def asked(door: TlsDoor, ref: str, sockets: Path) -> Any:
    """The document that a PostgREST on the project gives."""
    settings = {
        "db-uri": f"postgres://postgres.{ref}:correct%20horse@127.0.0.1:{door.port}/postgres?sslmode=require",
        "db-schemas": "public,graphql_public",
        "db-anon-role": "service_role",
        "db-extra-search-path": "public, extensions",
        "db-config": "false",
        "openapi-security-active": "true",
        "openapi-server-proxy-uri": f"https://{ref}.baseplane.test:443/rest/v1",
        "server-unix-socket": str(sockets / "postgrest"),
    }
    config = sockets / "postgrest.conf"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    process = await asyncio.create_subprocess_exec(os.environ["POSTGREST"], str(config), stderr=subprocess.DEVNULL)
    transport = httpx.AsyncHTTPTransport(uds=settings["server-unix-socket"])
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://postgrest") as client, asyncio.timeout(20):
            while (said := await _ask(client)) is None:
                await asyncio.sleep(0.05)
        return said
    finally:
        process.terminate()
        await process.wait()


async def _ask(client: httpx.AsyncClient) -> Any:
    """The document; None while it is starting."""
    with contextlib.suppress(httpx.ConnectError):
        said = await client.get("/")
        return said.json() if said.status_code == 200 else None
    return None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_schema_is_described_as_postgrest_describes_it(
    real: Client, real_rt: Runtime, kind: str, data_dir: Path
) -> None:
    async with filled(real, SCHEMAS.joinpath(f"{kind}.sql").read_text(encoding="utf-8")) as ref:
        ours = await document(real, ref)
        theirs = expected(kind, ref, real_rt.settings.project_host)
        for part in sorted(theirs.keys() | ours.keys()):
            if isinstance(theirs.get(part), dict) and isinstance(ours.get(part), dict):
                for name in sorted(theirs[part].keys() | ours[part].keys()):
                    assert ours[part].get(name) == theirs[part].get(name), (part, name)
            assert ours.get(part) == theirs.get(part), part
        if "POSTGREST" in os.environ:
            assert isinstance(real_rt.door, TlsDoor)
            assert await asked(real_rt.door, ref, data_dir) == theirs


async def test_an_exposed_schema_with_nothing_in_it_has_the_root_alone(real: Client, project: str) -> None:
    found = await document(real, project, schema="graphql_public")
    assert list(found["paths"]) == ["/"]
    assert "definitions" not in found


@pytest.mark.parametrize(
    "schema", ["auth", "nowhere", "", "Public", "public,auth", "pg_catalog", "a\0b", "'; select 1--"]
)
async def test_a_schema_that_is_not_exposed_is_refused_with_those_that_are(
    real: Client, project: str, schema: str
) -> None:
    answer = await real.call("GET", f"/v1/projects/{project}/database/openapi", params={"schema": schema})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("schema: ")
    assert "public, graphql_public" in answer.json()["message"]


async def test_an_exposed_schema_that_is_gone_is_said_to_be_gone(real: Client) -> None:
    async with filled(real, "drop schema public cascade") as ref:
        answer = await real.call("GET", f"/v1/projects/{ref}/database/openapi")
        assert (answer.status_code, answer.json()["message"]) == (400, "schema: this project has no schema public.")


async def test_a_key_that_is_one_to_one_is_noted_as_well(real: Client, own: str) -> None:
    """PostgREST notes these from 12.1 on."""
    await real.query(own, "create table owners (id int primary key)")
    await real.query(own, "create table passports (owner int primary key references owners, no text unique)")
    described = (await document(real, own))["definitions"]["passports"]["properties"]["owner"]["description"]
    assert described == (
        "Note:\nThis is a Primary Key.<pk/>\nThis is a Foreign Key to `owners.id`.<fk table='owners' column='id'/>"
    )


async def test_of_a_key_column_shown_twice_the_first_is_the_key(real: Client, own: str) -> None:
    """PostgREST takes any of the two."""
    await real.query(
        own, "create table once (id int primary key); create view two as select id as a, id as b from once"
    )
    columns = (await document(real, own))["definitions"]["two"]["properties"]
    assert columns["a"]["description"] == "Note:\nThis is a Primary Key.<pk/>"
    assert "description" not in columns["b"]


async def test_enums_of_one_name_in_two_schemas_keep_their_own_labels(real: Client, own: str) -> None:
    """PostgREST finds an enum by its name alone, and gives the labels of one to columns of the other."""
    await real.query(
        own,
        "create type hidden.level as enum ('x'); create type level as enum ('low', 'high');"
        " create table levels (a level, b hidden.level)",
    )
    columns = (await document(real, own))["definitions"]["levels"]["properties"]
    assert (columns["a"]["enum"], columns["b"]["enum"]) == (["low", "high"], ["x"])


async def test_functions_that_no_request_can_call_are_left_out(real: Client, own: str) -> None:
    """PostgREST lists the first one, with a parameter without a name, and the second."""
    await real.query(own, "create function half_named(int, b int) returns int language sql as 'select 1'")
    await real.query(own, "create function fires() returns event_trigger language plpgsql as 'begin end'")
    paths = (await document(real, own))["paths"]
    assert not {"/rpc/half_named", "/rpc/fires"} & set(paths)


async def test_arguments_are_named_rightly_behind_one_that_goes_out(real: Client, own: str) -> None:
    """PostgREST calls the argument by the name of the one that stands first."""
    await real.query(own, "create function outwards(out a int, in b text) language sql as 'select 1'")
    (parameter,) = (await document(real, own))["paths"]["/rpc/outwards"]["get"]["parameters"]
    assert (parameter["name"], parameter["format"]) == ("b", "text")


async def test_what_service_role_may_not_use_is_not_shown(real: Client, own: str) -> None:
    await real.query(own, "create table granted (); create table taken (); revoke all on taken from service_role")
    assert {"granted", "taken"} & set((await document(real, own))["definitions"]) == {"granted"}


async def test_a_tenants_settings_and_operators_do_not_change_the_document(real: Client) -> None:
    hostile = """
        create table t (id int primary key, name varchar(5) default 'x');
        create function boom(a name, b text) returns boolean language plpgsql as $$ begin raise 'boom'; end $$;
        create operator public.= (leftarg = name, rightarg = text, function = boom);
        create function lower(regclass) returns text language sql as 'select 1/0';
        create table pg_class (oid oid, relname name);
        create view pg_namespace as select 1 / 0 as oid;
        alter database postgres set search_path = public, pg_catalog;
        alter database postgres set quote_all_identifiers = on;
        alter database postgres set standard_conforming_strings = off;
        alter database postgres set client_encoding = 'latin1'"""
    async with filled(real, hostile) as ref:
        found = await document(real, ref)
        assert found["definitions"]["t"]["properties"]["name"] == {
            "default": "x", "format": "character varying", "maxLength": 5, "type": "string",
        }  # fmt: skip
        assert {"/t", "/pg_class", "/pg_namespace", "/rpc/boom"} <= set(found["paths"])
        assert (await real.get(f"/v1/projects/{ref}/database/context"))["databases"][0]["name"] == "postgres"


async def test_a_description_of_any_size_is_refused_and_not_taken_in(real: Client) -> None:
    large = "do $$ begin execute format('comment on table t is %L', repeat('x', 20 * 1024 * 1024)); end $$"
    async with filled(real, f"create table t (); {large}") as ref:
        answer = await real.call("GET", f"/v1/projects/{ref}/database/openapi")
        assert answer.status_code == 413
        assert "16 MB" in answer.json()["message"]
        assert (await real.query(ref, "select 1 as a")).json() == [{"a": 1}]


async def test_the_context_names_the_schemas(real: Client, own: str) -> None:
    (database,) = (await real.get(f"/v1/projects/{own}/database/context"))["databases"]
    names = [schema["name"] for schema in database["schemas"]]
    assert database["name"] == "postgres"
    assert {"public", "auth", "storage", "hidden"} <= set(names)
    assert not [name for name in names if name.startswith("pg_") or name == "information_schema"]


async def test_a_project_that_does_not_serve_says_so(api: Client) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    for path in ("openapi", "context"):
        answer = await api.call("GET", f"/v1/projects/{ref}/database/{path}")
        assert answer.status_code == 400
        assert "INACTIVE" in answer.json()["message"]
