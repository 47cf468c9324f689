import asyncio
import hashlib
import json
from typing import Any

import pytest

from tests.conftest import Client


async def put(api: Client, ref: str, **values: str) -> None:
    body = [{"name": name, "value": value} for name, value in values.items()]
    answer = await api.post(f"/v1/projects/{ref}/secrets", body)
    assert (answer.status_code, answer.content) == (201, b"")


async def names(api: Client, ref: str) -> list[str]:
    return [secret["name"] for secret in await api.get(f"/v1/projects/{ref}/secrets")]


async def test_a_secret_is_read_as_its_digest(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    await put(api, ref, B_KEY="grüße", A_KEY="")
    first, second = await api.get(f"/v1/projects/{ref}/secrets")
    assert (first["name"], first["value"]) == ("A_KEY", hashlib.sha256(b"").hexdigest())
    assert (second["name"], second["value"]) == ("B_KEY", hashlib.sha256("grüße".encode()).hexdigest())


async def test_setting_a_secret_again_changes_it_and_its_moment(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    await put(api, ref, KEY="one", OTHER="kept")
    before = (await api.get(f"/v1/projects/{ref}/secrets"))[0]
    await put(api, ref, KEY="two")
    after, other = await api.get(f"/v1/projects/{ref}/secrets")
    assert after["value"] == hashlib.sha256(b"two").hexdigest()
    assert after["updated_at"] > before["updated_at"]
    assert other["name"] == "OTHER"


async def test_secrets_are_deleted_by_name(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    await put(api, ref, A="1", B="2", C="3")
    answer = await api.call("DELETE", f"/v1/projects/{ref}/secrets", json=["A", "C", "NEVER_SET"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert await names(api, ref) == ["B"]


GOOD = {"name": "GOOD", "value": "v"}
BAD: list[tuple[Any, str]] = [
    ([GOOD, {"name": "SUPABASE_URL", "value": "v"}], "1.name: must not begin with SUPABASE_"),
    ([GOOD, {"name": "", "value": "v"}], "1.name"),
    ([GOOD, {"name": "A=B", "value": "v"}], "1.name: must not hold ="),
    ([GOOD, {"name": "A\n", "value": "v"}], "1.name"),
    ([GOOD, {"name": "A\0", "value": "v"}], "1.name"),
    ([GOOD, {"name": "\ud800", "value": "v"}], "1.name"),
    ([GOOD, {"name": "N" * 257, "value": "v"}], "1.name"),
    ([GOOD, {"name": "A", "value": "v" * 24_577}], "1.value"),
    ([GOOD, {"name": "A", "value": "a\0"}], "1.value"),
    ([GOOD, {"name": "A"}], "1.value: is required"),
    ([GOOD, GOOD], "GOOD is given 2 times"),
    ([{"name": f"N{at}", "value": "v"} for at in range(101)], "at most 100 secrets; with these it would have 101"),
    ([GOOD, "x"], "1"),
    ({"name": "A", "value": "v"}, "The body must be a JSON array"),
]


@pytest.mark.parametrize(("body", "said"), BAD, ids=range(len(BAD)))
async def test_of_a_bad_request_nothing_is_set(api: Client, body: Any, said: str) -> None:
    ref = (await api.create_project())["ref"]
    answer = await api.post(f"/v1/projects/{ref}/secrets", content=json.dumps(body))
    assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text
    assert await names(api, ref) == []


async def test_the_limits_themselves_are_allowed(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    await put(api, ref, **{f"{'N' * 253}{at:03}": "v" * 24_576 for at in range(100)})
    await put(api, ref, **{f"{'N' * 253}000": "changed"})
    assert len(await names(api, ref)) == 100


async def test_requests_at_once_do_not_pass_the_limit_together(api: Client) -> None:
    ref = (await api.create_project())["ref"]
    bodies = [[{"name": f"R{at}_{number}", "value": "v"} for number in range(40)] for at in range(4)]
    answers = await asyncio.gather(*(api.post(f"/v1/projects/{ref}/secrets", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 400, 400]
    assert len(await names(api, ref)) == 80


@pytest.mark.parametrize("body", [["A", "SUPABASE_URL"], ["A", 1], ["A", "\0"], "A", {}])
async def test_of_a_bad_deletion_nothing_is_deleted(api: Client, body: Any) -> None:
    ref = (await api.create_project())["ref"]
    await put(api, ref, A="1")
    assert (await api.call("DELETE", f"/v1/projects/{ref}/secrets", json=body)).status_code == 400
    assert await names(api, ref) == ["A"]
