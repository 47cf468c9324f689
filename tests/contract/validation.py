"""Holds every answer in every test against the contract, where that lies beside the checkout."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema

CONTRACT = Path(__file__).parents[3] / "shared" / "contract" / "openapi.json"


@cache
def contract() -> dict[str, Any] | None:
    return json.loads(CONTRACT.read_text()) if CONTRACT.is_file() else None


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path of the contract; empty where there is no contract."""
    document = contract() or {"paths": {}}
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "operationId" in operation
    }


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    return [
        (method, re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), operation)
        for (method, path), operation in sorted(operations().items(), key=lambda item: "{" in item[0][1])
    ]


async def check(response: httpx.Response) -> None:
    """Fail unless the answer is one that the contract allows."""
    await response.aread()
    assert response.headers.get("x-request-id"), "an answer without X-Request-Id"
    request = response.request
    if response.status_code >= 400:
        assert isinstance(response.json().get("message"), str), f"an error without a message: {response.text}"
    for method, pattern, operation in _patterns():
        if method == request.method and pattern.fullmatch(request.url.path):
            _check(response, operation)
            return


def _check(response: httpx.Response, operation: dict[str, Any]) -> None:
    if response.status_code >= 300:
        return
    declared = operation["responses"].get(str(response.status_code))
    assert declared is not None, f"{operation['operationId']} answered {response.status_code}"
    content = declared.get("content")
    if content is None:
        if not response.content:
            assert response.headers["content-length"] == "0"
            assert "content-type" not in response.headers
        return
    if "application/json" not in content:
        return
    assert response.headers["content-type"].startswith("application/json")
    _validator(operation["operationId"]).validate(response.json())


@cache
def _validator(operation_id: str) -> jsonschema.Draft202012Validator:
    document = contract()
    assert document is not None
    operation = next(found for found in operations().values() if found["operationId"] == operation_id)
    good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    schema = good["content"]["application/json"]["schema"]
    root = {"components": _plain(document["components"])}
    return jsonschema.Draft202012Validator({"allOf": [_plain(schema)], **root})


def _plain(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema: null where ``nullable``; overlapping unions allowed."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {("anyOf" if key == "oneOf" else key): _plain(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
