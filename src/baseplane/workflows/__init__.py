"""Durable work. A workflow is a list of steps in the order of time; a run of it survives the death of its worker.

Each step is idempotent, has a deadline, and is journalled before the next begins. A step that fails for good makes the
run undo what was done, last step first, and end in a state that names the cause.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from baseplane.database import Connection
from baseplane.errors import BaseplaneError
from baseplane.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Wait:
    """A step's answer: not yet, ask me again in so many seconds."""

    seconds: float


Do = Callable[[Runtime, str], Awaitable[Wait | None]]
Undo = Callable[[Runtime, str], Awaitable[None]]
Outcome = Callable[[Connection, str, str], Awaitable[None]]
"""Called with the transaction that ends the run, the subject and the cause."""


async def _nothing(_db: Connection, _subject: str, _cause: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Step:
    """``final`` lists the errors that no retry can mend."""

    name: str
    do: Do
    within: timedelta
    undo: Undo | None
    final: tuple[type[BaseplaneError], ...]


@dataclass(slots=True)
class Workflow:
    """``failed`` and ``cancelled`` write the subject's terminal state, in the transaction that ends the run."""

    name: str
    failed: Outcome = _nothing
    cancelled: Outcome = _nothing
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.name in WORKFLOWS:
            raise ValueError(f"two workflows are called {self.name}")
        WORKFLOWS[self.name] = self

    def step(
        self,
        *,
        within: timedelta = timedelta(seconds=30),
        undo: Undo | None = None,
        final: tuple[type[BaseplaneError], ...] = (),
    ) -> Callable[[Do], Do]:
        """Append a step. An error is retried with backoff until ``within`` is over, unless it is ``final``."""

        def append(do: Do) -> Do:
            self.steps.append(Step(do.__name__, do, within, undo, final))
            return do

        return append


WORKFLOWS: dict[str, Workflow] = {}
"""All workflows by name, so that any worker can carry on any run."""
