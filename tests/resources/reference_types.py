"""The generator whose output ours is to equal: the npm package @supabase/postgres-meta, version 0.99.0, where it is.

POSTGRES_META names its directory, such as node_modules/@supabase/postgres-meta; without it, one below the working
directory is taken.
"""

import os
import shutil
import subprocess
from pathlib import Path

from baseplane.resources.types.typescript.document import POSTGREST_VERSION

PACKAGE = Path(os.environ.get("POSTGRES_META", "node_modules/@supabase/postgres-meta"))


def missing() -> str | None:
    """Why it cannot be run."""
    if not shutil.which("node"):
        return "there is no node"
    if not (PACKAGE / "dist/server/server.js").exists():
        return "@supabase/postgres-meta is not installed; POSTGRES_META can name its directory"
    return None


def types(url: str, schemas: str) -> str:
    """What it makes of the database at ``url``, as the hosted platform calls it."""
    environment = {
        **os.environ,
        "PG_META_GENERATE_TYPES": "typescript",
        "PG_META_DB_URL": url,
        "PG_META_GENERATE_TYPES_INCLUDED_SCHEMAS": schemas,
        "PG_META_GENERATE_TYPES_DETECT_ONE_TO_ONE_RELATIONSHIPS": "true",
        "PG_META_POSTGREST_VERSION": POSTGREST_VERSION,
    }
    command = ["node", "dist/server/server.js"]
    done = subprocess.run(
        command, check=False, cwd=PACKAGE, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")  # console.log adds one
