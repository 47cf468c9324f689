"""Functions in plain Deno processes: what the slice needs of a driver, without what keeps tenants apart."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from deno import find_deno_bin

from baseplane.drivers.functions import FunctionBroken, FunctionFailed, FunctionSpec, SourceMissing

START = """
const [entrypoint, socket] = Deno.args;
let handler;
const serve = Deno.serve;
Deno.serve = (...given) => { handler = given.find((each) => typeof each === "function") ?? given[0].handler; };
const exported = (await import(entrypoint)).default;
handler ??= exported?.fetch;
if (!socket) Deno.exit(0);
serve({ path: socket, onListen() {} }, handler);
"""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Running:
    socket: Path
    process: asyncio.subprocess.Process
    environment: Mapping[str, str]
    execution_id: str = field(default_factory=lambda: str(uuid4()))

    def verdict(self) -> FunctionFailed | None:
        if self.process.returncode is None:
            return None
        return FunctionFailed("The function ended.", code="WORKER_ERROR", status=500)


class DenoFunctions:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.running: dict[tuple[str, str, int], Running] = {}
        self.prepared: list[FunctionSpec] = []

    def home(self, spec: FunctionSpec) -> Path:
        return self.root / spec.ref / spec.id / str(spec.version)

    async def prepare(self, spec: FunctionSpec, source: Mapping[str, bytes], environment: Mapping[str, str]) -> None:
        if self.home(spec).is_dir():
            return
        self.prepared.append(spec)
        home = self.home(spec).with_suffix(".new")
        shutil.rmtree(home, ignore_errors=True)
        for path, data in source.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(data)
        (self.root / "start.ts").write_text(START)
        process = await self._deno(spec, home, environment)
        _, errors = await process.communicate()
        if process.returncode:
            raise FunctionBroken(_COLOUR.sub("", errors.decode()).replace(f"{home.as_uri()}/", "").strip())
        home.rename(self.home(spec))

    async def _deno(
        self, spec: FunctionSpec, home: Path, environment: Mapping[str, str], *more: str
    ) -> asyncio.subprocess.Process:
        imports = [f"--import-map={(home / spec.import_map).as_uri()}"] if spec.import_map else []
        return await asyncio.create_subprocess_exec(
            find_deno_bin(), "run", "--allow-all", "--no-prompt", *imports,
            str(self.root / "start.ts"), (home / spec.entrypoint).as_uri(), *more,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            env={"DENO_DIR": str(self.root / "cache"), "DENO_NO_UPDATE_CHECK": "1", "PATH": os.environ["PATH"], **environment},
        )  # fmt: skip

    @asynccontextmanager
    async def lease(self, spec: FunctionSpec, environment: Mapping[str, str]) -> AsyncIterator[Running]:
        if not self.home(spec).is_dir():
            raise SourceMissing(f"{spec.slug} is not prepared here")
        key = (spec.ref, spec.id, spec.version)
        running = self.running.get(key)
        if running is None or running.environment is not environment or running.verdict():
            socket = self.root / f"{uuid4().hex[:12]}.sock"
            process = await self._deno(spec, self.home(spec), environment, str(socket))
            running = self.running[key] = Running(socket, process, environment)
            while not socket.exists():
                if process.returncode is not None:
                    raise FunctionFailed("It does not start.", code="BOOT_ERROR", status=503)
                await asyncio.sleep(0.005)
        yield running

    async def stop(self, ref: str) -> None:
        for key in [key for key in self.running if key[0] == ref]:
            await self._end(self.running.pop(key))

    async def remove(self, ref: str, id: str | None = None) -> None:  # noqa: A002
        for key in [key for key in self.running if key[0] == ref and id in (None, key[1])]:
            await self._end(self.running.pop(key))
        shutil.rmtree(self.root / ref / (id or ""), ignore_errors=True)

    async def _end(self, running: Running) -> None:
        with contextlib.suppress(ProcessLookupError):
            running.process.kill()
        await running.process.communicate()

    async def close(self) -> None:
        for running in self.running.values():
            await self._end(running)
