"""What a function imports: fetched into its own cache, and none of it from outside of its source."""

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from baseplane.drivers.functions import FunctionBroken
from baseplane.drivers.functions.imports import SOURCE
from baseplane.drivers.functions.shadows import MODULES

ROOT = "graph.ts"
"""A module that leads to all of a function's, so that the check and the cache hold those, too, which no import names: Deno
also runs a file whose name is put together at run time, and lets it import what it may not read."""


def root_module(files: Iterable[str]) -> str:
    names = sorted(name for name in files if PurePosixPath(name).suffix.lower() in {*MODULES, ""})
    return "".join(f"import({json.dumps('./' + quote(f'{SOURCE}/{name}'))});\n" for name in names)


def check(said: Mapping[str, Any], home: Path, entrypoint: str) -> None:
    """``said`` is what ``deno info --json`` says. Raises FunctionBroken."""
    modules = {module["specifier"]: module for module in said["modules"]}
    redirects: Mapping[str, str] = said.get("redirects", {})
    source = home / SOURCE
    for module in modules.values():
        for name, specifier, at in _imports(module):
            if _leaves(specifier, source):
                raise FunctionBroken(
                    f"{_place(module, at, source)}: {name} is outside of the function's source; import files of its own."
                )
    for module in _reached(modules, redirects, (source / entrypoint).as_uri()):
        for name, specifier, at in _imports(module, ("code",)):
            target = modules.get(redirects.get(specifier, specifier), {})
            if "error" in target:
                raise FunctionBroken(f"{_place(module, at, source)}: {name}: {readable(target['error'], home)}")
        if "error" in module:
            raise FunctionBroken(readable(module["error"], home))


def readable(text: str, home: Path) -> str:
    """With the paths that the function's author knows."""
    for prefix in ((home / SOURCE).as_uri() + "/", f"{home / SOURCE}/", home.as_uri() + "/", f"{home}/"):
        text = text.replace(prefix, "")
    return text


def _reached(modules: Mapping[str, Any], redirects: Mapping[str, str], start: str) -> list[Mapping[str, Any]]:
    """The modules that run when ``start`` does, first come first."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [start]
    while waiting:
        specifier = waiting.pop(0)
        specifier = redirects.get(specifier, specifier)
        if specifier not in found and specifier in modules:
            found[specifier] = modules[specifier]
            waiting += [target for _, target, _ in _imports(modules[specifier], ("code",))]
    return list(found.values())


def _imports(
    module: Mapping[str, Any], ways: Sequence[str] = ("code", "type")
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """As written, as resolved, and where it begins. Those of code alone are what runs at once."""
    return [
        (dependency["specifier"], dependency[way]["specifier"], dependency[way].get("span", {}).get("start", {}))
        for dependency in module.get("dependencies", [])
        for way in ways
        if "specifier" in dependency.get(way, {}) and not (ways == ("code",) and _is_no_code(dependency))
    ]


def _is_no_code(dependency: Mapping[str, Any]) -> bool:
    """Imported later, or as a text or JSON."""
    return bool(dependency.get("isDynamic") or dependency.get("assertionType"))


def _leaves(specifier: str, source: Path) -> bool:
    url = urlsplit(specifier)
    if url.scheme.lower() != "file":
        return False
    path = Path(posixpath.normpath(unquote(url.path))).resolve()
    return not path.is_relative_to(source)


def _place(module: Mapping[str, Any], at: Mapping[str, Any], source: Path) -> str:
    file = readable(module["specifier"], source.parent)
    return f"{file}:{at['line'] + 1}:{at['character'] + 1}" if at else file
