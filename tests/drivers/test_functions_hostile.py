"""Functions of strangers: what they try, and that none of it leads anywhere."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from baseplane.drivers.functions import FunctionBroken, kernel
from tests.drivers.functions import Function, Host

SECRET = "root:x:0:0"

READS = {
    "by Deno": 'return Deno.readTextFileSync("/etc/passwd")',
    "by Deno's own files": 'return Deno.readTextFileSync("/proc/self/environ")',
    "of another process": 'return Deno.readTextFileSync("/proc/1/environ")',
    "by open": 'return new TextDecoder().decode(await new Response((await Deno.open("/etc/passwd")).readable).bytes())',
    "a path that climbs": 'return Deno.readTextFileSync(new URL("../../../../../../../../etc/passwd", import.meta.url))',
    "the version's own neighbours": 'return Deno.readTextFileSync(new URL("../deno.json", import.meta.url))',
    "by Node": 'return (await import("node:fs")).readFileSync("/etc/passwd", "utf8")',
    "by Node's promises": 'return await (await import("node:fs/promises")).readFile("/etc/passwd", "utf8")',
    "by a stream of Node's": """const fs = await import("node:fs");
        return await new Promise((y, n) => fs.createReadStream("/etc/passwd").on("data", (d) => y(String(d))).on("error", n))""",
    "by fetch": 'return await (await fetch("file:///etc/passwd")).text()',
    "by a computed import": 'const p = "/etc/" + "passwd"; return (await import(p, { with: { type: "text" } })).default',
    "by a computed import of bytes": 'const p = "/etc/" + "passwd"; return (await import(p, { with: { type: "bytes" } })).default',
    "by a data: module": """const code = 'import t from "file:///etc/passwd" with { type: "text" }; export default t';
        return (await import("data:text/javascript," + encodeURIComponent(code))).default""",
    "by a blob: module": """const code = 'import t from "file:///etc/passwd" with { type: "text" }; export default t';
        return (await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })))).default""",
    "by a Worker": """const code = 'import t from "file:///etc/passwd" with { type: "text" }; postMessage(t)';
        return await worker("data:text/javascript," + encodeURIComponent(code))""",
    "by a Worker that reads": """const code = 'postMessage(Deno.readTextFileSync("/etc/passwd"))';
        return await worker("data:text/javascript," + encodeURIComponent(code))""",
    "by a thread of Node's": """const { Worker } = await import("node:worker_threads");
        const code = 'require("worker_threads").parentPort.postMessage(require("fs").readFileSync("/etc/passwd", "utf8"))';
        return await new Promise((y, n) => new Worker(code, { eval: true }).on("message", y).on("error", n))""",
    "by require": """const { createRequire } = await import("node:module");
        return createRequire(import.meta.url)("/etc/passwd")""",
    "by require of JSON": """const { createRequire } = await import("node:module");
        return JSON.stringify(createRequire(import.meta.url)(Deno.env.get("OUTSIDE") + "/secret.json"))""",
    "by SQLite": """const { DatabaseSync } = await import("node:sqlite"); new DatabaseSync("/etc/passwd"); return "opened" """,
    "by SQLite's attach": """const { DatabaseSync } = await import("node:sqlite");
        new DatabaseSync(":memory:").exec("attach '/etc/passwd' as p"); return "attached" """,
    "by WASI": """const { WASI } = await import("node:wasi");
        new WASI({ version: "preview1", preopens: { "/": "/" } }); return "opened" """,
    "a folder": 'return [...Deno.readDirSync("/")].join()',
    "another project's source": 'return [...Deno.readDirSync(Deno.env.get("OTHERS")!)].join()',
}
RUNS = {
    "a command": 'return new Deno.Command("/bin/id").outputSync().success',
    "itself": 'return new Deno.Command(Deno.execPath(), { args: ["--version"] }).outputSync().success',
    "by Node": 'return (await import("node:child_process")).execFileSync("/bin/id")',
    "by a shell": 'return (await import("node:child_process")).execSync("id")',
    "a library": 'return Deno.dlopen("libc.so.6", {})',
    "a module of Node's": 'return process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6")',
    "a signal": 'return Deno.kill(Deno.ppid, "SIGTERM")',
    "a signal by Node": "return process.kill(process.ppid, 'SIGTERM')",
    "the debugger": '(await import("node:inspector")).open(0, "127.0.0.1"); return "open"',
}
WRITES = {
    "a file": 'Deno.writeTextFileSync("/tmp/x", "x"); return "wrote"',
    "its own source": 'Deno.writeTextFileSync(new URL("./index.ts", import.meta.url), "x"); return "wrote"',
    "a temporary file": "Deno.makeTempFileSync(); return 'wrote'",
    "beside its socket": 'Deno.writeTextFileSync(SOCKET + "x", "x"); return "wrote"',
    "its socket": 'Deno.removeSync(SOCKET); Deno.writeTextFileSync(SOCKET, "x"); return "wrote"',
    "below its socket": 'Deno.removeSync(SOCKET); Deno.mkdirSync(SOCKET); return "made"',
    "a link": 'Deno.symlinkSync("/etc/passwd", SOCKET + "x"); return "linked"',
    "localStorage": 'localStorage.setItem("a", "x".repeat(1000)); return "kept " + localStorage.getItem("a")',
    "a cache": 'await (await caches.open("x")).put("http://a/", new Response("x")); return "put"',
    "a database": """const { DatabaseSync } = await import("node:sqlite");
        new DatabaseSync(":memory:").exec("vacuum into '/tmp/v'"); return "wrote" """,
    "a picture of its memory": '(await import("node:v8")).writeHeapSnapshot("/tmp/h"); return "wrote"',
}
TELLS = {
    "the host's name": "return Deno.hostname()",
    "its addresses": "return JSON.stringify(Deno.networkInterfaces())",
    "its users": 'return JSON.stringify((await import("node:os")).userInfo())',
    "its memory": "return JSON.stringify(Deno.systemMemoryInfo())",
    "more rights": 'const s = await Deno.permissions.request({ name: "read" }); if (s.state !== "granted") throw s.state; return "granted"',
    "what it was started with": "const n = Deno.stdin.readSync(new Uint8Array(9)); if (n === null) throw 'nothing'; return n",
}
HOSTS = (
    "127.0.0.1", "0.0.0.0", "localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127.1", "2130706433",
    "0x7f.1", "017700000001", "0", "LOCALHOST", "localhost.", "①②⑦.⓪.⓪.①", "a.localhost", "HOSTNAME", "INTERFACE", "[INTERFACE6]",
)  # fmt: skip
FAR = (
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://192.168.0.1/",
    "http://172.16.0.1/", "http://100.100.100.200/", "http://[fe80::1]/", "http://[fc00::1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://224.0.0.1/", "http://255.255.255.255/", "http://192.0.0.192/",
)  # fmt: skip
CONNECTS = {
    **{f"fetch {host}": f"return await (await fetch(`http://{host}:${{PORT}}/`)).text()" for host in HOSTS},
    **{
        f"connect {host}": f"await Deno.connect({{ hostname: '{host.strip('[]')}', port: PORT }}); return 'connected'"
        for host in HOSTS
    },
    **{f"node {host}": f"return await node('{host.strip('[]')}', PORT)" for host in HOSTS},
    **{f"websocket {host}": f"return await websocket(`ws://{host}:${{PORT}}/`)" for host in HOSTS},
    **{f"far {url}": f"return await (await fetch('{url}', {{ signal: AbortSignal.timeout(2000) }})).text()" for url in FAR},
    "node's http": """const http = await import("node:http");
        return await new Promise((y, n) => http.get({ host: "127.0.0.1", port: PORT }, () => y("answered")).on("error", n))""",
    "node's http with an agent of its own": """const http = await import("node:http"); const net = await import("node:net");
        const agent = new http.Agent(); (agent as any).createConnection = () => net.connect(PORT, "127.0.0.1");
        return await new Promise((y, n) => http.get({ host: "example.com", agent }, () => y("answered")).on("error", n))""",
    "a proxy": """const client = Deno.createHttpClient({ proxy: { url: `http://127.0.0.1:${PORT}` } });
        return await (await fetch("http://example.com/", { client })).text()""",
    "a proxy by name": """const client = Deno.createHttpClient({ proxy: { url: `http://localhost:${PORT}` } });
        return await (await fetch("http://example.com/", { client })).text()""",
    "a proxy of SOCKS": """const client = Deno.createHttpClient({ proxy: { url: `socks5://127.0.0.1:${PORT}` } });
        return await (await fetch("http://example.com/", { client })).text()""",
    "a proxy of TCP": """const proxy = { transport: "tcp", hostname: "127.0.0.1", port: PORT } as const;
        return await (await fetch("http://example.com/", { client: Deno.createHttpClient({ proxy }) })).text()""",
    "a proxy in the environment": """for (const n of ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]) Deno.env.set(n, `http://127.0.0.1:${PORT}`);
        const client = Deno.createHttpClient({}); return await (await fetch("http://example.com/", { client })).text()""",
    "a Worker": """return await worker("data:text/javascript," + encodeURIComponent(
        `fetch("http://0.0.0.0:${PORT}/").then((a) => a.text()).then(postMessage, (e) => { throw e })`))""",
    "UDP": """const { createSocket } = await import("node:dgram");
        return await new Promise((y, n) => createSocket("udp4").on("error", n).send("x", PORT, "127.0.0.1", (e) => e ? n(e) : y("sent")))""",
    "a resolver here": 'return await Deno.resolveDns("a.example", "A", { nameServer: { ipAddr: "127.0.0.1", port: PORT } })',
    "a resolver here by Node": """const dns = await import("node:dns/promises"); const r = new dns.Resolver();
        r.setServers([`127.0.0.1:${PORT}`]); return await r.resolve4("a.example")""",
    "a port of its own": 'return Deno.listen({ hostname: "0.0.0.0", port: 0 }).addr.transport',
    "a port of its own by Node": """const net = await import("node:net");
        return await new Promise((y, n) => net.createServer().on("error", n).listen(0, "127.0.0.1", () => y("listens")))""",
    "a second server": "return Deno.serve({ path: SOCKET + 'x' }, () => new Response()).addr.transport",
    "a Unix socket": 'await Deno.connect({ transport: "unix", path: Deno.env.get("ADMIN")! }); return "connected"',
    "a Unix socket by Node": 'return await node({ path: Deno.env.get("ADMIN")! })',
    "a Unix socket by fetch": """const client = Deno.createHttpClient({ proxy: { transport: "unix", path: Deno.env.get("ADMIN")! } });
        return await (await fetch("http://example.com/", { client })).text()""",
    "another project's function": 'await Deno.connect({ transport: "unix", path: Deno.env.get("OTHER")! }); return "connected"',
    "TLS": "await Deno.connectTls({ hostname: '127.0.0.1', port: PORT }); return 'connected'",
    "TLS by Node": """const tls = await import("node:tls");
        return await new Promise((y, n) => tls.connect(PORT, "127.0.0.1", () => y("connected")).on("error", n))""",
    "HTTP/2 by Node": """const http2 = await import("node:http2");
        return await new Promise((y, n) => { const c = http2.connect(`http://127.0.0.1:${PORT}`); c.on("connect", () => y("connected")); c.on("error", n); })""",
    "events": """return await new Promise((y, n) => { const e = new EventSource(`http://127.0.0.1:${PORT}/`);
        e.onopen = () => y("open"); e.onerror = () => { e.close(); n("refused"); } })""",
    "an abstract Unix socket": 'await Deno.connect({ transport: "unix", path: Deno.env.get("ABSTRACT")!.replace("@", "\\0") }); return "connected"',
    "an abstract Unix socket by Node": 'return await node({ path: Deno.env.get("ABSTRACT")!.replace("@", "\\0") })',
    "a Worker from here": "return await worker(`http://127.0.0.1:${PORT}/x.js`)",
    "telemetry": """Deno.env.set("OTEL_DENO", "true"); Deno.env.set("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${PORT}`);
        const span = (Deno as any).telemetry.tracerProvider.getTracer("t").startSpan("s"); span.end();
        console.log("spoken"); await new Promise((y) => setTimeout(y, 1500)); throw "quiet" """,
    "mail": 'await Deno.connect({ hostname: "1.1.1.1", port: 25 }); return "connected"',
    "mail to be handed in": 'await Deno.connect({ hostname: "1.1.1.1", port: 587 }); return "connected"',
    "mail by Node": "return await node('1.1.1.1', 25)",
    "an import from here": "return await import(`http://127.0.0.1:${PORT}/x.js`)",
    "an import from elsewhere": 'const u = "https://esm.sh/" + "left-pad"; return await import(u)',
    "a package that was not fetched": 'const u = "npm:" + "left-pad"; return await import(u)',
}  # fmt: skip
ATTEMPTS = {
    f"{kind}: {name}": code
    for kind, table in {"read": READS, "run": RUNS, "write": WRITES, "tell": TELLS, "connect": CONNECTS}.items()
    for name, code in table.items()
}

PROGRAM = """
import process from "node:process";
for (const kind of ["error", "unhandledrejection"]) globalThis.addEventListener(kind, (event) => event.preventDefault());
const PORT = Number(Deno.env.get("PORT"));
const SOCKET = Deno.env.get("DENO_SERVE_ADDRESS")!.replace("unix:", "");
function worker(url: string) {
  return new Promise((y, n) => {
    const made = new Worker(url, { type: "module" });
    made.onmessage = (event) => y(event.data);
    made.onerror = (event) => { event.preventDefault(); n(event.message); };
  });
}
async function node(...where: any[]) {
  const net = await import("node:net");
  return await new Promise((y, n) => (net.connect as any)(...where, () => y("connected")).on("error", n));
}
function websocket(url: string) {
  return new Promise((y, n) => {
    const made = new WebSocket(url);
    made.onopen = () => y("open");
    made.onerror = (event) => n((event as ErrorEvent).message);
  });
}
const attempts: Record<string, () => Promise<unknown>> = {
  %s
};
function late() { return new Promise((_, n) => { const t = setTimeout(() => n("no answer"), 4000); Deno.unrefTimer(t); }); }
Deno.serve(async (request) => {
  const attempt = attempts[decodeURIComponent(new URL(request.url).pathname.slice(1))];
  try { return Response.json(["open", String(await Promise.race([attempt(), late()]))]); }
  catch (error) { return Response.json(["shut", String(error) + String((error as Error)?.cause ?? "")]); }
});
"""


@dataclass
class Canary:
    """What must not be reached: a server at every address of this machine, and a Unix socket that anybody may use."""

    port: int
    admin: Path
    met: list[str]


@pytest.fixture(scope="module")
async def canary(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Canary]:
    met: list[str] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(repr(await reader.read(100)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nreached")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    admin = Path("/tmp") / f"bp-admin-{os.getpid()}.s"
    everywhere = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    server = await asyncio.start_server(meet, sock=everywhere)
    local = await asyncio.start_unix_server(meet, str(admin))
    nameless = await asyncio.start_unix_server(meet, f"\0bp-{os.getpid()}")
    admin.chmod(0o777)
    yield Canary(everywhere.getsockname()[1], admin, met)
    for one in (server, local, nameless):
        one.close()
    admin.unlink()


@pytest.fixture(scope="module")
async def stranger(
    canary: Canary, module_host: Host, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Function, Function]]:
    """The hostile function, and one of another project."""
    other = await module_host.deploy("Deno.serve(() => new Response('mine'));")
    outside = module_host.driver._places.root / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret.json").write_text(json.dumps({"secret": SECRET}))
    addresses = _addresses()
    cases = ",\n".join(
        f"{json.dumps(name)}: async () => {{ {code.replace('HOSTNAME', socket.gethostname()).replace('INTERFACE6', addresses[1]).replace('INTERFACE', addresses[0])} }}"
        for name, code in ATTEMPTS.items()
    )
    async with other.open() as (held, _):
        function = await module_host.deploy(
            PROGRAM % cases,
            environment={
                "PORT": str(canary.port),
                "ADMIN": str(canary.admin),
                "ABSTRACT": f"@bp-{os.getpid()}",
                "OTHER": str(held.socket),
                "OUTSIDE": str(outside),
                "OTHERS": str(module_host.driver._places.of(other.spec.ref)),
            },
        )
        yield function, other


def _addresses() -> tuple[str, str]:
    """Of this machine, beside loopback; loopback where it has no other."""
    found = []
    for family, target, fallback in (
        (socket.AF_INET, "192.0.2.77", "127.0.0.1"),
        (socket.AF_INET6, "2001:db8::77", "::1"),
    ):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))
                found.append(probe.getsockname()[0])
            except OSError:
                found.append(fallback)
    return found[0], found[1]


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_a_stranger_gets_nowhere(name: str, stranger: tuple[Function, Function], canary: Canary) -> None:
    function, other = stranger
    async with function.open() as (lease, session), session.get(f"/{name.replace('/', '%2F')}") as answer:
        went, said = await answer.json()
        assert lease.verdict() is None
    assert went == "shut", said
    assert SECRET not in said
    assert canary.met == []
    assert await other.call() == "mine"


async def test_the_canary_sings(canary: Canary) -> None:
    """Else the tests above would prove nothing."""
    addresses = _addresses()
    for host in ("127.0.0.1", addresses[0]):
        reader, writer = await asyncio.open_connection(host, canary.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert b"reached" in await reader.read(1000)
        writer.close()
    assert len(canary.met) == 2
    canary.met.clear()


FETCHES = {
    "a module": {"index.ts": 'import "http://127.0.0.1:PORT/x.ts";'},
    "a module by a map": {"index.ts": 'import "x";', "deno.json": '{"imports": {"x": "http://127.0.0.1:PORT/x.ts"}}'},
    "a text": {"index.ts": 'import t from "http://0.0.0.0:PORT/x.txt" with { type: "text" };'},
    "a registry": {
        "index.ts": 'import "npm:left-pad@1.3.0"; Deno.serve(() => new Response());',
        ".npmrc": "registry=http://127.0.0.1:PORT/",
        "deno.json": '{"npmRegistry": "http://127.0.0.1:PORT/"}',
        "package.json": '{"dependencies": {"left-pad": "http://127.0.0.1:PORT/x.tgz"}}',
    },
    "an archive": {"index.ts": 'import "npm:left-pad@http://127.0.0.1:PORT/x.tgz";'},
    "a map from here": {"index.ts": 'import "x";', "deno.json": '{"importMap": "http://127.0.0.1:PORT/map.json"}'},
    "a wasm module": {"index.ts": 'import "http://127.0.0.1:PORT/x.wasm";'},
    "types": {"index.ts": '// @ts-types="http://127.0.0.1:PORT/x.d.ts"\nimport "./a.js";', "a.js": ""},
    "a runtime for JSX": {
        "index.tsx": "export const a = <p/>; Deno.serve(() => new Response());",
        "deno.json": '{"compilerOptions": {"jsx": "react-jsx", "jsxImportSource": "http://127.0.0.1:PORT"}}',
    },
    "a source map": {"index.ts": "Deno.serve(() => new Response());\n//# sourceMappingURL=http://127.0.0.1:PORT/x.map"},
}  # fmt: skip


@pytest.mark.parametrize("name", FETCHES)
async def test_what_is_fetched_at_deployment_does_not_come_from_this_machine(
    name: str, canary: Canary, module_host: Host
) -> None:
    source = {file: text.replace("PORT", str(canary.port)) for file, text in FETCHES[name].items()}
    entrypoint = next(iter(source))
    with contextlib.suppress(FunctionBroken):
        await module_host.deploy(source, entrypoint=entrypoint)
    assert canary.met == []


async def test_what_a_function_imports_is_not_run_when_it_is_fetched(module_host: Host) -> None:
    """core-js prints an advertisement from its postinstall script, and would find a file made."""
    function = await module_host.deploy(
        'import "npm:core-js@3.38.0/actual/array/at.js"; Deno.serve(() => new Response("ok"));'
    )
    assert await function.call() == "ok"
    assert function.said == []


BOMBS = {
    "brackets": "export const x = " + "(" * 1_000_000,
    "a long sum": "export const x = 1" + "+1" * 1_000_000,
    "a generic": "export const x = " + "a<" * 200_000,
    "no text at all": bytes(range(256)) * 1000,
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_source_that_chokes_the_parser_is_refused(name: str, module_host: Host) -> None:
    with pytest.raises(FunctionBroken):
        await module_host.deploy({"index.ts": BOMBS[name]})


HIDDEN = {
    "later.ts": 'import text from "SPECIFIER" with { type: "text" };\nexport default text;',
    "worker.ts": 'import text from "SPECIFIER" with { type: "text" };\npostMessage(text);',
}


@pytest.mark.skipif(not kernel.landlock_abi(), reason="this kernel has no Landlock")
async def test_the_kernel_keeps_a_file_from_a_graph_that_was_not_checked(host: Host) -> None:
    """Deno reads files that static imports name without asking for the permission. Here one is slipped past the check."""
    function = await host.deploy(
        {
            "index.ts": """
                Deno.serve(async () => {
                  const name = "later";
                  try { return new Response((await import(`./${name}.ts`)).default); }
                  catch (error) { return new Response(String(error)); }
                });
            """,
            "later.ts": "export default 'harmless';",
        }
    )
    found = host.driver._places.find(function.spec)
    assert found is not None
    (found.source / "later.ts").write_text(HIDDEN["later.ts"].replace("SPECIFIER", "/etc/passwd"))
    said = await function.call()
    assert SECRET not in said
    assert "Permission denied" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives projects users of their own")
async def test_projects_run_as_users_of_their_own(host: Host) -> None:
    source = "Deno.serve(() => new Response(String(Deno.pid)));"
    one, other = await host.deploy(source), await host.deploy(source)
    again = await host.deploy(source, ref=one.spec.ref)
    owners = [_user(int(await function.call())) for function in (one, other, again)]
    assert owners[0] == owners[2]
    assert len(set(owners)) == 2
    assert not {0, os.getuid()} & set(owners)
    for function, uid in ((one, owners[0]), (other, owners[1])):
        folder = host.driver._places.of(function.spec.ref).stat()
        assert (folder.st_uid, folder.st_gid, folder.st_mode & 0o777) == (0, uid, 0o750)


def _user(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    uids = {int(uid) for line in lines if line.startswith("Uid:") for uid in line.split()[1:]}
    assert len(uids) == 1
    assert next(line for line in lines if line.startswith("CapEff:")).split()[1] == "0" * 16
    assert next(line for line in lines if line.startswith("NoNewPrivs:")).split()[1] == "1"
    assert next(line for line in lines if line.startswith("Seccomp:")).split()[1] == "2"
    return uids.pop()


async def test_no_process_shows_secrets_in_its_environment(host: Host) -> None:
    function = await host.deploy("Deno.serve(() => new Response(String(Deno.pid)));", environment={"KEY": "hush-hush"})
    pid = int(await function.call())
    for file in ("environ", "cmdline"):
        assert b"hush-hush" not in Path(f"/proc/{pid}/{file}").read_bytes()


async def test_a_function_that_floods_answers_and_one_that_never_does_leave_others_alone(
    host_with: Callable[..., Host],
) -> None:
    host = host_with()
    giant = await host.deploy("""
        const piece = new Uint8Array(1 << 20);
        Deno.serve(() => new Response(new ReadableStream({ pull(to) { to.enqueue(piece); } })));
    """)
    silent = await host.deploy("Deno.serve(() => new Promise(() => {}));")
    quiet = await host.deploy("Deno.serve(() => new Response('still here'));")
    async with giant.open() as (_, session), session.get("/") as answer:
        waiting = asyncio.create_task(silent.call())
        for _ in range(200):
            await answer.content.readany()
        assert await quiet.call() == "still here"
        assert not waiting.done()
        waiting.cancel()
    assert await quiet.call() == "still here"
