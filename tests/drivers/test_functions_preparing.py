"""From files to a version that is known to load, and what is said of one that does not."""

import asyncio
import errno
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.functions import FunctionBroken, FunctionFailed, Limits, SourceMissing, places
from baseplane.drivers.functions.absent import NoFunctions
from tests.drivers.functions import Host, new_function

SERVE = "Deno.serve(() => new Response('fine'));"

BROKEN: dict[str, tuple[Mapping[str, str], str]] = {
    "a syntax error": ({"index.ts": f"{SERVE}\nconst x = ;"}, r"index.ts:2:11"),
    "a syntax error elsewhere": (
        {"index.ts": f'import "./lib/a.ts"; {SERVE}', "lib/a.ts": "\nlet 1;"},
        r"lib/a.ts:2:5",
    ),
    "a missing file": ({"index.ts": f'\nimport "./gone.ts"; {SERVE}'}, r'index.ts:2:8: ./gone.ts: Module not found "gone.ts"'),
    "a name without a map": ({"index.ts": f'import "words"; {SERVE}'}, r"words"),
    "a missing package": (
        {"index.ts": f'import "npm:@baseplane/there-is-no-such-package@1.0.0"; {SERVE}'},
        r"index.ts:1:8.*there-is-no-such-package",
    ),
    "an import from a host that is not allowed": (
        {"index.ts": f'import "https://example.com/x.ts"; {SERVE}'},
        r"index.ts:1:8: https://example.com/x.ts",
    ),
    "an import from this machine": ({"index.ts": f'import "http://127.0.0.1:1/x.ts"; {SERVE}'}, r"index.ts:1:8: http://127"),
    "an exception": ({"index.ts": "\n\n  throw new Error('boom');"}, r"(?s)Error: boom.*index.ts:3:9"),
    "a missing variable": ({"index.ts": f"\nnope; {SERVE}"}, r"(?s)nope is not defined.*index.ts:2:1"),
    "no server": ({"index.ts": "export const x = 1;"}, r"without listening"),
    "an exit": ({"index.ts": "Deno.exit(3);"}, r"without listening"),
    "an import map that is no JSON": ({"index.ts": SERVE, "deno.json": "{"}, r"deno.json is no JSON"),
    "an import map that is a list": ({"index.ts": SERVE, "deno.json": "[]"}, r"deno.json is not a JSON object"),
    "imports that are a list": ({"index.ts": SERVE, "deno.json": '{"imports": []}'}, r"imports in deno.json"),
    "no entrypoint": ({"main.ts": SERVE}, r"There is no index.ts"),
    "a path that leads out": ({"index.ts": SERVE, "../out.ts": ""}, r"'../out.ts' is no path inside"),
    "an absolute path": ({"index.ts": SERVE, "/etc/out.ts": ""}, r"'/etc/out.ts' is no path inside"),
    "a file below a file": ({"index.ts": SERVE, "a": "", "a/b.ts": ""}, r"cannot lie as they are named"),
    "a name too long": ({"index.ts": SERVE, "x" * 300: ""}, r"cannot lie as they are named"),
    "a text from elsewhere": (
        {"index.ts": f'import t from "/etc/passwd" with {{ type: "text" }}; {SERVE}'},
        r"index.ts:1:15: /etc/passwd is outside of the function's source",
    ),
    "a text from above": (
        {"index.ts": f'import t from "../../deno.json" with {{ type: "json" }}; {SERVE}'},
        r"index.ts:1:15: ../../deno.json is outside",
    ),
    "a map to elsewhere": (
        {"index.ts": f'import t from "secret" with {{ type: "text" }}; {SERVE}', "deno.json": '{"imports": {"secret": "/etc/passwd"}}'},
        r"secret is outside",
    ),
    "a text from elsewhere in a file that nothing names": (
        {"index.ts": SERVE, "later.ts": 'import t from "/etc/passwd" with { type: "text" }; export default t;'},
        r"later.ts:1:15: /etc/passwd is outside",
    ),
    "a text from elsewhere in a file without an extension": (
        {"index.ts": SERVE, "a name": 'import t from "/etc/passwd" with { type: "text" }; export default t;'},
        r"1:15: /etc/passwd is outside",
    ),
    "a dynamic import of a text": (
        {"index.ts": f'const t = await import("file:///etc/passwd", {{ with: {{ type: "text" }} }}); {SERVE}'},
        r"index.ts:1:24: file:///etc/passwd is outside",
    ),
    "types from elsewhere": (
        {"index.ts": f'/// <reference path="/etc/passwd" />\n{SERVE}'},
        r"/etc/passwd is outside",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
async def test_what_does_not_load_is_told_with_its_place(name: str, host: Host) -> None:
    source, message = BROKEN[name]
    function = new_function(host, source, {})
    with pytest.raises(FunctionBroken, match=message) as caught:
        await function.prepare()
    assert str(host.driver._places.root) not in caught.value.message
    with pytest.raises(SourceMissing):
        await function.call()
    assert [file for file in host.driver._places.root.glob(f"{function.spec.ref}/*") if file.exists()] == []


TEXT = b'import t from "/etc/passwd" with { type: "text" }; export default t;'
TYPED = b'import t from "/etc/passwd" with { type: "text" }; const a: string = t; export default a;'
WASM = b"\0asm\1\0\0\0\1\4\1\x60\0\0\2\x11\1\x0b/etc/passwd\1x\0\0"
HIDING = (
    "a.txt", "b", "c.TS", "d.d.ts", "e.d.js", "f.", ".g", "h.html", "i.foo", "j.ts.txt", "k.mdx", "l.yaml", "m/n o.svg", "%41.x",
    "ä.txt", "x" * 250, "p.jsx", "q#r.txt", "s?t.txt",
)  # fmt: skip


@pytest.mark.parametrize(("name", "content"), [*((name, TEXT) for name in HIDING), ("a.txt", TYPED), ("a.wasm", WASM)])
async def test_no_file_hides_an_import_from_elsewhere(name: str, content: bytes, host: Host) -> None:
    """Deno runs a file of nearly any name when that is put together at run time."""
    with pytest.raises(FunctionBroken, match=r"/etc/passwd is outside of the function's source") as caught:
        await host.deploy({"index.ts": SERVE, name: content})
    if len(name) < 200:
        assert re.match(rf"{re.escape(quote(name))}(:1:\d+)?: /etc", caught.value.message)


async def test_a_function_that_never_listens_is_told_so(host_with: Callable[..., Host]) -> None:
    function = new_function(
        host_with(limits=Limits(boot=0.3)), "await new Promise((wake) => setTimeout(wake, 60_000));", {}
    )
    with pytest.raises(FunctionBroken, match=r"did not listen within 0.3 seconds"):
        await function.prepare()


async def test_deployments_that_failed_do_not_delay_one_that_does_not(host: Host) -> None:
    function = new_function(host, SERVE, {})
    for _ in range(4):
        broken = new_function(host, "throw new Error('boom');", {}, ref=function.spec.ref, id=function.spec.id)
        with pytest.raises(FunctionBroken):
            await broken.prepare()
    await function.prepare()
    assert await function.call() == "fine"


async def test_types_that_are_missing_do_not_matter(host: Host) -> None:
    function = await host.deploy(f'import type {{ A }} from "./gone.d.ts";\nconst a: A = 1;\n{SERVE}')
    assert await function.call() == "fine"


async def test_files_that_nothing_imports_need_not_be_right(host: Host) -> None:
    source = {
        "index.ts": SERVE,
        "old.ts": "const ;",
        "test.ts": 'import "./gone.ts";',
        "page.html": "<p>",
        "a.png": b"\xff\0",
    }
    function = await host.deploy(source)
    assert await function.call() == "fine"


async def test_packages_read_their_own_files(host: Host) -> None:
    function = await host.deploy("""
        import { readFileSync } from "node:fs";
        import "npm:zod@3.25.76";
        const file = new URL(import.meta.resolve("npm:zod@3.25.76")).pathname.replace(/[^/]*$/, "package.json");
        Deno.serve(() => new Response(JSON.parse(readFileSync(file, "utf8")).name));
    """)
    assert await function.call() == "zod"


async def test_old_versions_and_what_was_never_finished_are_deleted(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [await host.deploy(SERVE)]
    (host.driver._places.of(versions[0].spec.ref) / f"{versions[0].spec.id}_7.abandoned").mkdir()
    for _ in range(2):
        versions.append(await versions[-1].next_version(SERVE))
    assert all(host.driver._places.find(function.spec) for function in versions)
    monkeypatch.setattr(places, "RESTED", -1.0)
    versions.append(await versions[-1].next_version(SERVE))
    assert [bool(host.driver._places.find(function.spec)) for function in versions] == [False, False, True, True]
    assert len(list(host.driver._places.of(versions[0].spec.ref).iterdir())) == 4


async def test_a_prepared_version_is_left_as_it_is(host: Host) -> None:
    function = await host.deploy(SERVE)
    home = host.driver._places.find(function.spec)
    await function.prepare()
    assert host.driver._places.find(function.spec) == home


async def test_several_processes_may_prepare_one_version_at_once(host_with: Callable[..., Host]) -> None:
    hosts = [host_with() for _ in range(3)]
    function = new_function(hosts[0], SERVE, {})
    await asyncio.gather(*(host.driver.prepare(function.spec, function.source, {}) for host in hosts))
    assert await function.call() == "fine"
    of = hosts[0].driver._places.of(function.spec.ref)
    assert len([entry for entry in of.iterdir() if not entry.is_symlink()]) == 1


async def test_another_driver_serves_what_one_has_prepared(host_with: Callable[..., Host]) -> None:
    function = await host_with().deploy(SERVE)
    function.host = host_with()
    assert await function.call() == "fine"


async def test_the_same_version_with_other_files_is_prepared_anew(host: Host) -> None:
    function = await host.deploy(SERVE)
    about = {"ref": function.spec.ref, "id": function.spec.id}
    other = await host.deploy("Deno.serve(() => new Response('other'));", **about)
    assert await other.call() == "other"
    with pytest.raises(SourceMissing):
        await function.call()


async def test_half_of_a_version_is_not_used(host: Host) -> None:
    function = await host.deploy(SERVE)
    found = host.driver._places.find(function.spec)
    assert found is not None
    (found.home / "version.json").unlink()
    with pytest.raises(SourceMissing):
        await function.call()
    await function.prepare()
    assert await function.call() == "fine"


PREPARER = """
import asyncio, sys
from pathlib import Path
from baseplane.drivers.functions import FunctionSpec
from tests.drivers.conftest import _host

async def main():
    driver = _host(Path(sys.argv[1])).driver
    await asyncio.to_thread(driver._spawner.make_ready)
    print("begins", flush=True)
    spec = FunctionSpec(sys.argv[2], sys.argv[3], "hello", 1, 1, "index.ts", None, sys.argv[4])
    await driver.prepare(spec, {"index.ts": sys.argv[5].encode()}, {})
    print("done", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [0, 0.03, 0.06, 0.09, 0.12, 0.16])
async def test_a_deployment_that_is_killed_is_done_again(after: float, data_dir: Path, host: Host) -> None:
    function = new_function(host, SERVE, {})
    spec = function.spec
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PREPARER, str(data_dir), spec.ref, spec.id, spec.digest, SERVE),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert killed.stdout is not None
    assert await killed.stdout.readline() == b"begins\n"
    await asyncio.sleep(after)  # wherever it is then
    killed.kill()
    await killed.wait()
    if host.driver._places.find(spec) is None:
        with pytest.raises(SourceMissing):
            await function.call()
        await function.prepare()
    assert await function.call() == "fine"


async def test_a_disk_that_is_full_is_not_the_authors_fault(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    function = new_function(host, SERVE, {})
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DriverUnavailable, match=r"No space left"):
        await function.prepare()
    monkeypatch.undo()
    await function.prepare()
    assert await function.call() == "fine"


async def test_fetching_leaves_no_password_of_the_machines_behind(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".npmrc").write_text("//registry.example/:_authToken=hush\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NPM_CONFIG_TOKEN_OF_OURS", "hush")
    function = await host.deploy("Deno.serve(() => Response.json(Deno.env.toObject()));")
    found = host.driver._places.find(function.spec)
    assert found is not None
    for file in found.home.rglob("*"):
        assert not file.is_file() or b"hush" not in file.read_bytes()
    assert "hush" not in await function.call()


async def test_without_deno_there_are_no_functions(host: Host) -> None:
    function = await host.deploy(SERVE)
    function.host = Host(NoFunctions())  # type: ignore[arg-type]
    with pytest.raises(FunctionFailed, match=r"no Deno"):
        await function.call()
