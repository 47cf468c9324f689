"""What cannot be meant is refused, by field and rule, and changes nothing."""

import json
from typing import Any

import pytest

from tests.conftest import Client
from tests.resources.functions.deploying import HELLO, deployed, listed, send

INDEX = {"index.ts": HELLO}
MB = 1024 * 1024
LOOSE = (
    b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b\r\n'
    b'Content-Disposition: form-data; name="metadata"\r\n\r\n{"entrypoint_path":"index.ts"}\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("slug", "rule"),
    [
        ("9lives", "slug"),
        ("a b", "slug"),
        ("../up", "slug"),
        ("", "slug"),
        ("ä", "slug"),
        ("a" * 201, "slug"),
        (None, "slug"),
    ],
)
async def test_a_slug_that_is_none_is_refused(api: Client, ref: str, slug: str | None, rule: str) -> None:
    answer = await send(api, ref, slug)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(rule)


@pytest.mark.parametrize(
    ("files", "metadata", "words"),
    [
        (INDEX, {"entrypoint_path": "main.ts"}, "entrypoint_path: main.ts is not among the files"),
        (INDEX, {"entrypoint_path": ""}, "metadata.entrypoint_path: "),
        (INDEX, {"entrypoint_path": None}, "metadata.entrypoint_path: "),
        (INDEX, {"entrypoint_path": "../index.ts"}, "entrypoint_path: ../index.ts has .. in it"),
        (INDEX, {"import_map_path": "deno.json"}, "import_map_path: deno.json is not among the files"),
        (INDEX, {"verify_jwt": "perhaps"}, "metadata.verify_jwt: "),
        (INDEX, {"name": "a\0b"}, "metadata.name: must not contain the null"),
        (INDEX, {"name": "n" * 257}, "metadata.name: "),
        (INDEX, {"static_patterns": "*"}, "metadata.static_patterns: "),
        ({}, {}, "file: is no part of a deployment"),
        ({"../../etc/passwd": "x", **INDEX}, {}, "file: ../../etc/passwd has .. in it"),
        ({"a/../../b": "x", **INDEX}, {}, "file: a/../../b has .. in it"),
        ({"/etc/passwd": "x", **INDEX}, {}, "file: /etc/passwd is absolute"),
        ({"a\\b": "x", **INDEX}, {}, "backslash"),
        ({"a\x7fb": "x", **INDEX}, {}, "control character"),
        ({"a/": "x", **INDEX}, {}, "names no file"),
        ({".": "x", **INDEX}, {}, "names no file"),
        ({"d" * 256 + "/a": "x", **INDEX}, {}, "longer than"),
        ({**INDEX, "/".join(["d" * 200] * 6): "x"}, {}, "longer than"),
        ({"./index.ts": HELLO, **INDEX}, {}, "file: index.ts is given twice"),
        ({"a": "x", "a/b": "y", **INDEX}, {}, "file: a is a file, and a folder with a/b in it"),
        ({"a/i.ts": HELLO, "b/i.ts": HELLO}, {"entrypoint_path": "i.ts"}, "could be a/i.ts or b/i.ts"),
        ({f"f{n}": "" for n in range(1001)}, {}, "at most 1000 files"),
        ({f"f{n}": "" for n in range(10_000)}, {}, "at most 1000 files"),
    ],
)
async def test_a_deployment_that_cannot_be_meant_is_refused(
    api: Client, ref: str, files: dict[str, str | bytes], metadata: dict[str, Any], words: str
) -> None:
    answer = await send(api, ref, "hello", files, **metadata)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["message"]
    assert await listed(api, ref) == []


async def test_a_thousand_files_are_taken(api: Client, ref: str) -> None:
    files: dict[str, str | bytes] = INDEX | {f"static/{n}.txt": str(n) for n in range(999)}  # type: ignore[assignment]
    await deployed(api, ref, "hello", files, entrypoint_path="index.ts")


async def test_what_is_too_large_is_refused_and_what_is_not_is_taken(api: Client, ref: str) -> None:
    for size, status in ((25 * MB, 413), (20 * MB, 413), (19 * MB, 201)):
        answer = await send(api, ref, "hello", {"index.ts": HELLO, "data.bin": bytes(size)})
        assert answer.status_code == status, size
        if status == 413:
            assert "larger than" in answer.json()["message"]
            assert await listed(api, ref) == []


async def test_other_operations_keep_their_limit(api: Client, ref: str) -> None:
    answer = await api.post(f"/v1/projects/{ref}/database/query", {"query": "x" * (11 * MB)})
    assert answer.status_code == 413
    assert "10 MB" in answer.json()["message"]


@pytest.mark.parametrize(
    "metadata", ["no json", '{"entrypoint_path": ', "[]", '"index.ts"', "\ud800", "null", "9" * 300_000]
)
async def test_metadata_that_is_no_object_is_refused(api: Client, ref: str, metadata: str) -> None:
    parts: list[tuple[str, Any]] = [
        ("file", ("index.ts", HELLO, "application/typescript")),
        ("metadata", ("blob", metadata.encode(errors="surrogatepass"), "application/json")),
    ]
    answer = await api.call("POST", f"/v1/projects/{ref}/functions/deploy?slug=hello", files=parts)
    assert answer.status_code == 400
    assert "metadata" in answer.json()["message"]


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("application/json", b"{}", "must be multipart/form-data"),
        ("multipart/form-data", b"x", "cannot be read"),
        ("multipart/form-data; boundary=b", b"x", "cannot be read"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", "cannot be read"),
        ("multipart/form-data; boundary=b", b"--b--\r\n", "metadata: is required"),
        ("multipart/form-data; boundary=b", b"", "metadata: is required"),
        (
            "multipart/form-data; boundary=b",
            LOOSE,
            "file: is no part of a deployment",
        ),
    ],
)
async def test_a_body_that_is_no_form_is_refused(api: Client, ref: str, kind: str, body: bytes, words: str) -> None:
    answer = await api.call(
        "POST", f"/v1/projects/{ref}/functions/deploy?slug=hello", content=body, headers={"Content-Type": kind}
    )
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_a_deployment_without_metadata_is_refused(api: Client, ref: str) -> None:
    files = [("file", ("index.ts", HELLO, "application/typescript"))]
    answer = await api.call("POST", f"/v1/projects/{ref}/functions/deploy?slug=hello", files=files)
    assert answer.status_code == 400
    assert answer.json()["message"] == "metadata: is required, once; 0 were sent."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "slug: is required"),
        ({"slug": "hello", "name": "hello"}, "body: is required"),
        ({"slug": "9", "name": "hello", "body": HELLO}, "slug: "),
        ({"slug": "hello", "name": "", "body": HELLO}, "name: "),
        ({"slug": "hello", "name": "hello", "body": 1}, "body: "),
        ({"slug": "hello", "name": "hello", "body": "a\0b"}, "body: must not contain the null character"),
        ({"slug": "hello", "name": "hello", "body": HELLO, "verify_jwt": "x"}, "verify_jwt: "),
        ([], "The body must be a JSON object"),
    ],
)
async def test_a_creation_that_cannot_be_meant_is_refused(api: Client, ref: str, body: Any, words: str) -> None:
    answer = await api.post(f"/v1/projects/{ref}/functions", body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", json.dumps({"body": "\ud800"}).encode()])
async def test_a_body_that_is_no_json_is_refused(api: Client, ref: str, body: bytes) -> None:
    answer = await api.call("POST", f"/v1/projects/{ref}/functions", content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"] or "Unicode" in answer.json()["message"]


async def test_more_functions_than_a_project_may_have_are_refused(
    api: Client, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baseplane.resources.organizations.entitlements.limit", {"function.max_count": 1.0}.__getitem__)
    await deployed(api, ref, "one")
    answer = await send(api, ref, "two")
    assert answer.status_code == 402
    assert "at most 1 functions" in answer.json()["message"]
    assert (await deployed(api, ref, "one"))["version"] == 2
    assert [function["slug"] for function in await listed(api, ref)] == ["one"]
