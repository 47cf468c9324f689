"""Functions of a whole installation, whose worker dies while one is deployed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.e2e.installation import Installation, until

OLD = 'Deno.serve(() => new Response("old"));'
SLOW = "await new Promise((done) => setTimeout(done, 1500));\n"


@pytest.fixture(scope="module")
def path(installation: Installation) -> str:
    ref = installation.await_healthy(installation.create_project())
    path = f"/v1/projects/{ref}/functions"
    answer = installation.call("POST", path, {"slug": "hello", "name": "hello", "body": OLD}, timeout=60)
    assert answer.status_code == 201, answer.text
    return path


def _live(installation: Installation, path: str) -> list[tuple[str, int]]:
    return [(each["slug"], each["version"]) for each in installation.call("GET", path).json()]


@pytest.mark.parametrize(("source", "status", "versions"), [("good();", 400, 0), (OLD + "// new", 200, 1)])
def test_a_worker_killed_while_a_function_loads_leaves_the_old_version_or_the_new(
    installation: Installation, path: str, source: str, status: int, versions: int
) -> None:
    ((_, before),) = _live(installation, path)
    seen: set[Any] = set()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(installation.call, "PATCH", f"{path}/hello", {"body": SLOW + source}, 60)
        until(lambda: _is_loading(installation), 10, "loading")
        installation.kill_part("worker")
        while not asked.done():
            seen.update(_live(installation, path))
        answer: httpx.Response = asked.result()
    assert answer.status_code == status, answer.text
    ((_, after),) = _live(installation, path)
    assert after == before + versions
    assert seen <= {("hello", before), ("hello", after)}
    assert seen


def _is_loading(installation: Installation) -> bool:
    """A Deno of this installation's runs."""
    return any("deno" in line[0] for line in installation.processes().values())


FAILING = """
Deno.serve((request) => {
  const asked = new URL(request.url).searchParams.get("do");
  if (asked === "throw") throw new Error("hush");
  return new Response("x", { status: Number(asked), headers: { "sb-error-code": "made up" } });
});
"""


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("throw", 500, "EDGE_FUNCTION_ERROR"),
        ("503", 503, "EDGE_FUNCTION_ERROR"),
        ("404", 404, None),
        ("200", 200, None),
    ],
)
def test_what_becomes_of_a_request_is_told_by_its_code(
    installation: Installation, failing: str, asked: str, status: int, code: str | None
) -> None:
    answer = httpx.get(failing, params={"do": asked}, timeout=20)
    assert (answer.status_code, answer.headers.get("sb-error-code")) == (status, code)
    assert "hush" not in answer.text


@pytest.fixture(scope="module")
def failing(installation: Installation, path: str) -> str:
    """The URL of a function that does as it is told."""
    body = {"slug": "failing", "name": "failing", "body": FAILING, "verify_jwt": False}
    answer = installation.call("POST", path, body, timeout=60)
    assert answer.status_code == 201, answer.text
    return f"{installation.ready['http_url']}/{path.split('/')[3]}/functions/v1/failing"


GUARDED = """
import { withSupabase } from "npm:@supabase/server@^1";
const greet = async (request, context) => Response.json([context.authMode, (await request.json()).name]);
export default { fetch: withSupabase({ auth: ["publishable", "secret"] }, greet) };
"""


def test_what_the_clis_template_imports_finds_the_keys_of_a_new_project(installation: Installation, path: str) -> None:
    body = {"slug": "guarded", "name": "guarded", "body": GUARDED, "verify_jwt": False}
    answer = installation.call("POST", path, body, timeout=60)
    assert answer.status_code == 201, answer.text
    ref = path.split("/")[3]
    url = f"{installation.ready['http_url']}/{ref}/functions/v1/guarded"
    keys = installation.call("GET", f"/v1/projects/{ref}/api-keys?reveal=true").json()
    for key in keys:
        got = httpx.post(url, json={"name": "anna"}, headers={"apikey": key["api_key"]}, timeout=30)
        if key["type"] == "legacy":
            assert got.status_code == 401
        else:
            assert (got.status_code, got.json()) == (200, [key["type"], "anna"])
