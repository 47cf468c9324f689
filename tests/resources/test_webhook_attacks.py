"""What a hostile tenant does with webhooks: nothing is gained by it, and nobody else waits for it."""

import asyncio
import json
from typing import Any

import pytest

from baseplane.database import value
from baseplane.resources.webhooks import outbox
from baseplane.runtime import Runtime
from tests.conftest import Client
from tests.resources.webhooks import Hooked, admin, delivering


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize(
    "attack",
    [
        "select from net.http_request_queue",
        "select from net._http_response",
        "select from net._hooks",
        "select from supabase_functions.hooks",
        "delete from net._http_response",
        "select net._http_collect_response(1)",
        "select net._enqueue('GET', 'http://a', '{}', '{}', null, 1, 1, 'hook')",
        "insert into net.http_request_queue (method, url, timeout_milliseconds) values ('GET', 'http://a', 1)",
    ],
)
async def test_a_role_of_the_api_sees_nothing_of_what_is_sent(idle: Hooked, role: str, attack: str) -> None:
    response = await idle.api.query(idle.ref, f"set local role {role}; {attack}")
    assert (response.status_code, response.json().get("code")) == (400, "42501"), response.text


@pytest.mark.parametrize(
    "attack",
    [
        "create trigger t before delete on net.http_request_queue for each row execute function suppress_redundant_updates_trigger()",
        "create trigger t before insert on net._http_response for each row execute function suppress_redundant_updates_trigger()",
        "create rule r as on insert to net._hooks do also select 1",
        "create table net.mine (a int)",
        "alter table net._http_response add column a int",
        "create table fk (id bigint references net._hooks)",
        "alter schema net rename to mine",
        "drop schema net cascade",
        "drop table net._hooks",
        "drop function net._enqueue",
        "create or replace function net.wake() returns void language sql as ''",
        "create publication p for table net._http_response",
        "create publication p for tables in schema net",
        "alter function supabase_functions.http_request() owner to postgres",
        "grant baseplane_webhooks to postgres",
        "set role baseplane_webhooks",
        "alter role baseplane_webhooks login",
        "alter role baseplane_webhooks set search_path = public",
        "drop role baseplane_webhooks",
        "insert into net.http_request_queue (method, url, timeout_milliseconds) values ('GET', 'http://a', 1)",
        "update net.http_request_queue set hook_name = 'x'",
        "alter table net.http_request_queue enable row level security",
        "create policy p on net.http_request_queue using (true)",
    ],
)
async def test_the_tenant_changes_nothing_that_the_worker_writes_to(idle: Hooked, attack: str) -> None:
    response = await idle.api.query(idle.ref, attack)
    assert (response.status_code, response.json().get("code")) == (400, "42501"), response.text


async def test_a_role_without_any_right_on_net_may_insert_into_a_table_with_a_webhook(hooked: Hooked) -> None:
    table = await hooked.table()
    await hooked.sql(
        f"create role nobody_{table}; grant nobody_{table} to postgres with set true;"
        f" grant insert on {table} to nobody_{table}; grant usage on schema public to nobody_{table};"
        f" set local role nobody_{table}; insert into {table} (item) values ('a')"
    )
    await hooked.receiver.expect(f"/{table}", 1)


async def test_a_cast_that_runs_inside_of_the_trigger_may_do_nothing(idle: Hooked) -> None:
    """A tenant's own cast to JSON is called for the record, with the rights of the trigger's function."""
    table = await idle.table()
    tries = [
        "select headers from net.http_request_queue",
        "delete from net.http_request_queue",
        "select from net._http_response",
        "create function supabase_functions.f() returns int language sql as 'select 1'",
        "create function net.f() returns int language sql as 'select 1'",
        "set role postgres",
        "set role supabase_admin",
        "create role r",
    ]
    await idle.sql(
        "create type loot as enum ('x'); create function rob(l loot) returns json language plpgsql as $$"
        " declare attack text; got text := current_user; begin"
        f"  foreach attack in array array[{', '.join('$q$' + attack + '$q$' for attack in tries)}] loop"
        "   begin execute attack; got := got || ' ' || attack;"
        "   exception when insufficient_privilege then null; end;"
        "  end loop; return to_json(got); end $$;"
        f" create cast (loot as json) with function rob(loot); alter table {table} add column l loot"
    )
    await idle.sql(f"insert into {table} (l) values ('x')")
    rows = await idle.sql(
        "select convert_from(body, 'UTF8')::json->'record'->>'l' as who from net.http_request_queue order by id desc limit 1"
    )
    assert rows == [{"who": "baseplane_webhooks"}]
    await idle.sql(f"delete from net.http_request_queue; drop table {table}; drop type loot cascade")


async def test_a_project_that_has_a_schema_net_of_its_own_is_refused_and_nothing_is_enabled(
    real: Client, real_rt: Runtime, project: str
) -> None:
    await real.query(project, "create schema net; create table net.http_request_queue (id int)")
    response = await real.post(f"/v1/projects/{project}/database/webhooks/enable")
    await real.query(project, "drop schema net cascade")
    assert response.status_code == 409
    assert "Rename or drop your schema net." in response.json()["message"]
    async with real_rt.database.connection() as db:
        assert not await value(db, "select count(*) from webhooks where project_ref = %s", [project])


async def test_tables_that_the_platform_did_not_make_are_not_written_to(real: Client, real_rt: Runtime) -> None:
    ref = await real.active_project()
    await real.query(ref, "create schema net; create table net.http_request_queue (id int)")
    async with admin(real_rt, ref) as db:
        with pytest.raises(outbox.NotOursError):
            await outbox.lead(db)


async def test_a_hooks_table_of_the_tenants_own_runs_nothing_of_his_as_the_platform(
    real: Client, real_rt: Runtime, idle: Hooked
) -> None:
    await idle.sql(
        "drop view supabase_functions.hooks; create table caught (who text);"
        " create table supabase_functions.hooks (id bigserial, hook_table_id int, hook_name text, request_id bigint);"
        " create function catch() returns trigger language plpgsql as"
        " $$ begin insert into caught values (current_user); return new; end $$;"
        " create trigger catch before insert on supabase_functions.hooks for each row execute function catch()"
    )
    table = await idle.table()
    async with delivering(real_rt):
        await idle.sql(f"insert into {table} (item) values ('a')")
        await idle.receiver.expect(f"/{table}", 1)
        await idle.empty()
    assert await idle.sql("select * from caught") == []
    response = await real.post(f"/v1/projects/{idle.ref}/database/webhooks/enable")
    assert (response.status_code, "hooks" in response.json()["message"]) == (409, True)
    await idle.sql("drop table supabase_functions.hooks, caught cascade; drop function catch cascade")
    assert (await real.post(f"/v1/projects/{idle.ref}/database/webhooks/enable")).status_code == 201


GARBAGE: list[tuple[dict[str, Any], str]] = [
    ({"url": "ftp://a"}, "must begin with http"),
    ({"url": "http:///x"}, "must begin with http"),
    ({"url": "http://u:p@a/"}, "user or a password"),
    ({"url": "http://a b/"}, "a space"),
    ({"url": "http://a:99999/"}, "ort"),
    ({"url": "http://[::1/"}, "url"),
    ({"url": "http://" + "a" * 100_000}, "bytes"),
    ({"url": "http://" + "a" * 9000}, "longer than"),
    ({"url": "http://2130706433/"}, "not"),
    ({"url": "http://\ud7ff..\u0001/"}, "control"),
    ({"headers": [1]}, "not a JSON object"),
    ({"headers": 7}, "not a JSON object"),
    ({"headers": {"Host": "other"}}, "not a caller's"),
    ({"headers": {"Content-Length": "3"}}, "not a caller's"),
    ({"headers": {"transfer-encoding": "chunked"}}, "not a caller's"),
    ({"headers": {"a": "b\r\nX: y"}}, "control character"),
    ({"headers": {"a b": "c"}}, "not a header"),
    ({"headers": {"": "c"}}, "not a header"),
    ({"headers": {f"h{n}": "v" for n in range(100)}}, "more than"),
    ({"timeout_milliseconds": -1}, "more than 0"),
    ({"body": b"x" * (outbox.MAX_BODY + 1)}, "are sent at most"),
]


async def test_garbage_in_the_queue_is_refused_with_the_cause_and_stops_nothing(
    hooked: Hooked, real_rt: Runtime
) -> None:
    good = {
        "method": "POST",
        "url": hooked.receiver.url("/good"),
        "headers": {},
        "body": b"",
        "timeout_milliseconds": 900,
    }
    ids = {}
    async with admin(real_rt, hooked.ref) as db, db.transaction():
        for hook in (None, "hook"):
            for changes, cause in GARBAGE:
                row = {**good, **changes}
                query = (
                    "insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds, hook_name)"
                    " values (%s, %s, %s::jsonb, %s, %s, %s) returning id"
                )
                values = [
                    row["method"],
                    row["url"],
                    json.dumps(row["headers"]),
                    row["body"],
                    row["timeout_milliseconds"],
                ]
                ids[await value(db, query, [*values, hook])] = cause
        await db.execute("select net.wake()")
    await hooked.sql(f"select net.http_post('{hooked.receiver.url('/after-garbage')}')")
    await hooked.receiver.expect("/after-garbage", 1)
    for request_id, cause in ids.items():
        answer = await hooked.response(request_id)
        assert cause in answer["error_msg"], (request_id, answer["error_msg"])


async def test_strange_answers_are_written_down_as_far_as_postgres_can_hold_them(hooked: Hooked) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        writer.write(answers[path])
        await writer.drain()
        writer.close()

    answers = {
        b"/bytes": b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\r\nContent-Type: text/plain; charset=nope\r\n\r\na\0\xffb",
        b"/gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
        b"/endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 * 1024 * 1024),
        b"/headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"/nothing": b"",
        b"/other": b"220 mail.example.test ESMTP\r\n",
    }
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        said = {
            path: await hooked.response(await hooked.request(f"http_get('http://127.0.0.1:{port}{path.decode()}')"))
            for path in answers
        }
    assert said[b"/bytes"]["content"] == "a\ufffd\ufffdb"
    assert said[b"/gzip"]["status_code"] == 200
    assert said[b"/endless"]["length"] == 1024 * 1024
    assert "only its beginning is kept" in said[b"/endless"]["error_msg"]
    for path in (b"/headers", b"/nothing", b"/other"):
        assert "did not answer in HTTP" in said[path]["error_msg"]


async def test_a_locked_queue_keeps_no_other_project_waiting(hooked: Hooked, real_rt: Runtime, real: Client) -> None:
    other = Hooked(real, await real.active_project(), hooked.receiver)
    assert (await real.post(f"/v1/projects/{other.ref}/database/webhooks/enable")).status_code == 201
    async with admin(real_rt, hooked.ref) as db, db.transaction():
        await db.execute("set local role postgres")
        await db.execute("lock table net.http_request_queue in exclusive mode")
        await hooked.sql("select 1 as a")
        await other.sql(f"select net.http_get('{hooked.receiver.url('/other')}')")
        await hooked.receiver.expect("/other", 1)


async def test_what_is_not_public_is_not_called(idle: Hooked, real_rt: Runtime) -> None:
    port = idle.receiver.port
    hosts = [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fe80::1]",
    ]
    async with delivering(real_rt, allow=""):
        for host in hosts:
            answer = await idle.response(await idle.request(f"http_get('http://{host}:{port}/secret')"))
            assert "are not allowed" in answer["error_msg"], (host, answer["error_msg"])
    assert idle.receiver.at("/secret") == []
