"""Caddy in front of a gateway, as a process of its own: python -m tests.drivers.caddies DIRECTORY PORT PARENT [ACME-JSON]"""

import asyncio
import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from baseplane.drivers.caddy import Acme, Caddy
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.account import account
from tests.drivers.gateways import Gateway, gateway_with

HOST = "sb.test"
REF = "abcdefghijklmnopqrst"


def caddy_in(directory: Path, age: timedelta = timedelta(0), acme: Acme | None = None, proxies: int = 0) -> Caddy:
    """``age`` is how long ago its certificate was issued."""
    authority = Authority(directory / "ca", clock=lambda: datetime.now(UTC) - age)
    user = account("baseplane-http")
    return Caddy(directory / "home", directory / "run" / "caddy", user, authority, HOST, acme, proxies, patience=0.2)


@dataclass
class Front:
    caddy: Caddy
    gateway: Gateway
    port: int
    process: subprocess.Popen[bytes]
    directory: Path

    async def connect(self, name: str = f"{REF}.{HOST}") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """TLS that the platform's authority vouches for. Raises ssl.SSLError."""
        context = ssl.create_default_context(cafile=self.caddy.authority.certificate)
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=name)

    async def serial(self) -> int:
        """Of the certificate that is shown."""
        _, writer = await self.connect()
        found = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
        writer.close()
        return int(found, 16)


@contextlib.asynccontextmanager
async def fronting(*, age: timedelta = timedelta(0), proxies: int = 0, **acme: str) -> AsyncIterator[Front]:
    with tempfile.TemporaryDirectory(prefix="bpc-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        caddy = caddy_in(directory, proxies=proxies)
        caddy.prepare()
        async with gateway_with() as gateway:
            await gateway.server.listen_on(caddy.gateway, proxies=proxies + 1)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            given = {"days": age.days, "proxies": proxies, "acme": acme}
            command = [sys.executable, "-m", "tests.drivers.caddies", name, str(port), json.dumps(given)]
            process = subprocess.Popen(command)  # noqa: ASYNC220 -- a moment
            try:
                async with asyncio.timeout(20):
                    while not caddy.admin.exists():
                        assert process.poll() is None
                        await asyncio.sleep(0.02)
                yield Front(caddy, gateway, port, process, directory)
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    await asyncio.to_thread(process.wait, 10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def main(directory: str, port: str, given: dict[str, Any]) -> None:
    acme = Acme(**given["acme"]) if given["acme"] else None
    caddy_in(Path(directory), timedelta(days=given["days"]), acme, given["proxies"]).become(
        "127.0.0.1", int(port), None
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
