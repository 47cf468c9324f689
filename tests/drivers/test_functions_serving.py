"""What a function's author may count on."""

import asyncio
import json

import pytest

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
    ("imports", "specifier"),
    [
        ({}, "jsr:@supabase/functions-js@2/edge-runtime.d.ts"),
        ({}, "jsr:/@supabase/functions-js@^2.4.5/edge-runtime.d.ts"),
        ({"@supabase/functions-js": "jsr:@supabase/functions-js@^2"}, "@supabase/functions-js/edge-runtime.d.ts"),
        ({"@supabase/functions-js/": "jsr:/@supabase/functions-js@^2/"}, "@supabase/functions-js/edge-runtime.d.ts"),
        ({"types": "jsr:@supabase/functions-js/edge-runtime.d.ts"}, "types"),
    ],
)
async def test_templates_name_their_types_in_many_ways(imports: dict[str, str], specifier: str, host: Host) -> None:
    source = {"index.ts": f'import "{specifier}"; {ECHO}', "deno.json": json.dumps({"imports": imports})}
    function = await host.deploy(source)
    assert await function.call("/served") == "/served"


@pytest.mark.parametrize(
    ("imports", "specifier"),
    [
        ({}, "jsr:@supabase/supabase-js@2"),
        ({"@supabase/supabase-js": "jsr:@supabase/supabase-js@2"}, "@supabase/supabase-js"),
        ({"supabase": "npm:@supabase/supabase-js@2"}, "supabase"),
    ],
)
async def test_the_official_client_comes_from_npm(imports: dict[str, str], specifier: str, host: Host) -> None:
    source = {
        "index.ts": f'import {{ createClient }} from "{specifier}"; Deno.serve(() => new Response(typeof createClient));',
        "deno.json": json.dumps({"imports": imports}),
    }
    function = await host.deploy(source)
    assert await function.call() == "function"


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
