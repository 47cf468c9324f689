"""TypeScript types, made from real databases."""

from tests.conftest import Client


async def types_of(real: Client, ref: str, schemas: str | None = None) -> str:
    query = {} if schemas is None else {"included_schemas": schemas}
    return str((await real.get(f"/v1/projects/{ref}/types/typescript", params=query))["types"])


async def test_public_is_what_is_given_without_being_asked_for(real: Client, project: str) -> None:
    assert "\n  public: {\n" in await types_of(real, project)


async def test_without_a_schema_that_exists_the_types_are_empty(real: Client, project: str) -> None:
    empty = await types_of(real, project, "nowhere")
    assert "export const Constants = {} as const\n" in empty
    for names in ("", " , ", "pg_catalog", "no\0where", '"public"'):
        assert await types_of(real, project, names) == empty
