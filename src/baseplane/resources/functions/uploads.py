"""What clients send: a function as files, as JSON with its source, or as a bundle that the CLI made."""

import asyncio
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from baseplane.api.bodies import without_null
from baseplane.errors import Invalid
from baseplane.resources.functions import eszip, source
from baseplane.resources.functions.schemas import DeployMetadata, FunctionParameters
from baseplane.resources.functions.source import Packed

ESZIP = "application/vnd.denoland.eszip"
MULTIPART = "multipart/form-data"
ONE_FILE = "index.ts"
"""The file that JSON holds the source of."""
MOST_METADATA = 256 * 1024
_METADATA, _FILE = "metadata", "file"

Model = TypeVar("Model", bound=BaseModel)


async def read_form(request: Request) -> tuple[DeployMetadata, Packed]:
    """Files in parts called file, and one part called metadata. Raises Invalid, TooLarge, RequestValidationError."""
    if not request.headers.get("content-type", "").startswith(MULTIPART):
        raise Invalid(f"The body must be {MULTIPART}: a part {_METADATA} with JSON, and a part {_FILE} for each file.")
    try:
        form = await request.form(max_files=source.MOST_FILES + 1, max_fields=10, max_part_size=MOST_METADATA)
    except HTTPException as error:
        if "Too many files" in error.detail:
            source.check_count(source.MOST_FILES + 1)
        raise Invalid(f"The body cannot be read as {MULTIPART}: {error.detail}") from error
    try:
        metadata = parse(DeployMetadata, await _metadata(form), _METADATA)
        files = [(name, data) async for name, data in _files(form)]
    finally:
        await form.close()
    found = source.gather(files, metadata.entrypoint_path, metadata.import_map_path)
    return metadata, await asyncio.to_thread(source.pack, found)


async def _metadata(form: FormData) -> bytes:
    """A field, or a blob: the MCP server sends it as a file (clients.md, section 5.6)."""
    found = form.getlist(_METADATA)
    if len(found) != 1:
        raise Invalid(f"{_METADATA}: is required, once; {len(found)} were sent.")
    if isinstance(found[0], UploadFile):
        return await found[0].read(MOST_METADATA)
    return found[0].encode(errors="replace")


async def _files(form: FormData) -> Any:
    size = 0
    for part, value in form.multi_items():
        if part == _METADATA:
            continue
        if part != _FILE or not isinstance(value, UploadFile):
            raise Invalid(f"{part[:100]}: is no part of a deployment; files are parts called {_FILE}, with a filename.")
        size += value.size or 0
        source.check_size(size)
        yield value.filename or "", await value.read()


def parse(model: type[Model], data: bytes, *field: str) -> Model:
    """Raises Invalid, RequestValidationError."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        if faults[0]["type"] == "json_invalid":
            where = field[0] if field else "The body"
            raise Invalid(f"{where}: is not JSON: {faults[0]['ctx']['error']}") from error
        raise RequestValidationError([{**fault, "loc": ("body", *field, *fault["loc"])} for fault in faults]) from error


async def read_bundle(request: Request, asked: FunctionParameters) -> Packed:
    """What the CLI made. Raises Invalid, TooLarge."""
    bundle = await request.body()
    packed = await asyncio.to_thread(eszip.keep, bundle, asked.entrypoint_path, asked.import_map_path)
    if asked.ezbr_sha256 and asked.ezbr_sha256.lower() != packed.digest:
        raise Invalid(f"ezbr_sha256: the body's is {packed.digest}; it did not arrive as it was sent.")
    return packed


def from_text(text: str) -> Packed:
    """A function of one file. Raises Invalid, TooLarge."""
    try:
        data = without_null(text).encode()
    except ValueError as error:
        raise Invalid(f"body: {error}") from error
    return source.pack(source.gather([(ONE_FILE, data)], ONE_FILE, None))


def is_eszip(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith(ESZIP)


def document(*, json: type[BaseModel] | None = None) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is read here."""
    if json is None:
        file = {"type": "array", "items": {"type": "string", "format": "binary"}}
        fields = {_FILE: file, _METADATA: DeployMetadata.model_json_schema()}
        content = {MULTIPART: {"schema": {"type": "object", "properties": fields, "required": [_METADATA]}}}
    else:
        content = {
            "application/json": {"schema": json.model_json_schema()},
            ESZIP: {"schema": {"type": "string", "format": "binary"}},
        }
    return {"requestBody": {"required": True, "content": content}}
