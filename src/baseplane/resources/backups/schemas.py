import math
import re
from datetime import datetime, time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from baseplane.api.bodies import Body, Text
from baseplane.resources.backups.archives import Window
from baseplane.resources.backups.schedules import Schedule
from baseplane.resources.backups.store import Backup, RestorePoint

Name = Annotated[Text, Field(max_length=20)]
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(:[0-5]\d(\.\d+)?)?(Z|\+00:?00|\+00)?")
LAST_SECOND = 253_402_300_799
"""Of the year 9999, beyond which no calendar here goes."""


class V1Backup(Body):
    id: int
    is_physical_backup: bool = True
    status: Literal["COMPLETED", "FAILED", "PENDING", "REMOVED", "ARCHIVED", "CANCELLED"]
    inserted_at: str

    @classmethod
    def of(cls, backup: Backup) -> Self:
        return cls.model_validate(
            {"id": backup.id, "status": backup.status, "inserted_at": backup.inserted_at.isoformat()}
        )


class PhysicalBackupData(Body):
    earliest_physical_backup_date_unix: int | None = None
    latest_physical_backup_date_unix: int | None = None

    @classmethod
    def of(cls, windows: list[Window]) -> Self:
        """Seconds that lie within, so that both can be asked for even when the cluster is lost at this moment."""
        seconds = [(math.ceil(window.earliest.timestamp()), int(window.latest.timestamp())) for window in windows]
        whole = [(earliest, latest) for earliest, latest in seconds if earliest <= latest]
        if not whole:
            return cls()
        return cls(earliest_physical_backup_date_unix=whole[0][0], latest_physical_backup_date_unix=whole[-1][1])


class V1BackupsResponse(Body):
    region: str
    walg_enabled: bool
    pitr_enabled: bool
    backups: list[V1Backup]
    physical_backup_data: PhysicalBackupData


class V1RestorePitrBody(Body):
    recovery_time_target_unix: Annotated[int, Field(ge=0, strict=True)]


class V1RestorePointPostBody(Body):
    name: Name


class V1UndoBody(Body):
    name: Name


class V1RestorePointResponse(Body):
    name: str
    status: Literal["AVAILABLE", "PENDING", "REMOVED", "FAILED"]
    completed_on: datetime | None

    @classmethod
    def of(cls, point: RestorePoint) -> Self:
        return cls.model_validate({"name": point.name, "status": point.status, "completed_on": point.completed_on})


def _storable(number: int) -> int:
    """A bound of ours: not in the document."""
    if not -(2**63) <= number < 2**63:
        raise ValueError("is no number that a backup can have")
    return number


class V1RestoreBackupBody(Body):
    id: Annotated[int, Field(strict=True), AfterValidator(_storable)]


class V1UpdateBackupScheduleBody(Body):
    schedule_for: Text

    def time(self) -> time | None:
        """None when it is no time of the day in UTC."""
        found = TIME.fullmatch(self.schedule_for.strip())
        return time(int(found[1]), int(found[2])) if found else None


class V1BackupScheduleResponse(Body):
    schedule_for: str
    updated_at: datetime

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        return cls(schedule_for=f"{schedule.schedule_for:%H:%M}", updated_at=schedule.updated_at)
