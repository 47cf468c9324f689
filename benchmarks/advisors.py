"""Both advisors on a schema of 200 tables, through HTTP; connections are kept, the first answer counts too."""

import time

from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation
from benchmarks.tenant import schema_of_200_tables


def advisors(installation: Installation, times: int) -> list[Figure]:
    ref = installation.create("advisors")
    installation.await_status(ref, "ACTIVE_HEALTHY")
    installation.http.post(
        f"/v1/projects/{ref}/database/query", json={"query": schema_of_200_tables()}
    ).raise_for_status()
    figures = []
    for category in ("security", "performance"):
        taken, found = [], 0
        for _ in range(times):
            began = time.perf_counter()
            answer = installation.http.get(f"/v1/projects/{ref}/advisors/{category}")
            taken.append(time.perf_counter() - began)
            found = len(answer.raise_for_status().json()["lints"])
        note = f"{found} findings, 200 tables"
        figures += [
            Figure(f"advisors/{category}, p50", quantile(taken, 0.5) * 1000, "ms", 300, note),
            Figure("  the same, slowest", max(taken) * 1000, "ms", 300, f"of {times}"),
        ]
    return figures
