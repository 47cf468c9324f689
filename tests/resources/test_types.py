"""TypeScript types, made from real databases.

types_schemas/*.sql are schemas; the first line names those whose types are asked for. The *.ts beside them were made
by the reference generator (reference_types.py). This renews them:

    POSTGRES_META=… RENEW_TYPES=1 .venv/bin/pytest tests/resources/test_types.py
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from baseplane.resources.types import catalog
from baseplane.resources.types.typescript import layout
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources import reference_types

SCHEMAS = sorted((Path(__file__).parent / "types_schemas").glob("*.sql"))


@pytest.fixture(scope="module", params=SCHEMAS, ids=lambda path: path.stem)
async def described(real: Client, request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Path]]:
    """A project with one of the schemas, and the file of it."""
    ref = await real.active_project()
    made = await real.query(ref, request.param.read_text())
    if "is not available" in made.text:
        pytest.skip(made.json()["message"])  # an extension that this engine is built without
    assert made.status_code == 201, made.text
    yield ref, request.param
    await real.call("DELETE", f"/v1/projects/{ref}")
    await real.drain()


def schemas_of(file: Path) -> str:
    return file.read_text().partition("\n")[0].removeprefix("-- schemas: ")


async def types_of(real: Client, ref: str, schemas: str | None = None) -> str:
    query = {} if schemas is None else {"included_schemas": schemas}
    return str((await real.get(f"/v1/projects/{ref}/types/typescript", params=query))["types"])


async def test_types_are_those_that_the_reference_once_made(real: Client, described: tuple[str, Path]) -> None:
    ref, file = described
    assert await types_of(real, ref, schemas_of(file)) == file.with_suffix(".ts").read_text()


@pytest.mark.skipif(reference_types.missing() is not None, reason=str(reference_types.missing()))
async def test_types_are_those_that_the_reference_makes(
    real: Client, real_rt: Runtime, described: tuple[str, Path]
) -> None:
    ref, file = described
    door = real_rt.door
    url = f"postgresql://postgres.{ref}:correct%20horse@{door.host}:{door.port}/postgres"
    made = await asyncio.to_thread(reference_types.types, url, schemas_of(file))
    if "RENEW_TYPES" in os.environ:
        file.with_suffix(".ts").write_text(made)
    assert await types_of(real, ref, schemas_of(file)) == made


async def test_public_is_what_is_given_without_being_asked_for(real: Client, project: str) -> None:
    assert "\n  public: {\n" in await types_of(real, project)
    assert await types_of(real, project) == await types_of(real, project, " public ,nowhere")


async def test_without_a_schema_that_exists_the_types_are_empty(real: Client, project: str) -> None:
    empty = await types_of(real, project, "nowhere")
    assert "export const Constants = {} as const\n" in empty
    for names in ("", " , ", "pg_catalog", "no\0where", '"public"'):
        assert await types_of(real, project, names) == empty


async def test_names_cannot_pass_for_the_frame_of_the_file(real: Client) -> None:
    ref = await real.active_project()
    await real.query(
        ref, 'create table "«CONSTANTS»" (); create table "*/ } //" (); create type e as enum (\'«SCHEMAS»\')'
    )
    types = await types_of(real, ref)
    assert '"«CONSTANTS»": {' in types
    assert '"*/ } //": {' in types
    assert '      e: ["«SCHEMAS»"],\n    },\n  },\n} as const\n' in types


async def test_functions_of_a_tenant_are_not_called(real: Client) -> None:
    ref = await real.active_project()
    trap = """create function public.%s returns boolean language plpgsql as 'begin raise exception ''called''; end';"""
    signatures = ("starts_with(name, text)", "quote_ident(name)", "pg_has_role(name, oid, text)", "cardinality(name[])")
    assert (await real.query(ref, "".join(trap % signature for signature in signatures))).status_code == 201
    assert "\n      starts_with: {" not in await types_of(real, ref)  # its arguments have no names
    assert "\n  public: {\n" in await types_of(real, ref)


async def test_a_lock_that_is_held_too_long_is_said(
    real: Client, real_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await real.active_project()
    await real.query(ref, "create table a (b int); create view v as select * from a")
    monkeypatch.setattr(catalog, "BEGIN", catalog.BEGIN.replace(f"{catalog.SECONDS}s", "100ms"))
    door = real_rt.door
    url = f"postgresql://postgres.{ref}:correct%20horse@{door.host}:{door.port}/postgres"
    async with await psycopg.AsyncConnection.connect(url) as holder:
        await holder.execute("lock table v")
        response = await real.call("GET", f"/v1/projects/{ref}/types/typescript")
    assert (response.status_code, response.json()["code"]) == (400, "57014")
    assert "v: {" in await types_of(real, ref)


@pytest.mark.parametrize(("bound", "value"), [("ROWS", 3), ("BYTES", 1000)])
async def test_a_catalog_beyond_the_bounds_is_refused(
    real: Client, project: str, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(catalog, bound, value)
    path = f"/v1/projects/{project}/types/typescript"
    response = await real.call("GET", path, params={"included_schemas": "information_schema"})
    assert response.status_code == 413
    assert "ask for fewer" in response.json()["message"]


async def test_keys_that_views_show_in_countless_ways_are_refused(real: Client) -> None:
    ref = await real.active_project()
    names = [f"k{n}" for n in range(6)]
    declared = ", ".join(f"{name} int" for name in names)
    key = ", ".join(names)
    await real.query(
        ref, f"create table a ({declared}, primary key ({key}), foreign key ({key}) references a ({key}) )"
    )
    columns = ", ".join(f"{name} as {name}_{time}" for name in names for time in range(100))
    await real.query(ref, f"create view v as select {columns} from a")
    response = await real.call("GET", f"/v1/projects/{ref}/types/typescript")
    assert response.status_code == 413


async def test_types_that_would_be_too_long_are_refused(
    real: Client, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "CHARACTERS", 1000)
    path = f"/v1/projects/{project}/types/typescript"
    response = await real.call("GET", path, params={"included_schemas": "information_schema"})
    assert response.status_code == 413
