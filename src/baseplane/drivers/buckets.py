"""Buckets, opened by their URL with obstore (decisions 13 and 15).

s3://bucket/prefix?endpoint=https://s3.host     any S3; credentials and region as usual in AWS_* variables
gs://bucket/prefix, az://account/container      by obstore, as well; not tried
"""

import os
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from obstore.exceptions import BaseError
from obstore.store import from_url

CONNECT_WITHIN = timedelta(seconds=5)
RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}


def open_bucket(url: str, answer_within: timedelta, credentials: tuple[str, str] | None = None) -> Any:
    """A store of obstore; ``credentials`` are a key's id and the secret. Raises ValueError for what cannot be meant."""
    parts = urlsplit(url)
    options: Any = dict(parse_qsl(parts.query))
    if parts.scheme == "s3":
        options = {"region": "us-east-1", "virtual_hosted_style_request": "false", **options}
    if credentials:
        options["access_key_id"], options["secret_access_key"] = credentials
    client: Any = {"connect_timeout": CONNECT_WITHIN, "timeout": answer_within}
    if options.get("endpoint", os.environ.get("AWS_ENDPOINT_URL", "")).startswith("http://"):
        client["allow_http"] = True
    address = parts._replace(query="").geturl()
    try:
        return from_url(address, config=options, client_options=client, retry_config=RETRIES)
    except (BaseError, ValueError) as error:
        raise ValueError(f"{address} is not understood: {error}") from error


def reason(error: Exception) -> str:
    """What a store said, for people; the lines after the first are for those who debug obstore."""
    return str(error).strip().partition("\n")[0]
