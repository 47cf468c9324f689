"""python -m benchmarks [NAME ...] [--quick] [--json FILE]"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.advisors import advisors
from benchmarks.api import api
from benchmarks.backups import backups, loss
from benchmarks.clones import clones
from benchmarks.deploys import deploys
from benchmarks.figures import HEADER, Figure
from benchmarks.functions import functions
from benchmarks.gateway import gateway
from benchmarks.idle import idle
from benchmarks.ingress import ingress, sessions, wake
from benchmarks.installation import Installation, running
from benchmarks.lifecycle import create, resume
from benchmarks.query import query
from benchmarks.replicas import replicas
from benchmarks.rest import rest
from benchmarks.types import types
from benchmarks.upgrades import upgrades
from benchmarks.webhooks import webhooks
from benchmarks.whole_path import whole_path

BENCHMARKS: dict[str, tuple[Callable[[Installation], list[Figure]], Callable[[Installation], list[Figure]]]] = {
    "create": (lambda i: create(i, 20), lambda i: create(i, 3)),
    "resume": (lambda i: resume(i, 10), lambda i: resume(i, 2)),
    "api": (lambda i: api(i, 5), lambda i: api(i, 0.5)),
    "query": (lambda i: query(i, 300), lambda i: query(i, 20)),
    "advisors": (lambda i: advisors(i, 30), lambda i: advisors(i, 3)),
    "ingress": (lambda i: ingress(i, 4, 5), lambda i: ingress(i, 1, 1)),
    "sessions": (lambda i: sessions(i, 2000), lambda i: sessions(i, 20)),
    "gateway": (lambda i: gateway(i, 4, 5), lambda i: gateway(i, 1, 1)),
    "whole_path": (lambda i: whole_path(i, 3, 5), lambda i: whole_path(i, 1, 1)),
    "wake": (lambda i: wake(i, 6), lambda i: wake(i, 1)),
    "replicas": (lambda i: replicas(i, 10, 500), lambda i: replicas(i, 2, 20)),
    "webhooks": (lambda i: webhooks(i, 5000), lambda i: webhooks(i, 200)),
    "rest": (lambda i: rest(i, 12, 1000), lambda i: rest(i, 2, 50)),
    "functions": (lambda i: functions(i, 40, 3000), lambda i: functions(i, 3, 100)),
    "deploys": (lambda i: deploys(i, 40), lambda i: deploys(i, 3)),
    "types": (lambda i: types(i, 50), lambda i: types(i, 5)),
    "upgrades": (lambda i: upgrades(i, 1024), lambda i: upgrades(i, 20)),
    "backups": (lambda i: backups(i, 1, 10), lambda i: backups(i, 0.1, 2)),
    "clones": (lambda i: clones(i, 1, 10), lambda i: clones(i, 0.1, 2)),
    "loss": (lambda i: loss(i, 30), lambda i: loss(i, 15)),
    "idle": (lambda i: idle(i, (10, 25)), lambda i: idle(i, (1, 2))),
}
"""Each in full, and quick."""
SETTINGS = {"wake": {"BASEPLANE_SLEEP_AFTER": "5"}, "backups": {"BASEPLANE_BACKUP_INCREMENTAL_FROM": "0.05"}}
"""Of the installation that a benchmark runs on."""


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
        with running(**SETTINGS.get(name, {})) as installation:
            for figure in BENCHMARKS[name][given.quick](installation):
                print(figure.row(), flush=True)
                figures.append(figure)
    if given.json:
        given.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1))


if __name__ == "__main__":
    main()
