"""Wakes sleeping projects for requests that need their database, and keeps those awake that have some."""

import time

from baseplane.resources.projects import sleep
from baseplane.resources.projects.store import Project
from baseplane.runtime import Runtime


class Waker:
    """One of a process. What it has told the platform database, it tells again only after a while."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._told: dict[str, float] = {}

    async def awaken(self, project: Project) -> None:
        """Return when the project's cluster runs, as far as sleep is concerned. Raises Unavailable, with the cause."""
        if not project.asleep:
            idle = self._rt.settings.sleep_after * 60
            if not idle or self._told.get(project.ref, float("-inf")) + idle / 12 > time.monotonic():
                return
        now = time.monotonic()
        await sleep.awaken(self._rt, project)
        if len(self._told) > 10_000:
            self._told.clear()
        self._told[project.ref] = now
