"""What functions say, and how much of it is heard."""

import asyncio
import os
from collections.abc import Callable

import psutil

from baseplane.drivers.functions.output import Allowance, Pipe
from tests.drivers.functions import Function, Host


async def _settled(function: Function, count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(10):
        while len(function.said) < count:
            await asyncio.sleep(0.01)
    return function.said


async def test_messages_have_their_level(host: Host) -> None:
    function = await host.deploy(r"""
        Deno.serve(() => {
          console.log("one", { a: 1 }, [2]);
          console.info("%s and %d", "two", 3);
          console.warn({ three: true });
          console.error(new Error("four").message);
          console.debug("five\nin two lines");
          console.log();
          console.group("group"); console.log("within"); console.groupEnd();
          return new Response();
        });
    """)
    await function.call()
    said = await _settled(function, 8)
    assert [message for message in said if message[0] in ("warning", "error")] == [
        ("warning", "{ three: true }"),
        ("error", "four"),
    ]
    assert [message for message in said if message[0] not in ("warning", "error")] == [
        ("log", "one { a: 1 } [ 2 ]"),
        ("info", "two and 3"),
        ("debug", "five\nin two lines"),
        ("log", ""),
        ("log", "group"),
        ("log", "within"),
    ]


async def test_what_is_written_past_the_console_is_heard_too(host: Host) -> None:
    function = await host.deploy("""
        const bytes = (text: string) => new TextEncoder().encode(text);
        Deno.serve(() => {
          Deno.stdout.writeSync(bytes("to one\\n")); Deno.stderr.writeSync(bytes("to two\\n")); return new Response();
        });
    """)
    await function.call()
    assert sorted(await _settled(function, 2)) == [("error", "to two"), ("log", "to one")]


async def test_an_exception_in_a_handler_is_heard_with_its_place(host: Host) -> None:
    function = await host.deploy("\nDeno.serve(() => { throw new Error('boom'); });")
    async with function.open() as (_, session), session.get("/") as answer:
        assert answer.status == 500
    [(level, message)] = await _settled(function, 1)
    assert level == "error"
    assert "boom" in message
    assert "index.ts:2:26" in message
    assert str(host.driver._places.root) not in message


async def test_a_message_is_cut_at_ten_thousand_characters(host: Host) -> None:
    function = await host.deploy("""
        Deno.serve(() => { console.log("ä".repeat(3_000_000)); console.log("next"); return new Response(); });
    """)
    await function.call()
    assert await _settled(function, 2) == [("log", "ä" * 10_000), ("log", "next")]


async def test_a_flood_is_dropped_and_counted_and_others_are_served(host: Host) -> None:
    flood = await host.deploy("""
        Deno.serve(async () => {
          for (let i = 0; i < 200_000; i++) { console.log("x".repeat(200)); if (i % 100 === 0) await 0; }
          return new Response("flooded");
        });
    """)
    quiet = await host.deploy("Deno.serve(() => new Response('still here'));")
    before = psutil.Process().memory_info().rss
    task = asyncio.create_task(flood.call())
    while not task.done():
        assert await quiet.call() == "still here"
        await asyncio.wait([task], timeout=0.05)
    assert psutil.Process().memory_info().rss - before < 50 * 1024 * 1024
    await host.driver.stop(flood.spec.ref)
    assert len(flood.said) <= 2 * 101
    assert flood.said[0] == ("log", "x" * 200)
    level, message = flood.said[-1]
    assert level == "warning"
    assert message.endswith("messages were dropped: more than 100 in 10 seconds.")


async def test_a_message_between_two_reads_is_put_together() -> None:
    said: list[tuple[str, str]] = []
    told: list[str] = []
    out, into = os.pipe()
    pipe = Pipe(out, "log", Allowance(lambda level, message: said.append((level, message))), told.append)
    for piece in (b"\x1ewone", b" line\n\x1eB1\n", b"the ", b"end"):
        os.write(into, piece)
        assert pipe.read()
    os.close(into)
    assert pipe.read() is False
    os.close(out)
    assert said == [("warning", "one line"), ("log", "the end")]
    assert told == ["1"]


async def test_a_function_that_loads_for_the_first_time_is_not_heard(host_with: Callable[..., Host]) -> None:
    function = await host_with().deploy("console.log('loaded'); Deno.serve(() => new Response());")
    assert function.said == []
    await function.call()
    assert await _settled(function, 1) == [("log", "loaded")]
