"""`baseplane api`, `worker`, `ingress`, `gateway`, `caddy`: the parts of an installation, each a process of its own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import click
import uvicorn
import uvloop

from baseplane import app, logs
from baseplane.cli import data_dir, load_settings
from baseplane.runtime import Runtime
from baseplane.settings import Settings

API_CONNECTIONS, INGRESS_CONNECTIONS, GATEWAY_CONNECTIONS = 10, 4, 6
WORKER_SPARE_CONNECTIONS = 7
"""Beside those of the runs: the queue's own, the sweeper's, the monitor's, and one that waits for the archive."""


def part(command: Callable[..., None]) -> click.Command:
    """A command that runs one part in the foreground."""
    for option in (
        click.option("--log-file", type=click.Path(path_type=Path, dir_okay=False), help="Log here, not to stderr."),
        click.option("--parent", type=int, hidden=True, help="Stop when this process is gone."),
        data_dir,
    ):
        command = option(command)
    return click.command(command)


@part
@click.option("--listen", metavar="HOST:PORT", help="Where to serve.  [env: BASEPLANE_LISTEN]")
def api(data_dir: Path | None, listen: str | None, log_file: Path | None, parent: int | None) -> None:
    """Serve the Management API."""
    settings = load_settings(data_dir=data_dir, listen=listen)
    _run("api", settings, log_file, parent, _serve_api, API_CONNECTIONS)


@part
def worker(data_dir: Path | None, log_file: Path | None, parent: int | None) -> None:
    """Carry out what the API was asked for, and look after the clusters of this machine."""
    settings = load_settings(data_dir=data_dir)
    connections = settings.worker_concurrency + WORKER_SPARE_CONNECTIONS
    _run("worker", settings, log_file, parent, app.run_worker, connections)


@part
def ingress(data_dir: Path | None, log_file: Path | None, parent: int | None) -> None:
    """Serve the Postgres door of all projects."""
    settings = load_settings(data_dir=data_dir)
    _run("ingress", settings, log_file, parent, app.run_ingress, INGRESS_CONNECTIONS)


@part
def gateway(data_dir: Path | None, log_file: Path | None, parent: int | None) -> None:
    """Serve the HTTP door of all projects."""
    settings = load_settings(data_dir=data_dir)
    _run("gateway", settings, log_file, parent, app.run_gateway, GATEWAY_CONNECTIONS)


@part
def caddy(data_dir: Path | None, log_file: Path | None, parent: int | None) -> None:
    """End TLS before the gateway, as Caddy."""
    settings = load_settings(data_dir=data_dir)
    logs.configure("caddy", settings.log_level, log_file)
    app.caddy(settings).become(settings.ingress_host, settings.https_port, parent)


PARTS = (api, worker, ingress, gateway, caddy)


async def _serve_api(rt: Runtime) -> None:
    settings = rt.settings
    config = uvicorn.Config(
        app.build_api(rt),
        host=settings.listen_host,
        port=settings.listen_port,
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe is our own setting, trusted_proxies
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # ours are installed already
    task = asyncio.create_task(server._serve())  # noqa: SLF001 -- serve() would take the signals over
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        server.should_exit = True
        await task
        raise


def _run(
    name: str,
    settings: Settings,
    log_file: Path | None,
    parent: int | None,
    serve: Callable[[Runtime], Awaitable[None]],
    connections: int,
) -> None:
    logs.configure(name, settings.log_level, log_file)

    async def main() -> None:
        async with app.runtime(settings, connections=connections) as rt:
            await serve(rt)

    uvloop.run(_until_signal(main(), parent))


async def _until_signal(serving: Any, parent: int | None) -> None:
    """Run until SIGINT, SIGTERM, or the end of the process that started us."""
    task = asyncio.ensure_future(serving)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    async with _watching(parent, task):
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _watching(parent: int | None, task: asyncio.Future[Any]) -> AsyncIterator[None]:
    async def watch() -> None:
        while os.getppid() == parent:
            await asyncio.sleep(0.5)
        task.cancel()

    watcher = asyncio.create_task(watch()) if parent else None
    yield
    if watcher:
        watcher.cancel()
