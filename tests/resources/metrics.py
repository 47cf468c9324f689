"""Pages of metrics as Prometheus reads them."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.conftest import Client
from tests.resources.keys import legacy
from tests.resources.rest_door import Door

PATH = "/customer/v1/privileged/metrics"


@dataclass(frozen=True)
class Scraped:
    samples: Mapping[str, list[Sample]]
    """By name."""

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of the one sample with these labels; None without any."""
        found = [s.value for s in self.samples.get(name, ()) if labels.items() <= s.labels.items()]
        assert len(found) <= 1, f"{name} is there {len(found)} times"
        return found[0] if found else None

    def labels(self, name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in self.samples.get(name, ())}


def parsed(answer: httpx.Response) -> Scraped:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    return Scraped(samples)


async def scrape(door: Door, client: Client, ref: str) -> Scraped:
    """A project, with its service_role key."""
    auth = ("service_role", (await legacy(client, ref))["service_role"])
    return parsed(await door.http.get(f"/{ref}{PATH}", auth=auth))
