"""Projects that are made from another's backup."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
