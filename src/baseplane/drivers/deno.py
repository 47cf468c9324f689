"""Where Deno lies: it comes as a wheel, beside the interpreter that runs us."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path


def find() -> Path | None:
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("deno", path=f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}")
    return Path(found) if found else None


def version(program: Path) -> str:
    """Empty if it does not run."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return said[1] if len(said) > 1 else ""
