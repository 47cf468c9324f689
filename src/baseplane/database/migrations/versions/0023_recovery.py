"""The archive of the platform database itself, and projects whose machine is lost."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0023"
down_revision = "0021"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
