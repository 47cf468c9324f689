"""Which projects have database webhooks."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
