"""Upgrades of projects, and the questions whether one is possible."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from baseplane.database import Connection, maybe, rows, value

PROGRESS = (
    "0_requested",
    "1_started",
    "2_launched_upgraded_instance",
    "3_detached_volume_from_upgraded_instance",
    "4_attached_volume_to_original_instance",
    "5_initiated_data_upgrade",
    "6_completed_data_upgrade",
    "7_detached_volume_from_original_instance",
    "8_attached_volume_to_upgraded_instance",
    "9_completed_upgrade",
)
"""How far an upgrade is, in the contract's words (platform.md, section 11). No step of ours is its tenth, a backup."""
ERRORS = (
    "1_upgraded_instance_launch_failed",
    "1_upgraded_instance_launch_failed",
    "2_volume_detachchment_from_upgraded_instance_failed",
    "3_volume_attachment_to_original_instance_failed",
    "4_data_upgrade_initiation_failed",
    "5_data_upgrade_completion_failed",
    "6_volume_detachchment_from_original_instance_failed",
    "7_volume_attachment_to_upgraded_instance_failed",
    "8_upgrade_completion_failed",
)
"""What one that came as far as the same place in ``PROGRESS`` failed with."""
CHECKS_LAST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """``engine`` is the major it goes to, ``version`` that in full; ``remarks`` say what stayed old."""

    id: UUID
    ref: str
    engine: int
    version: str
    state: str
    progress: str
    error: str | None
    cause: str | None
    remarks: list[str]
    initiated_at: datetime
    latest_status_at: datetime

    @property
    def label(self) -> str:
        """Names its directory aside."""
        return f"upgrade-{self.id.hex}"


_UPGRADE: LiteralString = "select id, ref, engine, version, state, progress, error, cause, remarks, initiated_at, latest_status_at from upgrades"


async def insert(db: Connection, ref: str, engine: int, version: str) -> UUID:
    upgrade_id: UUID = await value(
        db, "insert into upgrades (ref, engine, version) values (%s, %s, %s) returning id", [ref, engine, version]
    )
    return upgrade_id


async def latest(db: Connection, ref: str) -> Upgrade | None:
    query: LiteralString = _UPGRADE + " where ref = %s order by initiated_at desc limit 1"
    return await maybe(db, Upgrade, query, [ref])


async def find(db: Connection, ref: str, upgrade_id: UUID) -> Upgrade | None:
    return await maybe(db, Upgrade, _UPGRADE + " where ref = %s and id = %s", [ref, upgrade_id])


async def going_on(db: Connection, ref: str) -> Upgrade | None:
    return await maybe(db, Upgrade, _UPGRADE + " where ref = %s and state = 'upgrading'", [ref])


async def reach(db: Connection, ref: str, progress: str) -> None:
    """Write how far it is; a step that is done again does not take it back."""
    await db.execute(
        "update upgrades set progress = %(progress)s, latest_status_at = now() where ref = %(ref)s"
        " and state = 'upgrading' and split_part(progress, '_', 1)::int < split_part(%(progress)s, '_', 1)::int",
        {"ref": ref, "progress": progress},
    )


async def remark(db: Connection, ref: str, remarks: list[str]) -> None:
    await db.execute("update upgrades set remarks = %s where ref = %s and state = 'upgrading'", [remarks, ref])


async def succeed(db: Connection, ref: str) -> Upgrade | None:
    """From now on there is no way back; None if it has ended already."""
    upgrade = await going_on(db, ref)
    await reach(db, ref, PROGRESS[-1])
    await db.execute("update upgrades set state = 'upgraded' where ref = %s and state = 'upgrading'", [ref])
    return upgrade


async def fail(db: Connection, ref: str, cause: str) -> bool:
    """Write its end, with the error that says how far it came; tells whether it was going on."""
    if upgrade := await going_on(db, ref):
        await db.execute(
            "update upgrades set state = 'failed', error = %s, cause = %s, latest_status_at = now() where id = %s",
            [ERRORS[PROGRESS.index(upgrade.progress)], cause, upgrade.id],
        )
    return upgrade is not None


@dataclass(frozen=True, slots=True)
class Check:
    """``engine`` is the major that is asked about, None for the newest there is."""

    id: UUID
    engine: int | None


async def ask(db: Connection, ref: str, engine: int | None) -> UUID:
    """Write a question down, and forget old ones."""
    await db.execute("delete from upgrade_checks where asked_at < now() - %s", [CHECKS_LAST])
    check_id: UUID = await value(
        db, "insert into upgrade_checks (ref, engine) values (%s, %s) returning id", [ref, engine]
    )
    return check_id


async def asked(db: Connection, ref: str) -> list[Check]:
    """The questions without an answer."""
    return await rows(
        db, Check, "select id, engine from upgrade_checks where ref = %s and findings is null order by asked_at", [ref]
    )


async def answer(db: Connection, check_id: UUID, findings: dict[str, Any]) -> None:
    await db.execute("update upgrade_checks set findings = %s where id = %s", [Jsonb(findings), check_id])


async def answered(db: Connection, check_id: UUID) -> dict[str, Any] | None:
    findings: dict[str, Any] | None = await value(db, "select findings from upgrade_checks where id = %s", [check_id])
    return findings
