"""A function meets its own project at two Unix sockets, although this machine's addresses are refused to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web

from baseplane.drivers.functions.sandbox import Doors
from tests.drivers import postgres_server
from tests.drivers.functions import Host

URL = "http://127.0.0.1:8000/abc"
DB_URL = "postgresql://postgres.abc:secret@127.0.0.1:5432/postgres"
ENVIRONMENT = {"SUPABASE_URL": URL, "SUPABASE_DB_URL": DB_URL}


@pytest.fixture
async def doors(data_dir: Path) -> AsyncIterator[Doors]:
    """An HTTP server that tells what it was asked, and a Postgres that says its name."""
    found = Doors(data_dir / "http.s", data_dir / "pg.s")
    assert found.http
    assert found.postgres
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _tell)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(found.http)).start()
    postgres = await asyncio.start_unix_server(_greet, str(found.postgres))
    for socket in (found.http, found.postgres):
        socket.chmod(0o666)
    yield found
    postgres.close()
    await runner.cleanup()
    for socket in (found.http, found.postgres):
        socket.unlink(missing_ok=True)


async def _tell(request: web.Request) -> web.StreamResponse:
    if "upgrade" in request.headers:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(f"{request.host} {request.path}")
        return socket
    if request.path.endswith("/redirect"):
        raise web.HTTPFound(request.query["to"])
    return web.json_response(
        {
            "method": request.method,
            "host": request.headers["host"],
            "path": request.path_qs,
            "key": request.headers.get("apikey"),
            "body": await request.text(),
        }
    )


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        writer.write(b"postgres heard " + await reader.readexactly(4))
        await writer.drain()
    writer.close()


async def test_a_function_calls_its_own_project_over_http(doors: Doors, host_with: Callable[..., Host]) -> None:
    function = await host_with(doors=doors).deploy(
        """
        const url = Deno.env.get("SUPABASE_URL") + "/rest/v1/rows?select=*";
        const answers = async () => [
          await fetch(url),
          await fetch(new URL(url), { method: "POST", headers: { apikey: "k" }, body: "given" }),
          await fetch(new Request(url, { method: "PUT", headers: { apikey: "r" }, body: "request" })),
        ];
        Deno.serve(async () => Response.json(await Promise.all((await answers()).map(async (a) => [a.url, await a.json()]))));
        """,
        environment=ENVIRONMENT,
    )
    path = "/abc/rest/v1/rows?select=*"
    async with function.open() as (_, session), session.get("/") as answer:
        assert await answer.json() == [
            [f"http://127.0.0.1:8000{path}", {"host": "127.0.0.1:8000", "path": path, **rest}]
            for rest in (
                {"method": "GET", "key": None, "body": ""},
                {"method": "POST", "key": "k", "body": "given"},
                {"method": "PUT", "key": "r", "body": "request"},
            )
        ]


async def test_the_official_client_reaches_its_project(doors: Doors, host_with: Callable[..., Host]) -> None:
    function = await host_with(doors=doors).deploy(
        """
        import { createClient } from "jsr:@supabase/supabase-js@2";
        const client = createClient(Deno.env.get("SUPABASE_URL")!, "key");
        Deno.serve(async () => Response.json((await client.from("rows").select("id")).data));
        """,
        environment=ENVIRONMENT,
    )
    async with function.open() as (_, session), session.get("/") as answer:
        told = await answer.json()
    assert (told["path"], told["key"]) == ("/abc/rest/v1/rows?select=id", "key")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/abc", "http://abc.example.com:8000/abc", "https://abc.example.com/abc"]
)
async def test_a_function_opens_a_websocket_to_its_project(
    url: str, doors: Doors, host_with: Callable[..., Host]
) -> None:
    function = await host_with(doors=doors).deploy(
        """
        Deno.serve(() => new Promise((answer) => {
          const socket = new WebSocket(Deno.env.get("SUPABASE_URL")!.replace("http", "ws") + "/realtime/v1/websocket");
          socket.onmessage = (event) => answer(new Response(event.data));
          socket.onerror = (event) => answer(new Response((event as ErrorEvent).message));
        }));
        """,
        environment={"SUPABASE_URL": url},
    )
    host, path = (await function.call()).split()
    assert path == "/abc/realtime/v1/websocket"
    assert host.partition(":")[0] in (url.split("/")[2].partition(":")[0], "project.internal", "127.0.0.1")


@pytest.mark.parametrize("url", ["https://abc.example.com", "http://abc.localhost:8000", "http://localhost:8000"])
async def test_the_name_of_a_project_is_told_at_its_door(
    url: str, doors: Doors, host_with: Callable[..., Host]
) -> None:
    function = await host_with(doors=doors).deploy(
        'Deno.serve(() => fetch(Deno.env.get("SUPABASE_URL") + "/x"));', environment={"SUPABASE_URL": url}
    )
    async with function.open() as (_, session), session.get("/") as answer:
        told = await answer.json()
    assert (told["host"], told["path"]) == (url.split("//")[1], "/x")


BY_DENO = """
const connection = await Deno.connect({ hostname: "127.0.0.1", port: 5432 });
await connection.write(new TextEncoder().encode("deno"));
const piece = new Uint8Array(99);
const size = await connection.read(piece);
return new Response(new TextDecoder().decode(piece.subarray(0, size!)));
"""
BY_NODE = """
return await new Promise<Response>((answer) => {
  const socket = CONNECT;
  socket.on("connect", () => socket.write("node"));
  socket.on("data", (data) => answer(new Response(data)));
  socket.on("error", (error) => answer(new Response(error.message)));
});
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (BY_DENO, "deno"),
        (BY_NODE.replace("CONNECT", 'net.connect({ host: "127.0.0.1", port: 5432 })'), "node"),
        (BY_NODE.replace("CONNECT", 'net.connect(5432, "127.0.0.1")'), "node"),
        (BY_NODE.replace("CONNECT", 'new net.Socket().connect(5432, "127.0.0.1")'), "node"),
        (BY_NODE.replace("CONNECT", 'new net.Socket().connect({ port: "5432", host: "127.0.0.1" })'), "node"),
    ],
)
async def test_a_function_connects_to_its_database(
    code: str, said: str, doors: Doors, host_with: Callable[..., Host]
) -> None:
    function = await host_with(doors=doors).deploy(
        f'import net from "node:net"; Deno.serve(async () => {{ {code} }});', environment=ENVIRONMENT
    )
    assert await function.call() == f"postgres heard {said}"


POSTGRES = {
    "npm:postgres": """
        import postgres from "npm:postgres@3.4.7";
        const sql = postgres(Deno.env.get("SUPABASE_DB_URL")!);
        Deno.serve(async () => new Response((await sql`select 6 * 7 as found`)[0].found));
    """,
    "npm:pg": """
        import pg from "npm:pg@8.16.3";
        const pool = new pg.Pool({ connectionString: Deno.env.get("SUPABASE_DB_URL") });
        Deno.serve(async () => new Response((await pool.query("select 6 * 7 as found")).rows[0].found));
    """,
}


@pytest.mark.parametrize("library", POSTGRES)
async def test_libraries_reach_a_real_postgres(
    library: str, server: postgres_server.Server, data_dir: Path, host_with: Callable[..., Host]
) -> None:
    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        within, into = await asyncio.open_unix_connection(server.socket)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_pass_on(reader, into), _pass_on(within, writer))

    door = data_dir / "real.s"
    relay = await asyncio.start_unix_server(lead, str(door))
    door.chmod(0o666)
    url = f"postgresql://postgres:{quote(postgres_server.PASSWORD)}@db.example.com:6000/postgres"
    host = host_with(doors=Doors(postgres=door))
    function = await host.deploy(POSTGRES[library], environment={"SUPABASE_DB_URL": url})
    assert await function.call() == "42"
    await host.driver.stop(function.spec.ref)
    relay.close()
    door.unlink()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
    writer.close()


async def test_a_door_that_redirects_leads_nowhere_else(doors: Doors, host_with: Callable[..., Host]) -> None:
    met: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    function = await host_with(doors=doors).deploy(
        """
        Deno.serve(async (request) => {
          const to = new URL(request.url).searchParams.get("to")!;
          try { return new Response(await (await fetch(Deno.env.get("SUPABASE_URL") + "/redirect?to=" + to)).text()); }
          catch (error) { return new Response(String((error as Error).cause ?? error)); }
        });
        """,
        environment=ENVIRONMENT,
    )
    for to in (f"http://127.0.0.1:{port}/", f"http://0.0.0.0:{port}/", f"http://localhost:{port}/"):
        assert "Requires net access" in await function.call("/", params={"to": to})
    assert met == []
    server.close()


async def test_everything_else_of_this_machine_stays_refused(doors: Doors, host_with: Callable[..., Host]) -> None:
    function = await host_with(doors=doors).deploy(
        """
        import net from "node:net";
        const refused = (attempt: () => Promise<unknown>) => attempt().then(() => "open", (error) => error.name);
        Deno.serve(async () => Response.json([
          await refused(() => fetch("http://127.0.0.1:8001/")),
          await refused(() => fetch("http://127.0.0.1:5432/")),
          await refused(() => Deno.connect({ hostname: "127.0.0.1", port: 5433 })),
          await refused(() => new Promise((y, n) => net.connect(5433, "127.0.0.1", () => y(1)).on("error", n))),
        ]));
        """,
        environment=ENVIRONMENT,
    )
    async with function.open() as (_, session), session.get("/") as answer:
        assert await answer.json() == ["NotCapable"] * 4
