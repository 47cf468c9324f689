"""Which state of a signing key may follow which, and why the others may not.

A key's signatures are accepted in every state but revoked; tokens are signed with the one that is in use. So putting
another key in use logs nobody out; only a revocation does.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from baseplane.errors import Conflict

Status = Literal["in_use", "previously_used", "revoked", "standby"]

MOVES: dict[Status, frozenset[Status]] = {
    "standby": frozenset({"in_use", "revoked"}),
    "in_use": frozenset(),
    "previously_used": frozenset({"standby", "revoked"}),
    "revoked": frozenset({"standby"}),
}
REASONS: dict[Status, str] = {
    "standby": "it has signed nothing, so it can be put in use or revoked",
    "in_use": "tokens are being signed with it. Put a standby key in use; this one becomes previously_used by that",
    "previously_used": "it can be revoked, or go back to standby and be put in use from there",
    "revoked": "move it back to standby first, or remove it",
}
REMOVABLE_AFTER = timedelta(minutes=20)
"""Key sets are kept for 10 minutes at the edge and 10 more by clients (hosted platform, platform.md section 7): until
then somebody may still hold a revoked key for a good one, and could not tell what it was once it is removed."""


def check_move(now: Status, to: Status) -> None:
    """Raises Conflict, saying what can be done instead."""
    if to not in MOVES[now]:
        raise Conflict(f"status: a key that is {now} cannot become {to}: {REASONS[now]}.")


def check_removal(now: Status, since: datetime) -> None:
    """``since`` is when it came into this state. Raises Conflict."""
    if now != "revoked":
        raise Conflict(f"Only a revoked key can be removed; this one is {now}: {REASONS[now]}.")
    left = since + REMOVABLE_AFTER - datetime.now(UTC)
    if left > timedelta():
        raise Conflict(
            f"The key was revoked {REMOVABLE_AFTER // timedelta(minutes=1)} minutes ago or less, and key sets in caches"
            f" may still hold it. It can be removed in {-(-left // timedelta(minutes=1))} minutes."
        )
