"""Files that Deno would run though their names do not say that they are code.

``import("./notes" + ".txt")`` runs notes.txt, and lets it import what it may not read; ``deno info`` does not look into it. So
while the graph is checked, such files are there once more under names that it looks into.
"""

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

MODULES = {".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".wasm"}
_NEVER_RUN = {".css", ".json", ".jsonc", ".md"}
_NAMES = (".mjs", ".mts")  # what is no JavaScript may be TypeScript, and the other way round


class Shadows:
    def __init__(self) -> None:
        self.names: list[str] = []
        self._token = secrets.token_hex(8)

    def cast(self, source: Path, file: str) -> None:
        for ending in _NAMES:
            shadow = f"{file}.{self._token}{ending}"
            try:
                os.link(source / file, source / shadow)
            except OSError:  # the name is as long as a name may be
                shadow = f"{PurePosixPath(file).with_name(self._token + str(len(self.names)))}{ending}"
                os.link(source / file, source / shadow)
            self.names.append(shadow)

    def unnamed(self, message: str) -> str:
        """With the names of the files themselves."""
        return re.sub(rf"\.{self._token}\.m[jt]s", "", message)


@contextmanager
def shadows(source: Path, files: Iterable[str]) -> Iterator[Shadows]:
    """Of those among ``files`` that need one. They are gone afterwards."""
    made = Shadows()
    try:
        for file in files:
            if PurePosixPath(file).suffix.lower() not in MODULES | _NEVER_RUN:
                made.cast(source, file)
        yield made
    finally:
        for name in made.names:
            (source / name).unlink(missing_ok=True)
