"""Database webhooks, from a row in a tenant's table to a server of the test's own."""

import asyncio

import pytest
from aiohttp import web

from baseplane.resources.webhooks import attempt, outbox
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.receiver import Received
from tests.resources.webhooks import Hooked, admin, delivering


async def hang(_: Received) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def test_every_change_of_a_row_is_sent_with_the_old_and_the_new(hooked: Hooked) -> None:
    table = await hooked.table()
    await hooked.sql(f"insert into {table} (item) values ('tee ☕')")
    await hooked.sql(f"update {table} set item = null")
    await hooked.sql(f"delete from {table}")
    sent = await hooked.receiver.expect(f"/{table}", 3)
    common = {"table": table, "schema": "public"}
    assert [request.json for request in sent] == [
        {"type": "INSERT", "record": {"id": 1, "item": "tee ☕"}, "old_record": None, **common},
        {"type": "UPDATE", "record": {"id": 1, "item": None}, "old_record": {"id": 1, "item": "tee ☕"}, **common},
        {"type": "DELETE", "record": None, "old_record": {"id": 1, "item": None}, **common},
    ]
    assert {request.method for request in sent} == {"POST"}
    assert (sent[0].headers["X-Key"], sent[0].headers["Content-Type"]) == ("k", "application/json")
    await hooked.empty()
    hooks = await hooked.sql(f"select * from supabase_functions.hooks where hook_table_id = '{table}'::regclass::int")
    assert [hook["hook_name"] for hook in hooks] == ["hook"] * 3
    answer = await hooked.response(hooks[0]["request_id"])
    assert (answer["status_code"], answer["content"], answer["error_msg"]) == (200, "said 200", None)
    assert (answer["content_type"], answer["headers"]["x-two"]) == ("text/plain; charset=utf-8", "a")


async def test_a_webhook_whose_server_fails_twice_is_delivered_once(hooked: Hooked) -> None:
    table = await hooked.table()
    hooked.receiver.answers[f"/{table}"] = [500, 503]
    await hooked.sql(f"insert into {table} (item) values ('a')")
    assert [request.json["record"]["item"] for request in await hooked.receiver.expect(f"/{table}", 3)] == ["a"] * 3
    assert (await hooked.hook_of(table))["status_code"] == 200
    assert len(hooked.receiver.at(f"/{table}")) == 3


async def test_a_webhook_that_never_succeeds_ends_with_the_last_answer(hooked: Hooked) -> None:
    table = await hooked.table()
    hooked.receiver.answers[f"/{table}"] = [500] * attempt.ATTEMPTS
    await hooked.sql(f"insert into {table} (item) values ('a')")
    answer = await hooked.hook_of(table)
    assert (answer["status_code"], answer["content"]) == (500, "said 500")
    assert len(hooked.receiver.at(f"/{table}")) == attempt.ATTEMPTS


@pytest.mark.parametrize("status", [204, 302, 400, 404])
async def test_an_answer_that_no_repetition_would_change_is_final(hooked: Hooked, status: int) -> None:
    table = await hooked.table()
    hooked.receiver.answers[f"/{table}"] = [status]
    await hooked.sql(f"insert into {table} (item) values ('a')")
    assert (await hooked.hook_of(table))["status_code"] == status
    assert len(hooked.receiver.at(f"/{table}")) == 1


async def test_webhooks_to_one_url_keep_their_order_whatever_fails(hooked: Hooked) -> None:
    table = await hooked.table()
    hooked.receiver.answers[f"/{table}"] = [200, 500, 200, 200, 429, 503, *[200] * 70, 500]
    await hooked.sql(f"insert into {table} (item) select n from generate_series(1, 150) n")
    sent = await hooked.receiver.expect(f"/{table}", 154)
    order = list(dict.fromkeys(request.json["record"]["id"] for request in sent))
    assert order == list(range(1, 151))


async def test_a_url_that_fails_keeps_no_other_waiting(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "FIRST_WAIT", 60)
    monkeypatch.setattr(attempt, "LONGEST_WAIT", 60)
    stuck, other = await hooked.table(), await hooked.table()
    hooked.receiver.answers[f"/{stuck}"] = [500]
    await hooked.sql(f"insert into {stuck} (item) select n from generate_series(1, 400) n")
    await hooked.sql(f"insert into {other} (item) values ('a')")
    await hooked.receiver.expect(f"/{other}", 1)
    assert len(hooked.receiver.at(f"/{stuck}")) == 1
    async with asyncio.timeout(5):
        while (await hooked.sql("select max(attempts) as n from net.http_request_queue"))[0]["n"] != 1:
            await asyncio.sleep(0.01)
    await hooked.sql("delete from net.http_request_queue")


async def test_a_slow_server_is_not_waited_for_longer_than_asked(hooked: Hooked) -> None:
    hooked.receiver.answers["/slow"] = [hang]
    request = await hooked.request(f"http_get('{hooked.receiver.url('/slow')}', timeout_milliseconds := 80)")
    answer = await hooked.response(request)
    assert (answer["timed_out"], answer["status_code"]) == (True, None)
    assert answer["error_msg"] == "Timeout of 80 ms reached."


async def test_a_server_that_is_down_is_tried_again_by_webhooks_alone(
    hooked: Hooked, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    answer = await hooked.response(await hooked.request(f"http_post('{url}')"))
    assert "No connection to 127.0.0.1" in answer["error_msg"]
    table = await hooked.table(url=url)
    await hooked.sql(f"insert into {table} (item) values ('a')")
    async with asyncio.timeout(10):
        while (await hooked.sql("select max(attempts) as n from net.http_request_queue"))[0]["n"] != attempt.ATTEMPTS:
            await asyncio.sleep(0.01)
    monkeypatch.setattr(attempt, "UNREACHABLE_FOR", 0)
    assert "No connection to 127.0.0.1" in (await hooked.hook_of(table))["error_msg"]


async def test_requests_of_sql_go_as_users_of_pg_net_know(hooked: Hooked) -> None:
    receiver = hooked.receiver
    got = await hooked.request(
        f"""http_get('{receiver.url("/get?a=1#f")}', '{{"q": "ä &/", "n": 1}}', '{{"X-Me": "you"}}')"""
    )
    posted = await hooked.request(f"""http_post('{receiver.url("/post")}', '{{"b": [1]}}')""")
    deleted = await hooked.request(f"""http_delete(url := '{receiver.url("/delete")}', body := '{{"c": 2}}')""")
    assert (await hooked.response(got))["status_code"] == 200
    [request] = receiver.at("/get")
    assert (request.method, request.query, request.headers["X-Me"]) == ("GET", "a=1&n=1&q=%C3%A4%20%26/", "you")
    await hooked.response(posted)
    [request] = receiver.at("/post")
    assert (request.method, request.json, request.headers["Content-Type"]) == ("POST", {"b": [1]}, "application/json")
    await hooked.response(deleted)
    [request] = receiver.at("/delete")
    assert (request.method, request.json) == ("DELETE", {"c": 2})
    collect = f"select (r).status, (r).message, ((r).response).body from net.http_collect_response({posted}) r"
    assert await hooked.sql(collect) == [{"status": "SUCCESS", "message": "ok", "body": "said 200"}]
    assert await hooked.sql("select (net._http_collect_response(0)).status") == [{"status": "ERROR"}]
    await hooked.sql("select net.check_worker_is_up()")


async def test_requests_of_sql_are_sent_once_and_side_by_side(hooked: Hooked) -> None:
    hooked.receiver.answers["/side"] = [hang, 500]
    await hooked.request(f"http_get('{hooked.receiver.url('/side')}')")
    await hooked.receiver.expect("/side", 1)
    second = await hooked.request(f"http_get('{hooked.receiver.url('/side')}')")
    assert (await hooked.response(second))["status_code"] == 500
    assert len(hooked.receiver.at("/side")) == 2
    await hooked.sql("delete from net.http_request_queue")


async def test_a_request_of_a_transaction_that_is_rolled_back_is_not_sent(hooked: Hooked) -> None:
    url = hooked.receiver.url("/rolled-back")
    await hooked.sql(f"begin; select net.http_get('{url}'); rollback; select net.http_get('{url}?yes')")
    assert [request.query for request in await hooked.receiver.expect("/rolled-back", 1)] == ["yes"]


async def test_a_request_that_becomes_visible_while_the_worker_rests_is_sent(hooked: Hooked, real_rt: Runtime) -> None:
    """Queued before the worker falls asleep, committed after that: nobody notifies of it then."""
    async with admin(real_rt, hooked.ref) as db:
        for number in range(5):
            async with db.transaction():
                await db.execute("select net.http_get(%s)", [hooked.receiver.url(f"/late-{number}")])
                await asyncio.sleep(number * 0.03)
            await hooked.receiver.expect(f"/late-{number}", 1, within=2)


async def test_old_answers_are_forgotten_after_six_hours(idle: Hooked, real_rt: Runtime) -> None:
    async with admin(real_rt, idle.ref) as db:
        await db.execute(
            "insert into net._http_response (id, created)"
            " values (-1, now() - interval '5 h 59 min'), (-2, now() - interval '6 h 1 min')"
        )
    async with delivering(real_rt), asyncio.timeout(10):
        while await idle.sql("select from net._http_response where id = -2"):
            await asyncio.sleep(0.02)
    assert await idle.sql("select id from net._http_response where id < 0") == [{"id": -1}]


async def test_enabling_again_keeps_the_queue_and_mends_the_functions(idle: Hooked, real_rt: Runtime) -> None:
    queued = await idle.request(f"http_get('{idle.receiver.url('/kept')}')")
    async with admin(real_rt, idle.ref) as db:
        await db.execute("drop function net.http_delete")
    for _ in range(2):
        assert (await idle.api.post(f"/v1/projects/{idle.ref}/database/webhooks/enable")).status_code == 201
    assert await idle.sql(f"select id from net.http_request_queue where id = {queued}") == [{"id": queued}]
    await idle.sql(f"select net.http_delete('{idle.receiver.url('/kept')}')")
    async with delivering(real_rt):
        await idle.receiver.expect("/kept", 2)


async def test_two_workers_deliver_once(hooked: Hooked, real_rt: Runtime) -> None:
    table = await hooked.table()
    async with delivering(real_rt), delivering(real_rt):
        await hooked.sql(f"insert into {table} (item) select n from generate_series(1, 100) n")
        await hooked.receiver.expect(f"/{table}", 100)
        await hooked.empty()
    assert len(hooked.receiver.at(f"/{table}")) == 100


async def test_a_project_without_webhooks_is_told_that_it_has_none(real: Client, project: str) -> None:
    response = await real.query(project, "select net.http_get('http://example.test')")
    assert (response.status_code, response.json()["code"]) == (400, "3F000")


async def test_enabling_what_is_paused_says_so_and_enables_nothing(api: Client, rt: Runtime) -> None:
    ref = await api.active_project()
    await api.post(f"/v1/projects/{ref}/pause")
    await api.drain()
    response = await api.post(f"/v1/projects/{ref}/database/webhooks/enable")
    assert response.status_code == 400
    assert "it is INACTIVE" in response.json()["message"]
    async with rt.database.connection() as db:
        assert not (await (await db.execute("select from webhooks where project_ref = %s", [ref])).fetchall())


async def test_a_stranger_enables_nothing(api: Client, stranger: Client) -> None:
    ref = await api.active_project()
    assert (await stranger.post(f"/v1/projects/{ref}/database/webhooks/enable")).status_code == 404


async def test_the_locks_have_the_same_names_on_both_sides(idle: Hooked) -> None:
    bodies = await idle.sql(
        "select string_agg(prosrc, '') as text from pg_proc where pronamespace = 'net'::regnamespace"
    )
    assert f"({outbox.KEY}, {outbox.ASLEEP})" in bodies[0]["text"]
    assert f"classid = {outbox.KEY} and objid = {outbox.LEADER}" in bodies[0]["text"]
