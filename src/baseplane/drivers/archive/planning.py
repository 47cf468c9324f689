"""Which backups and which log a recovery takes: increments save log, and cost putting them together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from baseplane.drivers.archive import BackupId, Target, base_backups, log
from baseplane.drivers.archive.log import Pack
from baseplane.drivers.archive.stores import ObjectStore


@dataclass(frozen=True, slots=True)
class Plan:
    """A full backup with its increments, oldest first, and the log after the last of them: ``packs``, and ``later`` if
    those do not reach to the target.

    ``size`` is the bytes that are written to disk without ``later``. ``gap`` says what the archive should have after
    all of the log and has not, if anything.
    """

    chain: Sequence[BackupId]
    packs: Sequence[Pack]
    later: Sequence[Pack]
    size: int
    gap: str | None


def plan(store: ObjectStore, backup: BackupId, target: Target) -> Plan:
    """What writes least. Raises BackupDamaged, ArchiveUnavailable."""
    chain = base_backups.parents(store, backup)
    facts = [base_backups.describe(store, each) for each in chain]
    found = log.packs(store, backup.ref, backup.generation)
    moment = datetime.fromisoformat(facts[-1]["ended_at"]) if target.as_backed_up else target.time
    plans = [_plan(chain[:count], facts[:count], found, moment) for count in range(1, len(chain) + 1)]
    if target.as_backed_up:
        return plans[-1]
    reaching = (each for each in plans if each.later or each.gap is None)
    return min(reaching, key=lambda each: each.size, default=plans[-1])


def _plan(chain: list[BackupId], facts: list[dict[str, Any]], found: list[Pack], moment: datetime | None) -> Plan:
    segment_size = facts[-1]["segment_size"]
    packs, missing = log.needed(found, facts[-1]["first_segment"], segment_size)
    count = log.until(packs, moment) if moment else len(packs)
    parts = sum(each["size"] for each in facts)
    size = parts * (2 if len(chain) > 1 else 1) + log.size(packs[:count], segment_size)
    gap = f"Segment {missing} of the write-ahead log is missing in the archive." if missing else None
    return Plan(chain, packs[:count], packs[count:], size, gap)
