"""The limit: the same answer from uvicorn with nothing behind it, bare or under FastAPI.

python -m benchmarks.bare asgi|fastapi PORT BODY
"""

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Response


def application(kind: str, body: bytes) -> Any:
    async def asgi(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    async def constant(ref: str) -> Response:  # noqa: ARG001
        return Response(body, media_type="application/json")

    fastapi = FastAPI()
    fastapi.add_api_route("/v1/projects/{ref}", constant)
    return fastapi if kind == "fastapi" else asgi


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[1], sys.argv[3].encode()),
        port=int(sys.argv[2]),
        log_level="critical",
        access_log=False,
        lifespan="off",
        http="httptools",
        loop="uvloop",
    )
