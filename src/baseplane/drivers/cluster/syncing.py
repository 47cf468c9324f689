"""Bringing what was written to disk."""

import ctypes
import os
from pathlib import Path


def sync_file_system(directory: Path) -> None:
    """Bring the file system that holds ``directory`` to disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None or syncfs(descriptor):
            os.sync()
    finally:
        os.close(descriptor)
