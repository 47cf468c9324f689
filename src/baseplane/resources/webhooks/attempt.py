"""One attempt to send a queued request, and what follows from it: done for good, or again later.

What net.http_get and its like queue is sent once, as users of pg_net know. What a webhook queues is tried again: while no
server takes it for ``UNREACHABLE_FOR``; when one answers 429 or 5xx, or not in time, up to ``ATTEMPTS`` times.
"""

import random

from baseplane.database import storable
from baseplane.drivers.outbound import Answer, Broken, Outbound, Refused, TimedOut, Unreachable
from baseplane.resources.webhooks.outbox import MAX_BODY, MAX_TEXT, Again, Done, Queued

ATTEMPTS = 6
UNREACHABLE_FOR = 600.0
"""Seconds since it was queued after which a request is tried no more."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between two attempts: doubled each time, give or take a quarter."""
LONGEST_TIMEOUT = 60.0
MAX_ANSWER = 1024 * 1024


async def attempt(sender: Outbound, queued: Queued) -> Done | Again:
    """Send it once. Whatever was wrong with it becomes the outcome."""
    unreachable = False
    try:
        answer = await _send(sender, queued)
    except Refused as error:
        return Done(queued.id, error=storable(error.message))
    except (Unreachable, Broken) as error:
        unreachable = isinstance(error, Unreachable)
        outcome = Done(queued.id, timed_out=isinstance(error, TimedOut), error=storable(error.message))
    else:
        outcome = _answered(queued, answer)
        if answer.status < 500 and answer.status != 429:
            return outcome
    if _is_over(queued, unreachable=unreachable):
        return outcome
    return Again(queued.id, min(LONGEST_WAIT, FIRST_WAIT * 2**queued.attempts) * random.uniform(0.75, 1.25))  # noqa: S311


async def _send(sender: Outbound, queued: Queued) -> Answer:
    if queued.url is None or queued.headers is None:
        raise Refused(f"url and headers may have {MAX_TEXT} bytes each.")
    if queued.body is None and queued.body_size:
        raise Refused(f"body: {queued.body_size} bytes; {MAX_BODY} are sent at most.")
    if not isinstance(queued.headers, dict):
        raise Refused("headers: not a JSON object.")
    if queued.timeout_milliseconds <= 0:
        raise Refused("timeout_milliseconds: must be more than 0.")
    return await sender.send(
        queued.method.upper(),
        queued.url,
        {name: text if isinstance(text, str) else str(text) for name, text in queued.headers.items()},
        queued.body,
        within=min(queued.timeout_milliseconds / 1000, LONGEST_TIMEOUT),
        max_bytes=MAX_ANSWER,
    )


def _answered(queued: Queued, answer: Answer) -> Done:
    headers = {storable(name): storable(text) for name, text in answer.headers.items()}
    cut = f"The answer is longer than {MAX_ANSWER} bytes; only its beginning is kept." if answer.is_cut else None
    return Done(queued.id, answer.status, headers.get("content-type"), headers, storable(answer.text), error=cut)


def _is_over(queued: Queued, *, unreachable: bool) -> bool:
    if not queued.is_hook or queued.age > UNREACHABLE_FOR:
        return True
    return not unreachable and queued.attempts + 1 >= ATTEMPTS
