"""Idempotency-Key: a repeated POST gets the first answer, and acts once.

The key is inserted in the transaction of the request: a repetition that comes meanwhile waits for it, one that comes
later finds the answer, and a request that fails leaves no key behind.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable

import orjson
from fastapi import Response

from baseplane.api.context import Context
from baseplane.database import Connection
from baseplane.errors import Invalid

MAX_KEY = 255
DAYS = 7
REPLAYED = {"Idempotency-Replayed": "true"}
REUSED = "Idempotency-Key: this key was used for another request; take a new one."


def check_key(key: str) -> None:
    """Raises Invalid."""
    if not 0 < len(key) <= MAX_KEY:
        raise Invalid(f"Idempotency-Key: must have 1 to {MAX_KEY} characters.")


async def once(db: Connection, ctx: Context, key: str, answer: Callable[[], Awaitable[Response]]) -> Response:
    """Raises Invalid when the key was used for another request."""
    check_key(key)
    target = f"{ctx.method} {ctx.url.path}?{ctx.url.query}\n"
    fingerprint = hashlib.sha256(target.encode() + await ctx.body()).digest()
    user = ctx.caller.user_id
    await db.execute("delete from idempotency_keys where created_at < now() - make_interval(days => %s)", [DAYS])
    inserted = await db.execute(
        "insert into idempotency_keys (user_id, key, request) values (%s, %s, %s) on conflict do nothing",
        [user, key, fingerprint],
    )
    if not inserted.rowcount:
        return await _first_answer(db, ctx, key, fingerprint)
    response = await answer()
    sealed = ctx.rt.keyring.seal(_pack(response), f"idempotency_keys:{user}:{key}")
    await db.execute(
        "update idempotency_keys set status = %s, answer = %s where user_id = %s and key = %s",
        [response.status_code, sealed, user, key],
    )
    return response


async def _first_answer(db: Connection, ctx: Context, key: str, fingerprint: bytes) -> Response:
    user = ctx.caller.user_id
    cursor = await db.execute(
        "select request, status, answer from idempotency_keys where user_id = %s and key = %s", [user, key]
    )
    found = await cursor.fetchone()
    assert found is not None  # the insert clashed with it
    request, status, sealed = found
    if request != fingerprint:
        raise Invalid(REUSED)
    ctx.authorized = True  # the first request was
    packed = orjson.loads(ctx.rt.keyring.open(sealed, f"idempotency_keys:{user}:{key}"))
    body = base64.b64decode(packed["body"])
    return Response(body, status, media_type=packed["type"], headers=REPLAYED)


def _pack(response: Response) -> str:
    body = base64.b64encode(response.body).decode()
    return orjson.dumps({"type": response.headers.get("content-type"), "body": body}).decode()
