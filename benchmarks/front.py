"""The parts of the gateway's benchmark, each a process of its own.

python -m benchmarks.front upstream|gateway|caddy DIRECTORY PORT
"""

import asyncio
import sys
from pathlib import Path

import httptools
import uvloop

from baseplane.drivers.caddy import Caddy
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.account import account
from baseplane.drivers.gateway import Answer, Forward
from baseplane.drivers.gateway.lines import Lines
from baseplane.drivers.gateway.server import HttpGateway
from baseplane.resources.gateway.call import Call
from baseplane.resources.gateway.router import ProjectRouter
from baseplane.resources.projects.status import Status
from baseplane.resources.projects.store import Project
from baseplane.settings import Settings

REF = "abcdefghijklmnopqrst"
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nvary: Accept-Encoding\r\ncontent-length: 26\r\n"
    b"date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n" + b'{"message":"Hello, world"}'
)


class Upstream(asyncio.Protocol):
    """As little as a function can do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(ANSWER)  # type: ignore[attr-defined]


async def serve_upstream(directory: Path, port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_unix_server(Upstream, directory / "upstream.sock")
    await loop.create_server(Upstream, "127.0.0.1", port)
    await asyncio.Event().wait()


async def serve_gateway(directory: Path, port: int) -> None:
    """Everything that a request meets, but for what its service does."""
    settings = Settings(data_dir=directory)
    project = Project(1, REF, "", "", "", "", 17, None, Status.ACTIVE_HEALTHY, None, None, asleep=False)  # type: ignore[arg-type]

    async def find(_ref: str) -> Project:
        return project

    async def forward(call: Call) -> Forward | Answer:
        changes = {"authorization": "Bearer " + "x" * 300, "apikey": None}
        return Forward(str(directory / "upstream.sock"), call.rest, changes, first_byte=150, wall=400)

    lines = Lines(directory / "edge.jsonl")
    gateway = HttpGateway(ProjectRouter(settings, find, {"functions/v1": forward}, lines.write))
    await gateway.listen("127.0.0.1", port)
    front = caddy(directory)
    front.prepare()
    await gateway.listen_on(front.gateway, proxies=1)
    await lines.run()


def caddy(directory: Path) -> Caddy:
    authority = Authority(directory / "ca")
    return Caddy(directory / "caddy", directory / "run" / "caddy", account("baseplane-http"), authority, "bench.test")


if __name__ == "__main__":
    role, where, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if role == "caddy":
        caddy(where).become("127.0.0.1", number, None)
    uvloop.run(serve_upstream(where, number) if role == "upstream" else serve_gateway(where, number))
