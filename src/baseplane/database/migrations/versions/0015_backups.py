"""Archives of projects: how they stand, backups, restore points, restores and drills."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0015"
down_revision = "0013"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
