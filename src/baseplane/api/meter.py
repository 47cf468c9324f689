"""What an API process measures of itself: its requests, its memory, its processor time."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
"""Seconds."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each, which no Prometheus needs


class Meter:
    """One of a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "baseplane_api_request_duration_seconds",
            "Requests to this process by the operation's id in the contract (other: none of these) and class of status.",
            ("operation", "code"),
            buckets=BUCKETS,
            registry=self.registry,
        )

    def observe(self, scope: Mapping[str, Any], status: int, seconds: float) -> None:
        """A request is over; ``status`` is 0 where nothing was answered."""
        operation = getattr(scope.get("route"), "operation_id", None) or "other"
        self._requests.labels(operation, f"{status // 100}xx" if status else "none").observe(seconds)
