"""How the tests of the advisors set a scene and ask."""

from typing import Any

from tests.conftest import Client

SCHEMA = """
    create schema s;
    grant usage on schema s to anon, authenticated;
    alter default privileges in schema s grant all on tables to anon, authenticated;
"""
"""A schema of the tenant's whose tables the API's roles may use."""


async def run(api: Client, ref: str, query: str) -> list[dict[str, Any]]:
    response = await api.query(ref, query)
    assert response.status_code == 201, response.text
    return list(response.json())


async def advise(api: Client, ref: str, category: str = "security", **params: str) -> list[dict[str, Any]]:
    return list((await api.get(f"/v1/projects/{ref}/advisors/{category}", params=params))["lints"])
