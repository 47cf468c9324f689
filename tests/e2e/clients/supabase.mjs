// A project as the official JavaScript clients meet it. Reads {url, shown} from its first argument, where `shown` holds by name the
// key, and the user's own token if there is one, that a client is made with; prints by that name what became of each call.
// Runs on Deno with deno.json beside it, and on Node where these packages are installed.
import { FunctionsClient } from "@supabase/functions-js";
import { createClient } from "@supabase/supabase-js";

const { url, shown } = JSON.parse(globalThis.Deno?.args[0] ?? process.argv[2]);

class NoSocket {} // Node 20 has no WebSocket, and nothing here is about realtime

async function invoke(functions, name, options = {}) {
  const { data, error } = await functions.invoke(name, options);
  if (!error) return { status: 200, data };
  const response = error.context;
  return { status: response?.status ?? 0, error: error.name, body: await response?.text?.() };
}

function told({ data, status, error }) {
  return { status, data, error: error?.message };
}

async function calls({ key, token }) {
  const headers = { ...(key && { apikey: key }), ...((token ?? key) && { Authorization: `Bearer ${token ?? key}` }) };
  const alone = new FunctionsClient(`${url}/functions/v1`, { headers });
  const found = {
    functions_js: await invoke(alone, "whoami", { body: { asks: "who" } }),
    open_function: await invoke(alone, "open", { body: { asks: "who" } }),
  };
  if (!key) return found;
  const options = { realtime: { transport: NoSocket }, auth: { persistSession: false, autoRefreshToken: false } };
  const client = createClient(url, key, token ? { ...options, accessToken: async () => token } : options);
  found.invoke = await invoke(client.functions, "whoami", { body: { asks: "who" } });
  found.select = told(await client.from("todos").select("id, task, owner").order("id"));
  found.insert = told(await client.from("todos").insert({ id: 10, task: "mine", owner: "u1" }).select());
  found.upsert = told(await client.from("todos").upsert({ id: 10, task: "still mine", owner: "u1" }).select());
  found.update = told(await client.from("todos").update({ task: "done" }).eq("id", 10).select());
  found.rpc = told(await client.rpc("who"));
  found.remove = told(await client.from("todos").delete().eq("id", 10).select());
  return found;
}

const results = {};
for (const [name, what] of Object.entries(shown)) results[name] = await calls(what);
console.log(JSON.stringify(results));
