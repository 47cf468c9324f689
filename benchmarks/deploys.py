"""Deploying a function of one file, through HTTP, until it is known to load and serves."""

import json
import time

from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation


def deploys(installation: Installation, times: int) -> list[Figure]:
    """One after the other, each a new version; the first makes the project's user and unpacks what runs functions."""
    ref = installation.create("functions")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    taken = []
    for number in range(times + 1):
        source = f'Deno.serve(() => new Response("hello {number}"));'
        began = time.perf_counter()
        installation.http.post(
            f"/v1/projects/{ref}/functions/deploy",
            params={"slug": "hello"},
            data={"metadata": json.dumps({"entrypoint_path": "index.ts"})},
            files={"file": ("index.ts", source)},
        ).raise_for_status()
        taken.append(time.perf_counter() - began)
    return [
        Figure("deploy of a function of one file, p50", quantile(taken[1:], 0.5) * 1000, "ms", 500),
        Figure("deploy of a function of one file, p95", quantile(taken[1:], 0.95) * 1000, "ms", 500),
        Figure("deploy of a function of one file, the first", taken[0] * 1000, "ms"),
    ]
