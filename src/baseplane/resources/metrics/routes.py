"""GET /metrics of the API, for the operator's Prometheus. It is none of the contract's operations."""

import asyncio
import re

import psycopg
from fastapi import Request, Response

from baseplane.api.edge import Edge
from baseplane.database.secrets import digest
from baseplane.errors import Unauthorized, Unavailable
from baseplane.resources.accounts.store import reads_metrics
from baseplane.resources.metrics import installation
from baseplane.resources.metrics.page import CONTENT_TYPE, Page
from baseplane.runtime import Runtime

PATH = "/metrics"
WITHIN = 8.0
"""Seconds; Prometheus gives up after ten."""
_BEARER = re.compile(r"bearer +(bpm_[0-9a-f]{40}) *", re.IGNORECASE)


async def read_metrics(request: Request) -> Response:
    """Raises Unauthorized, RateLimited, Unavailable."""
    edge: Edge = request.app.state.edge
    page = await _page(edge.rt, request.headers.get("authorization", ""))
    if page is None:
        await edge.count_stranger(request)
        raise Unauthorized(
            "Unauthorized: metrics need Authorization: Bearer with a token of `baseplane token metrics`."
        )
    return Response(page.text(edge.meter.registry), media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


async def _page(rt: Runtime, authorization: str) -> Page | None:
    """None for those who may not see it. Raises Unavailable."""
    shown = _BEARER.fullmatch(authorization)
    if shown is None:
        return None
    try:
        async with asyncio.timeout(WITHIN), rt.database.connection() as db:
            if await reads_metrics(db, digest(shown[1])):
                return await installation.read(db, rt.settings, is_archived=rt.archive.is_on)
    except (psycopg.Error, TimeoutError) as error:
        raise Unavailable("The platform database does not answer in time.") from error
    return None
