"""What the names in a function's imports mean: its author's import map, and what the platform's templates take for
granted. The result is a Deno configuration of our own, beside the source.
"""

import json
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from baseplane.drivers.functions import FunctionBroken, FunctionSpec

SOURCE = "source"
"""The folder of the source, beside the configuration."""
_CONFIGURATIONS = ("deno.json", "deno.jsonc", "import_map.json")
_COMPILER_OPTIONS = (
    "emitDecoratorMetadata", "experimentalDecorators", "jsx", "jsxFactory", "jsxFragmentFactory", "jsxImportSource",
    "jsxImportSourceTypes",
)  # fmt: skip
_NOTHING = "data:application/typescript,export%20%7B%7D"
_TYPES = re.compile(r"jsr:/?@supabase/functions-js(@[^/\s]+)?(/.*)?")
_FILE_OF_TYPES = "edge-runtime.d.ts"
_PACKAGE = re.compile(r"jsr:(/?@supabase/[\w-]+(@[^/\s]+)?(/.*)?)")
_MENTIONED = re.compile(rb"""["'](jsr:/?@supabase/[^"'\s\\]{1,200})["']""")
_MODULES = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_COMMENTS = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMAS = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


def configuration(spec: FunctionSpec, source: Mapping[str, bytes]) -> str:
    """The text of deno.json. Raises FunctionBroken."""
    name = _named(spec, source)
    theirs = _parse(source, name) if name else {}
    folder = posixpath.dirname(name) if name else ""
    if isinstance(map_name := theirs.get("importMap"), str) and "imports" not in theirs:
        name = posixpath.normpath(posixpath.join(folder, map_name))
        theirs = {**theirs, **_parse(source, name)}
        folder = posixpath.dirname(name)
    scopes = _table(theirs, "scopes", name)
    options = _table(theirs, "compilerOptions", name)
    return json.dumps(
        {
            "imports": {**_defaults(source), **_addresses(_table(theirs, "imports", name), folder)},
            "scopes": {
                _placed(scope, folder): _addresses(_table(scopes, scope, name), folder) for scope in scopes
            },
            "compilerOptions": {
                key: options[key] for key in _COMPILER_OPTIONS if isinstance(options.get(key), str | bool)
            },
            "lock": False,
            "nodeModulesDir": "none",
        }
    )  # fmt: skip


def _named(spec: FunctionSpec, source: Mapping[str, bytes]) -> str | None:
    """The import map that was named at deployment, else the configuration nearest to the entrypoint."""
    if spec.import_map:
        if spec.import_map not in source:
            raise FunctionBroken(f"There is no import map {spec.import_map} among the function's files.")
        return spec.import_map
    folder = posixpath.dirname(spec.entrypoint)
    while True:
        for name in _CONFIGURATIONS:
            if (path := posixpath.join(folder, name)) in source:
                return path
        if not folder:
            return None
        folder = posixpath.dirname(folder)


def _parse(source: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in source:
        raise FunctionBroken(f"There is no import map {name} among the function's files.")
    try:
        text = _COMMENTS.sub(lambda found: found[1] or " ", source[name].decode())
        parsed = json.loads(_TRAILING_COMMAS.sub(lambda found: found[1] or "", text))
    except (ValueError, RecursionError) as error:
        raise FunctionBroken(f"{name} is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise FunctionBroken(f"{name} is not a JSON object.")
    return parsed


def _table(parsed: Mapping[str, Any], key: str, name: str | None) -> dict[str, Any]:
    value = parsed.get(key, {})
    if not isinstance(value, dict):
        raise FunctionBroken(f"{key} in {name} is not a JSON object.")
    return value


def _addresses(imports: Mapping[str, Any], folder: str) -> dict[str, str]:
    found = {_placed(key, folder): _placed(to, folder) for key, to in imports.items() if isinstance(to, str)}
    # A package is mapped once for all of its files; those of types are one.
    types = [key.rstrip("/") for key, to in imports.items() if isinstance(to, str) and _TYPES.fullmatch(to)]
    return {**{f"{key}/{_FILE_OF_TYPES}": _NOTHING for key in types}, **found}


def _placed(name: str, folder: str) -> str:
    """A path is meant from the folder of its import map; ours lies one above the source."""
    if not name.startswith(("./", "../")):
        return _elsewhere(name) or name
    path = posixpath.normpath(posixpath.join(SOURCE, folder, name))
    return f"./{path}/" if name.endswith("/") else f"./{path}"


def _defaults(source: Mapping[str, bytes]) -> dict[str, str]:
    """For what the source mentions of packages that are on npm as well: JSR need not be reached for them."""
    mentioned = {
        name.decode(errors="replace")
        for path, content in source.items()
        if path.endswith(_MODULES)
        for name in _MENTIONED.findall(content)
    }
    return {name: address for name in sorted(mentioned) if (address := _elsewhere(name)) is not None}


def _elsewhere(name: str) -> str | None:
    """Types for the editor are nothing at run time."""
    if _TYPES.fullmatch(name) and not name.endswith("/"):
        return _NOTHING
    package = _PACKAGE.fullmatch(name)
    return f"npm:{package[1]}" if package else None
