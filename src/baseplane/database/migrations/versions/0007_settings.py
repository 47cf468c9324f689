"""What projects override of Postgres' settings; their disks."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
