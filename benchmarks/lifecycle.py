"""How long a project takes to come up, and to come back."""

import time

from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation


def create(installation: Installation, times: int) -> list[Figure]:
    """From the POST to the first answer that says ACTIVE_HEALTHY, one project after the other."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        ref = installation.create(f"create-{number}")
        installation.await_status(ref, "ACTIVE_HEALTHY")
        taken.append(time.perf_counter() - began)
    return [
        Figure("create to ACTIVE_HEALTHY, p50", quantile(taken, 0.5), "s", 1.0, f"of {times}"),
        Figure("create to ACTIVE_HEALTHY, p95", quantile(taken, 0.95), "s", 1.0, f"of {times}"),
    ]


def resume(installation: Installation, times: int) -> list[Figure]:
    """From the POST of restore to ACTIVE_HEALTHY."""
    ref, taken = installation.create("resume"), []
    installation.await_status(ref, "ACTIVE_HEALTHY")
    for _ in range(times):
        installation.http.post(f"/v1/projects/{ref}/pause").raise_for_status()
        installation.await_status(ref, "INACTIVE")
        began = time.perf_counter()
        installation.http.post(f"/v1/projects/{ref}/restore").raise_for_status()
        installation.await_status(ref, "ACTIVE_HEALTHY")
        taken.append(time.perf_counter() - began)
    return [
        Figure("resume after pause, p50", quantile(taken, 0.5), "s", 0.3, f"of {times}"),
        Figure("resume after pause, p95", quantile(taken, 0.95), "s", 0.3, f"of {times}"),
    ]
