"""A real S3 server for tests."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from baseplane.cli import ports

CREDENTIALS = ("key-of-tests", "secret-of-tests")


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """The URL of a folder in a bucket, which has the files below ``root``."""
    (root / "kept").mkdir()
    port = ports.free_near("127.0.0.1", 0)
    command = [
        str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(root),
        "--addr", f"127.0.0.1:{port}", "--auth-key", ",".join(CREDENTIALS), "--config", os.devnull,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        while ports.is_free("127.0.0.1", port):
            assert server.poll() is None
            time.sleep(0.01)
        yield f"s3://kept/below/here?endpoint=http://127.0.0.1:{port}"
        server.terminate()
