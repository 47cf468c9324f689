"""Which backups and which log a recovery takes: increments save log, and cost putting them together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from baseplane.drivers.archive import BackupId, Target, base_backups, log
from baseplane.drivers.archive.log import Pack
from baseplane.drivers.archive.stores import ObjectStore


@dataclass(frozen=True, slots=True)
class Plan:
    """A full backup with its increments, oldest first, and the log after the last of them.

    ``size`` is the bytes that are written to disk. ``gap`` says what the archive should have and has not, if anything.
    """

    chain: Sequence[BackupId]
    packs: Sequence[Pack]
    size: int
    gap: str | None


def plan(store: ObjectStore, backup: BackupId, target: Target) -> Plan:
    """What writes least. Raises BackupDamaged, ArchiveUnavailable."""
    chain = base_backups.parents(store, backup)
    facts = [base_backups.describe(store, each) for each in chain]
    found = log.packs(store, backup.ref, backup.generation)
    plans = [_plan(chain[:count], facts[:count], found) for count in range(1, len(chain) + 1)]
    if target.as_backed_up:
        return plans[-1]
    return min((each for each in plans if each.gap is None), key=lambda each: each.size, default=plans[-1])


def _plan(chain: list[BackupId], facts: list[dict[str, Any]], found: list[Pack]) -> Plan:
    segment_size = facts[-1]["segment_size"]
    packs, missing = log.needed(found, facts[-1]["first_segment"], segment_size)
    segments = sum(log.count(pack, segment_size) for pack in packs)
    parts = sum(each["size"] for each in facts)
    size = parts * (2 if len(chain) > 1 else 1) + segments * segment_size
    return Plan(
        chain, packs, size, f"Segment {missing} of the write-ahead log is missing in the archive." if missing else None
    )
