"""One line a request: what edge_logs are made of. No key and no token is in it."""

import re
from typing import Any

from baseplane.drivers.gateway import Record
from baseplane.resources.gateway.places import Place

_SECRETS = re.compile(
    r"(?P<name>(?:^|&)(?:apikey|token|access_token|refresh_token|token_hash|jwt)=)[^&]*", re.IGNORECASE
)
LONGEST = 2048
"""Characters of anything that a client wrote."""


def line(record: Record, place: Place | None, now: float) -> dict[str, Any]:
    """``timestamp`` is the request's beginning in microseconds, ``…_ms`` are milliseconds, sizes bytes of bodies."""
    request, headers = record.request, record.request.headers
    return {
        "id": request.id,
        "timestamp": int((now - record.taken) * 1_000_000),
        "project_ref": place.ref if place else None,
        "service": place.service if place else None,
        "method": request.method,
        "path": request.path[:LONGEST],
        "search": redacted(request.query)[:LONGEST] if request.query else "",
        "host": request.host[:255],
        "protocol": "https" if request.encrypted else "http",
        "status": record.status,
        "address": request.address,
        "user_agent": headers.get("user-agent", "")[:LONGEST],
        "client_info": headers.get("x-client-info", "")[:LONGEST],
        "referer": redacted_url(headers.get("referer", ""))[:LONGEST],
        "execution_ms": round(record.taken * 1000, 3),
        "first_byte_ms": round(record.first_byte * 1000, 3),
        "routed_ms": round(record.routed * 1000, 3),
        "received": record.received,
        "sent": record.sent,
        "error": record.error,
        "about": dict(record.about),
    }


def redacted(query: str) -> str:
    return _SECRETS.sub(r"\g<name>***", query)


def redacted_url(url: str) -> str:
    path, question, query = url.partition("?")
    return path + question + redacted(query)
