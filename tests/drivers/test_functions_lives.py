"""When the processes of functions begin, give way to others, and end."""

import asyncio
from collections.abc import Callable

import aiohttp

from baseplane.drivers.functions import Limits
from tests.drivers.functions import Host

ECHO = "Deno.serve((request) => new Response(new URL(request.url).pathname));"
STEPS = """
const steps: Record<string, () => void> = {};
Deno.serve(async (request) => {
  const name = new URL(request.url).pathname.slice(1);
  if (request.method === "POST") { steps[name]?.(); return new Response("went on"); }
  await new Promise<void>((resolve) => steps[name] = resolve);
  return new Response("done");
});
"""


async def test_an_unused_process_is_stopped(host_with: Callable[..., Host]) -> None:
    function = await host_with(limits=Limits(idle=0.2)).deploy(ECHO)
    first = await function.execution()
    assert function.host.driver.running(function.spec.ref) == 1
    async with asyncio.timeout(5):
        while await _runs(function.host):
            await asyncio.sleep(0.02)
    assert function.host.driver.running(function.spec.ref) == 0
    assert await function.execution() != first


async def test_work_in_the_background_is_finished_first(host_with: Callable[..., Host]) -> None:
    function = await host_with(limits=Limits(idle=0.1, wall=20)).deploy("""
        Deno.serve(() => {
          EdgeRuntime.waitUntil(new Promise((wake) => setTimeout(wake, 1200)).then(() => console.log("finished")));
          return new Response("later");
        });
    """)
    assert await function.call() == "later"
    async with asyncio.timeout(10):
        while await _runs(function.host):
            await asyncio.sleep(0.02)
    assert ("log", "finished") in function.said


async def test_work_in_the_background_ends_at_the_wall(host_with: Callable[..., Host]) -> None:
    function = await host_with(limits=Limits(idle=0.1, wall=0.5)).deploy("""
        Deno.serve(() => { EdgeRuntime.waitUntil(new Promise(() => {})); return new Response("never"); });
    """)
    assert await function.call() == "never"
    async with asyncio.timeout(5):
        while await _runs(function.host):
            await asyncio.sleep(0.02)


async def test_another_environment_takes_over_and_requests_end_where_they_began(host: Host) -> None:
    function = await host.deploy(STEPS.replace('"done"', "Deno.env.get('WORD')"), environment={"WORD": "old"})
    changed = function.with_environment(WORD="new")
    async with function.open() as (_, session):
        old = asyncio.create_task(_text(session, "/old"))
        await asyncio.sleep(0.05)
        new = asyncio.create_task(changed.call("/new"))
        while not new.done():
            await changed.call("/new", method="POST")
            await asyncio.wait([new], timeout=0.01)
        assert new.result() == "new"
        assert await _runs(host) == 2
        await session.post("/old")
        assert await old == "old"
    async with asyncio.timeout(5):
        while await _runs(host) != 1:
            await asyncio.sleep(0.01)


async def test_a_new_version_takes_over(host: Host) -> None:
    first = await host.deploy("Deno.serve(() => new Response('1'));")
    assert await first.call() == "1"
    second = await first.next_version("Deno.serve(() => new Response('2'));")
    assert await second.call() == "2"
    async with asyncio.timeout(5):
        while await _runs(host) != 1:
            await asyncio.sleep(0.01)


async def test_stopping_a_project_ends_its_processes_alone(host: Host) -> None:
    one, other = await host.deploy(ECHO), await host.deploy(ECHO)
    before, stays = await one.execution(), await other.execution()
    await host.driver.stop(one.spec.ref)
    assert await one.execution() != before
    assert await other.execution() == stays


async def test_removing_a_function_deletes_its_files(host: Host) -> None:
    one = await host.deploy(ECHO)
    other = await host.deploy(ECHO, ref=one.spec.ref)
    await one.call()
    await host.driver.remove(one.spec.ref, one.spec.id)
    await host.driver.remove(one.spec.ref, one.spec.id)
    left = {file.name.partition("_")[0] for file in host.driver._places.of(one.spec.ref).iterdir()}
    assert left == {other.spec.id}
    await host.driver.remove(one.spec.ref)
    assert not host.driver._places.of(one.spec.ref).exists()


async def test_idle_processes_make_room_for_others(host_with: Callable[..., Host]) -> None:
    host = host_with(most=2)
    functions = [await host.deploy(ECHO) for _ in range(3)]
    for function in functions:
        await function.call()
    assert await _runs(host) == 2


async def test_a_warm_request_starts_nothing(host: Host) -> None:
    function = await host.deploy(ECHO)
    assert len({await function.execution() for _ in range(20)}) == 1


async def _text(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(path) as answer:
        return await answer.text()


async def _runs(host: Host) -> int:
    await asyncio.sleep(0)
    return sum(not process.ended.is_set() for process in host.driver._processes)
