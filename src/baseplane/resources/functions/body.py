"""A function's source, as clients download it."""

import secrets
from collections.abc import Iterator, Mapping

import orjson
from fastapi import Response

from baseplane.resources.functions.store import Function
from baseplane.resources.functions.uploads import ESZIP, MULTIPART

FOLDER = "source"
"""Before every path, as in the URLs of a function: clients take it off both (clients.md, section 5.6)."""


def whole(function: Function, files: Mapping[str, bytes]) -> Response:
    """Every file, and which of them is the entrypoint under both names by which clients look for it."""
    boundary = f"baseplane-{secrets.token_hex(16)}"
    body = b"".join(_parts(function, files, boundary))
    return Response(body, media_type=f"{MULTIPART}; boundary={boundary}")


def _parts(function: Function, files: Mapping[str, bytes], boundary: str) -> Iterator[bytes]:
    entrypoint = f"{FOLDER}/{function.entrypoint}"
    metadata = {"entrypoint_path": entrypoint, "deno2_entrypoint_path": entrypoint}
    begin = f"--{boundary}\r\nContent-Disposition: form-data; name="
    yield f'{begin}"metadata"\r\nContent-Type: application/json\r\n\r\n'.encode()
    yield orjson.dumps(metadata) + b"\r\n"
    for path, data in files.items():
        name = f"{FOLDER}/{path}"
        quoted = name.replace('"', "%22")  # as browsers do; a path has no line break
        yield f'{begin}"file"; filename="{quoted}"\r\nSupabase-Path: {name}\r\n'.encode()
        yield b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def bundle(data: bytes) -> Response:
    """As the CLI sent it."""
    return Response(data, media_type=ESZIP)


def entrypoint(function: Function, files: Mapping[str, bytes]) -> Response:
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(files[function.entrypoint], headers=headers, media_type="text/plain; charset=utf-8")
