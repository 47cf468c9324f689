"""TypeScript types of a schema with 200 tables, through HTTP."""

import time

from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation
from benchmarks.tenant import schema_of_200_tables


def types(installation: Installation, times: int) -> list[Figure]:
    """The first after the project came up, whose connection is new, and then one after the other."""
    ref = installation.create("types")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    query = {"query": schema_of_200_tables()}
    installation.http.post(f"/v1/projects/{ref}/database/query", json=query).raise_for_status()
    taken, size = [], 0
    for _ in range(times + 1):
        began = time.perf_counter()
        size = len(installation.http.get(f"/v1/projects/{ref}/types/typescript").raise_for_status().content)
        taken.append(time.perf_counter() - began)
    note = f"{size / 1024:.0f} KB"
    return [
        Figure("types/typescript of 200 tables, p50", quantile(taken[1:], 0.5) * 1000, "ms", 100, note),
        Figure("types/typescript of 200 tables, p95", quantile(taken[1:], 0.95) * 1000, "ms", 100, note),
        Figure("types/typescript of 200 tables, the first", taken[0] * 1000, "ms"),
    ]
