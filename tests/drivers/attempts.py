"""What hostile functions try: TypeScript whose result would be a way out. Each throws, or it has found one."""

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
