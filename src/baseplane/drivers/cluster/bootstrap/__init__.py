"""What is inside every project's Postgres cluster when it is new: roles, schemas, extensions, grants.

The files beside this one are run once, in the order of their names, by superuser supabase_admin in database postgres of
the template cluster.
"""

import hashlib
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

# Extensions that role postgres, no superuser, may create although their authors do not mark them as trusted. Postgres
# then runs their scripts as the superuser. Each is here because neither its script nor its functions give a way to
# files, programs or other roles' data:
TRUSTED = (
    "autoinc",  # a trigger that acts as its caller
    "bloom",  # an index method
    "dict_xsyn",  # a dictionary; its rules come from tsearch_data alone
    "hypopg",  # imagined indexes, in the session's own memory
    "insert_username",  # like autoinc
    "moddatetime",  # like autoinc
    "pg_freespacemap",  # readable by pg_stat_scan_tables
    "pg_stat_statements",  # hides other roles' statements but from pg_read_all_stats
    "pg_trgm",
    "pgrowlocks",  # asks for SELECT on the table
    "pgstattuple",  # readable by pg_stat_scan_tables
    "plpgsql_check",  # reads functions without running them
    "postgres_fdw",  # a non-superuser needs a password, and may not name files
    "sslinfo",  # about the own connection
    "uuid-ossp",
    "vector",
)
# Left out on purpose:
# - adminpack, file_fdw, plpython3u and the other untrusted languages with their transforms: files and programs.
# - dblink: takes raw connection strings, and libpq 18 writes the file that sslkeylogfile names. postgres_fdw refuses it.
# - amcheck, pageinspect, pg_buffercache, pg_logicalinspect, pg_surgery, pg_visibility, pg_walinspect: read or change
#   storage below row security and below every right.
# - earthdistance, refint: look up names in schemas that the tenant can write; earthdistance while the superuser runs it.
# - intagg: its script updates catalogs. pg_prewarm: starts a background worker that writes files. xml2: loads what a stylesheet names.

PLATFORM_ROLES = "12_platform_roles.sql"
RENEWABLE = ("11_createrole.sql", PLATFORM_ROLES, "42_extension_access.sql")
"""Files that can be run again, and bring an older cluster up to date."""

_TRUSTED_LINE = re.compile(r"^[ \t]*trusted\b.*$\n?", re.IGNORECASE | re.MULTILINE)


def statements() -> Iterator[tuple[str, str]]:
    """Name and SQL text of every file, in the order in which they are to be run."""
    for file in sorted(resources.files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield file.name, file.read_text(encoding="utf-8")


def mend() -> str:
    """SQL that gives the platform's own roles back what a tenant may have changed about them, but for passwords.

    To be run by supabase_admin, in database postgres, as often as one likes.
    """
    return _text(PLATFORM_ROLES)


def renew() -> str:
    """SQL that brings what depends on the server's version up to date, and does what ``mend`` does.

    To be run by supabase_admin, in database postgres, before the cluster's extensions are updated.
    """
    return "\n".join(map(_text, RENEWABLE))


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def digest() -> str:
    """SHA-256, in hex, of all that ``statements`` yields: a template made from another text has another digest."""
    total = hashlib.sha256()
    for name, text in statements():
        total.update(f"{name}\0{text}\0".encode())
    return total.hexdigest()


def trust(share_dir: Path) -> None:
    """Mark the extensions of ``TRUSTED`` that an engine has as trusted. A second call changes nothing.

    ``share_dir`` is what the engine's ``pg_config --sharedir`` says. Raises OSError.
    """
    for name in TRUSTED:
        control = share_dir / "extension" / f"{name}.control"
        if control.exists():
            _mark(control)


def _mark(control: Path) -> None:
    """Replaced whole: a server that reads it meanwhile sees the old text or the new one."""
    before = control.read_text(encoding="utf-8")
    after = _TRUSTED_LINE.sub("", before).rstrip("\n") + "\ntrusted = true\n"
    if after == before:
        return
    fresh = control.with_suffix(".control.new")
    fresh.write_text(after, encoding="utf-8")
    fresh.chmod(control.stat().st_mode)
    fresh.replace(control)


__all__ = ["TRUSTED", "digest", "mend", "renew", "statements", "trust"]
