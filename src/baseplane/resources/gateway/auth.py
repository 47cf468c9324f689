"""/auth/v1 of a project: its public keys, with which everybody checks its tokens. The rest of auth is not here yet."""

from collections.abc import Awaitable, Callable
from typing import Any

from baseplane.drivers.gateway import Answer, Forward
from baseplane.resources.gateway import answers
from baseplane.resources.gateway.absent import absent
from baseplane.resources.gateway.call import Call, Service

JWKS_PATH = "/.well-known/jwks.json"
CACHED = {"cache-control": "public, max-age=600"}
"""Ten minutes, as keys are in standby for longer before they sign."""


def auth(jwks: Callable[[str], Awaitable[dict[str, Any]]]) -> Service:
    """``jwks`` gives a project's public keys. It raises NotFound, Unavailable."""

    async def answer(call: Call) -> Forward | Answer:
        if call.rest.partition("?")[0] != JWKS_PATH:
            raise absent("auth/v1")
        if answers.is_preflight(call.request):
            return answers.preflight(call.request)
        if call.request.method not in {"GET", "HEAD"}:
            return answers.error(
                405, "Public keys are read with GET.", "METHOD_NOT_ALLOWED", headers={"allow": "GET, HEAD"}
            )
        return answers.json(await jwks(call.ref), CACHED)

    return answer
