"""Bundles that the CLI makes where it has Docker; hello.ezbr was made with npm's @deno/eszip 0.106.0."""

import hashlib
import json
import random
from pathlib import Path

import brotli
import pytest

from baseplane.errors import Invalid, TooLarge
from baseplane.resources.functions import eszip
from tests.conftest import Client
from tests.resources.functions.deploying import listed

BUNDLE = Path(__file__).with_name("hello.ezbr").read_bytes()
UNPACKED = brotli.decompress(BUNDLE[4:])
DIGEST = hashlib.sha256(BUNDLE).hexdigest()
ROOT = "file:///home/anna/shop/supabase/functions"
QUERY = {"slug": "hello", "name": "Hello", "verify_jwt": "false", "entrypoint_path": f"{ROOT}/hello/index.ts"}
HEADERS = {"Content-Type": "application/vnd.denoland.eszip"}


def packed(unpacked: bytes) -> bytes:
    return b"EZBR" + brotli.compress(unpacked, quality=1)


def test_a_bundle_gives_what_its_author_wrote() -> None:
    found = eszip.read(BUNDLE, QUERY["entrypoint_path"], None)
    assert sorted(found.files) == ["_shared/greet.ts", "hello/data.json", "hello/index.ts"]
    assert b"interface Who" in found.files["hello/index.ts"], "types are gone from what was compiled"
    assert json.loads(found.files["hello/data.json"]) == {"name": "anna"}
    assert found.entrypoint == "hello/index.ts"


@pytest.mark.parametrize(
    "entrypoint", ["/home/anna/shop/supabase/functions/hello/index.ts", "hello/index.ts", "index.ts"]
)
def test_the_entrypoint_is_found_by_the_end_of_its_path(entrypoint: str) -> None:
    assert eszip.read(BUNDLE, entrypoint, "file:///nowhere/deno.json").entrypoint == "hello/index.ts"


def test_a_bundle_that_breaks_off_anywhere_is_refused() -> None:
    for size in range(len(BUNDLE)):
        with pytest.raises(Invalid, match="cannot be read"):
            eszip.read(BUNDLE[:size], QUERY["entrypoint_path"], None)
    maps = UNPACKED.index(b'{"version":3')
    for size in range(maps):
        with pytest.raises(Invalid):
            eszip.read(packed(UNPACKED[:size]), QUERY["entrypoint_path"], None)


def test_a_bundle_that_was_tampered_with_breaks_nothing() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        data = bytearray(UNPACKED)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = eszip.read(packed(bytes(data)), QUERY["entrypoint_path"], None)
        except (Invalid, TooLarge):
            continue
        assert found.entrypoint in found.files


def _module(specifier: bytes, at: int, size: int) -> bytes:
    head = len(specifier).to_bytes(4, "big") + specifier + b"\0"
    return head + at.to_bytes(4, "big") + size.to_bytes(4, "big") + bytes(8) + b"\0"


def _eszip(modules: bytes, sources: bytes) -> bytes:
    options = b"\0\0\0\4\0\0\1\0"
    section = len(modules).to_bytes(4, "big") + modules
    return b"ESZIP2.3" + options + section + bytes(4) + len(sources).to_bytes(4, "big") + sources + bytes(4)


@pytest.mark.parametrize(
    ("unpacked", "refusal", "words"),
    [
        (bytes(2**30), TooLarge, "larger than 60 MB"),
        (_eszip(b"".join(_module(b"file:///f%d" % n, 0, 2**20) for n in range(900)), bytes(2**20)), TooLarge, "60 MB"),
        (_eszip(b"".join(_module(b"file:///f%d" % n, 0, 1) for n in range(1001)), b"x"), Invalid, "1000 files"),
        (_eszip(b"".join(_module(b"https://f/%d" % n, 0, 1) for n in range(20_001)), b"x"), Invalid, "20000 modules"),
        (_eszip(_module(b"file:///a/../../index.ts", 0, 1), b"x"), Invalid, "has .. in it"),
        (_eszip(_module(b"file:///index.ts", 0, 9), b"x"), Invalid, "lies outside"),
        (_eszip(_module(b"file:///%00/index.ts", 0, 1), b"x"), Invalid, "control character"),
        (_eszip(_module(b"https://example.com/index.ts", 0, 1), b"x"), Invalid, "is not in the bundle"),
        (b"ESZIP9.9", Invalid, "no eszip that we know"),
    ],
    ids=["bomb", "overlapping", "files", "modules", "up", "outside", "null", "remote", "version"],
)  # fmt: skip
def test_a_hostile_bundle_is_refused(unpacked: bytes, refusal: type[Exception], words: str) -> None:
    with pytest.raises(refusal, match=words):
        eszip.read(packed(unpacked), "index.ts", None)


async def test_a_function_is_created_and_updated_from_a_bundle(api: Client, ref: str) -> None:
    path = f"/v1/projects/{ref}/functions"
    answer = await api.call("POST", path, params={**QUERY, "ezbr_sha256": DIGEST}, content=BUNDLE, headers=HEADERS)
    assert answer.status_code == 201, answer.text
    function = answer.json()
    assert (function["ezbr_sha256"], function["name"], function["verify_jwt"]) == (DIGEST, "Hello", False)
    assert function["entrypoint_path"].endswith("/source/hello/index.ts")
    assert await listed(api, ref) == [function]
    answer = await api.call("PATCH", f"{path}/hello", params=QUERY, content=BUNDLE, headers=HEADERS)
    assert (answer.json()["version"], answer.json()["ezbr_sha256"]) == (2, DIGEST)


async def test_a_bundle_is_downloaded_as_it_was_sent_or_as_files(api: Client, ref: str) -> None:
    path = f"/v1/projects/{ref}/functions"
    await api.call("POST", path, params=QUERY, content=BUNDLE, headers=HEADERS)
    answer = await api.call("GET", f"{path}/hello/body", headers={"Accept": "*/*"})
    assert (answer.content, answer.headers["content-type"]) == (BUNDLE, HEADERS["Content-Type"])
    answer = await api.call("GET", f"{path}/hello/body", headers={"Accept": "multipart/form-data"})
    assert b"Supabase-Path: source/_shared/greet.ts" in answer.content


@pytest.mark.parametrize(
    ("query", "body", "words"),
    [
        (QUERY | {"ezbr_sha256": "0" * 64}, BUNDLE, "ezbr_sha256: the body's is"),
        (
            QUERY | {"entrypoint_path": "file:///main.ts"},
            BUNDLE,
            "entrypoint_path: file:///main.ts is not in the bundle",
        ),
        (QUERY, b"", "--use-api"),
        (QUERY, b"EZBR", "--use-api"),
        (QUERY, b"EZBRx" * 100, "--use-api"),
        ({"entrypoint_path": "index.ts"}, BUNDLE, "slug: is required"),
    ],
)
async def test_a_bundle_that_cannot_be_meant_is_refused(
    api: Client, ref: str, query: dict[str, str], body: bytes, words: str
) -> None:
    answer = await api.call("POST", f"/v1/projects/{ref}/functions", params=query, content=body, headers=HEADERS)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert await listed(api, ref) == []
