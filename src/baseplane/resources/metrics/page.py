"""Metrics as families of samples, and the text that Prometheus reads."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""The one format that every Prometheus reads: which others somebody asks for does not matter."""

Value = float | datetime | None
Family = GaugeMetricFamily | CounterMetricFamily


class Page(Collector):
    """Gathers samples by family. ``labels`` are those of each sample, which may give them other values."""

    def __init__(self, **labels: str) -> None:
        self._labels = labels
        self._families: dict[str, Family] = {}

    def gauge(self, name: str, about: str, value: Value, **labels: str) -> None:
        """Moments become Unix time in seconds. None is what is not known: it is not shown."""
        self._add(GaugeMetricFamily, name, about, value, labels)

    def counter(self, name: str, about: str, value: Value, **labels: str) -> None:
        """The same for what only grows."""
        self._add(CounterMetricFamily, name, about, value, labels)

    def _add(self, kind: type[Family], name: str, about: str, value: Value, labels: dict[str, str]) -> None:
        if value is None:
            return
        labels = dict(sorted({**self._labels, **labels}.items()))  # a family's samples have them in one order
        family = self._families.setdefault(name, kind(name, about, labels=[*labels]))
        family.add_metric([*labels.values()], value.timestamp() if isinstance(value, datetime) else float(value))

    def collect(self) -> Iterable[Family]:
        return self._families.values()

    def text(self, *others: CollectorRegistry) -> bytes:
        """With what ``others`` have measured."""
        return generate_latest(self) + b"".join(generate_latest(other) for other in others)
