"""What came of a recovery, written beside it: whoever takes over from a worker that died need not do it again."""

import json
import os
from datetime import datetime
from pathlib import Path

from baseplane.drivers.archive import Recovered

FILE = "recovered.json"


def read(home: Path) -> Recovered | None:
    """None unless what lies in ``home`` is whole."""
    try:
        facts = json.loads((home / FILE).read_text())
    except FileNotFoundError:
        return None
    moment = facts["last_commit"]
    return Recovered(facts["engine"], facts["version"], datetime.fromisoformat(moment) if moment else None)


def write(home: Path, recovered: Recovered) -> None:
    """Call it whole. Everything else must be on disk."""
    moment = recovered.last_commit
    facts = {
        "engine": recovered.engine,
        "version": recovered.version,
        "last_commit": moment.isoformat() if moment else None,
    }
    fresh = home / f"{FILE}.new"
    with fresh.open("w") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(home / FILE)
