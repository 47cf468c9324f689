"""The log of requests: written behind their backs, and bounded."""

import asyncio
import contextlib
from pathlib import Path

import orjson
import pytest

from baseplane.drivers.gateway import lines
from baseplane.drivers.gateway.lines import Lines


def read(path: Path) -> list[int]:
    return [orjson.loads(line)["n"] for line in path.read_bytes().splitlines()]


async def test_lines_are_on_disk_in_order_after_a_flush(tmp_path: Path) -> None:
    log = Lines(tmp_path / "log" / "edge.jsonl")
    for number in range(1000):
        log.write({"n": number})
    await log.flush()
    assert read(tmp_path / "log" / "edge.jsonl") == list(range(1000))


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    log = Lines(tmp_path / "edge.jsonl")
    task = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    log.write({"n": 1})
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert read(tmp_path / "edge.jsonl") == [1]


async def test_a_large_file_makes_place_for_another_and_old_ones_go(tmp_path: Path) -> None:
    log = Lines(tmp_path / "edge.jsonl", size=100, keep=2)
    for number in range(5):
        log.write({"n": number, "fill": "x" * 100})
        await log.flush()
    assert read(tmp_path / "edge.jsonl.1") == [4]
    assert read(tmp_path / "edge.jsonl.2") == [3]
    assert {path.name for path in tmp_path.iterdir()} == {"edge.jsonl.1", "edge.jsonl.2"}


async def test_a_disk_that_takes_nothing_costs_lines_and_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lines, "MOST_WAITING", 1000)
    (tmp_path / "file").write_text("")
    log = Lines(tmp_path / "file" / "edge.jsonl")
    for number in range(1000):
        log.write({"n": number})
    assert log._bytes < 1100
    await log.flush()
    assert "cannot be written" in caplog.text
