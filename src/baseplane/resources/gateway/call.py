"""A request that found its project, and who answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from baseplane.drivers.gateway import Answer, Forward, Request


@dataclass(frozen=True, slots=True)
class Call:
    """``rest`` is what follows the service's name in the target, with the query: "/hello?a=1" of
    "/functions/v1/hello?a=1". It is empty or begins with a slash or a question mark.
    """

    ref: str
    request: Request
    rest: str


Service = Callable[[Call], Awaitable[Forward | Answer]]
"""Answers for one part of a project's address, or says where that is done. Raises BaseplaneError, which becomes an
answer: credentials.Refused 401, NotFound 404, Invalid 400, Unavailable 503.
"""
