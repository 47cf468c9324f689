// Runs in a function's process before the function. A convenience, never a boundary: what a function may not do is kept
// from it by Deno's permissions, its user and the kernel. Told by the driver on standard input, which is empty after it.
const told = (() => {
  const decoder = new TextDecoder();
  const piece = new Uint8Array(65536);
  let text = "";
  for (let size; (size = Deno.stdin.readSync(piece)) !== null; ) text += decoder.decode(piece.subarray(0, size), { stream: true });
  return JSON.parse(text);
})();

// --- What it says. A line that begins so is a message of that level; lines without it go on with the one before.
const levels = { debug: "d", log: "l", info: "i", warn: "w", error: "e", trace: "e" };
for (const [name, letter] of Object.entries(levels)) {
  const say = console[name].bind(console);
  console[name] = (...what) => {
    if (typeof what[0] === "string") say(`\x1e${letter}${what[0]}`, ...what.slice(1));
    else if (what.length) say(`\x1e${letter}\x1f`, ...what);
    else say(`\x1e${letter}`);
  };
}
const tell = (what) => Deno.stdout.writeSync(new TextEncoder().encode(`\x1e${what}\n`));

// --- Its variables, instead of ours.
for (const name of Object.keys(Deno.env.toObject())) {
  if (name !== "DENO_SERVE_ADDRESS") Deno.env.delete(name);
}
for (const [name, value] of Object.entries(told.environment)) {
  try {
    Deno.env.set(name, value);
  } catch {
    console.warn(`The secret ${JSON.stringify(name)} cannot be a variable of the environment.`);
  }
}

// --- Work in the background keeps the process, within its limits.
let pending = 0;
globalThis.EdgeRuntime = Object.freeze({
  waitUntil(promise) {
    if (pending++ === 0) tell("B1");
    Promise.resolve(promise)
      .catch((error) => console.error(error))
      .finally(() => {
        if (--pending === 0) tell("B0");
      });
    return promise;
  },
});

// --- Requests come over a Unix socket, which would show in their URLs and leave these without an origin.
const { get: urlOf } = Object.getOwnPropertyDescriptor(Request.prototype, "url");
Object.defineProperty(Request.prototype, "url", {
  configurable: true,
  enumerable: true,
  get() {
    const url = urlOf.call(this);
    if (!url.startsWith("http+unix:")) return url;
    let scheme = "http:";
    try {
      if (this.headers.get("x-forwarded-proto") === "https") scheme = "https:";
    } catch {
      // A request that became a WebSocket has no headers any more.
    }
    return scheme + url.slice("http+unix:".length);
  },
});

// --- Serving. The address is the platform's (DENO_SERVE_ADDRESS), so there is no news in it.
const serve = Deno.serve;
let serves = false;
Object.defineProperty(Deno, "serve", {
  configurable: true,
  enumerable: true,
  writable: true,
  value(...given) {
    serves = true;
    const options = given.find((one) => typeof one === "object" && one !== null) ?? {};
    const handler = given.find((one) => typeof one === "function") ?? options.handler;
    return serve({ onListen() {}, ...options }, handler);
  },
});
addEventListener("load", async () => {
  if (serves) return;
  const main = await import(Deno.mainModule);
  if (typeof main.default?.fetch === "function") Deno.serve((request, info) => main.default.fetch(request, info));
});

// --- The project's own doors, although addresses of this machine are refused: both are Unix sockets.
const doors = new Map();
if (told.http) {
  const { origin, socket } = told.http;
  const base = new URL(origin);
  if (base.protocol === "http:") doors.set(`${base.hostname}:${base.port || 80}`, socket);
  // The permission is asked by the name, which leads nowhere here. Addresses of this machine would be refused: there the
  // Host header alone is the true one.
  const name = /^[\d.]+$|^\[|^localhost$/.test(base.hostname) ? "project.internal" : base.host;
  const within = (url) => `http://${name}${url.pathname}${url.search}`;
  let client;
  const way = () => (client ??= Deno.createHttpClient({ allowHost: true, proxy: { transport: "unix", path: socket } }));
  const fetchAnywhere = globalThis.fetch;
  globalThis.fetch = async function fetch(input, init) {
    const url = parsed(input instanceof Request ? input.url : input);
    if (url?.origin !== base.origin) return fetchAnywhere(input, init);
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set("host", base.host);
    const target = input instanceof Request ? new Request(within(url), input) : within(url);
    const response = await fetchAnywhere(target, { ...init, headers, client: way() });
    Object.defineProperty(response, "url", { value: url.href });
    return response;
  };
  const WebSocketAnywhere = globalThis.WebSocket;
  globalThis.WebSocket = class WebSocket extends WebSocketAnywhere {
    constructor(address, protocols) {
      const url = parsed(address);
      if (url && url.host === base.host && url.protocol.replace("ws", "http") === base.protocol) {
        const options = Array.isArray(protocols) || typeof protocols === "string" ? { protocols } : { ...protocols };
        const headers = { ...Object.fromEntries(new Headers(options.headers)), host: base.host };
        super(within(url).replace("http:", "ws:"), { ...options, headers, client: way() });
      } else super(address, protocols);
    }
  };
}
if (told.postgres) doors.set(`${told.postgres.host}:${told.postgres.port}`, told.postgres.socket);

function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

if (doors.size) {
  const connect = Deno.connect;
  Deno.connect = (options) => {
    const path = options?.transport === "unix" ? undefined : doors.get(`${options?.hostname ?? "127.0.0.1"}:${options?.port}`);
    return connect(path ? { transport: "unix", path } : options);
  };
}
if (doors.size && told.node) {
  // Loading this takes 15 ms, so it is left out where nothing stands on it.
  const { Socket } = (await import("node:net")).default;
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function (...given) {
    const options = Array.isArray(given[0]) ? given[0][0] : given[0];
    const [host, port] = typeof options === "object" ? [options?.host, options?.port] : [given[1], given[0]];
    const path = doors.get(`${typeof host === "string" ? host : "localhost"}:${port}`);
    if (!path) return connect.apply(this, given);
    const listener = given.find((one) => typeof one === "function") ?? (Array.isArray(given[0]) ? given[0][1] : undefined);
    return listener ? connect.call(this, { path }, listener) : connect.call(this, { path });
  };
}
