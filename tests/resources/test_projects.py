from tests.conftest import Client


async def test_a_new_project_comes_up_and_turns_healthy(real: Client) -> None:
    project = await real.create_project(name="shop")
    assert project["status"] == "COMING_UP"
    await real.drain()
    assert await real.status(project["ref"]) == "ACTIVE_HEALTHY"


async def test_a_remembered_project_comes_up_too(api: Client) -> None:
    assert await api.active_project()
