from tests.conftest import Client
from tests.contract import validation


async def test_a_new_organization_has_its_maker_as_owner(api: Client) -> None:
    made = (await api.post("/v1/organizations", {"name": " more "})).json()
    assert (made["name"], made["id"]) == ("more", made["slug"])
    (member,) = await api.get(f"/v1/organizations/{made['slug']}/members")
    assert (member["email"], member["role_name"]) == (api.email, "Owner")
    assert made in await api.get("/v1/organizations")


async def test_organizations_of_others_are_not_listed(api: Client, stranger: Client) -> None:
    assert [one["slug"] for one in await api.get("/v1/organizations")] == [api.slug]


async def test_the_profile_is_the_callers(api: Client) -> None:
    profile = await api.get("/v1/profile")
    assert (profile["gotrue_id"], profile["primary_email"]) == (api.user_id, api.email)


async def test_entitlements_have_each_key_once(api: Client) -> None:
    found = (await api.get(f"/v1/organizations/{api.slug}/entitlements"))["entitlements"]
    keys = [one["feature"]["key"] for one in found]
    assert len(keys) == len(set(keys))
    if document := validation.contract():
        schema = document["components"]["schemas"]["V1ListEntitlementsResponse"]["properties"]["entitlements"]
        assert set(keys) == set(schema["items"]["properties"]["feature"]["properties"]["key"]["enum"])


async def test_the_regions_are_for_members(api: Client, stranger: Client) -> None:
    found = await api.get(f"/v1/projects/available-regions?organization_slug={api.slug}&continent=EU")
    assert {region["code"][:2] for region in found["recommendations"]["specific"]} == {"eu"}
    path = f"/v1/projects/available-regions?organization_slug={stranger.slug}"
    assert (await api.call("GET", path)).status_code == 404


async def test_pooler_storage_and_addons_are_there_for_a_link(api: Client) -> None:
    ref = (await api.create_project(desired_instance_size="small"))["ref"]
    (pooler,) = await api.get(f"/v1/projects/{ref}/config/database/pooler")
    assert f"postgres.{ref}" in pooler["connection_string"]
    assert (await api.get(f"/v1/projects/{ref}/config/storage"))["fileSizeLimit"] > 0
    (addon,) = (await api.get(f"/v1/projects/{ref}/billing/addons"))["selected_addons"]
    assert addon["variant"]["id"] == "ci_small"
