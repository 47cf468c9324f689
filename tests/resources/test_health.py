from tests.conftest import Client

ALL = "auth,db,db_postgres_user,pooler,realtime,rest,storage,pg_bouncer"


async def test_the_database_of_an_active_project_is_healthy(real: Client, project: str) -> None:
    health = await real.get(f"/v1/projects/{project}/health?services=db,db_postgres_user,pooler")
    assert [(one["name"], one["status"]) for one in health] == [
        ("db", "ACTIVE_HEALTHY"),
        ("db_postgres_user", "ACTIVE_HEALTHY"),
        ("pooler", "ACTIVE_HEALTHY"),
    ]


async def test_a_project_that_comes_up_is_not_called_unhealthy(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    assert (await api.get(f"/v1/projects/{ref}/health?services=db"))[0]["status"] == "COMING_UP"


async def test_services_may_be_joined_or_repeated(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    joined = await api.get(f"/v1/projects/{ref}/health?services={ALL}")
    repeated = await api.get(f"/v1/projects/{ref}/health?services={ALL.replace(',', '&services=')}")
    assert [one["name"] for one in joined] == [one["name"] for one in repeated] == ALL.split(",")


async def test_a_paused_project_says_why_it_is_unhealthy(api: Client) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    (db,) = await api.get(f"/v1/projects/{ref}/health?services=db")
    assert (db["healthy"], db["status"]) == (False, "UNHEALTHY")
    assert db["error"]


async def test_services_must_be_named(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    for query in ("", "?services=", "?services=mail"):
        response = await api.call("GET", f"/v1/projects/{ref}/health{query}")
        assert (response.status_code, response.json()["message"][:8]) == (400, "services")
