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
from tests.drivers.attempts import ATTEMPTS, PROGRAM, SECRET
from tests.drivers.functions import Function, Host


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
