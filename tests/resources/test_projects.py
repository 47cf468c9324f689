import pytest

from baseplane.drivers.cluster.memory import MemoryClusters
from tests.conftest import Client


async def test_a_new_project_comes_up_and_turns_healthy(real: Client) -> None:
    project = await real.create_project(name="shop")
    assert project["status"] == "COMING_UP"
    await real.drain()
    assert await real.status(project["ref"]) == "ACTIVE_HEALTHY"


async def test_a_remembered_project_comes_up_too(api: Client) -> None:
    assert await api.active_project()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"db_pass": "abc"}, "db_pass: must be at least 4 characters long"),
        ({"name": "  "}, "name: must not be empty"),
        ({"region": "mars-north-1"}, "region: "),
        ({"desired_instance_size": "pico"}, "desired_instance_size: "),
        ({"template_url": "https://example.test/t"}, "template_url: templates are not supported here"),
        ({"colour": "red"}, "colour: is not a field of this operation"),
    ],
)
async def test_a_wrong_field_is_refused_by_name(api: Client, fields: dict[str, str], said: str) -> None:
    body = {"name": "shop", "db_pass": "correct horse", "organization_slug": api.slug, **fields}
    response = await api.post("/v1/projects", body)
    assert response.status_code == 400
    assert response.json()["message"].startswith(said)


async def test_a_name_is_taken_once_in_an_organization(api: Client, stranger: Client) -> None:
    await api.create_project(name="shop")
    response = await api.post("/v1/projects", {"name": "shop", "db_pass": "1234", "organization_slug": api.slug})
    assert response.status_code == 409
    assert response.json()["message"].startswith("Project with name shop already exists in your organization.")
    await stranger.create_project(name="shop")


async def test_renaming_keeps_to_the_same_rule(api: Client) -> None:
    await api.create_project(name="shop")
    ref = (await api.create_project(name="blog"))["ref"]
    assert (await api.call("PATCH", f"/v1/projects/{ref}", json={"name": "shop"})).status_code == 409
    assert (await api.call("PATCH", f"/v1/projects/{ref}", json={"name": "news"})).status_code == 200
    assert (await api.get(f"/v1/projects/{ref}"))["name"] == "news"


async def test_a_deleted_project_is_gone_and_its_name_is_free(api: Client, memory: MemoryClusters) -> None:
    project = await api.create_project(name="shop")
    await api.drain()
    assert (await api.call("DELETE", f"/v1/projects/{project['ref']}")).status_code == 200
    await api.drain()
    assert (await api.call("GET", f"/v1/projects/{project['ref']}")).status_code == 404
    assert await api.get("/v1/projects") == []
    assert project["ref"] not in memory.specs
    await api.create_project(name="shop")


async def test_the_list_of_an_organization_is_paged_searched_and_sorted(api: Client) -> None:
    for name in ("b-shop", "a-shop", "c-blog"):
        await api.create_project(name=name)
    path = f"/v1/organizations/{api.slug}/projects"

    async def names(**params: object) -> tuple[list[str], int]:
        page = await api.get(path, params=params)
        return [project["name"] for project in page["projects"]], page["pagination"]["count"]

    assert await names() == (["a-shop", "b-shop", "c-blog"], 3)
    assert await names(sort="name_desc", limit=1, offset=1) == (["b-shop"], 3)
    assert await names(sort="created_asc") == (["b-shop", "a-shop", "c-blog"], 3)
    assert await names(search="SHOP") == (["a-shop", "b-shop"], 2)
    assert await names(statuses="INACTIVE,PAUSING") == ([], 0)
    assert await names(statuses="COMING_UP", limit=2) == (["a-shop", "b-shop"], 3)
    assert (await api.call("GET", path, params={"statuses": "SLEEPY"})).status_code == 400
