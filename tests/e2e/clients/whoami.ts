// A function that asks its own project: over HTTP as the official client does, and as a client of Postgres.
import "jsr:@supabase/functions-js/edge-runtime.d.ts";
import { createClient } from "jsr:@supabase/supabase-js@2";
import postgres from "npm:postgres@3.4.8";

const supabase = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
const sql = postgres(Deno.env.get("SUPABASE_DB_URL")!, { max: 1 });

Deno.serve(async (request) => {
  const { asks } = await request.json();
  const { data, error } = await supabase.from("todos").select("id").lt("id", 10).order("id");
  const [{ user }] = await sql`select current_user as user`;
  return Response.json({ asks, todos: error?.message ?? data.map((row) => row.id), user });
});
