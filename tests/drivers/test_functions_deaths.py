"""Functions that die or do not come up, and those of an owner who died."""

import asyncio
import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from baseplane.drivers.functions import FunctionFailed
from baseplane.drivers.functions.cgroups import find_parent
from baseplane.drivers.functions.child import Child
from tests.drivers.functions import Function, Host

PID = "Deno.serve(() => new Response(String(Deno.pid)));"


DEATHS = {
    "an exit": ("Deno.exit(7);", r"code 7"),
    "an exception outside of the handler": ("setTimeout(() => { throw new Error('boom'); });", r"(?s)boom.*index.ts:1"),
    "a rejected promise": ("Promise.reject(new Error('boom'));", r"(?s)boom.*index.ts:1"),
}


@pytest.mark.parametrize("how", DEATHS)
async def test_a_process_that_dies_by_itself_says_why_and_is_replaced(how: str, host: Host) -> None:
    code, message = DEATHS[how]
    function = await host.deploy(
        f"Deno.serve(async (request) => {{ if (request.url.endsWith('/die')) {{ {code} await new Promise(() => {{}}); }}"
        " return new Response('alive'); });"
    )
    with pytest.raises(FunctionFailed, match=message) as caught:
        await function.call("/die")
    assert (caught.value.code, caught.value.status) == ("WORKER_ERROR", 500)
    assert await function.call("/") == "alive"


async def test_a_process_that_is_killed_under_way_is_replaced(host: Host) -> None:
    function = await host.deploy(PID)
    pid = int(await function.call())
    async with function.open() as (lease, _):
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            while (verdict := lease.verdict()) is None:
                await asyncio.sleep(0)
        assert (verdict.code, verdict.status) == ("WORKER_ERROR", 500)
        assert "SIGKILL" in verdict.message
    assert int(await function.call()) != pid


async def test_a_function_that_lost_its_way_to_start_is_tried_later_and_later(host: Host) -> None:
    """It loaded when it was deployed; now it does not any more."""
    function = await host.deploy("if (Deno.env.get('BREAK')) throw new Error('broken now');" + PID)
    broken = function.with_environment(BREAK="1")
    for _ in range(3):
        with pytest.raises(FunctionFailed, match=r"broken now") as caught:
            await broken.call()
        assert (caught.value.code, caught.value.status) == ("BOOT_ERROR", 503)
    with pytest.raises(
        FunctionFailed, match=r"(?s)broken now.*failed 3 times in a row and is started again in 1 s"
    ) as caught:
        await broken.call()
    assert (caught.value.code, caught.value.status) == ("BOOT_ERROR", 503)
    assert host.driver._processes == set()
    assert await function.call()  # a changed secret mends it at once


async def test_after_a_while_it_is_tried_again(host: Host) -> None:
    function = await host.deploy("if (Deno.env.get('BREAK')) throw new Error('broken now');" + PID)
    broken = function.with_environment(BREAK="1")
    said: set[str] = set()
    async with asyncio.timeout(15):
        while not any("4 times" in message for message in said):
            with pytest.raises(FunctionFailed) as caught:
                await broken.call()
            said.add(caught.value.message)
            await asyncio.sleep(0.02)
    assert any("failed 3 times in a row and is started again in 1 seconds at most" in message for message in said)
    assert any("failed 4 times in a row and is started again in 2 seconds at most" in message for message in said)


async def test_crashes_in_a_row_are_backed_off(host: Host) -> None:
    function = await host.deploy("Deno.serve(() => Deno.exit(1));")
    codes = []
    for _ in range(4):
        with pytest.raises(FunctionFailed) as caught:
            await function.call()
        codes.append(caught.value.code)
    assert codes == ["WORKER_ERROR", "WORKER_ERROR", "WORKER_ERROR", "BOOT_ERROR"]


async def test_a_function_that_closes_its_server_is_replaced(host: Host) -> None:
    function = await host.deploy("""
        const server = Deno.serve((request) => {
          if (request.url.endsWith("/close")) setTimeout(() => server.shutdown(), 10);
          return new Response(String(Deno.pid));
        });
        setInterval(() => {}, 1000);
    """)
    pid = await function.call("/close")
    async with asyncio.timeout(10):
        while True:
            try:
                if await function.call() != pid:
                    break
            except FunctionFailed as error:
                assert error.code == "WORKER_ERROR"  # noqa: PT017


async def test_a_function_without_an_answer_is_stopped_with_its_project(host: Host) -> None:
    function = await host.deploy("Deno.serve(() => new Promise(() => {}));")
    async with function.open() as (lease, _):
        await host.driver.stop(function.spec.ref)
        verdict = lease.verdict()
        assert verdict is not None
        assert (verdict.code, verdict.status) == ("WORKER_ERROR", 503)


async def test_a_full_machine_says_so(host_with: Callable[..., Host]) -> None:
    host = host_with(most=1)
    one, other = await host.deploy(PID), await host.deploy(PID)
    async with one.open():
        with pytest.raises(FunctionFailed, match=r"as many functions as it may \(1\)"):
            await other.call()
    assert await other.call()


async def test_one_project_does_not_take_the_whole_machine(host_with: Callable[..., Host]) -> None:
    host = host_with(most=4)
    one = await host.deploy(PID)
    second, other = await host.deploy(PID, ref=one.spec.ref), await host.deploy(PID)
    async with one.open():
        with pytest.raises(FunctionFailed, match=r"at a time as one may \(1\)"):
            await second.call()
        assert await other.call()
    assert await second.call()


async def test_what_cannot_be_started_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    function = await host.deploy(PID)
    monkeypatch.setattr(Child, "__init__", _no_more_processes)
    with pytest.raises(FunctionFailed, match=r"could not be started.*Resource temporarily unavailable") as caught:
        await function.call()
    assert (caught.value.code, caught.value.status) == ("BOOT_ERROR", 503)


def _no_more_processes(*_: object) -> None:
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


OWNER = """
import asyncio, sys
from tests.drivers.conftest import _host
from tests.drivers.functions import Function
from pathlib import Path

async def main():
    host = _host(Path(sys.argv[1]))
    function = await host.deploy("Deno.serve(() => new Response(String(Deno.pid)));")
    async with function.open() as (lease, session), session.get("/") as answer:
        print(await answer.text(), lease.socket, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_functions_die_with_their_owner_and_the_next_one_clears_up(
    data_dir: Path, host_with: Callable[..., Host]
) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(data_dir), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert owner.stdout is not None
    pid, socket = (await owner.stdout.readline()).decode().split()
    process = psutil.Process(int(pid))
    owner.kill()
    await owner.wait()
    async with asyncio.timeout(5):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)
    assert Path(socket).parent.exists()
    await host_with().deploy(PID)
    assert not Path(socket).parent.exists()
    parent = find_parent()
    assert parent is None or list(parent.glob(f"*{Path(socket).parent.name}")) == []


async def test_what_an_owner_left_running_is_ended_by_the_next(data_dir: Path, host_with: Callable[..., Host]) -> None:
    """Where the kernel did not do it."""
    left = await asyncio.create_subprocess_exec("sleep", "60")
    other = await asyncio.create_subprocess_exec("sleep", "60")
    home = data_dir / "functions" / "owners" / "dead"
    home.mkdir(parents=True)
    (home / "lock").touch()
    begun = data_dir / "run" / "begun"
    begun.mkdir(parents=True)
    notes = {
        "f1": ([left.pid, psutil.Process(left.pid).create_time()], data_dir / "run" / "gone"),
        "f2": ([other.pid, psutil.Process(other.pid).create_time() - 100], data_dir / "run" / "gone"),  # given again
        "f3": (None, begun),
    }
    for name, (process, sockets) in notes.items():
        (home / name).write_text(json.dumps({"process": process, "sockets": str(sockets), "cgroup": None}))
    try:
        await host_with().deploy(PID)
        assert await left.wait()
        assert other.returncode is None
        assert not home.exists()
        assert not begun.exists()
    finally:
        other.kill()
        await other.wait()


async def test_a_living_owner_keeps_its_functions(host_with: Callable[..., Host]) -> None:
    function: Function = await host_with().deploy(PID)
    pid = await function.call()
    await host_with().deploy(PID)
    assert await function.call() == pid


async def test_nothing_is_left_when_a_driver_is_closed(data_dir: Path, host_with: Callable[..., Host]) -> None:
    host = host_with()
    function = await host.deploy(PID)
    process = psutil.Process(int(await function.call()))
    owner = host.driver._spawner.owner.home
    sockets = next(iter(host.driver._processes)).start.sockets
    await host.driver.close()
    assert not process.is_running()
    assert not owner.exists()
    assert not sockets.exists()
    parent = find_parent()
    assert parent is None or list(parent.glob(f"baseplane-{owner.name}-*")) == []
