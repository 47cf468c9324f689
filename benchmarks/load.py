"""A load generator in a process of its own: keep-alive connections, one request at a time on each.

python -m benchmarks.load URL TOKEN SECONDS CONNECTIONS
"""

import asyncio
import json
import ssl
import subprocess
import sys
import time
from urllib.parse import SplitResult, urlsplit

import uvloop


async def _connection(where: SplitResult, request: bytes, until: float, taken: list[float]) -> None:
    tls = ssl._create_unverified_context() if where.scheme == "https" else None  # noqa: SLF001
    reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=tls)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(head.decode())
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        taken.append(time.perf_counter() - began)
    writer.close()


async def _main(url: str, token: str, seconds: float, connections: int) -> None:
    where = urlsplit(url)
    request = f"GET {where.path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    work = (_connection(where, request, until, taken) for _ in range(connections))
    await asyncio.gather(*work)
    sys.stdout.write(json.dumps(taken))


def generate(url: str, token: str, seconds: float, connections: int = 16) -> list[float]:
    """Put load on ``url``; gives the seconds that each request took."""
    command = [sys.executable, "-m", "benchmarks.load", url, token, str(seconds), str(connections)]
    done = subprocess.run(command, capture_output=True, check=True)
    latencies: list[float] = json.loads(done.stdout)
    return latencies


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
