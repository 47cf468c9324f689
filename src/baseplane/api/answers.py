"""Answers in the contract's shapes: errors as {"message": …}, and nothing at all where the contract has no body."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from baseplane import errors
from baseplane.api import front

STATUS: dict[type[errors.BaseplaneError], int] = {
    errors.Invalid: 400,
    errors.Unauthorized: 401,
    errors.QuotaExceeded: 402,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.RateLimited: 429,
    errors.NotYet: 503,
    errors.Unavailable: 503,
}


_FASTAPI_UNREADABLE = "There was an error parsing the body"
_KINDS = ("specific", "smartGroup", "gp3", "io2")
"""Names of a union's members, which are no part of a field's name."""
_UNREADABLE = "The body cannot be read: it is not JSON in UTF-8, or nested too deeply."


class Empty(Response):
    """A 2xx without a body. Content-Length: 0 and no content type, since SDKs parse what claims to be JSON."""


def answer(status: int, message: str, headers: Mapping[str, str] | None = None, **extra: object) -> Response:
    body = orjson.dumps({"message": message, **extra})
    return Response(body, status, headers=dict(headers or {}), media_type="application/json")


def status_of(error: errors.BaseplaneError) -> int:
    """The status of the nearest class that has one; what a driver raises counts as unavailable."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 503)


async def _foreseen(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.BaseplaneError)
    headers = error.headers if isinstance(error, errors.RateLimited) else {}
    if isinstance(error, errors.NotYet):
        headers = {"Retry-After": "5"}
    if isinstance(error, errors.Unauthorized):
        headers = {"WWW-Authenticate": "Bearer"}
    return answer(status_of(error), error.message, headers, **error.extra)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(400, "; ".join(dict.fromkeys(map(_fault, error.errors()))))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return answer(404, front.not_found(request))
    if error.status_code == 405:
        message, allowed = front.not_allowed(request)
        return answer(405, message, {"Allow": allowed})
    message = _UNREADABLE if error.detail == _FASTAPI_UNREADABLE else str(error.detail)
    return answer(error.status_code, message, error.headers)


def _fault(fault: Mapping[str, Any]) -> str:
    """One faulty field in words: which, and which rule."""
    where = _name(fault["loc"])
    if fault["type"] == "json_invalid":
        return f"The body is not JSON: {fault['ctx']['error']} (at character {fault['loc'][-1]})"
    if fault["type"] == "missing":
        return f"{where}: is required" if where else "A JSON body is required"
    if not where and fault["type"] != "value_error":
        return f"The body must be a JSON {'array' if fault['type'] == 'list_type' else 'object'}"
    if fault["type"] == "extra_forbidden":
        return f"{where}: is not a field of this operation"
    text = str(fault["msg"]).removeprefix("Value error, ")
    return f"{where}: {text[:1].lower()}{text[1:]}" if where else text


def _name(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location[1:] if part not in _KINDS)


def install(app: FastAPI) -> None:
    app.add_exception_handler(errors.BaseplaneError, _foreseen)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
