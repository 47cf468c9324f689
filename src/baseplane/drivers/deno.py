"""Where Deno lies: it comes as a wheel, beside the interpreter that runs us."""

import os
import shutil
import sysconfig
from pathlib import Path


def find() -> Path | None:
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("deno", path=f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}")
    return Path(found) if found else None
