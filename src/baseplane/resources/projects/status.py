"""The life of a project. Which status may follow which, and what the caller is told when it may not."""

from enum import StrEnum

from baseplane.errors import Invalid


class Status(StrEnum):
    COMING_UP = "COMING_UP"
    ACTIVE_HEALTHY = "ACTIVE_HEALTHY"
    ACTIVE_UNHEALTHY = "ACTIVE_UNHEALTHY"
    INIT_FAILED = "INIT_FAILED"
    PAUSING = "PAUSING"
    PAUSE_FAILED = "PAUSE_FAILED"
    INACTIVE = "INACTIVE"
    RESTORING = "RESTORING"
    RESTORE_FAILED = "RESTORE_FAILED"
    RESTARTING = "RESTARTING"
    RESIZING = "RESIZING"
    UPGRADING = "UPGRADING"
    GOING_DOWN = "GOING_DOWN"
    REMOVED = "REMOVED"
    UNKNOWN = "UNKNOWN"


SERVING = frozenset({Status.ACTIVE_HEALTHY, Status.ACTIVE_UNHEALTHY})
"""Its cluster is meant to run, and nothing is being done to it."""
REACHABLE = SERVING | {Status.RESTORE_FAILED}
"""Where its database may answer: what a restore that failed was to replace serves on, if it served before."""
OPEN = SERVING | {
    Status.COMING_UP, Status.RESTORING, Status.RESTORE_FAILED, Status.RESTARTING, Status.RESIZING
}  # fmt: skip
"""The ingress lets connections through; until the cluster answers they learn that it does not."""
PAUSABLE = SERVING | {Status.PAUSE_FAILED}
RESTORABLE = frozenset({Status.INACTIVE, Status.RESTORE_FAILED, Status.PAUSE_FAILED, Status.INIT_FAILED})

NEXT_STEP: dict[Status, str] = {
    Status.INACTIVE: "Restore it first.",
    Status.PAUSING: "It may take a while to pause fully; restore it afterwards.",
    Status.COMING_UP: "Wait until it is ACTIVE_HEALTHY.",
    Status.RESTORING: "Wait until it is ACTIVE_HEALTHY.",
    Status.RESTARTING: "Wait until it is ACTIVE_HEALTHY.",
    Status.RESIZING: "Wait until it is ACTIVE_HEALTHY.",
    Status.UPGRADING: "Its Postgres is being upgraded; wait until it is ACTIVE_HEALTHY.",
    Status.GOING_DOWN: "It is being deleted.",
    Status.INIT_FAILED: "Delete it, or restore it to try again.",
    Status.RESTORE_FAILED: "Restore it to go on with the data that it has, or bring it back to another moment.",
    Status.PAUSE_FAILED: "Pause it again, or restore it.",
    Status.UNKNOWN: "Delete it again.",
}
"""What somebody can do who finds the project in this status and wants to use it."""
RUNS = "It runs; to bring back what its data was, restore one of its backups."
RECOVERY = "What brings it back is under way; wait until it is ACTIVE_HEALTHY."
UNTIL_PAUSED = "Wait until it is INACTIVE."
INSTEAD: dict[str, dict[Status, str]] = {
    "paused": {
        Status.INACTIVE: "It is paused already.",
        Status.PAUSING: "It is being paused; wait until it is INACTIVE.",
        Status.RESTORE_FAILED: "Restore it again; then it can be paused.",
    },
    "restored": {
        Status.ACTIVE_HEALTHY: RUNS,
        Status.ACTIVE_UNHEALTHY: f"{RUNS} If it does not answer, restart it.",
        Status.COMING_UP: RECOVERY,
        Status.RESTORING: RECOVERY,
    },
    "restarted": {
        Status.INACTIVE: "Restore it: that starts it.",
    },
    "brought back": {
        Status.PAUSING: UNTIL_PAUSED,
        Status.RESTORING: RECOVERY,
    },
    "resized": {
        Status.PAUSING: UNTIL_PAUSED,
    },
}
"""Where that is not what helps who wants something else of it, by what they want."""


def require(status: Status, allowed: frozenset[Status], action: str) -> None:
    """Raises Invalid, naming the state and what to do."""
    if status not in allowed:
        hint = INSTEAD.get(action, {}).get(status) or NEXT_STEP.get(status, "")
        raise Invalid(f"This project cannot be {action}: it is {status}. {hint}".rstrip(), project_status=status)


def require_serving(status: Status) -> None:
    """Raises Invalid unless the project's database is meant to answer."""
    require(status, SERVING, "reached")
