"""What the gateway answers itself: errors as JSON that browsers may read, and preflights."""

from collections.abc import Mapping

import orjson

from baseplane import errors
from baseplane.api.answers import status_of
from baseplane.drivers.gateway import Answer, Request, codes

ALLOWED_HEADERS = (
    "authorization, x-client-info, apikey, content-type, accept, accept-profile, content-profile, prefer, range,"
    " range-unit, x-region, x-supabase-api-version, x-upsert, x-http-method-override, idempotency-key"
)
"""What supabase-js sends, when a preflight does not say what it asks for."""
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
ORIGIN = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "content-length, content-range, retry-after, sb-error-code, sb-request-id",
}


def error(
    status: int,
    message: str,
    code: str | None = None,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """``code`` is for programs, and that of the status unless there is a closer one; ``hint`` says what to do."""
    code = code or codes.of(status)
    body = {"message": message, "code": code, **({"hint": hint} if hint else {})}
    own = {"content-type": "application/json", **ORIGIN, codes.HEADER: code, **(headers or {})}
    return Answer(status, orjson.dumps(body), own, {"reason": message, "code": code})


def of_error(raised: errors.BaseplaneError) -> Answer:
    """What was foreseen, with the status of its kind."""
    headers: dict[str, str] = {}
    if isinstance(raised, errors.RateLimited):
        headers = raised.headers
    elif isinstance(raised, errors.Unauthorized):
        headers = {"www-authenticate": "Bearer"}
    code, hint = raised.extra.get("code"), raised.extra.get("hint")
    return error(status_of(raised), raised.message, str(code) if code else None, str(hint) if hint else None, headers)


def json(body: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps(body), {"content-type": "application/json", **ORIGIN, **(headers or {})})


def is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def preflight(request: Request) -> Answer:
    """Let the browser send its request: what it then gets says more than a preflight could."""
    asked = request.headers.get("access-control-request-headers") or ALLOWED_HEADERS
    headers = {"access-control-allow-headers": asked, "access-control-allow-methods": METHODS, **ORIGIN}
    return Answer(204, b"", {**headers, "access-control-max-age": "3600", "vary": "access-control-request-headers"})
