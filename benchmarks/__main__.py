"""python -m benchmarks [create resume api query types idle] [--quick] [--json FILE]"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.api import api
from benchmarks.figures import HEADER, Figure
from benchmarks.idle import idle
from benchmarks.installation import Installation, running
from benchmarks.lifecycle import create, resume
from benchmarks.query import query
from benchmarks.types import types

BENCHMARKS: dict[str, tuple[Callable[[Installation], list[Figure]], Callable[[Installation], list[Figure]]]] = {
    "create": (lambda i: create(i, 20), lambda i: create(i, 3)),
    "resume": (lambda i: resume(i, 10), lambda i: resume(i, 2)),
    "api": (lambda i: api(i, 5), lambda i: api(i, 0.5)),
    "query": (lambda i: query(i, 300), lambda i: query(i, 20)),
    "types": (lambda i: types(i, 50), lambda i: types(i, 5)),
    "idle": (lambda i: idle(i, (10, 25)), lambda i: idle(i, (1, 2))),
}
"""Each in full, and quick."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure a real installation on this machine.")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which benchmarks; all by default")
    parser.add_argument("--quick", action="store_true", help="small counts: to see that it works, not to quote")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
    print(HEADER)
    figures = []
    for name in given.names or BENCHMARKS:
        with running() as installation:
            for figure in BENCHMARKS[name][given.quick](installation):
                print(figure.row(), flush=True)
                figures.append(figure)
    if given.json:
        given.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1))


if __name__ == "__main__":
    main()
