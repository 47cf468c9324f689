"""What happens to functions that take too much, die, or do not come up; and to those of an owner who died."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from baseplane.drivers.functions import FunctionFailed, Limits
from baseplane.drivers.functions.cgroups import find_parent
from tests.drivers.functions import Host

PID = "Deno.serve(() => new Response(String(Deno.pid)));"
MB = 1024 * 1024

FILLS = {
    "ArrayBuffers": "const all = []; for (;;) all.push(new Uint8Array(16 << 20).fill(1));",
    "one ArrayBuffer": "const all = new Uint8Array(2_000_000_000).fill(1); console.log(all[5]);",
    "slowly": "const all = []; for (;;) { all.push(new Uint8Array(4 << 20).fill(1)); await new Promise((y) => setTimeout(y, 1)); }",
    "objects": "const all = []; for (let i = 0; ; i++) all.push({ i, s: 'x' + i });",
    "text": "let all = 'x'; const kept = []; for (;;) { all += all.slice(0, 1 << 20); kept.push(all + kept.length); }",
    "WebAssembly": "const all = []; for (;;) { const m = new WebAssembly.Memory({ initial: 256 }); new Uint8Array(m.buffer).fill(1); all.push(m); }",
    "Workers": """const code = "const all = []; for (;;) all.push(new Uint8Array(16 << 20).fill(1))";
        new Worker("data:text/javascript," + encodeURIComponent(code), { type: "module" }); await new Promise(() => {});""",
}  # fmt: skip


@pytest.mark.parametrize("cgroups", [True, False])
@pytest.mark.parametrize("how", FILLS)
async def test_who_fills_the_memory_is_stopped(how: str, cgroups: bool, host_with: Callable[..., Host]) -> None:
    if cgroups and find_parent() is None:
        pytest.skip("no control groups can be made here")
    host = host_with(limits=Limits(memory=128 * MB, cpu=60), cgroups=cgroups)
    function = await host.deploy(f"Deno.serve(async () => {{ {FILLS[how]} return new Response(); }});")
    quiet = await host.deploy(PID)
    pid = await quiet.call()
    task = asyncio.create_task(function.call())
    largest = 0
    while not task.done():
        largest = max([largest, *(_rss(process.pid) for process in host.driver._processes)])
        assert await quiet.call() == pid
        await asyncio.wait([task], timeout=0.02)
    with pytest.raises(FunctionFailed, match=r"more than 128 MB") as caught:
        task.result()
    assert (caught.value.code, caught.value.status) == ("WORKER_LIMIT", 546)
    assert largest < 1024 * MB


def _rss(pid: int) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).memory_info().rss
    return 0


SPINS = {
    "without a pause": "for (;;);",
    "with pauses": "for (;;) { const t = Date.now(); while (Date.now() - t < 20); await new Promise((y) => setTimeout(y, 0)); }",
    "in a Worker": """new Worker("data:text/javascript,for(;;);", { type: "module" }); await new Promise(() => {});""",
    "in a regular expression": "/^(a+)+$/.test('a'.repeat(50) + 'b');",
}


@pytest.mark.parametrize("how", SPINS)
async def test_who_spins_is_stopped_while_others_are_served(how: str, host_with: Callable[..., Host]) -> None:
    host = host_with(limits=Limits(cpu=0.4))
    function = await host.deploy(f"Deno.serve(async () => {{ {SPINS[how]} return new Response(); }});")
    quiet = await host.deploy(PID)
    task = asyncio.create_task(function.call())
    async with asyncio.timeout(20):
        while not task.done():
            await quiet.call()
            await asyncio.wait([task], timeout=0.02)
    with pytest.raises(FunctionFailed, match=r"processor time") as caught:
        task.result()
    assert (caught.value.code, caught.value.status) == ("WORKER_LIMIT", 546)


async def test_who_spins_is_stopped_though_its_process_answers_others(host_with: Callable[..., Host]) -> None:
    host = host_with(limits=Limits(cpu=0.4))
    function = await host.deploy(
        "Deno.serve(async (request) => {"
        f"if (request.url.endsWith('/spin')) {{ {SPINS['with pauses']} }} return new Response('answered'); }});"
    )
    task = asyncio.create_task(function.call("/spin"))
    async with asyncio.timeout(20):
        while not task.done():
            with contextlib.suppress(FunctionFailed, OSError):  # they share its end
                await function.call("/")
            await asyncio.wait([task], timeout=0.01)
    with pytest.raises(FunctionFailed, match=r"processor time"):
        task.result()


async def test_who_spins_in_the_background_is_stopped(host_with: Callable[..., Host]) -> None:
    host = host_with(limits=Limits(cpu=0.4))
    function = await host.deploy(f"""
        async function spin() {{ {SPINS["with pauses"]} }}
        Deno.serve(() => {{ setTimeout(spin, 10); return new Response("started"); }});
    """)
    assert await function.call() == "started"
    async with asyncio.timeout(20):
        while host.driver._processes:
            await asyncio.sleep(0.02)


async def test_many_modest_requests_are_not_counted_as_one(host_with: Callable[..., Host]) -> None:
    host = host_with(limits=Limits(cpu=0.4))
    function = await host.deploy("""
        Deno.serve(() => { const t = performance.now(); while (performance.now() - t < 50); return new Response(String(Deno.pid)); });
    """)
    pids = {await function.call() for _ in range(24)}
    assert len(pids) == 1


async def test_a_request_that_waits_is_not_put_out_by_what_others_spend(host_with: Callable[..., Host]) -> None:
    """Such as an open WebSocket beside a stream of requests: the newcomers move to a process of their own."""
    host = host_with(limits=Limits(cpu=0.3))
    function = await host.deploy("""
        Deno.serve(async (request) => {
          if (request.url.endsWith("/wait")) { await new Promise((wake) => setTimeout(wake, 4000)); return new Response("waited"); }
          const t = performance.now(); while (performance.now() - t < 20); return new Response("quick");
        });
    """)
    waiting = asyncio.create_task(function.call("/wait"))
    while not waiting.done():
        assert await function.call("/") == "quick"
        await asyncio.wait([waiting], timeout=0.1)
    assert waiting.result() == "waited"


async def test_a_request_past_the_wall_is_ended(host_with: Callable[..., Host]) -> None:
    host = host_with(limits=Limits(wall=0.3))
    function = await host.deploy("Deno.serve(() => new Promise(() => {}));")
    with pytest.raises(FunctionFailed, match=r"ran for more than 0.3 s") as caught:
        await function.call()
    assert (caught.value.code, caught.value.status) == ("WORKER_LIMIT", 546)


async def test_files_stay_empty_and_threads_bounded(host: Host) -> None:
    """The key log of TLS is written without asking for the permission to write."""
    function = await host.deploy(PID)
    limits = Path(f"/proc/{await function.call()}/limits").read_text().splitlines()
    assert next(line for line in limits if line.startswith("Max file size")).split()[3:5] == ["0", "0"]
    assert next(line for line in limits if line.startswith("Max core file size")).split()[4:6] == ["0", "0"]
    if os.geteuid() == 0:
        assert next(line for line in limits if line.startswith("Max processes")).split()[2] == "1024"
