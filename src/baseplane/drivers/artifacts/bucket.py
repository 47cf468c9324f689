"""Artifacts in a bucket of an S3-compatible store (decision 13)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from obstore.exceptions import BaseError, NotFoundError

from baseplane.drivers.artifacts import ArtifactMissing, StoreUnavailable, check_key
from baseplane.drivers.buckets import open_bucket, reason

ANSWER_WITHIN = timedelta(seconds=30)
OPTIONS = frozenset({"endpoint", "region"})


class Bucket:
    """``url`` is ``s3://bucket/prefix?endpoint=https://…&region=…``. Without ``credentials``, which are a key's id and
    the secret, those of the AWS_* variables or of the machine are used.

    Raises ValueError for a URL that cannot be meant.
    """

    def __init__(self, url: str, credentials: tuple[str, str] | None = None) -> None:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        if parts.scheme != "s3" or not parts.hostname:
            raise ValueError(f"{url!r} is no bucket, such as s3://name/prefix?endpoint=https://store.example.com")
        if unknown := sorted(set(options) - OPTIONS):
            raise ValueError(
                f"{unknown[0]!r} is no option of a bucket's URL; there are {' and '.join(sorted(OPTIONS))}"
            )
        self._store = open_bucket(url, ANSWER_WITHIN, credentials)

    async def put(self, key: str, data: bytes) -> None:
        with _foreseen(key):
            await self._store.put_async(check_key(key), data)

    async def get(self, key: str) -> bytes:
        with _foreseen(key):
            return bytes(await (await self._store.get_async(check_key(key))).bytes_async())

    async def delete(self, key: str) -> None:
        with suppress(ArtifactMissing), _foreseen(key):
            await self._store.delete_async(check_key(key))

    async def list(self, folder: str) -> list[str]:
        found: list[str] = []
        with _foreseen(folder):
            async for several in self._store.list(check_key(folder), chunk_size=1000):
                found += [each["path"] for each in several]
        return sorted(found)


@contextmanager
def _foreseen(key: str) -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:  # by operation
        raise ArtifactMissing(f"There is no artifact {key}.") from error
    except BaseError as error:
        raise StoreUnavailable(f"The bucket of artifacts does not take part: {reason(error)}") from error


__all__ = ["Bucket"]
