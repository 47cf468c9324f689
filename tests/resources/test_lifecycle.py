from tests.conftest import Client


async def test_a_project_is_paused_and_restored(api: Client) -> None:
    ref = await api.active_project()
    assert (await api.post(f"/v1/projects/{ref}/pause")).status_code == 200
    assert await api.status(ref) == "PAUSING"
    await api.drain()
    assert await api.status(ref) == "INACTIVE"
    assert (await api.post(f"/v1/projects/{ref}/restore")).status_code == 200
    await api.drain()
    assert await api.status(ref) == "ACTIVE_HEALTHY"


async def test_what_the_status_does_not_allow_is_refused_with_the_next_step(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    response = await api.post(f"/v1/projects/{ref}/pause")
    assert response.status_code == 400
    said = "This project cannot be paused: it is COMING_UP. Wait until it is ACTIVE_HEALTHY."
    assert response.json() == {"message": said, "project_status": "COMING_UP"}
    assert (await api.post(f"/v1/projects/{ref}/restore")).status_code == 400
