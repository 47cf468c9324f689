"""From a function's files to a version that is known to load."""

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.functions import FunctionBroken, FunctionSpec, graph, sandbox
from baseplane.drivers.functions.confinement import Confinement
from baseplane.drivers.functions.imports import configuration
from baseplane.drivers.functions.places import Places, Version
from baseplane.drivers.functions.program import Program
from baseplane.drivers.functions.shadows import shadows
from baseplane.drivers.functions.users import User, Users

_FETCH_WITHIN = 120.0
_LARGEST_FILE = 512 * 1024 * 1024
_MEMORY = 1024 * 1024 * 1024
_CPU = 30
_AT_ONCE = 2


@dataclass(slots=True)
class Preparing:
    """``load`` runs a version once, until it listens. Raises FunctionBroken."""

    places: Places
    users: Users
    program: Program
    load: Callable[[FunctionSpec, Version, Mapping[str, str]], Awaitable[None]]
    _turn: asyncio.Semaphore

    async def build(self, spec: FunctionSpec, source: Mapping[str, bytes], environment: Mapping[str, str]) -> None:
        """Raises FunctionBroken, DriverUnavailable."""
        if spec.entrypoint not in source:
            raise FunctionBroken(f"There is no {spec.entrypoint} among the function's files.")
        text = configuration(spec, source)
        user = self.users.of(spec.ref)
        try:
            async with self._turn:
                version = await asyncio.to_thread(self.places.begin, spec, source, user)
                try:
                    version.configuration.write_text(text)
                    node = await self._fetch(version, user, source)
                    await self.load(spec, replace(version, node=node), environment)
                    await asyncio.to_thread(self._finish, spec, version, node)
                except BaseException:
                    shutil.rmtree(version.home, ignore_errors=True)
                    raise
        except OSError as error:  # a full disk, say, or the function was removed meanwhile
            raise DriverUnavailable(f"Function {spec.slug} could not be put in its place: {error}") from error

    def _finish(self, spec: FunctionSpec, version: Version, node: bool) -> None:
        self.places.publish(spec, version, node=node)
        self.places.tidy(spec)

    async def _fetch(self, version: Version, user: User | None, files: Iterable[str]) -> bool:
        """Whether anything stands on Node's modules."""
        self._make_cache(version)
        home = self._make_home(version)
        root = version.home / graph.ROOT
        try:
            with shadows(version.source, files) as shadowed:
                root.write_text(graph.root_module([*files, *shadowed.names]))
                try:
                    said = json.loads(await self._deno(version, user, home, "info", "--json"))
                    graph.check(said, version.home, version.entrypoint)
                except FunctionBroken as error:
                    raise FunctionBroken(shadowed.unnamed(error.message)) from error
            root.write_text(graph.root_module(files))
            await self._deno(version, user, home, "cache")
        finally:
            shutil.rmtree(home, ignore_errors=True)
        specifiers = [module["specifier"] for module in said["modules"]]
        return any(specifier.startswith(("npm:", "node:")) for specifier in specifiers)

    def _make_cache(self, version: Version) -> None:
        version.cache.mkdir()
        # localStorage and caches would be kept there, without bounds; a file in the place of the folder forbids them.
        (version.cache / "location_data").touch()
        self._give(version.cache)

    def _make_home(self, version: Version) -> Path:
        """Holds the machine's own settings of registries, which may hold a password, while something is fetched."""
        home = Path(tempfile.mkdtemp(prefix=".fetch-", dir=version.home))
        with contextlib.suppress(OSError):
            shutil.copyfile(Path.home() / ".npmrc", home / ".npmrc")
            (home / ".npmrc").chmod(0o600)
            self._give(home / ".npmrc")
        self._give(home)
        return home

    def _give(self, path: Path) -> None:
        if (fetcher := self.users.fetcher) is not None:
            os.chown(path, fetcher.uid, fetcher.gid)

    async def _deno(self, version: Version, user: User | None, home: Path, *words: str) -> bytes:
        """What it says. Raises FunctionBroken with its complaint."""
        call = sandbox.fetch(self.program, version, home, *words)
        fetcher = self.users.fetcher
        # In the project's group, which may enter its folder: one project's fetching does not see another's files.
        confinement = Confinement(
            user=User(fetcher.uid, user.gid) if fetcher and user else None,
            files=call.files,
            file_size=_LARGEST_FILE,
            memory=_MEMORY,
            sealed=False,
            cpu=_CPU,
            parent=os.getpid(),
        )
        process = await asyncio.create_subprocess_exec(
            *call.arguments,
            executable=self.program.deno,
            env=call.environment,
            cwd=call.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=confinement.apply,
        )
        try:
            async with asyncio.timeout(_FETCH_WITHIN):
                output, complaint = await process.communicate()
        except TimeoutError:
            raise FunctionBroken(f"What it imports could not be fetched within {_FETCH_WITHIN:g} seconds.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise FunctionBroken(_complaint(graph.readable(complaint.decode(errors="replace"), version.home)))
        return output


def preparing(
    places: Places,
    users: Users,
    program: Program,
    load: Callable[[FunctionSpec, Version, Mapping[str, str]], Awaitable[None]],
) -> Preparing:
    return Preparing(places, users, program, load, asyncio.Semaphore(_AT_ONCE))


def _complaint(said: str) -> str:
    return said.strip().removeprefix("error: ")[:4000] or "What it imports could not be fetched."


__all__ = ["Preparing", "preparing"]
