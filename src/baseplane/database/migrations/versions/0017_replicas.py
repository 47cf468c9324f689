"""Read replicas of projects."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
