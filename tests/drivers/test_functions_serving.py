"""What a function's author may count on."""

import asyncio
import json
from collections.abc import Callable

import aiohttp
import pytest

from baseplane.drivers.functions import Limits
from tests.drivers.functions import Host

TEMPLATE = """
import "jsr:@supabase/functions-js/edge-runtime.d.ts";

Deno.serve(async (req: Request) => {
  const { name } = await req.json();
  return new Response(JSON.stringify({ message: `Hello ${name}!` }), { headers: { "Content-Type": "application/json" } });
});
"""
ECHO = "Deno.serve((request) => new Response(new URL(request.url).pathname));"
STEPS = """
const steps: Record<string, () => void> = {};
Deno.serve(async (request) => {
  const name = new URL(request.url).pathname.slice(1);
  if (request.method === "POST") { steps[name]?.(); return new Response("went on"); }
  await new Promise<void>((resolve) => steps[name] = resolve);
  return new Response("done");
});
"""


async def test_the_default_template_answers_without_reaching_jsr(host: Host) -> None:
    function = await host.deploy(TEMPLATE)
    answer = await function.call("/", method="POST", json={"name": "Ada"})
    assert json.loads(answer) == {"message": "Hello Ada!"}


@pytest.mark.parametrize(
    "source",
    [
        ECHO,
        "Deno.serve({ port: 8000, hostname: '0.0.0.0' }, (request) => new Response(new URL(request.url).pathname));",
        "Deno.serve({ handler: (request) => new Response(new URL(request.url).pathname) });",
        "export default { fetch: (request: Request) => new Response(new URL(request.url).pathname) };",
        "import http from 'node:http'; http.createServer((q, a) => a.end(q.url)).listen(8000);",
        "if (import.meta.main) Deno.serve((request) => new Response(new URL(request.url).pathname));",
        "await new Promise((wake) => setTimeout(wake, 20));" + ECHO,
    ],
)
async def test_every_way_to_serve_is_served(source: str, host: Host) -> None:
    function = await host.deploy(source)
    assert await function.call("/a/path") == "/a/path"


async def test_a_function_of_several_files_reads_those_beside_it(host: Host) -> None:
    source = {
        "functions/hello/index.ts": """
            import { shout } from "../shared/shout.ts";
            import config from "./config.json" with { type: "json" };
            import text from "./words.txt" with { type: "text" };
            import licence from "./LICENSE" with { type: "text" };
            const page = await Deno.readTextFile(new URL("./page.html", import.meta.url));
            Deno.serve(() => new Response(shout(config.word) + text + page + licence));
        """,
        "functions/hello/config.json": '{"word": "hey"}',
        "functions/hello/words.txt": "you",
        "functions/hello/LICENSE": "free to all",
        "functions/hello/page.html": "<p>",
        "functions/shared/shout.ts": "export const shout = (word: string): string => word.toUpperCase();",
    }
    function = await host.deploy(source, entrypoint="functions/hello/index.ts")
    assert await function.call() == "HEYyou<p>free to all"


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"deno.json": '{"imports": {"words": "./lib/words.ts"}}'}, None),
        ({"deno.jsonc": '{\n  // a comment\n  "imports": {"words": "./lib/words.ts",},\n}'}, None),
        ({"maps/own.json": '{"imports": {"words": "../lib/words.ts"}}'}, "maps/own.json"),
        (
            {"deno.json": '{"importMap": "maps/m.json"}', "maps/m.json": '{"imports": {"words": "../lib/words.ts"}}'},
            None,
        ),
        ({"deno.json": '{"scopes": {"./": {"words": "./lib/words.ts"}}}'}, None),
    ],
)
async def test_an_import_map_is_followed_from_where_it_lies(
    files: dict[str, str], named: str | None, host: Host
) -> None:
    source = {
        "index.ts": 'import { word } from "words"; Deno.serve(() => new Response(word));',
        "lib/words.ts": 'export const word: string = "from the map";',
        **files,
    }
    function = await host.deploy(source, import_map=named)
    assert await function.call() == "from the map"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("@supabase/functions-js", "jsr:@supabase/functions-js@^2"),
        ("@supabase/functions-js/", "jsr:/@supabase/functions-js@^2/"),
        ("types", "jsr:@supabase/functions-js"),
    ],
)
async def test_the_types_of_the_templates_configuration_are_nothing(name: str, address: str, host: Host) -> None:
    source = {
        "index.ts": f'import "{name.rstrip("/")}/edge-runtime.d.ts"; Deno.serve(() => new Response("fine"));',
        "deno.json": json.dumps({"imports": {name: address}}),
    }
    function = await host.deploy(source)
    assert await function.call() == "fine"


async def test_an_author_may_map_the_templates_imports_elsewhere(host: Host) -> None:
    source = {
        "index.ts": 'import { own } from "jsr:@supabase/supabase-js@2"; Deno.serve(() => new Response(own));',
        "mine.ts": 'export const own = "mine";',
        "deno.json": '{"imports": {"jsr:@supabase/supabase-js@2": "./mine.ts"}}',
    }
    function = await host.deploy(source)
    assert await function.call() == "mine"


async def test_packages_of_npm_are_fetched_at_deployment(host: Host) -> None:
    function = await host.deploy("""
        import { z } from "npm:zod@3.25.76";
        Deno.serve(async (request) => new Response(z.string().parse(await request.text())));
    """)
    assert await function.call("/", method="POST", data="checked") == "checked"


HOSTILE_NAMES = {
    "LD_PRELOAD": "/nowhere.so", "NODE_OPTIONS": "--require=/etc/passwd", "DENO_DIR": "/tmp", "DENO_V8_FLAGS": "--help",
    "V8_FLAGS": "--help", "NPM_CONFIG_REGISTRY": "http://127.0.0.1", "PATH": "/tmp", "DENO_NO_PROMPT": "0",
    "with space": "1", "UMLAUT": "ä\n€", "EMPTY": "",
}  # fmt: skip


async def test_secrets_may_have_any_name_and_are_all_that_is_there(host: Host) -> None:
    function = await host.deploy(
        'import process from "node:process"; Deno.serve(() => Response.json([Deno.env.toObject(), {...process.env}]));',
        environment=HOSTILE_NAMES,
    )
    for found in json.loads(await function.call()):
        own = {name: found.pop(name) for name in ("SB_EXECUTION_ID", "DENO_DEPLOYMENT_ID", "SB_REGION")}
        del found["DENO_SERVE_ADDRESS"]
        assert found == HOSTILE_NAMES
        spec = function.spec
        assert own["DENO_DEPLOYMENT_ID"] == f"{spec.ref}_{spec.id}_{spec.version}"
        assert own["SB_EXECUTION_ID"] == await function.execution()


async def test_names_that_no_environment_can_hold_are_left_out(host: Host) -> None:
    function = await host.deploy(
        "Deno.serve(() => Response.json([Deno.env.get('GOOD'), Deno.env.has('NUL')]));",
        environment={"A=B": "1", "": "2", "NUL": "a\0b", "GOOD": "3"},
    )
    assert json.loads(await function.call()) == ["3", False]
    assert {level for level, _ in function.said} == {"warning"}


async def test_a_great_many_secrets_arrive(host: Host) -> None:
    environment = {f"SECRET_{number}": str(number) * 24_000 for number in range(100)}
    function = await host.deploy(
        "Deno.serve(() => new Response(String(Object.values(Deno.env.toObject()).join('').length)));",
        environment=environment,
    )
    assert int(await function.call()) > sum(map(len, environment.values()))


async def test_two_first_requests_start_one_process(host: Host) -> None:
    function = await host.deploy(ECHO)
    executions = await asyncio.gather(*(function.execution() for _ in range(5)))
    assert len(set(executions)) == 1


async def test_the_first_who_asks_may_go_away(host: Host) -> None:
    function = await host.deploy(ECHO)
    first = asyncio.create_task(function.execution())
    await asyncio.sleep(0)
    second = asyncio.create_task(function.execution())
    await asyncio.sleep(0)
    first.cancel()
    assert await second


async def test_requests_are_served_side_by_side(host: Host) -> None:
    function = await host.deploy(STEPS)
    waiting = [asyncio.create_task(function.call(f"/{number}")) for number in range(20)]
    for number in reversed(range(20)):
        while not waiting[number].done():
            await function.call(f"/{number}", method="POST")
            await asyncio.wait([waiting[number]], timeout=0.01)
    assert {task.result() for task in waiting} == {"done"}


async def test_an_answer_streams(host: Host) -> None:
    function = await host.deploy("""
        Deno.serve((request) => new Response(request.body));
    """)
    sent: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def body():  # noqa: ANN202
        while (piece := await sent.get()) is not None:
            yield piece

    async with function.open() as (_, session):
        await sent.put(b"first")
        async with session.post("/", data=body()) as answer:
            assert await answer.content.readany() == b"first"
            await sent.put(b"second")
            await sent.put(None)
            assert await answer.content.read() == b"second"


async def test_a_websocket_is_upgraded(host: Host) -> None:
    function = await host.deploy("""
        Deno.serve((request) => {
          const { socket, response } = Deno.upgradeWebSocket(request);
          socket.onmessage = (event) => socket.send(event.data + "!");
          return response;
        });
    """)
    async with function.open() as (_, session), session.ws_connect("/") as socket:
        await socket.send_str("hello")
        assert (await socket.receive(timeout=5)).data == "hello!"


async def test_an_unused_process_is_stopped(host_with: Callable[..., Host]) -> None:
    function = await host_with(limits=Limits(idle=0.2)).deploy(ECHO)
    first = await function.execution()
    async with asyncio.timeout(5):
        while await _runs(function.host):
            await asyncio.sleep(0.02)
    assert await function.execution() != first


async def test_work_in_the_background_is_finished_first(host_with: Callable[..., Host]) -> None:
    function = await host_with(limits=Limits(idle=0.1, wall=20)).deploy("""
        Deno.serve(() => {
          EdgeRuntime.waitUntil(new Promise((wake) => setTimeout(wake, 1200)).then(() => console.log("finished")));
          return new Response("later");
        });
    """)
    assert await function.call() == "later"
    async with asyncio.timeout(10):
        while await _runs(function.host):
            await asyncio.sleep(0.02)
    assert ("log", "finished") in function.said


async def test_work_in_the_background_ends_at_the_wall(host_with: Callable[..., Host]) -> None:
    function = await host_with(limits=Limits(idle=0.1, wall=0.5)).deploy("""
        Deno.serve(() => { EdgeRuntime.waitUntil(new Promise(() => {})); return new Response("never"); });
    """)
    assert await function.call() == "never"
    async with asyncio.timeout(5):
        while await _runs(function.host):
            await asyncio.sleep(0.02)


async def test_another_environment_takes_over_and_requests_end_where_they_began(host: Host) -> None:
    function = await host.deploy(STEPS.replace('"done"', "Deno.env.get('WORD')"), environment={"WORD": "old"})
    changed = function.with_environment(WORD="new")
    async with function.open() as (_, session):
        old = asyncio.create_task(_text(session, "/old"))
        await asyncio.sleep(0.05)
        new = asyncio.create_task(changed.call("/new"))
        while not new.done():
            await changed.call("/new", method="POST")
            await asyncio.wait([new], timeout=0.01)
        assert new.result() == "new"
        assert await _runs(host) == 2
        await session.post("/old")
        assert await old == "old"
    async with asyncio.timeout(5):
        while await _runs(host) != 1:
            await asyncio.sleep(0.01)


async def test_a_new_version_takes_over(host: Host) -> None:
    first = await host.deploy("Deno.serve(() => new Response('1'));")
    assert await first.call() == "1"
    second = await first.next_version("Deno.serve(() => new Response('2'));")
    assert await second.call() == "2"
    async with asyncio.timeout(5):
        while await _runs(host) != 1:
            await asyncio.sleep(0.01)


async def test_stopping_a_project_ends_its_processes_alone(host: Host) -> None:
    one, other = await host.deploy(ECHO), await host.deploy(ECHO)
    before, stays = await one.execution(), await other.execution()
    await host.driver.stop(one.spec.ref)
    assert await one.execution() != before
    assert await other.execution() == stays


async def test_removing_a_function_deletes_its_files(host: Host) -> None:
    one = await host.deploy(ECHO)
    other = await host.deploy(ECHO, ref=one.spec.ref)
    await one.call()
    await host.driver.remove(one.spec.ref, one.spec.id)
    await host.driver.remove(one.spec.ref, one.spec.id)
    left = {file.name.partition("_")[0] for file in host.driver._places.of(one.spec.ref).iterdir()}
    assert left == {other.spec.id}
    await host.driver.remove(one.spec.ref)
    assert not host.driver._places.of(one.spec.ref).exists()


async def test_idle_processes_make_room_for_others(host_with: Callable[..., Host]) -> None:
    host = host_with(most=2)
    functions = [await host.deploy(ECHO) for _ in range(3)]
    for function in functions:
        await function.call()
    assert await _runs(host) == 2


async def test_a_warm_request_starts_nothing(host: Host) -> None:
    function = await host.deploy(ECHO)
    assert len({await function.execution() for _ in range(20)}) == 1


async def _text(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(path) as answer:
        return await answer.text()


async def _runs(host: Host) -> int:
    await asyncio.sleep(0)
    return sum(not process.ended.is_set() for process in host.driver._processes)
