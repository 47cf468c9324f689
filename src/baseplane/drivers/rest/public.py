"""The Data API from outside, as users reach it."""

import contextlib

import aiohttp
import orjson

from baseplane.drivers.rest import RestFailed

NOWHERE = "REST_NOT_REACHED"
"""``code`` when nobody answered at all."""


async def probe(url: str) -> None:
    """Ask ``url``, a project's /rest/v1, what may be asked there: the door, the server and its schema answer for it.

    Raises RestFailed with what was said, and the ``code`` of it.
    """
    try:
        async with aiohttp.ClientSession() as http, http.options(f"{url}/", allow_redirects=False) as answer:
            if answer.status != 200:
                raise _refusal(answer.status, await answer.read())
    except (aiohttp.ClientError, OSError) as error:
        raise RestFailed(f"The HTTP door does not answer: {error}", code=NOWHERE) from error


def _refusal(status: int, body: bytes) -> RestFailed:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        said = orjson.loads(body)
        return RestFailed(str(said["message"]), code=said.get("code"))
    return RestFailed(f"The HTTP door answered with status {status}.")
