"""What a cluster takes on disk, counted file by file."""

import contextlib
import os
from pathlib import Path

BLOCK = 512
"""Bytes of a block as stat counts them, whatever the file system uses."""


def measure(directory: Path) -> int:
    """Bytes on disk below ``directory``; files that go meanwhile do not count. Raises FileNotFoundError."""
    total, left = 0, [str(directory)]
    while left:
        path = left.pop()
        with _unless_gone(path != str(directory)), os.scandir(path) as entries:
            for entry in entries:
                with _unless_gone():
                    total += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
    return total


def _unless_gone(may_go: bool = True) -> contextlib.AbstractContextManager[None]:
    return contextlib.suppress(FileNotFoundError) if may_go else contextlib.nullcontext()
