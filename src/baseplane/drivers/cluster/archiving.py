"""Which archive a cluster's write-ahead log goes to, and what Postgres is told of it.

Clusters are copies of one template and share its system identifier, so an archive is named by the project and a
*generation* of ours. It is written in a file of the data directory and travels with it: data that is switched in
(``switching``) brings its own, so that its log never meets that of the data before.

Postgres hands finished segments to ``basic_archive``, which puts them on disk in a spool outside the cluster's home.
From there the platform's archive takes them away, packed (``baseplane.drivers.archive``).
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from baseplane.drivers.cluster.account import Account

GENERATION = "baseplane.generation"
SEGMENT_TIMEOUT = 0.75
"""The part of the recovery point objective after which a segment is closed; the rest is for carrying it away."""

WAL_SENDERS = 2
"""At least so many, for base backups."""


def begin_generation(account: Account, data: Path) -> str:
    """Give this data directory an archive of its own. It must be stopped."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    account.write(data / GENERATION, name)
    return name


def generation(data: Path) -> str | None:
    try:
        return (data / GENERATION).read_text()
    except FileNotFoundError:
        return None


def parameters(chosen: Mapping[str, str], spool: Path, rpo: float) -> dict[str, str]:
    """Go above what is ``chosen`` already. An idle cluster closes no segment, whatever the timeout."""
    return {
        "max_wal_senders": str(max(int(chosen["max_wal_senders"]), WAL_SENDERS)),
        "archive_mode": "on",
        "archive_library": "basic_archive",
        "archive_command": "",
        "basic_archive.archive_directory": str(spool),
        "archive_timeout": str(max(1, round(rpo * SEGMENT_TIMEOUT))),
    }


OFF = {"archive_mode": "off", "archive_library": "", "archive_command": ""}
